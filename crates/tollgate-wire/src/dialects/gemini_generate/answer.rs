//! Pieces of an answer as Gemini writes them, for whole and streamed answers alike.

use serde_json::{Map, Value, json};
use tollgate_model::{Citation, DialectId, Losses, Media, Signature, TokenLogprob};

use super::{ID, citations, function, media, signature};

pub(super) fn text(text: &str) -> Value {
    json!({"text": text})
}

pub(super) fn thought(text: &str, signature: Option<&Signature>) -> Value {
    let mut part = json!({"text": text, "thought": true});
    if let Some(signature) = signature {
        part["thoughtSignature"] = signature::written(signature).into();
    }
    part
}

/// A signature without text: of thinking that was written before, or of the text before it.
pub(super) fn signature_alone(signature: &Signature) -> Value {
    let mut part = json!({"text": "", "thoughtSignature": signature::written(signature)});
    if signature.origin != ID {
        part["thought"] = true.into();
    }
    part
}

pub(super) fn redacted(data: &Signature) -> Value {
    json!({"text": "", "thought": true, "thoughtSignature": signature::written_redacted(data)})
}

/// A call of a function.
#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
    pub(super) signature: Option<Signature>,
}

pub(super) fn call(call: &Call, path: &str, losses: &mut Losses) -> Value {
    let (args, wrapped) = function::args(&call.arguments);
    if wrapped {
        losses.approximated(path, "arguments");
    }
    let mut written = json!({"name": call.name, "args": args});
    if !call.id.is_empty() {
        written["id"] = call.id.as_str().into();
    }
    let mut part = json!({"functionCall": written});
    if let Some(signature) = &call.signature {
        part["thoughtSignature"] = signature::written(signature).into();
    }
    part
}

pub(super) fn media(media: &Media, path: &str, losses: &mut Losses) -> Option<Value> {
    let part = media::written(media);
    if part.is_none() {
        losses.dropped(path, "file_id");
    }
    part.map(Value::Object)
}

/// A piece in its dialect's own form: a part, or fields of the candidate.
pub(super) enum Native {
    Part(Value),
    Candidate(Map<String, Value>),
    Nothing,
}

pub(super) fn native(dialect: DialectId, json: &Value, path: &str, losses: &mut Losses) -> Native {
    match json {
        Value::Object(fields) if dialect == ID => {
            if citations::KEPT.iter().any(|kept| fields.contains_key(*kept)) {
                Native::Candidate(fields.clone())
            } else {
                Native::Part(json.clone())
            }
        }
        _ => {
            losses.dropped(path, json["type"].as_str().unwrap_or("part"));
            Native::Nothing
        }
    }
}

pub(super) fn add_citation(candidate: &mut Map<String, Value>, citation: &Citation) {
    if let Some(source) = citations::written(citation) {
        let metadata = candidate.entry("citationMetadata");
        let metadata = metadata.or_insert_with(|| json!({"citationSources": []}));
        if let Some(Value::Array(sources)) = metadata.get_mut("citationSources") {
            sources.push(source);
        }
    }
}

pub(super) fn add_logprobs(candidate: &mut Map<String, Value>, tokens: &[TokenLogprob]) {
    let one = |token: &TokenLogprob| json!({"token": token.token, "logProbability": token.logprob});
    let result =
        candidate.entry("logprobsResult").or_insert_with(|| json!({"chosenCandidates": []}));
    let any_top = tokens.iter().any(|token| !token.top.is_empty());
    if any_top && result.get("topCandidates").is_none() {
        // The lists run side by side.
        let before = result["chosenCandidates"].as_array().map_or(0, Vec::len);
        result["topCandidates"] = vec![json!({}); before].into();
    }
    for token in tokens {
        if let Some(Value::Array(chosen)) = result.get_mut("chosenCandidates") {
            chosen.push(one(token));
        }
        if let Some(Value::Array(top)) = result.get_mut("topCandidates") {
            top.push(json!({"candidates": token.top.iter().map(one).collect::<Vec<_>>()}));
        }
    }
}
