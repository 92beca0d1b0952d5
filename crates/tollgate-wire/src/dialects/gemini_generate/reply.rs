//! A buffered answer, both ways.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};
use tollgate_model::{Choice, Event, Fault, Losses, PartKind, Reply};

use super::answer::{self, Call, Native};
use super::reader::Reader;
use super::{finish, usage};
use crate::{Encoded, Quirks, ReplyContext, tree};

/// One response, or the list of them that a stream without server-sent events is.
pub(super) fn decode(body: &[u8], _: &Quirks) -> Result<Vec<Event>, Fault> {
    let body = tree::read(body).map_err(|_| no_answer())?;
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    let whole = match &body {
        Value::Array(chunks) => {
            for chunk in chunks {
                reader.read(chunk, &mut out)?;
            }
            false
        }
        one => {
            reader.read(one, &mut out)?;
            true
        }
    };
    reader.end(whole, &mut out)?;
    Ok(out)
}

fn no_answer() -> Fault {
    Fault::bad_upstream("The provider's answer is not JSON")
}

/// What metering needs of a response, without a tree of the rest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Skimmed<'a> {
    #[serde(default, borrow)]
    candidates: Option<Vec<SkimmedCandidate<'a>>>,
    #[serde(default)]
    pub(super) usage_metadata: Option<Map<String, Value>>,
    #[serde(default)]
    prompt_feedback: Option<Value>,
    #[serde(default, borrow)]
    response_id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    model_version: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    create_time: Option<Cow<'a, str>>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SkimmedCandidate<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(default)]
    finish_reason: Option<Value>,
    #[serde(default, borrow)]
    content: Option<&'a RawValue>,
}

impl Skimmed<'_> {
    /// The response without its content.
    pub(super) fn as_read(&self) -> Value {
        let mut chunk = Map::new();
        let texts = [
            ("responseId", &self.response_id),
            ("modelVersion", &self.model_version),
            ("createTime", &self.create_time),
        ];
        for (field, text) in texts {
            if let Some(text) = text {
                chunk.insert(field.into(), text.as_ref().into());
            }
        }
        if let Some(usage) = &self.usage_metadata {
            chunk.insert("usageMetadata".into(), usage.clone().into());
        }
        for (field, value) in [("promptFeedback", &self.prompt_feedback), ("error", &self.error)] {
            if let Some(value) = value {
                chunk.insert(field.into(), value.clone());
            }
        }
        let candidates = self.candidates.iter().flatten().map(SkimmedCandidate::as_read);
        chunk.insert("candidates".into(), candidates.collect());
        chunk.into()
    }
}

impl SkimmedCandidate<'_> {
    fn as_read(&self) -> Value {
        let mut candidate = json!({});
        if let Some(index) = self.index {
            candidate["index"] = index.into();
        }
        if let Some(reason) = &self.finish_reason {
            candidate["finishReason"] = reason.clone();
        }
        // Whether a call was made decides what the end means.
        if self.content.is_some_and(|content| has_call(content.get().as_bytes())) {
            candidate["content"] = json!({"parts": [{"functionCall": {}}]});
        }
        candidate
    }
}

/// Inside a text its quotation marks would be escaped.
fn has_call(content: &[u8]) -> bool {
    memchr::memmem::find(content, b"\"functionCall\"").is_some()
}

pub(super) fn skim(body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
    let one = serde_json::from_slice::<Skimmed<'_>>(body);
    let (chunks, whole) = match one {
        Ok(one) => (vec![one], true),
        Err(_) => match serde_json::from_slice::<Vec<Skimmed<'_>>>(body) {
            Ok(chunks) => (chunks, false),
            // An odd shape: read it as a whole.
            Err(_) => {
                return decode(body, quirks).map(|mut events| {
                    events.retain(Event::is_metered);
                    events
                });
            }
        },
    };
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    for chunk in &chunks {
        reader.read(&chunk.as_read(), &mut out)?;
    }
    reader.end(whole, &mut out)?;
    out.retain(Event::is_metered);
    Ok(out)
}

pub(super) fn encode(reply: &Reply, context: &ReplyContext) -> Encoded {
    let mut losses = Losses::default();
    let mut out = Map::new();
    match blocked(reply) {
        Some(word) => {
            out.insert("promptFeedback".into(), json!({"blockReason": word}));
        }
        None => {
            let choices = reply.choices.iter().enumerate();
            let candidates = choices.map(|(at, choice)| candidate(at, choice, &mut losses));
            out.insert("candidates".into(), candidates.collect());
        }
    }
    if let Some(mut usage) = usage::written(&reply.usage) {
        if let Some(tier) = &reply.usage.service_tier {
            usage["serviceTier"] = tier.as_str().into();
        }
        out.insert("usageMetadata".into(), usage);
    }
    let model = reply.model.as_ref().unwrap_or(&context.model);
    out.insert("modelVersion".into(), model.as_str().into());
    let id = reply.id.as_ref().unwrap_or(&context.id);
    out.insert("responseId".into(), id.as_str().into());
    let body = Bytes::from(serde_json::to_vec(&out).unwrap_or_default());
    Encoded { body, losses }
}

/// The prompt was not answered at all.
fn blocked(reply: &Reply) -> Option<&str> {
    let [choice] = reply.choices.as_slice() else { return None };
    let word = choice.finish_word.as_deref()?.strip_prefix(finish::BLOCKED)?;
    choice.parts.is_empty().then_some(word)
}

fn candidate(at: usize, choice: &Choice, losses: &mut Losses) -> Value {
    let path = format!("candidates[{at}]");
    let mut candidate = Map::new();
    let mut parts = Vec::new();
    for part in &choice.parts {
        let written = match &part.kind {
            PartKind::Text(text) => Some(answer::text(text)),
            PartKind::Refusal(text) => {
                losses.approximated(&path, "refusal");
                Some(answer::text(text))
            }
            PartKind::Reasoning { text, signature: Some(signature) } if text.is_empty() => {
                Some(answer::signature_alone(signature))
            }
            PartKind::Reasoning { text, signature } => {
                Some(answer::thought(text, signature.as_ref()))
            }
            PartKind::RedactedReasoning(data) => Some(answer::redacted(data)),
            PartKind::ToolCall { id, name, arguments, signature } => {
                let (id, name) = (id.clone(), name.clone());
                let (arguments, signature) = (arguments.clone(), signature.clone());
                let call = Call { id, name, arguments, signature };
                Some(answer::call(&call, &path, losses))
            }
            PartKind::Media(media) => answer::media(media, &path, losses),
            PartKind::Native { dialect, json } => {
                match answer::native(*dialect, json, &path, losses) {
                    Native::Part(part) => Some(part),
                    Native::Candidate(fields) => {
                        candidate.extend(fields);
                        None
                    }
                    Native::Nothing => None,
                }
            }
            // A model does not answer with tool results of the caller.
            PartKind::ToolResult { .. } => None,
        };
        parts.extend(written);
    }
    candidate.insert("content".into(), json!({"parts": parts, "role": "model"}));
    if let Some(reason) = choice.finish {
        let word = finish::written(reason, choice.finish_word.as_deref());
        candidate.insert("finishReason".into(), word.into());
    }
    if choice.stop_sequence.is_some() {
        losses.dropped(&path, "stop_sequence");
    }
    candidate.insert("index".into(), at.into());
    for (_, citation) in &choice.citations {
        answer::add_citation(&mut candidate, citation);
    }
    if !choice.logprobs.is_empty() {
        answer::add_logprobs(&mut candidate, &choice.logprobs);
    }
    candidate.into()
}
