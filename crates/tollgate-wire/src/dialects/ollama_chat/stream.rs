//! A streamed answer: lines of JSON, the last of which says `done`.

use memchr::memmem::Finder;
use serde_json::{Map, Value};
use tollgate_model::{Event, Fault, FinishReason, Usage};

use super::{fault, pieces, reply};
use crate::stream::{DecodeStream, EncodeStream, Head, Sink};
use crate::{Frame, Quirks, ReplyContext, Snapshot, stream};

#[derive(Debug)]
pub(super) struct Decoder {
    reader: pieces::Reader,
    snapshot: Snapshot,
    probes: Probes,
}

/// What betrays a line that is more than a piece of content.
#[derive(Debug)]
struct Probes {
    open: Finder<'static>,
    error: Finder<'static>,
    calls: Finder<'static>,
}

impl Decoder {
    fn read_line(&mut self, line: &Map<String, Value>, out: &mut Vec<Event>) {
        if !self.snapshot.started {
            self.snapshot.start(pieces::start(line), out);
            self.snapshot.next_block = 1;
        }
        self.reader.read(line, out);
        if line.get("done").and_then(Value::as_bool) == Some(true) {
            self.snapshot.finish();
            let from = out.len();
            self.reader.finish(line, out);
            if let Some(Event::Usage(usage)) =
                out[from..].iter().find(|event| matches!(event, Event::Usage(_)))
            {
                self.snapshot.usage = usage.clone();
            }
        }
    }

    /// A line that only adds content to an answer that has begun.
    fn is_content(&self, line: &[u8]) -> bool {
        self.snapshot.started
            && self.probes.open.find(line).is_some()
            && self.probes.error.find(line).is_none()
            && self.probes.calls.find(line).is_none()
    }
}

impl DecodeStream for Decoder {
    fn open(_: &'static Quirks) -> Self {
        let probes = Probes {
            open: Finder::new(b"\"done\":false"),
            error: Finder::new(b"\"error\":"),
            calls: Finder::new(b"\"tool_calls\":"),
        };
        Self { reader: pieces::Reader::default(), snapshot: Snapshot::default(), probes }
    }

    fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        let Some(line) = frame.said() else { return Ok(()) };
        let line = stream::object(line)?;
        if let Some(fault) = fault::inside(&line) {
            return Err(fault);
        }
        if !line.get("message").is_some_and(Value::is_object) && line.get("done").is_none() {
            let said = "The provider's stream holds a line without a message.";
            return Err(Fault::bad_upstream(said));
        }
        self.read_line(&line, out);
        Ok(())
    }

    fn skim(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        if self.is_content(&frame.data) { Ok(()) } else { self.read(frame, out) }
    }

    fn snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }
}

#[derive(Debug)]
pub(super) struct Encoder {
    context: ReplyContext,
    head: Head,
    /// Calls travel whole: this one is not yet.
    call: Option<Call>,
    calls: u32,
    usage: Usage,
    reason: Option<FinishReason>,
    /// The last line was sent before this encoder took over.
    done: bool,
}

#[derive(Debug)]
struct Call {
    index: u32,
    id: String,
    name: String,
    arguments: String,
}

impl EncodeStream for Encoder {
    fn open(context: ReplyContext, from: Snapshot) -> Self {
        let (head, done) = (from.head(), from.finished.contains(&0));
        Self { context, head, call: None, calls: 0, usage: from.usage, reason: None, done }
    }

    fn write(&mut self, event: Event, out: &mut Sink) {
        if self.done || out.loses_choice(&event) {
            return;
        }
        if !matches!(event, Event::ToolCallDelta { .. } | Event::Usage(_) | Event::Start { .. }) {
            self.close_call(out);
        }
        match event {
            Event::Start { id, model, created } => self.head.restate(id, model, created),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Fault(fault) => {
                let line = fault::object(&fault);
                out.put(format!("{line}\n").as_bytes());
            }
            Event::End => self.end(out),
            piece => self.piece(piece, out),
        }
    }
}

impl Encoder {
    /// Writes one line that adds these fields to the message.
    fn line(&self, fields: &[(&str, Value)], out: &mut Sink) {
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
        reply::head(self.head.model.as_deref(), self.head.created, &self.context)
    }

    fn close_call(&mut self, out: &mut Sink) {
        if let Some(call) = self.call.take() {
            let value = pieces::call(&call.id, self.calls, &call.name, &call.arguments);
            self.calls += 1;
            self.line(&[("tool_calls", vec![value].into())], out);
        }
    }

    fn end(&mut self, out: &mut Sink) {
        let mut line = self.head();
        line.insert("message".into(), serde_json::json!({"role": "assistant", "content": ""}));
        line.insert("done".into(), true.into());
        let word = pieces::word_of(self.reason.unwrap_or(FinishReason::Stop));
        line.insert("done_reason".into(), word.into());
        pieces::put_usage(&self.usage, &mut line);
        write(line, out);
    }

    /// Pieces of the first choice, which is the only one that the dialect has.
    fn piece(&mut self, event: Event, out: &mut Sink) {
        match event {
            Event::Text { text, .. } | Event::Refusal { text, .. } => {
                self.line(&[("content", text.into())], out);
            }
            Event::Reasoning { text, .. } => self.line(&[("thinking", text.into())], out),
            Event::ReasoningSignature { .. } => out.losses.dropped("message", "signature"),
            Event::RedactedReasoning { .. } => out.losses.dropped("message", "reasoning"),
            Event::ToolCallStart { index, id, name, signature, .. } => {
                if signature.is_some() {
                    out.losses.dropped("message.tool_calls", "signature");
                }
                self.call = Some(Call { index, id, name, arguments: String::new() });
            }
            Event::ToolCallDelta { index, arguments, .. } => {
                match self.call.as_mut().filter(|call| call.index == index) {
                    Some(call) => call.arguments.push_str(&arguments),
                    // Calls are written one after the other, and no provider mingles them.
                    None => out.losses.dropped("message.tool_calls", "arguments"),
                }
            }
            Event::Citation { .. } => out.losses.dropped("message", "citations"),
            Event::Logprobs { tokens, .. } => {
                let mut line = self.head();
                let message = serde_json::json!({"role": "assistant", "content": ""});
                line.insert("message".into(), message);
                line.insert("done".into(), false.into());
                line.insert("logprobs".into(), pieces::logprobs(&tokens));
                write(line, out);
            }
            Event::Media { .. } => out.losses.dropped("message", "media"),
            Event::Native { dialect, .. } => out.losses.dropped("message", dialect.as_str()),
            Event::Finish { reason, .. } => self.reason = Some(reason),
            _ => {}
        }
    }
}

fn write(line: Map<String, Value>, out: &mut Sink) {
    out.put(Value::Object(line).to_string().as_bytes());
    out.bytes.push(b'\n');
}
