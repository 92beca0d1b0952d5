//! An answer as one document, or as lines of which the last says `done`.

use crate::answer::{Answer, Finish};
use crate::asked::Asked;
use crate::script::{Frame, Part};
use crate::{ids, text};
use serde_json::{Value, json};

pub(super) const CREATED: &str = "2025-01-01T00:00:00.123456Z";

pub(super) fn model(name: &str) -> Value {
    json!({"name": name, "model": name, "modified_at": CREATED, "size": 1, "digest": "0",
        "details": {"format": "gguf", "family": "simulated", "families": ["simulated"],
            "parameter_size": "1B", "quantization_level": "Q4_0"}})
}

pub(super) fn whole(asked: &Asked, answer: &Answer, input: u64) -> Value {
    let mut message = json!({"role": "assistant", "content": said(answer)});
    if let Some(thought) = &answer.reasoning {
        message["thinking"] = json!(thought);
    }
    if !answer.calls.is_empty() {
        message["tool_calls"] = calls(asked, answer);
    }
    ended(asked, answer, input, &message)
}

pub(super) fn lines(asked: &Asked, answer: &Answer, input: u64) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut line = |part: Part, message: Value| {
        let line =
            json!({"model": asked.model, "created_at": CREATED, "message": message, "done": false});
        frames.push(Frame::new(part, format!("{line}\n")));
    };
    for piece in text::pieces(answer.reasoning.as_deref().unwrap_or_default(), 1) {
        line(Part::Content, json!({"role": "assistant", "content": "", "thinking": piece}));
    }
    for piece in text::pieces(said(answer), 1) {
        line(Part::Content, json!({"role": "assistant", "content": piece}));
    }
    if !answer.calls.is_empty() {
        let calls = calls(asked, answer);
        line(Part::Content, json!({"role": "assistant", "content": "", "tool_calls": calls}));
    }
    let last = ended(asked, answer, input, &json!({"role": "assistant", "content": ""}));
    frames.push(Frame::new(Part::Terminator, format!("{last}\n")));
    frames
}

fn said(answer: &Answer) -> &str {
    answer.refusal.as_deref().unwrap_or(&answer.text)
}

fn calls(asked: &Asked, answer: &Answer) -> Value {
    let calls = answer.calls.iter().enumerate().map(|(at, call)| {
        let id = ids::id("call_", asked.seed, 10 + at as u64, 8).to_lowercase();
        json!({"id": id, "function": {"index": at, "name": call.name, "arguments": call.arguments}})
    });
    calls.collect()
}

fn ended(asked: &Asked, answer: &Answer, input: u64, message: &Value) -> Value {
    let word = if answer.finish == Finish::Length { "length" } else { "stop" };
    json!({
        "model": asked.model,
        "created_at": CREATED,
        "message": message,
        "done": true,
        "done_reason": word,
        "total_duration": 5_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": input,
        "prompt_eval_duration": 2_000_000,
        "eval_count": answer.output_tokens,
        "eval_duration": 2_000_000,
    })
}
