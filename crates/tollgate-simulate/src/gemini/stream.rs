//! A generateContent stream: server-sent events with `\r\n`, or one JSON array that grows.

use super::parts_rules::ENVELOPE;
use super::reply::{Facts, blocked, calls, finish, thought};
use crate::answer::{Answer, Finish};
use crate::script::{Frame, Part};
use crate::{signature, text, tokens};
use serde_json::{Value, json};

/// The stream as server-sent events. Nothing but the end of the body says that it has ended.
pub(super) fn events(facts: &Facts, answer: &Answer) -> Vec<Frame> {
    let chunks = chunks(facts, answer).into_iter();
    chunks.map(|(part, chunk)| Frame::new(part, format!("data: {chunk}\r\n\r\n"))).collect()
}

/// The stream as one array, chunk by chunk.
pub(super) fn array(facts: &Facts, answer: &Answer) -> Vec<Frame> {
    let chunks = chunks(facts, answer).into_iter().enumerate();
    let mut frames: Vec<Frame> = chunks
        .map(|(at, (part, chunk))| {
            Frame::new(part, format!("{}{chunk:#}", if at == 0 { "[" } else { ",\r\n" }))
        })
        .collect();
    frames.push(Frame::new(Part::Terminator, "\n]\n"));
    frames
}

fn chunks(facts: &Facts, answer: &Answer) -> Vec<(Part, Value)> {
    if answer.finish == Finish::Refusal {
        return vec![(Part::Ending, blocked(facts))];
    }
    let mut out = Vec::new();
    let mut thoughts = 0;
    if let Some(thought) = thought(facts, answer) {
        for piece in text::pieces(thought, 8) {
            thoughts += tokens::count(&piece);
            push(
                &mut out,
                facts,
                json!({"text": piece, "thought": true}),
                facts.usage(0, thoughts),
            );
        }
    }
    thoughts = answer.reasoning_tokens;
    let mut visible = 0;
    for piece in text::pieces(&answer.text, 4) {
        visible += tokens::count(&piece);
        push(&mut out, facts, json!({"text": piece}), facts.usage(visible, thoughts));
    }
    for call in calls(facts, answer) {
        visible += tokens::count_json(&call["functionCall"]);
        push(&mut out, facts, call, facts.usage(visible, thoughts));
    }
    let mut last = json!({"text": ""});
    if facts.sign && answer.calls.is_empty() {
        last["thoughtSignature"] = json!(signature::sign(ENVELOPE, ""));
    }
    let visible = answer.output_tokens - answer.reasoning_tokens;
    let candidates: Vec<Value> = (0..facts.candidates)
        .map(|index| json!({"content": {"parts": [last], "role": "model"}, "finishReason": finish(answer), "index": index}))
        .collect();
    out.push((Part::Ending, facts.envelope(json!(candidates), facts.usage(visible, thoughts))));
    out
}

fn push(out: &mut Vec<(Part, Value)>, facts: &Facts, part: Value, usage: Value) {
    let candidates: Vec<Value> = (0..facts.candidates)
        .map(|index| json!({"content": {"parts": [part], "role": "model"}, "index": index}))
        .collect();
    out.push((Part::Content, facts.envelope(json!(candidates), usage)));
}
