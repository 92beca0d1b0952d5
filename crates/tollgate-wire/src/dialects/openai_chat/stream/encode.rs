//! Writing a stream of chunks.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tollgate_model::{Event, Losses, Signature, Usage};

use crate::{
    ReplyContext, Snapshot, StreamEncoder,
    dialects::openai_chat::{
        ID, fault,
        reasoning::{self, Formats},
        reply, usage,
    },
};

#[derive(Debug)]
pub(in super::super) struct Encoder {
    context: ReplyContext,
    id: Option<String>,
    model: Option<String>,
    created: Option<u64>,
    /// What every chunk begins with, once it is settled.
    head: String,
    choices: BTreeMap<u32, Written>,
    usage: Usage,
    losses: Losses,
    over: bool,
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

impl Encoder {
    pub(in super::super) fn new(context: ReplyContext, resume: Option<Snapshot>) -> Self {
        let mut encoder = Self {
            context,
            id: None,
            model: None,
            created: None,
            head: String::new(),
            choices: BTreeMap::new(),
            usage: Usage::default(),
            losses: Losses::default(),
            over: false,
        };
        if let Some(snapshot) = resume {
            encoder.id = snapshot.id;
            encoder.model = snapshot.model;
            encoder.created = snapshot.created;
            encoder.usage = snapshot.usage;
            for number in 0..snapshot.next_block {
                let finished = snapshot.finished.contains(&number);
                let written = Written { opened: true, finished, ..Written::default() };
                encoder.choices.insert(number, written);
            }
        }
        encoder
    }

    /// Writes one chunk whose choices and usage are given as JSON text.
    fn chunk(&mut self, choices: &str, usage: Option<&str>, out: &mut Vec<u8>) {
        if self.head.is_empty() {
            let head = json!({
                "id": reply::id_of(self.id.as_deref(), &self.context),
                "object": "chat.completion.chunk",
                "created": self.created.unwrap_or(self.context.created),
                "model": self.model.as_deref().unwrap_or(&self.context.model),
            });
            self.head = head.to_string();
            self.head.pop();
        }
        for piece in ["data: ", &self.head, ",\"choices\":", choices] {
            out.extend_from_slice(piece.as_bytes());
        }
        if let Some(usage) = usage {
            out.extend_from_slice(b",\"usage\":");
            out.extend_from_slice(usage.as_bytes());
        } else if self.context.stream_usage {
            out.extend_from_slice(b",\"usage\":null");
        }
        out.extend_from_slice(b"}\n\n");
    }

    /// Writes one delta; the first of a choice states the role.
    fn delta(&mut self, number: u32, mut delta: Map<String, Value>, out: &mut Vec<u8>) {
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

    fn field(&mut self, choice: u32, name: &str, value: impl Into<Value>, out: &mut Vec<u8>) {
        let mut delta = Map::new();
        delta.insert(name.into(), value.into());
        self.delta(choice, delta, out);
    }

    fn sealed(&mut self, choice: u32, signature: &Signature, redacted: bool, out: &mut Vec<u8>) {
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

    fn call(&mut self, event: Event, out: &mut Vec<u8>) {
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

    fn finish(&mut self, number: u32, word: &str, out: &mut Vec<u8>) {
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

    fn end(&mut self, out: &mut Vec<u8>) {
        self.over = true;
        let open: Vec<u32> =
            self.choices.iter().filter(|(_, w)| !w.finished).map(|(number, _)| *number).collect();
        for number in open {
            self.finish(number, "stop", out);
        }
        if self.context.stream_usage
            && let Some(usage) = usage::encode(&self.usage)
        {
            self.chunk("[]", Some(&usage.to_string()), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

impl StreamEncoder for Encoder {
    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Start { id, model, created } => {
                self.id = id.or(self.id.take());
                self.model = model.or(self.model.take());
                self.created = created.or(self.created);
            }
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
                None => self.losses.dropped("choices[0].delta", "media"),
            },
            Event::Native { dialect, .. } => {
                if dialect != ID {
                    self.losses.dropped("choices[0].delta", dialect.as_str());
                }
            }
            Event::Usage(usage) => self.usage.update(usage),
            Event::Finish { choice, reason, .. } => {
                self.finish(choice, reply::word_of(reason), out);
            }
            Event::Fault(fault) => {
                self.over = true;
                let error = json!({"error": fault::object(&fault)});
                out.extend_from_slice(format!("data: {error}\n\n").as_bytes());
            }
            Event::End => self.end(out),
        }
    }

    fn losses(&self) -> &Losses {
        &self.losses
    }
}
