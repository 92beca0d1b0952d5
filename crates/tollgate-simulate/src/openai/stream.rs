//! A chat completion as server-sent events: role first, one token a chunk, finish, usage, `[DONE]`.

use super::reply::{Facts, Usage, call_id, finish, input, token_logprobs};
use crate::answer::Answer;
use crate::script::{Frame, Part};
use crate::{ids, text};
use serde_json::{Value, json};

/// The frames of the stream.
pub(super) fn frames(facts: &Facts, answer: &Answer, usage: &Usage) -> Vec<Frame> {
    let mut out = Out { facts, frames: Vec::new() };
    for choice in 0..facts.choices {
        let silent = answer.refusal.is_some() || !answer.calls.is_empty();
        let content = if silent { Value::Null } else { json!("") };
        let logprobs =
            facts.logprobs.map_or(Value::Null, |_| json!({"content": [], "refusal": null}));
        out.push(
            Part::Opening,
            one(
                choice,
                json!({"role": "assistant", "content": content, "refusal": null}),
                logprobs,
                Value::Null,
            ),
        );
    }
    for choice in 0..facts.choices {
        out.content(choice, answer);
    }
    for choice in 0..facts.choices {
        out.push(Part::Ending, one(choice, json!({}), Value::Null, json!(finish(facts, answer))));
    }
    if facts.include_usage {
        out.chunk(Part::Ending, json!([]), usage.told());
    }
    out.frames.push(Frame::new(Part::Terminator, "data: [DONE]\n\n"));
    out.frames
}

struct Out<'a> {
    facts: &'a Facts,
    frames: Vec<Frame>,
}

impl Out<'_> {
    fn content(&mut self, choice: u64, answer: &Answer) {
        if let Some(refusal) = &answer.refusal {
            for piece in text::pieces(refusal, 1) {
                self.push(
                    Part::Content,
                    one(choice, json!({"refusal": piece}), Value::Null, Value::Null),
                );
            }
        }
        for piece in text::pieces(&answer.text, 1) {
            let logprobs = match self.facts.logprobs {
                Some(top) => json!({"content": token_logprobs(&piece, top), "refusal": null}),
                None => Value::Null,
            };
            self.push(Part::Content, one(choice, json!({"content": piece}), logprobs, Value::Null));
        }
        for (at, call) in answer.calls.iter().enumerate() {
            let (custom, input) = input(self.facts, call);
            let member = if custom { ("custom", "input") } else { ("function", "arguments") };
            if self.facts.old_functions {
                self.delta(choice, json!({"function_call": {"name": call.name, "arguments": ""}}));
                for shard in text::shards(&input) {
                    self.delta(choice, json!({"function_call": {"arguments": shard}}));
                }
                break;
            }
            let id = call_id(self.facts, choice, at);
            self.delta(choice, json!({"tool_calls": [{"index": at, "id": id, "type": member.0, member.0: {"name": call.name, member.1: ""}}]}));
            for shard in text::shards(&input) {
                self.delta(
                    choice,
                    json!({"tool_calls": [{"index": at, member.0: {member.1: shard}}]}),
                );
            }
        }
    }

    fn delta(&mut self, choice: u64, delta: Value) {
        self.push(Part::Content, one(choice, delta, Value::Null, Value::Null));
    }

    fn push(&mut self, part: Part, choice: Value) {
        self.chunk(part, json!([choice]), Value::Null);
    }

    fn chunk(&mut self, part: Part, choices: Value, usage: Value) {
        let facts = self.facts;
        let mut chunk = json!({
            "id": facts.id,
            "object": "chat.completion.chunk",
            "created": 1_735_689_600,
            "model": facts.model,
            "service_tier": facts.service_tier,
            "system_fingerprint": "fp_simulated",
            "choices": choices,
        });
        if facts.include_usage {
            chunk["usage"] = usage;
        }
        if facts.obfuscate {
            let at = self.frames.len() as u64;
            chunk["obfuscation"] =
                json!(ids::id("", facts.seed, 500 + at, 4 + self.frames.len() % 12));
        }
        self.frames.push(Frame::new(part, format!("data: {chunk}\n\n")));
    }
}

fn one(index: u64, delta: Value, logprobs: Value, finish: Value) -> Value {
    json!({"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish})
}
