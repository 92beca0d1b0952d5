//! Reading a stream of typed events.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tollgate_model::{Event, Fault};

use super::CALL;
use crate::dialects::cohere_v2::{
    ID, citation, fault, logprobs, messages::SIGNATURE, reply, usage,
};
use crate::stream::{self, DecodeStream};
use crate::{Frame, Quirks, Snapshot, signature};

#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    snapshot: Snapshot,
    /// The calls so far, by the index the host gave.
    calls: BTreeMap<u64, u32>,
}

/// Events that add content to what is open, and nothing that metering needs.
const PIECES: [&[u8]; 5] =
    [b"content-delta", b"tool-plan-delta", b"tool-call-delta", b"citation-start", b"citation-end"];

impl Decoder {
    fn read_event(
        &mut self,
        kind: &str,
        event: &Map<String, Value>,
        out: &mut Vec<Event>,
    ) -> Result<(), Fault> {
        let index = event.get("index").and_then(Value::as_u64).unwrap_or_default();
        let empty = Map::new();
        let delta = event.get("delta").and_then(Value::as_object).unwrap_or(&empty);
        let message = delta.get("message").and_then(Value::as_object).unwrap_or(&empty);
        match kind {
            "message-start" => {
                let start = Event::Start { id: text(event, "id"), model: None, created: None };
                self.snapshot.start(start, out);
            }
            "content-start" => {
                self.snapshot.open(self.snapshot.next_block);
                read_content(message, out);
            }
            "content-delta" => {
                read_content(message, out);
                let run = event.get("logprobs").or_else(|| delta.get("logprobs"));
                let tokens: Vec<_> = run.and_then(logprobs::read).into_iter().collect();
                if !tokens.is_empty() {
                    out.push(Event::Logprobs { choice: 0, tokens });
                }
            }
            "tool-plan-delta" => {
                if let Some(text) = text(message, "tool_plan") {
                    out.push(Event::Reasoning { choice: 0, text });
                }
            }
            "tool-call-start" => self.read_call(index, message, out),
            "tool-call-delta" => self.read_arguments(index, message, out),
            "content-end" | "tool-call-end" => self.snapshot.open_block = None,
            "citation-start" => {
                if let Some(written) = message.get("citations").filter(|one| one.is_object()) {
                    out.push(Event::Citation { choice: 0, citation: citation::read(written) });
                }
            }
            "message-end" => return self.finish(delta, out),
            // What is not known (`citation-end`, `debug`) adds nothing.
            _ => {}
        }
        Ok(())
    }

    fn read_call(&mut self, index: u64, message: &Map<String, Value>, out: &mut Vec<Event>) {
        let Some(call) = message.get("tool_calls").and_then(Value::as_object) else { return };
        let Some(function) = call.get("function").and_then(Value::as_object) else { return };
        let number = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        self.calls.insert(index, number);
        self.snapshot.open_block = Some(CALL | number);
        out.push(Event::ToolCallStart {
            choice: 0,
            index: number,
            id: text(call, "id").unwrap_or_default(),
            name: text(function, "name").unwrap_or_default(),
            signature: text(call, SIGNATURE).map(|data| signature::read(&data, ID)),
        });
        self.read_arguments(index, message, out);
    }

    fn read_arguments(&mut self, index: u64, message: &Map<String, Value>, out: &mut Vec<Event>) {
        let Some(number) = self.calls.get(&index).copied() else { return };
        let function = message.get("tool_calls").and_then(|call| call.get("function"));
        let function = function.and_then(Value::as_object);
        if let Some(arguments) = function.and_then(|function| text(function, "arguments")) {
            out.push(Event::ToolCallDelta { choice: 0, index: number, arguments });
        }
    }

    fn finish(&mut self, delta: &Map<String, Value>, out: &mut Vec<Event>) -> Result<(), Fault> {
        if let Some(fault) = fault::at_end(delta) {
            return Err(fault);
        }
        self.snapshot.open_block = None;
        self.snapshot.finish();
        out.push(reply::finished(delta.get("finish_reason").and_then(Value::as_str)));
        self.snapshot.count(delta.get("usage").and_then(usage::decode), out);
        Ok(())
    }
}

fn text(of: &Map<String, Value>, name: &str) -> Option<String> {
    of.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn read_content(message: &Map<String, Value>, out: &mut Vec<Event>) {
    let Some(content) = message.get("content").and_then(Value::as_object) else { return };
    out.extend(text(content, "thinking").map(|text| Event::Reasoning { choice: 0, text }));
    if let Some(data) = text(content, SIGNATURE) {
        let signature = signature::read(&data, ID);
        out.push(Event::ReasoningSignature { choice: 0, signature });
    }
    out.extend(text(content, "text").map(|text| Event::Text { choice: 0, text }));
}

impl DecodeStream for Decoder {
    fn open(_: &'static Quirks) -> Self {
        Self::default()
    }

    fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        let Some(data) = frame.said() else { return Ok(()) };
        if data == b"[DONE]" {
            return self.end(out);
        }
        let event = stream::object(data)?;
        if let Some(fault) = fault::inside(&event) {
            return Err(fault);
        }
        let named = std::str::from_utf8(&frame.event).ok().filter(|name| !name.is_empty());
        let kind = event.get("type").and_then(Value::as_str).or(named).unwrap_or_default();
        self.read_event(kind, &event, out)
    }

    fn skim(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        if self.snapshot.started && PIECES.contains(&frame.event.as_ref()) {
            return Ok(());
        }
        self.read(frame, out)
    }

    /// Some streams end without `[DONE]`.
    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), Fault> {
        if self.snapshot.finished.is_empty() {
            return Err(Fault::bad_upstream("The provider's stream broke off."));
        }
        out.push(Event::End);
        Ok(())
    }

    fn snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }
}
