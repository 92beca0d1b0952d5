//! Reading a stream of events.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tollgate_model::{Event, Fault};

use crate::dialects::openai_chat::fault;
use crate::dialects::openai_responses::{
    reading::{self, MOST_ITEMS, Reader},
    reply,
    skimmed::{SkimmedEvent, SkimmedItem},
};
use crate::lenient::Object;
use crate::stream::{self, DecodeStream, OpenItem};
use crate::{Frame, Quirks, Snapshot};

/// A name of an event is found within the first bytes of its data, or it is read whole.
const NAME_WITHIN: usize = 96;

#[derive(Debug)]
pub(in super::super) struct Decoder {
    quirks: &'static Quirks,
    reader: Reader,
    /// A call went by, read or not.
    called: bool,
    /// What of it is known without the items that are open.
    snapshot: Snapshot,
    open: BTreeMap<u32, OpenItem>,
}

impl Decoder {
    /// Content comes though nothing opened the answer.
    fn ensure_started(&mut self, out: &mut Vec<Event>) {
        self.snapshot.start(Event::Start { id: None, model: None, created: None }, out);
    }

    fn end_with(&mut self, finish: Event, out: &mut Vec<Event>) {
        self.open.clear();
        out.extend([finish, Event::End]);
    }

    /// Which items and parts are open, for an ending that has to close them.
    fn note_open(&mut self, kind: &str, event: &Opening<'_>) {
        let Some(index) = event.index.and_then(|index| u32::try_from(index).ok()) else { return };
        match kind {
            "response.output_item.added" if self.open.len() < MOST_ITEMS => {
                self.snapshot.next_block = self.snapshot.next_block.max(index.saturating_add(1));
                let (id, kind) = (event.id.to_owned(), event.kind.to_owned());
                self.open.insert(index, OpenItem { index, id, kind, part: None });
            }
            "response.output_item.done" => {
                self.open.remove(&index);
            }
            "response.content_part.added" | "response.reasoning_summary_part.added" => {
                if let Some(item) = self.open.get_mut(&index) {
                    let part = event.part.and_then(|part| u32::try_from(part).ok());
                    item.part = Some((part.unwrap_or_default(), event.kind.to_owned()));
                }
            }
            "response.content_part.done" | "response.reasoning_summary_part.done" => {
                if let Some(item) = self.open.get_mut(&index) {
                    item.part = None;
                }
            }
            _ => {}
        }
    }

    fn read_event(
        &mut self,
        kind: &str,
        event: &Map<String, Value>,
        out: &mut Vec<Event>,
    ) -> Result<(), Fault> {
        let number = |field: &str| event.get(field).and_then(Value::as_u64).unwrap_or_default();
        let delta = event.get("delta").and_then(Value::as_str).unwrap_or_default();
        let (index, at) = (number("output_index"), number("content_index"));
        match kind {
            "response.created" | "response.queued" | "response.in_progress" => {
                if let Some(response) = event.get("response").and_then(Value::as_object) {
                    self.snapshot.start(reading::start(response), out);
                }
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                let response = event.get("response").and_then(Value::as_object);
                return self.read_end(kind, response, out);
            }
            "error" => return Err(said(event)),
            _ if !kind.starts_with("response.") => {}
            _ => {
                self.ensure_started(out);
                match kind {
                    "response.output_item.added" => {
                        if let Some(item) = event.get("item") {
                            self.reader.begin(index, item, out);
                        }
                    }
                    "response.output_item.done" => {
                        if let Some(item) = event.get("item") {
                            self.reader.complete(index, item, out);
                        }
                    }
                    "response.output_text.delta" => {
                        let logprobs = event.get("logprobs").and_then(Value::as_array);
                        let logprobs = logprobs.map(Vec::as_slice).unwrap_or_default();
                        self.reader.text((index, at), delta, logprobs, out);
                    }
                    "response.refusal.delta" => self.reader.refusal((index, at), delta, out),
                    "response.output_text.annotation.added" => {
                        if let Some(annotation) = event.get("annotation") {
                            self.reader.cite((index, at), annotation, out);
                        }
                    }
                    "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                        self.reader.thought(index, delta, out);
                    }
                    "response.function_call_arguments.delta"
                    | "response.custom_tool_call_input.delta" => {
                        self.reader.arguments(index, delta, out);
                    }
                    // How far a tool of the provider's has come; what came of it is in its item.
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn read_end(
        &mut self,
        kind: &str,
        response: Option<&Map<String, Value>>,
        out: &mut Vec<Event>,
    ) -> Result<(), Fault> {
        let empty = Map::new();
        let response = response.unwrap_or(&empty);
        self.snapshot.start(reading::start(response), out);
        if let Some(fault) = reply::failed(response) {
            self.snapshot.count(reading::usage_of(response, self.quirks), out);
            return Err(fault);
        }
        if kind == "response.failed" {
            return Err(Fault::bad_upstream("The provider says that its answer failed."));
        }
        let output = response.get("output").and_then(Value::as_array);
        for (at, item) in output.into_iter().flatten().enumerate() {
            self.reader.complete(at as u64, item, out);
        }
        self.snapshot.count(reading::usage_of(response, self.quirks), out);
        let called = self.called || self.reader.called();
        let finish = if response.contains_key("status") {
            reply::finish(response, called)
        } else {
            reading::finish(kind.strip_prefix("response."), None, called)
        };
        self.end_with(finish, out);
        Ok(())
    }

    /// Reads what metering and endings need of an event; `false` for one that must be read whole.
    fn skim_event(&mut self, frame: &Frame, out: &mut Vec<Event>) -> bool {
        let Ok(Object(Some(event))) = serde_json::from_slice::<Object<SkimmedEvent>>(&frame.data)
        else {
            return false;
        };
        let Some(kind) = event.kind.0 else { return false };
        let response = event.response.0;
        let starts = matches!(
            kind.as_str(),
            "response.created" | "response.queued" | "response.in_progress"
        );
        match (kind.as_str(), response) {
            ("error" | "response.failed", _) => return false,
            (_, Some(response)) if starts => self.snapshot.start(response.start(), out),
            ("response.completed" | "response.incomplete", Some(response))
                if response.is_whole() =>
            {
                self.snapshot.start(response.start(), out);
                let finish = response.finish(self.called);
                self.snapshot.count(response.usage(self.quirks), out);
                self.end_with(finish, out);
            }
            ("response.completed" | "response.incomplete", _) => return false,
            _ => {
                self.ensure_started(out);
                let (item, part) = (event.item.0, event.part.0);
                self.called |= item.as_ref().is_some_and(SkimmedItem::is_call);
                let named = item.or(part).unwrap_or_default();
                let opening = Opening {
                    index: event.output_index.0,
                    part: event.content_index.0,
                    kind: named.kind.0.as_deref().unwrap_or_default(),
                    id: named.id.0.as_deref().unwrap_or_default(),
                };
                self.note_open(&kind, &opening);
            }
        }
        self.count(event.sequence_number.0);
        true
    }

    /// Events are counted, since some hosts do not number them.
    fn count(&mut self, stated: Option<u64>) {
        self.snapshot.sequence = stated.unwrap_or(self.snapshot.sequence).saturating_add(1);
    }
}

/// What an event says of an item or a part that it opens or closes.
struct Opening<'e> {
    index: Option<u64>,
    part: Option<u64>,
    kind: &'e str,
    id: &'e str,
}

impl<'e> Opening<'e> {
    fn of(event: &'e Map<String, Value>) -> Self {
        let number = |field: &str| event.get(field).and_then(Value::as_u64);
        let named = event.get("item").or_else(|| event.get("part"));
        let word =
            |field: &str| named.and_then(|named| named.get(field)?.as_str()).unwrap_or_default();
        Self {
            index: number("output_index"),
            part: number("content_index").or_else(|| number("summary_index")),
            kind: word("type"),
            id: word("id"),
        }
    }
}

/// The fault in an `error` event: its error stands in an object of its own, or is the event.
fn said(event: &Map<String, Value>) -> Fault {
    let found = fault::inside(event).or_else(|| {
        let mut error = event.clone();
        error.shift_remove("type");
        let mut body = Map::new();
        body.insert("error".into(), error.into());
        fault::inside(&body)
    });
    found.unwrap_or_else(|| Fault::bad_upstream("The provider's stream ended with an error."))
}

/// A frame that only adds a piece of content.
fn is_piece(frame: &Frame) -> bool {
    if !frame.event.is_empty() {
        return frame.event.ends_with(b".delta");
    }
    let head = frame.data.get(..NAME_WITHIN).unwrap_or(&frame.data);
    let name =
        memchr::memmem::find(head, b"\"type\":\"response.").and_then(|at| head.get(at + 8..));
    name.is_some_and(|name| {
        let end = memchr::memchr(b'"', name).unwrap_or_default();
        name.get(..end).is_some_and(|name| name.ends_with(b".delta"))
    })
}

impl DecodeStream for Decoder {
    fn open(quirks: &'static Quirks) -> Self {
        let (reader, snapshot) = (Reader::default(), Snapshot::default());
        Self { quirks, reader, called: false, snapshot, open: BTreeMap::new() }
    }

    fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        let Some(data) = frame.said() else { return Ok(()) };
        if data == b"[DONE]" {
            return self.end(out);
        }
        let event = stream::object(data)?;
        let named = String::from_utf8_lossy(&frame.event);
        let kind = event.get("type").and_then(Value::as_str).unwrap_or(&named);
        if !kind.starts_with("response.")
            && let Some(fault) = fault::inside(&event)
        {
            return Err(fault);
        }
        self.count(event.get("sequence_number").and_then(Value::as_u64));
        self.note_open(kind, &Opening::of(&event));
        self.read_event(kind, &event, out)
    }

    fn skim(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        if self.snapshot.started && is_piece(frame) {
            self.snapshot.sequence += 1;
            return Ok(());
        }
        if self.skim_event(frame, out) { Ok(()) } else { self.read(frame, out) }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            open_block: self.open.keys().next().copied(),
            open_items: self.open.values().cloned().collect(),
            ..self.snapshot.clone()
        }
    }
}
