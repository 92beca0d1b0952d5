//! A message as server-sent events: start, blocks with their deltas and a ping, the cumulative usage, stop.

use super::reply::{Facts, Usage, blocks, stop_details, stop_reason, stop_sequence};
use crate::answer::Answer;
use crate::script::{Frame, Part};
use crate::text;
use serde_json::{Value, json};

/// The frames of the stream.
pub(super) fn frames(facts: &Facts, answer: &Answer, usage: &Usage) -> Vec<Frame> {
    let mut out = Vec::new();
    let start = json!({"type": "message_start", "message": {
        "model": facts.model,
        "id": facts.id,
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "stop_details": null,
        "usage": usage.told(usage.output.min(1)),
    }});
    event(&mut out, Part::Opening, &start);
    let blocks = blocks(facts, answer);
    for (index, block) in blocks.iter().enumerate() {
        begin(&mut out, index, block);
        if index == 0 {
            out.push(Frame::new(Part::Opening, "event: ping\ndata: {\"type\": \"ping\"}\n\n"));
        }
        deltas(&mut out, index, block);
        event(&mut out, Part::Content, &json!({"type": "content_block_stop", "index": index}));
    }
    let delta = json!({
        "type": "message_delta",
        "delta": {"stop_reason": stop_reason(answer), "stop_sequence": stop_sequence(answer), "stop_details": stop_details(answer)},
        "usage": usage.told(usage.output),
    });
    event(&mut out, Part::Ending, &delta);
    event(&mut out, Part::Terminator, &json!({"type": "message_stop"}));
    out
}

fn begin(out: &mut Vec<Frame>, index: usize, block: &Value) {
    let mut empty = block.clone();
    match block["type"].as_str() {
        Some("thinking") => {
            empty["thinking"] = json!("");
            empty["signature"] = json!("");
        }
        Some("tool_use") => empty["input"] = json!({}),
        _ => empty["text"] = json!(""),
    }
    let part = if index == 0 { Part::Opening } else { Part::Content };
    event(
        out,
        part,
        &json!({"type": "content_block_start", "index": index, "content_block": empty}),
    );
}

fn deltas(out: &mut Vec<Frame>, index: usize, block: &Value) {
    let mut delta = |delta: Value| {
        event(
            out,
            Part::Content,
            &json!({"type": "content_block_delta", "index": index, "delta": delta}),
        )
    };
    match block["type"].as_str() {
        Some("thinking") => {
            for piece in text::pieces(block["thinking"].as_str().unwrap_or_default(), 4) {
                delta(json!({"type": "thinking_delta", "thinking": piece}));
            }
            delta(json!({"type": "signature_delta", "signature": block["signature"]}));
        }
        Some("tool_use") => {
            delta(json!({"type": "input_json_delta", "partial_json": ""}));
            if block["input"].as_object().is_some_and(|input| !input.is_empty()) {
                for shard in text::shards(&block["input"].to_string()) {
                    delta(json!({"type": "input_json_delta", "partial_json": shard}));
                }
            }
        }
        _ => {
            for piece in text::pieces(block["text"].as_str().unwrap_or_default(), 2) {
                delta(json!({"type": "text_delta", "text": piece}));
            }
        }
    }
}

/// Anthropic pads the data with blanks of varying length.
fn event(out: &mut Vec<Frame>, part: Part, data: &Value) {
    let name = data["type"].as_str().unwrap_or_default();
    let blanks = " ".repeat(out.len() * 5 % 13);
    out.push(Frame::new(part, format!("event: {name}\ndata: {data}{blanks}\n\n")));
}
