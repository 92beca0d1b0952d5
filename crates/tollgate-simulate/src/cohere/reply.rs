//! An answer as one document, or as typed events.

use crate::answer::{Answer, Finish};
use crate::asked::Asked;
use crate::script::{Frame, Part};
use crate::{ids, text};
use serde_json::{Value, json};

pub(super) fn whole(id: &str, asked: &Asked, answer: &Answer) -> Value {
    let mut message = json!({"role": "assistant"});
    let mut content = Vec::new();
    if let Some(thought) = &answer.reasoning {
        content.push(json!({"type": "thinking", "thinking": thought}));
    }
    if !said(answer).is_empty() {
        content.push(json!({"type": "text", "text": said(answer)}));
    }
    if !content.is_empty() {
        message["content"] = json!(content);
    }
    if !answer.calls.is_empty() {
        message["tool_plan"] = json!(plan(answer));
        message["tool_calls"] = (0..answer.calls.len()).map(|at| call(asked, answer, at)).collect();
    }
    json!({
        "id": id, "message": message, "finish_reason": finish(answer),
        "usage": usage(asked, answer),
    })
}

fn said(answer: &Answer) -> &str {
    answer.refusal.as_deref().unwrap_or(&answer.text)
}

/// What the model says before it calls.
fn plan(answer: &Answer) -> String {
    let names: Vec<&str> = answer.calls.iter().map(|call| call.name.as_str()).collect();
    format!("I will call {}.", names.join(" and "))
}

fn call(asked: &Asked, answer: &Answer, at: usize) -> Value {
    let call = &answer.calls[at];
    let tail = ids::id("", asked.seed, 10 + at as u64, 12).to_lowercase();
    let id = format!("{}_{tail}", call.name);
    let function = json!({"name": call.name, "arguments": call.arguments.to_string()});
    json!({"id": id, "type": "function", "function": function})
}

fn finish(answer: &Answer) -> &'static str {
    match answer.finish {
        Finish::Stop | Finish::Refusal => "COMPLETE",
        Finish::StopSequence(_) => "STOP_SEQUENCE",
        Finish::Length => "MAX_TOKENS",
        Finish::ToolCalls => "TOOL_CALL",
        Finish::Filtered => "ERROR_TOXIC",
    }
}

fn usage(asked: &Asked, answer: &Answer) -> Value {
    let mut tokens =
        json!({"input_tokens": asked.input_tokens + 20, "output_tokens": answer.output_tokens});
    if answer.reasoning.is_some() {
        tokens["reasoning_tokens"] = json!(answer.reasoning_tokens);
    }
    json!({
        "billed_units": {"input_tokens": asked.input_tokens, "output_tokens": answer.output_tokens},
        "tokens": tokens,
        "cached_tokens": 0,
    })
}

pub(super) fn events(id: &str, asked: &Asked, answer: &Answer) -> Vec<Frame> {
    let mut out = Events(Vec::new());
    let message = json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []});
    out.push(
        Part::Opening,
        &json!({"id": id, "type": "message-start", "delta": {"message": message}}),
    );
    if !answer.calls.is_empty() {
        for piece in text::pieces(&plan(answer), 1) {
            out.delta("tool-plan-delta", None, &json!({"tool_plan": piece}));
        }
    }
    let thought = answer.reasoning.as_deref().unwrap_or_default();
    let mut index = 0;
    for (kind, written) in [("thinking", thought), ("text", said(answer))] {
        if written.is_empty() {
            continue;
        }
        out.delta("content-start", Some(index), &json!({"content": {"type": kind, kind: ""}}));
        for piece in text::pieces(written, 1) {
            out.delta("content-delta", Some(index), &json!({"content": {kind: piece}}));
        }
        out.push(Part::Content, &json!({"type": "content-end", "index": index}));
        index += 1;
    }
    for at in 0..answer.calls.len() {
        let mut call = call(asked, answer, at);
        let arguments = call["function"]["arguments"].take();
        call["function"]["arguments"] = json!("");
        out.delta("tool-call-start", Some(at), &json!({"tool_calls": call}));
        for shard in text::shards(arguments.as_str().unwrap_or_default()) {
            let delta = json!({"tool_calls": {"function": {"arguments": shard}}});
            out.delta("tool-call-delta", Some(at), &delta);
        }
        out.push(Part::Content, &json!({"type": "tool-call-end", "index": at}));
    }
    let delta = json!({"finish_reason": finish(answer), "usage": usage(asked, answer)});
    out.push(Part::Terminator, &json!({"type": "message-end", "delta": delta}));
    out.0.push(Frame::new(Part::Terminator, "data: [DONE]\n\n"));
    out.0
}

struct Events(Vec<Frame>);

impl Events {
    fn push(&mut self, part: Part, event: &Value) {
        let name = event["type"].as_str().unwrap_or_default();
        self.0.push(Frame::new(part, format!("event: {name}\ndata: {event}\n\n")));
    }

    fn delta(&mut self, kind: &str, index: Option<usize>, message: &Value) {
        let mut event = json!({"type": kind, "delta": {"message": message}});
        if let Some(index) = index {
            event["index"] = json!(index);
        }
        self.push(Part::Content, &event);
    }
}
