//! An answer as one JSON document, and the pieces that the stream shares with it.

use super::messages_rules::ENVELOPE;
use crate::answer::{Answer, Finish};
use crate::asked::Asked;
use crate::cache::Cached;
use crate::{ids, signature};
use serde_json::{Value, json};

/// What an answer needs to know of its request.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) seed: u64,
    pub(super) usage: Value,
    /// Further fields of the model that the caller asked for.
    pub(super) additional: Option<Value>,
}

impl Facts {
    pub(super) fn of(body: &Value, asked: &Asked, answer: &Answer, cached: Cached) -> Self {
        let written = cached.written_5m + cached.written_1h;
        let fresh = asked.input_tokens.saturating_sub(cached.read + written);
        let paths = body["additionalModelResponseFieldPaths"].as_array();
        let wanted = paths.is_some_and(|p| p.iter().any(|p| p == "/stop_sequence"));
        let additional = match &answer.finish {
            Finish::StopSequence(stop) if wanted => Some(json!({"stop_sequence": stop})),
            _ => None,
        };
        Self {
            seed: asked.seed,
            usage: json!({
                "inputTokens": fresh,
                "outputTokens": answer.output_tokens,
                "totalTokens": asked.input_tokens + answer.output_tokens,
                "cacheReadInputTokens": cached.read,
                "cacheWriteInputTokens": written,
                "serverToolUsage": {},
            }),
            additional,
        }
    }
}

/// The whole answer.
pub(super) fn whole(facts: &Facts, answer: &Answer) -> Value {
    let mut whole = json!({
        "metrics": {"latencyMs": 5},
        "output": {"message": {"content": blocks(facts, answer), "role": "assistant"}},
        "stopReason": stop_reason(answer),
        "usage": facts.usage,
    });
    if let Some(additional) = &facts.additional {
        whole["additionalModelResponseFields"] = additional.clone();
    }
    whole
}

/// The content, block by block.
pub(super) fn blocks(facts: &Facts, answer: &Answer) -> Vec<Value> {
    let mut blocks = Vec::new();
    if let Some(thought) = &answer.reasoning {
        let signature = signature::sign(ENVELOPE, thought);
        blocks.push(json!({"reasoningContent": {"reasoningText": {"text": thought, "signature": signature}}}));
    }
    let said = answer.refusal.as_deref().unwrap_or(&answer.text);
    if !said.is_empty() {
        blocks.push(json!({"text": said}));
    }
    for (at, call) in answer.calls.iter().enumerate() {
        let id = ids::id("tooluse_", facts.seed, at as u64 + 1, 22);
        blocks.push(
            json!({"toolUse": {"input": call.arguments, "name": call.name, "toolUseId": id}}),
        );
    }
    blocks
}

pub(super) fn stop_reason(answer: &Answer) -> &'static str {
    match answer.finish {
        Finish::Stop => "end_turn",
        Finish::StopSequence(_) => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::Refusal | Finish::Filtered => "content_filtered",
    }
}
