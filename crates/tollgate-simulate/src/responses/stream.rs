//! A response as server-sent events, numbered: what it is, its items with their parts and deltas, the whole.

use super::reply::Facts;
use crate::script::{Frame, Part};
use crate::{ids, text};
use serde_json::{Value, json};

/// The frames of the stream that ends in `response`.
pub(super) fn frames(facts: &Facts, response: &Value) -> Vec<Frame> {
    let mut out = Out { facts, frames: Vec::new() };
    let begun = facts.begun();
    out.event(Part::Opening, json!({"type": "response.created", "response": begun}));
    out.event(Part::Opening, json!({"type": "response.in_progress", "response": begun}));
    for (at, item) in response["output"].as_array().into_iter().flatten().enumerate() {
        out.item(at, item);
    }
    let end = format!("response.{}", response["status"].as_str().unwrap_or("completed"));
    out.event(Part::Terminator, json!({"type": end, "response": response}));
    out.frames
}

struct Out<'a> {
    facts: &'a Facts,
    frames: Vec<Frame>,
}

impl Out<'_> {
    fn item(&mut self, at: usize, item: &Value) {
        let mut empty = item.clone();
        let kind = item["type"].as_str().unwrap_or_default();
        match kind {
            "reasoning" => empty["summary"] = json!([]),
            "message" => empty["content"] = json!([]),
            "function_call" => empty["arguments"] = json!(""),
            _ => empty["input"] = json!(""),
        }
        if kind != "reasoning" {
            empty["status"] = json!("in_progress");
        }
        self.event(
            Part::Content,
            json!({"type": "response.output_item.added", "output_index": at, "item": empty}),
        );
        let place = json!({"item_id": item["id"], "output_index": at});
        match kind {
            "reasoning" => {
                for (index, part) in item["summary"].as_array().into_iter().flatten().enumerate() {
                    self.summary(&with(&place, json!({"summary_index": index})), part);
                }
            }
            "message" => {
                for (index, part) in item["content"].as_array().into_iter().flatten().enumerate() {
                    self.part(&with(&place, json!({"content_index": index})), part);
                }
            }
            "function_call" => self.input(&place, "function_call_arguments", "arguments", item),
            _ => self.input(&place, "custom_tool_call_input", "input", item),
        }
        self.event(
            Part::Content,
            json!({"type": "response.output_item.done", "output_index": at, "item": item}),
        );
    }

    fn summary(&mut self, place: &Value, part: &Value) {
        let named = |word: &str, more: Value| {
            with(
                &with(
                    &json!({"type": format!("response.reasoning_summary_{word}")}),
                    place.clone(),
                ),
                more,
            )
        };
        let empty = json!({"type": "summary_text", "text": ""});
        self.event(Part::Content, named("part.added", json!({"part": empty})));
        for piece in text::pieces(part["text"].as_str().unwrap_or_default(), 3) {
            self.delta(named("text.delta", json!({"delta": piece})));
        }
        self.event(Part::Content, named("text.done", json!({"text": part["text"]})));
        self.event(Part::Content, named("part.done", json!({"part": part})));
    }

    fn part(&mut self, place: &Value, part: &Value) {
        let field = if part["type"] == "refusal" { "refusal" } else { "text" };
        let kind = part["type"].as_str().unwrap_or_default();
        let mut empty = part.clone();
        empty[field] = json!("");
        let logprobs =
            part.get("logprobs").map(|l| l.as_array().map(Vec::as_slice).unwrap_or_default());
        if logprobs.is_some() {
            empty["logprobs"] = json!([]);
        }
        let event = |name: &str, more: Value| {
            with(&with(&json!({"type": format!("response.{name}")}), place.clone()), more)
        };
        self.event(Part::Content, event("content_part.added", json!({"part": empty})));
        let pieces = text::pieces(part[field].as_str().unwrap_or_default(), 1);
        for (at, piece) in pieces.iter().enumerate() {
            let mut delta = event(&format!("{kind}.delta"), json!({"delta": piece}));
            if let Some(logprobs) = logprobs {
                delta["logprobs"] = logprobs.get(at..=at).unwrap_or_default().into();
            }
            self.delta(delta);
        }
        let mut done = event(&format!("{kind}.done"), json!({field: part[field]}));
        if let Some(logprobs) = logprobs {
            done["logprobs"] = logprobs.into();
        }
        self.event(Part::Content, done);
        self.event(Part::Content, event("content_part.done", json!({"part": part})));
    }

    fn input(&mut self, place: &Value, name: &str, field: &str, item: &Value) {
        let event = |word: &str, more: Value| {
            with(&with(&json!({"type": format!("response.{name}.{word}")}), place.clone()), more)
        };
        for shard in text::shards(item[field].as_str().unwrap_or_default()) {
            self.delta(event("delta", json!({"delta": shard})));
        }
        self.event(Part::Content, event("done", json!({field: item[field]})));
    }

    fn delta(&mut self, mut data: Value) {
        if self.facts.obfuscate {
            let at = self.frames.len();
            data["obfuscation"] = json!(ids::id("", self.facts.seed, 700 + at as u64, 3 + at % 13));
        }
        self.event(Part::Content, data);
    }

    fn event(&mut self, part: Part, mut data: Value) {
        data["sequence_number"] = json!(self.frames.len());
        let name = data["type"].as_str().unwrap_or_default();
        self.frames.push(Frame::new(part, format!("event: {name}\ndata: {data}\n\n")));
    }
}

/// The members of both.
fn with(first: &Value, second: Value) -> Value {
    let mut both = first.clone();
    if let (Value::Object(both), Value::Object(second)) = (&mut both, second) {
        both.extend(second);
    }
    both
}
