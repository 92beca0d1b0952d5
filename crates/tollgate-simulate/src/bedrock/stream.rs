//! An answer as binary frames: role, blocks with their deltas, the reason of the stop, usage.

use super::eventstream;
use super::reply::{Facts, blocks, stop_reason};
use crate::answer::Answer;
use crate::ids;
use crate::script::{Frame, Part};
use crate::text;
use serde_json::{Value, json};

/// The frames of the stream.
pub(super) fn frames(facts: &Facts, answer: &Answer) -> Vec<Frame> {
    let mut out = Out { seed: facts.seed, frames: Vec::new() };
    out.event(Part::Opening, "messageStart", json!({"role": "assistant"}));
    for (index, block) in blocks(facts, answer).iter().enumerate() {
        out.block(index, block);
    }
    let mut stop = json!({"stopReason": stop_reason(answer)});
    if let Some(additional) = &facts.additional {
        stop["additionalModelResponseFields"] = additional.clone();
    }
    out.event(Part::Terminator, "messageStop", stop);
    let usage = json!({"metrics": {"latencyMs": 5}, "usage": facts.usage});
    out.event(Part::Terminator, "metadata", usage);
    out.frames
}

struct Out {
    seed: u64,
    frames: Vec<Frame>,
}

impl Out {
    /// Only the block of a call says that it begins.
    fn block(&mut self, index: usize, block: &Value) {
        let call = &block["toolUse"];
        if call.is_object() {
            let start = json!({"toolUse": {"name": call["name"], "toolUseId": call["toolUseId"]}});
            let start = json!({"contentBlockIndex": index, "start": start});
            self.event(Part::Content, "contentBlockStart", start);
            for shard in text::shards(&call["input"].to_string()) {
                self.delta(index, json!({"toolUse": {"input": shard}}));
            }
        }
        let thought = &block["reasoningContent"]["reasoningText"];
        if thought.is_object() {
            for piece in text::pieces(thought["text"].as_str().unwrap_or_default(), 4) {
                self.delta(index, json!({"reasoningContent": {"text": piece}}));
            }
            self.delta(index, json!({"reasoningContent": {"signature": thought["signature"]}}));
        }
        for piece in text::pieces(block["text"].as_str().unwrap_or_default(), 2) {
            self.delta(index, json!({"text": piece}));
        }
        self.event(Part::Content, "contentBlockStop", json!({"contentBlockIndex": index}));
    }

    fn delta(&mut self, index: usize, delta: Value) {
        let data = json!({"contentBlockIndex": index, "delta": delta});
        self.event(Part::Content, "contentBlockDelta", data);
    }

    /// Every payload is padded to hide how long it is.
    fn event(&mut self, part: Part, name: &str, mut data: Value) {
        const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let mixed = ids::mix(self.seed, &self.frames.len().to_le_bytes());
        let long = usize::try_from(mixed >> 20).unwrap_or(0) % PADDING.len() + 1;
        data["p"] = json!(PADDING[..long]);
        self.frames.push(Frame::new(part, eventstream::event(name, data.to_string().as_bytes())));
    }
}
