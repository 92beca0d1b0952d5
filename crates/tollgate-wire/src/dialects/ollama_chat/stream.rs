//! A streamed answer: lines of JSON, the last of which says `done`.

use std::mem;

use memchr::memmem::Finder;
use serde_json::{Map, Value};
use tollgate_model::{Event, Fault, FinishReason, Losses, Usage};

use super::{fault, pieces, reply};
use crate::{Frame, ReplyContext, Snapshot, StreamDecoder, StreamEncoder, dialect::keep_metered};

#[derive(Debug)]
pub(super) struct Decoder {
    reader: pieces::Reader,
    model: Option<String>,
    created: Option<u64>,
    usage: Usage,
    started: bool,
    finished: bool,
    /// `End` or `Fault` was given.
    over: bool,
    probes: Probes,
}

/// What betrays a line that is more than a piece of content.
#[derive(Debug)]
struct Probes {
    open: Finder<'static>,
    error: Finder<'static>,
    calls: Finder<'static>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            reader: pieces::Reader::default(),
            model: None,
            created: None,
            usage: Usage::default(),
            started: false,
            finished: false,
            over: false,
            probes: Probes {
                open: Finder::new(b"\"done\":false"),
                error: Finder::new(b"\"error\":"),
                calls: Finder::new(b"\"tool_calls\":"),
            },
        }
    }
}

impl Decoder {
    fn fail(&mut self, fault: Fault, out: &mut Vec<Event>) {
        self.over = true;
        out.push(Event::Fault(fault));
    }

    fn read_line(&mut self, line: &Map<String, Value>, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            let start = pieces::start(line);
            if let Event::Start { model, created, .. } = &start {
                self.model.clone_from(model);
                self.created = *created;
            }
            out.push(start);
        }
        self.reader.read(line, out);
        if line.get("done").and_then(Value::as_bool) == Some(true) {
            self.over = true;
            self.finished = true;
            let from = out.len();
            self.reader.finish(line, out);
            if let Some(Event::Usage(usage)) =
                out[from..].iter().find(|event| matches!(event, Event::Usage(_)))
            {
                self.usage = usage.clone();
            }
        }
    }

    /// A line that only adds content to an answer that has begun.
    fn is_content(&self, line: &[u8]) -> bool {
        self.started
            && self.probes.open.find(line).is_some()
            && self.probes.error.find(line).is_none()
            && self.probes.calls.find(line).is_none()
    }
}

impl StreamDecoder for Decoder {
    fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) {
        if self.over || frame.data.is_empty() {
            return;
        }
        let Ok(Value::Object(line)) = serde_json::from_slice(&frame.data) else {
            let fault = Fault::bad_upstream("The provider's stream holds a line that is not JSON.");
            return self.fail(fault, out);
        };
        if let Some(fault) = fault::inside(&line) {
            return self.fail(fault, out);
        }
        if !line.get("message").is_some_and(Value::is_object) && line.get("done").is_none() {
            let fault =
                Fault::bad_upstream("The provider's stream holds a line without a message.");
            return self.fail(fault, out);
        }
        self.read_line(&line, out);
    }

    fn skim(&mut self, frame: &Frame, out: &mut Vec<Event>) {
        if !self.over && self.is_content(&frame.data) {
            return;
        }
        let from = out.len();
        self.read(frame, out);
        keep_metered(from, out);
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if !self.over {
            self.fail(Fault::bad_upstream("The provider's stream broke off."), out);
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            id: None,
            model: self.model.clone(),
            created: self.created,
            started: self.started,
            open_block: None,
            next_block: u32::from(self.started),
            finished: if self.finished { vec![0] } else { Vec::new() },
            usage: self.usage.clone(),
            ..Snapshot::default()
        }
    }
}

#[derive(Debug)]
pub(super) struct Encoder {
    context: ReplyContext,
    model: Option<String>,
    created: Option<u64>,
    /// Calls travel whole: this one is not yet.
    call: Option<Call>,
    calls: u32,
    usage: Usage,
    reason: Option<FinishReason>,
    losses: Losses,
    over: bool,
}

#[derive(Debug)]
struct Call {
    index: u32,
    id: String,
    name: String,
    arguments: String,
}

impl Encoder {
    pub(super) fn new(context: ReplyContext, resume: Option<Snapshot>) -> Self {
        let snapshot = resume.unwrap_or_default();
        Self {
            context,
            model: snapshot.model,
            created: snapshot.created,
            call: None,
            calls: 0,
            usage: snapshot.usage,
            reason: None,
            losses: Losses::default(),
            over: snapshot.finished.contains(&0),
        }
    }

    /// Writes one line that adds these fields to the message.
    fn line(&self, fields: &[(&str, Value)], out: &mut Vec<u8>) {
        let mut message = Map::new();
        message.insert("role".into(), "assistant".into());
        message.insert("content".into(), "".into());
        for (name, value) in fields {
            message.insert((*name).to_owned(), value.clone());
        }
        let mut line = self.head();
        line.insert("message".into(), message.into());
        line.insert("done".into(), false.into());
        write(line, out);
    }

    fn head(&self) -> Map<String, Value> {
        reply::head(self.model.as_deref(), self.created, &self.context)
    }

    fn close_call(&mut self, out: &mut Vec<u8>) {
        if let Some(call) = self.call.take() {
            let value = pieces::call(&call.id, self.calls, &call.name, &call.arguments);
            self.calls += 1;
            self.line(&[("tool_calls", vec![value].into())], out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.over = true;
        let mut line = self.head();
        line.insert("message".into(), serde_json::json!({"role": "assistant", "content": ""}));
        line.insert("done".into(), true.into());
        let word = pieces::word_of(self.reason.unwrap_or(FinishReason::Stop));
        line.insert("done_reason".into(), word.into());
        pieces::put_usage(&self.usage, &mut line);
        write(line, out);
    }

    /// Pieces of the first choice, which is the only one that the dialect has.
    fn piece(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Text { text, .. } | Event::Refusal { text, .. } => {
                self.line(&[("content", text.into())], out);
            }
            Event::Reasoning { text, .. } => self.line(&[("thinking", text.into())], out),
            Event::ReasoningSignature { .. } => self.losses.dropped("message", "signature"),
            Event::RedactedReasoning { .. } => self.losses.dropped("message", "reasoning"),
            Event::ToolCallStart { index, id, name, signature, .. } => {
                if signature.is_some() {
                    self.losses.dropped("message.tool_calls", "signature");
                }
                self.call = Some(Call { index, id, name, arguments: String::new() });
            }
            Event::ToolCallDelta { index, arguments, .. } => {
                match self.call.as_mut().filter(|call| call.index == index) {
                    Some(call) => call.arguments.push_str(&arguments),
                    // Calls are written one after the other, and no provider mingles them.
                    None => self.losses.dropped("message.tool_calls", "arguments"),
                }
            }
            Event::Citation { .. } => self.losses.dropped("message", "citations"),
            Event::Logprobs { tokens, .. } => {
                let mut line = self.head();
                let message = serde_json::json!({"role": "assistant", "content": ""});
                line.insert("message".into(), message);
                line.insert("done".into(), false.into());
                line.insert("logprobs".into(), pieces::logprobs(&tokens));
                write(line, out);
            }
            Event::Media { .. } => self.losses.dropped("message", "media"),
            Event::Native { dialect, .. } => self.losses.dropped("message", dialect.as_str()),
            Event::Finish { reason, .. } => self.reason = Some(reason),
            _ => {}
        }
    }
}

fn write(line: Map<String, Value>, out: &mut Vec<u8>) {
    out.extend_from_slice(Value::Object(line).to_string().as_bytes());
    out.push(b'\n');
}

impl StreamEncoder for Encoder {
    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        if event.choice().is_some_and(|choice| choice != 0) {
            return self.losses.dropped("", "choices");
        }
        if !matches!(event, Event::ToolCallDelta { .. } | Event::Usage(_) | Event::Start { .. }) {
            self.close_call(out);
        }
        match event {
            Event::Start { model, created, .. } => {
                self.model = model.or(mem::take(&mut self.model));
                self.created = created.or(self.created);
            }
            Event::Usage(usage) => self.usage.update(usage),
            Event::Fault(fault) => {
                self.over = true;
                let line = fault::object(&fault);
                out.extend_from_slice(format!("{line}\n").as_bytes());
            }
            Event::End => self.end(out),
            piece => self.piece(piece, out),
        }
    }

    fn losses(&self) -> &Losses {
        &self.losses
    }
}
