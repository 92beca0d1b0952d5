//! A message as one JSON document, and the pieces that the stream shares with it.

use super::thinking_rules::ENVELOPE;
use crate::answer::{Answer, Finish};
use crate::asked::Asked;
use crate::cache::Cached;
use crate::{ids, signature};
use serde_json::{Value, json};

/// What an answer needs to know of its request.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) seed: u64,
    /// Thinking happens but its text is not shown.
    pub(super) omit_thinking: bool,
    context_management: bool,
}

impl Facts {
    pub(super) fn of(body: &Value, asked: &Asked) -> Self {
        Self {
            id: ids::id("msg_01", asked.seed, 0, 22),
            model: asked.model.clone(),
            seed: asked.seed,
            omit_thinking: body["thinking"]["display"] == "omitted",
            context_management: !body["context_management"].is_null(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Usage {
    /// What was neither read from the cache nor written to it.
    input: u64,
    cached: Cached,
    pub(super) output: u64,
    thinking: u64,
}

impl Usage {
    pub(super) fn of(asked: &Asked, answer: &Answer, cached: Cached) -> Self {
        let counted = cached.read + cached.written_5m + cached.written_1h;
        Self {
            input: asked.input_tokens.saturating_sub(counted),
            cached,
            output: answer.output_tokens,
            thinking: answer.reasoning_tokens,
        }
    }

    pub(super) fn told(&self, output: u64) -> Value {
        json!({
            "input_tokens": self.input,
            "cache_creation_input_tokens": self.cached.written_5m + self.cached.written_1h,
            "cache_read_input_tokens": self.cached.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.cached.written_5m,
                "ephemeral_1h_input_tokens": self.cached.written_1h,
            },
            "output_tokens": output,
            "output_tokens_details": {"thinking_tokens": self.thinking.min(output)},
            "service_tier": "standard",
            "inference_geo": "not_available",
        })
    }
}

/// The whole message.
pub(super) fn whole(facts: &Facts, answer: &Answer, usage: &Usage) -> Value {
    let mut message = json!({
        "model": facts.model,
        "id": facts.id,
        "type": "message",
        "role": "assistant",
        "content": blocks(facts, answer),
        "stop_reason": stop_reason(answer),
        "stop_sequence": stop_sequence(answer),
        "stop_details": stop_details(answer),
        "usage": usage.told(usage.output),
    });
    if facts.context_management {
        message["context_management"] = json!({"applied_edits": []});
    }
    message
}

/// The content, block by block.
pub(super) fn blocks(facts: &Facts, answer: &Answer) -> Vec<Value> {
    let mut blocks = Vec::new();
    if let Some(thought) = &answer.reasoning {
        let shown = if facts.omit_thinking { "" } else { thought.as_str() };
        blocks.push(json!({"type": "thinking", "thinking": shown, "signature": signature::sign(ENVELOPE, shown)}));
    }
    if !answer.text.is_empty() {
        blocks.push(json!({"type": "text", "text": answer.text}));
    }
    for (at, call) in answer.calls.iter().enumerate() {
        let id = ids::id("toolu_01", facts.seed, at as u64 + 1, 22);
        blocks.push(json!({"type": "tool_use", "id": id, "name": call.name, "input": call.arguments, "caller": {"type": "direct"}}));
    }
    blocks
}

pub(super) fn stop_reason(answer: &Answer) -> &'static str {
    match answer.finish {
        Finish::Stop => "end_turn",
        Finish::StopSequence(_) => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::Refusal | Finish::Filtered => "refusal",
    }
}

pub(super) fn stop_sequence(answer: &Answer) -> Option<&str> {
    match &answer.finish {
        Finish::StopSequence(stop) => Some(stop),
        _ => None,
    }
}

pub(super) fn stop_details(answer: &Answer) -> Value {
    match answer.finish {
        Finish::Refusal | Finish::Filtered => {
            json!({"type": "refusal", "category": null, "explanation": answer.refusal})
        }
        _ => Value::Null,
    }
}
