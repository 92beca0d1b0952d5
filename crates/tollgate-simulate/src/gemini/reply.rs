//! A generateContent answer as one JSON document, and the pieces that the stream shares with it.

use super::parts_rules::ENVELOPE;
use crate::answer::{Answer, Finish};
use crate::asked::Asked;
use crate::{signature, tokens};
use serde_json::{Value, json};

/// What an answer needs to know of its request.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) candidates: u64,
    show_thoughts: bool,
    /// Parts carry signatures.
    pub(super) sign: bool,
    input: u64,
    cached: u64,
    logprobs: Option<u64>,
}

impl Facts {
    pub(super) fn of(body: &Value, asked: &Asked, cached: u64) -> Self {
        let config = &body["generationConfig"];
        Self {
            id: super::response_id(asked.seed),
            model: asked.model.clone(),
            candidates: asked.choices,
            show_thoughts: config["thinkingConfig"]["includeThoughts"] == true,
            sign: asked.thinking || asked.model.contains("gemini-3"),
            input: asked.input_tokens,
            cached,
            logprobs: (config["responseLogprobs"] == true)
                .then(|| config["logprobs"].as_u64().unwrap_or(0)),
        }
    }

    /// Usage after `output` visible tokens and `thoughts` hidden ones, per candidate.
    pub(super) fn usage(&self, output: u64, thoughts: u64) -> Value {
        let (output, thoughts) = (output * self.candidates, thoughts * self.candidates);
        let mut usage = json!({"promptTokenCount": self.input});
        if output > 0 {
            usage["candidatesTokenCount"] = json!(output);
        }
        usage["totalTokenCount"] = json!(self.input + output + thoughts);
        if self.cached > 0 {
            usage["cachedContentTokenCount"] = json!(self.cached);
        }
        usage["promptTokensDetails"] = json!([{"modality": "TEXT", "tokenCount": self.input}]);
        if thoughts > 0 {
            usage["thoughtsTokenCount"] = json!(thoughts);
        }
        usage
    }

    pub(super) fn envelope(&self, candidates: Value, usage: Value) -> Value {
        json!({"candidates": candidates, "usageMetadata": usage, "modelVersion": self.model, "responseId": self.id})
    }
}

/// The whole answer.
pub(super) fn whole(facts: &Facts, answer: &Answer) -> Value {
    if answer.finish == Finish::Refusal {
        return blocked(facts);
    }
    let candidates: Vec<Value> = (0..facts.candidates)
        .map(|index| {
            let mut candidate = json!({"content": {"parts": parts(facts, answer), "role": "model"}, "finishReason": finish(answer)});
            if let Some(top) = facts.logprobs {
                candidate["avgLogprobs"] = json!(-0.01);
                candidate["logprobsResult"] = logprobs(&answer.text, top);
            }
            candidate["index"] = json!(index);
            candidate
        })
        .collect();
    let visible = answer.output_tokens - answer.reasoning_tokens;
    facts.envelope(json!(candidates), facts.usage(visible, answer.reasoning_tokens))
}

/// A prompt that Google does not answer.
pub(super) fn blocked(facts: &Facts) -> Value {
    json!({
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": facts.usage(0, 0),
        "modelVersion": facts.model,
        "responseId": facts.id,
    })
}

/// The thought, when it is shown.
pub(super) fn thought<'a>(facts: &Facts, answer: &'a Answer) -> Option<&'a str> {
    answer.reasoning.as_deref().filter(|_| facts.show_thoughts)
}

fn parts(facts: &Facts, answer: &Answer) -> Vec<Value> {
    let mut parts = Vec::new();
    if let Some(thought) = thought(facts, answer) {
        parts.push(json!({"text": thought, "thought": true}));
    }
    if !answer.text.is_empty() {
        let mut part = json!({"text": answer.text});
        if facts.sign {
            part["thoughtSignature"] = json!(signature::sign(ENVELOPE, ""));
        }
        parts.push(part);
    }
    parts.extend(calls(facts, answer));
    parts
}

/// The calls; the first carries the signature.
pub(super) fn calls(facts: &Facts, answer: &Answer) -> Vec<Value> {
    let calls = answer.calls.iter().enumerate();
    calls
        .map(|(at, call)| {
            let mut part = json!({"functionCall": {"name": call.name, "args": call.arguments}});
            if facts.model.contains("gemini-3") {
                part["functionCall"]["id"] = json!(format!("{}{at}", &facts.id[..8]));
            }
            if at == 0 && facts.sign {
                part["thoughtSignature"] = json!(signature::sign(ENVELOPE, &call.name));
            }
            part
        })
        .collect()
}

pub(super) fn finish(answer: &Answer) -> &'static str {
    match answer.finish {
        Finish::Length => "MAX_TOKENS",
        Finish::Filtered => "SAFETY",
        Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls | Finish::Refusal => "STOP",
    }
}

fn logprobs(text: &str, top: u64) -> Value {
    let one = |token: &str, at: usize, chance: f64| json!({"token": token, "tokenId": at, "logProbability": chance});
    let tokens = tokens::split(text);
    let chosen: Vec<Value> = tokens.iter().enumerate().map(|(at, t)| one(t, at, -0.01)).collect();
    let tops = tokens.iter().enumerate().map(|(at, t)| {
        let others = (1..top).map(|n| {
            one(&format!("({t}){n}"), at, -2.0 - f64::from(u32::try_from(n).unwrap_or(0)))
        });
        json!({"candidates": std::iter::once(one(t, at, -0.01)).chain(others).collect::<Vec<_>>()})
    });
    json!({"topCandidates": tops.collect::<Vec<_>>(), "chosenCandidates": chosen})
}
