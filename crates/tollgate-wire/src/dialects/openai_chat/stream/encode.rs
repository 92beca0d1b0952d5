//! Writing a stream of chunks.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tollgate_model::{Event, Signature, Usage};

use crate::dialects::openai_chat::reasoning::{self, Formats};
use crate::dialects::openai_chat::{ID, fault, reply, usage};
use crate::stream::{EncodeStream, Head, Sink};
use crate::{ReplyContext, Snapshot};

#[derive(Debug)]
pub(in super::super) struct Encoder {
    context: ReplyContext,
    head: Head,
    /// What every chunk begins with, once it is settled.
    opening: String,
    choices: BTreeMap<u32, Written>,
    usage: Usage,
}

/// What was written of one choice.
#[derive(Debug, Default)]
struct Written {
    /// The role was sent.
    opened: bool,
    finished: bool,
    /// Characters of text, where citations without a place are put.
    characters: usize,
    /// Thinking that a signature may yet close.
    thinking: String,
    details: usize,
    /// Calls that have no arguments yet.
    bare_calls: Vec<u32>,
}

impl EncodeStream for Encoder {
    fn open(context: ReplyContext, from: Snapshot) -> Self {
        let head = from.head();
        let choices = (0..from.next_block).map(|number| {
            let finished = from.finished.contains(&number);
            (number, Written { opened: true, finished, ..Written::default() })
        });
        let choices = choices.collect();
        Self { context, head, opening: String::new(), choices, usage: from.usage }
    }

    fn write(&mut self, event: Event, out: &mut Sink) {
        match event {
            Event::Start { id, model, created } => self.head.restate(id, model, created),
            Event::Text { choice, text } => {
                self.choices.entry(choice).or_default().characters += text.chars().count();
                self.field(choice, "content", text, out);
            }
            Event::Refusal { choice, text } => self.field(choice, "refusal", text, out),
            Event::Reasoning { choice, text } => {
                self.choices.entry(choice).or_default().thinking.push_str(&text);
                self.field(choice, reasoning::TEXT_FIELDS[0], text, out);
            }
            Event::ReasoningSignature { choice, signature } => {
                self.sealed(choice, &signature, false, out);
            }
            Event::RedactedReasoning { choice, data } => self.sealed(choice, &data, true, out),
            Event::ToolCallStart { .. } | Event::ToolCallDelta { .. } => self.call(event, out),
            Event::Citation { choice, citation } => {
                let at = self.choices.entry(choice).or_default().characters;
                let annotation = reply::encode_citation(&citation, at);
                self.field(choice, "annotations", json!([annotation]), out);
            }
            Event::Logprobs { choice, tokens } => {
                let choice = json!([{
                    "index": choice,
                    "delta": {},
                    "logprobs": reply::encode_logprobs(&tokens),
                    "finish_reason": null,
                }]);
                self.chunk(&choice.to_string(), None, out);
            }
            Event::Media { choice, media } => match reply::encode_media(&media) {
                Some(("images", image)) => self.field(choice, "images", json!([image]), out),
                Some((name, value)) => self.field(choice, name, value, out),
                None => out.losses.dropped("choices[0].delta", "media"),
            },
            Event::Native { dialect, .. } => {
                if dialect != ID {
                    out.losses.dropped("choices[0].delta", dialect.as_str());
                }
            }
            Event::Usage(usage) => self.usage.update(usage),
            Event::Finish { choice, reason, .. } => {
                self.finish(choice, reply::word_of(reason), out);
            }
            Event::Fault(fault) => fault::put(&fault, out),
            Event::End => self.end(out),
        }
    }
}

impl Encoder {
    /// Writes one chunk whose choices and usage are given as JSON text.
    fn chunk(&mut self, choices: &str, usage: Option<&str>, out: &mut Sink) {
        if self.opening.is_empty() {
            let (head, context) = (&self.head, &self.context);
            let opening = json!({
                "id": reply::id_of(head.id.as_deref(), context),
                "object": "chat.completion.chunk",
                "created": head.created.unwrap_or(context.created),
                "model": head.model.as_deref().unwrap_or(&context.model),
            });
            self.opening = opening.to_string();
            self.opening.pop();
        }
        for piece in ["data: ", &self.opening, ",\"choices\":", choices] {
            out.put(piece.as_bytes());
        }
        if let Some(usage) = usage {
            out.put(b",\"usage\":");
            out.put(usage.as_bytes());
        } else if self.context.stream_usage {
            out.put(b",\"usage\":null");
        }
        out.put(b"}\n\n");
    }

    /// Writes one delta; the first of a choice states the role.
    fn delta(&mut self, number: u32, mut delta: Map<String, Value>, out: &mut Sink) {
        let written = self.choices.entry(number).or_default();
        if written.finished {
            return;
        }
        if !written.opened {
            written.opened = true;
            let mut first = Map::new();
            first.insert("role".into(), "assistant".into());
            let content = if delta.contains_key("tool_calls") { Value::Null } else { "".into() };
            first.insert("content".into(), content);
            first.append(&mut delta);
            delta = first;
        }
        let choice = json!([{
            "index": number, "delta": delta, "logprobs": null, "finish_reason": null,
        }]);
        self.chunk(&choice.to_string(), None, out);
    }

    fn field(&mut self, choice: u32, name: &str, value: impl Into<Value>, out: &mut Sink) {
        let mut delta = Map::new();
        delta.insert(name.into(), value.into());
        self.delta(choice, delta, out);
    }

    fn sealed(&mut self, choice: u32, signature: &Signature, redacted: bool, out: &mut Sink) {
        let written = self.choices.entry(choice).or_default();
        let index = written.details;
        written.details += 1;
        let detail = if redacted {
            reasoning::encrypted_detail(index, signature, Formats::Dialects)
        } else {
            let text = std::mem::take(&mut written.thinking);
            reasoning::text_detail(index, &text, Some(signature), Formats::Dialects)
        };
        self.field(choice, reasoning::DETAILS, json!([detail]), out);
    }

    fn call(&mut self, event: Event, out: &mut Sink) {
        match event {
            Event::ToolCallStart { choice, index, id, name, signature } => {
                let id = reply::call_id(&id, &self.context.id, choice, index);
                let mut call = json!({
                    "index": index,
                    "id": id,
                    "type": "function",
                    "function": {"name": name, "arguments": ""},
                });
                if let (Some(signature), Value::Object(call)) = (&signature, &mut call) {
                    let extra = reasoning::encode_call_signature(signature);
                    call.insert("extra_content".into(), extra);
                }
                self.choices.entry(choice).or_default().bare_calls.push(index);
                self.field(choice, "tool_calls", json!([call]), out);
            }
            Event::ToolCallDelta { choice, index, arguments } => {
                if arguments.is_empty() {
                    return;
                }
                let written = self.choices.entry(choice).or_default();
                written.bare_calls.retain(|bare| *bare != index);
                let call = json!([{"index": index, "function": {"arguments": arguments}}]);
                self.field(choice, "tool_calls", call, out);
            }
            _ => {}
        }
    }

    fn finish(&mut self, number: u32, word: &str, out: &mut Sink) {
        let written = self.choices.entry(number).or_default();
        if written.finished {
            return;
        }
        // A call without arguments must still parse.
        for index in std::mem::take(&mut written.bare_calls) {
            let call = json!([{"index": index, "function": {"arguments": "{}"}}]);
            self.field(number, "tool_calls", call, out);
        }
        if !self.choices.get(&number).is_some_and(|written| written.opened) {
            self.delta(number, Map::new(), out);
        }
        if let Some(written) = self.choices.get_mut(&number) {
            written.finished = true;
        }
        let choice = json!([{
            "index": number, "delta": {}, "logprobs": null, "finish_reason": word,
        }]);
        self.chunk(&choice.to_string(), None, out);
    }

    fn end(&mut self, out: &mut Sink) {
        let open: Vec<u32> =
            self.choices.iter().filter(|(_, w)| !w.finished).map(|(number, _)| *number).collect();
        for number in open {
            self.finish(number, "stop", out);
        }
        if let Some(usage) = usage::wanted(&self.usage, &self.context) {
            self.chunk("[]", Some(&usage.to_string()), out);
        }
        out.put(b"data: [DONE]\n\n");
    }
}
