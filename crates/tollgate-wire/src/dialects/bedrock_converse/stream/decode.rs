//! A stream as Bedrock sends it, read.

use memchr::memmem;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tollgate_model::{Event, Fault, Source, UpstreamError};

use crate::dialects::bedrock_converse::reply::{
    Reading, finish, is_of_server, media_in, reasoning, signed, stated,
};
use crate::dialects::bedrock_converse::{fault, media};
use crate::stream::DecodeStream;
use crate::{Frame, MessageType, Quirks, Snapshot};

/// Blocks that are open at the same time; Bedrock opens one after the other.
const MOST_OPEN: usize = 64;
/// What is held of one block until it is closed, in bytes.
const MOST_HELD: usize = 32 << 20;
/// Pieces and citations that are held of one block.
const MOST_PIECES: usize = 32 << 10;

/// Why a stream cannot be read.
type Wrong = &'static str;

#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    reading: Reading,
    open: Vec<(u32, Block)>,
    snapshot: Snapshot,
    /// `messageStop` was read.
    stopped: bool,
}

#[derive(Debug)]
enum Block {
    /// A block of text has no opening; its citations are told at its end.
    Text {
        from: u64,
        citations: Vec<Value>,
    },
    Thought,
    Call {
        index: u32,
        begun: bool,
    },
    /// Of a kind that is not looked into; `input` of a call grows as text.
    Native {
        kind: String,
        json: Map<String, Value>,
        input: String,
    },
    /// Data in base64 for an image whose opening named the format.
    Media {
        kind: String,
        json: Map<String, Value>,
    },
}

/// Any event; which fields it has depends on its name.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Data {
    content_block_index: u32,
    start: Map<String, Value>,
    delta: Map<String, Value>,
    stop_reason: Option<String>,
    additional_model_response_fields: Option<Value>,
    usage: Option<Value>,
    service_tier: Option<Value>,
}

impl DecodeStream for Decoder {
    fn open(_: &'static Quirks) -> Self {
        Self::default()
    }

    fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        self.step(frame, true, out)
    }

    fn skim(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        // Most frames are pieces of content, of which only the block matters.
        if self.snapshot.started
            && frame.kind == MessageType::Event
            && frame.event == "contentBlockDelta"
            && let Some(index) = index_in(&frame.data)
        {
            self.snapshot.open(index);
            return Ok(());
        }
        self.step(frame, false, out)
    }

    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), Fault> {
        if !self.stopped {
            return Err(Fault::bad_upstream("The provider's stream broke off."));
        }
        out.push(Event::End);
        Ok(())
    }

    fn snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }
}

impl Decoder {
    fn step(&mut self, frame: &Frame, content: bool, out: &mut Vec<Event>) -> Result<(), Fault> {
        match frame.kind {
            MessageType::Exception => Err(fault::of_exception(&frame.event, &frame.data)),
            MessageType::Error => Err(broken(frame)),
            MessageType::Event => self.event(frame, content, out).map_err(|what| {
                Fault::bad_upstream(format!("The provider's stream is malformed: {what}."))
            }),
        }
    }

    /// Reads one event; `content`: also what the answer says.
    fn event(&mut self, frame: &Frame, content: bool, out: &mut Vec<Event>) -> Result<(), Wrong> {
        let name = frame.event.as_ref();
        if !KNOWN.iter().any(|known| known.as_bytes() == name) {
            // An event that came after this was written.
            return Ok(());
        }
        let data: Data = serde_json::from_slice(&frame.data).map_err(|_| "an event is no JSON")?;
        let index = data.content_block_index;
        self.snapshot.start(Event::Start { id: None, model: None, created: None }, out);
        match name {
            b"contentBlockStart" => {
                self.snapshot.open(index);
                if content {
                    self.start(index, data.start, out)?;
                }
            }
            b"contentBlockDelta" => {
                self.snapshot.open(index);
                if content {
                    self.delta(index, data.delta, out)?;
                }
            }
            b"contentBlockStop" => {
                self.snapshot.close(index);
                self.stop(index, out);
            }
            b"messageStop" => {
                // Some who stand between leave the ends of blocks out.
                while let Some(&(index, _)) = self.open.first() {
                    self.stop(index, out);
                }
                self.snapshot.open_block = None;
                self.reading.end(out);
                self.stopped = true;
                self.snapshot.finish();
                out.extend(finish(
                    data.stop_reason,
                    data.additional_model_response_fields.as_ref(),
                ));
            }
            b"metadata" => {
                let usage = stated(data.usage.as_ref(), data.service_tier.as_ref());
                self.snapshot.count(Some(usage), out);
                if self.stopped {
                    out.push(Event::End);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn start(
        &mut self,
        index: u32,
        mut start: Map<String, Value>,
        out: &mut Vec<Event>,
    ) -> Result<(), Wrong> {
        if self.open.iter().any(|(of, _)| *of == index) {
            return Err("a content block was opened twice");
        }
        let Some(kind) = start.keys().next().cloned() else { return Ok(()) };
        let inner = start.remove(&kind).unwrap_or_default();
        if kind != "toolUse" {
            self.reading.end(out);
        }
        let block = if kind == "toolUse" && !is_of_server(&inner) {
            let text = |name: &str| inner.get(name).and_then(Value::as_str).unwrap_or_default();
            let (id, name) = (text("toolUseId").to_owned(), text("name").to_owned());
            Block::Call { index: self.reading.call(id, name, out), begun: false }
        } else {
            let Value::Object(json) = inner else { return Err("a content block is no object") };
            match media::kind_of(&kind) {
                Some(_) => Block::Media { kind, json },
                None => Block::Native { kind, json, input: String::new() },
            }
        };
        self.hold(index, block)
    }

    fn hold(&mut self, index: u32, block: Block) -> Result<(), Wrong> {
        if self.open.len() >= MOST_OPEN {
            return Err("too many content blocks are open");
        }
        self.open.push((index, block));
        Ok(())
    }

    /// A piece of a block, which opens it where nothing else did.
    fn delta(
        &mut self,
        index: u32,
        mut delta: Map<String, Value>,
        out: &mut Vec<Event>,
    ) -> Result<(), Wrong> {
        if !self.open.iter().any(|(of, _)| *of == index) {
            let block = if delta.contains_key("reasoningContent") {
                Block::Thought
            } else if delta.contains_key("text") || delta.contains_key("citation") {
                self.reading.end(out);
                Block::Text { from: self.reading.chars, citations: Vec::new() }
            } else {
                return Err("a piece belongs to no open content block");
            };
            self.hold(index, block)?;
        }
        let Some((_, block)) = self.open.iter_mut().find(|(of, _)| *of == index) else {
            return Ok(());
        };
        match block {
            Block::Text { citations, .. } => {
                if let Some(citation) = delta.remove("citation") {
                    if citations.len() >= MOST_PIECES {
                        return Err("a content block has too many citations");
                    }
                    citations.push(citation);
                }
                self.reading.text(text_of(&delta, "text"), out);
            }
            Block::Thought => {
                let Some(Value::Object(thought)) = delta.get("reasoningContent") else {
                    return Ok(());
                };
                let hidden = text_of(thought, "redactedContent");
                if !hidden.is_empty() {
                    self.reading.hidden(hidden, out);
                }
                reasoning(text_of(thought, "text"), out);
                signed(text_of(thought, "signature"), out);
            }
            Block::Call { index, begun } => {
                let call = delta.get("toolUse").and_then(Value::as_object);
                let arguments = call.map(|call| text_of(call, "input")).unwrap_or_default();
                if !arguments.is_empty() {
                    *begun = true;
                    let arguments = arguments.to_owned();
                    out.push(Event::ToolCallDelta { choice: 0, index: *index, arguments });
                }
            }
            Block::Native { kind, json, input } => grow(kind, json, input, &mut delta)?,
            Block::Media { kind, json } => {
                if let Some(Value::Object(more)) = delta.remove(kind.as_str()) {
                    json.extend(more);
                }
            }
        }
        Ok(())
    }

    /// A block ends.
    fn stop(&mut self, index: u32, out: &mut Vec<Event>) {
        // A block without a piece has no opening either.
        let Some(at) = self.open.iter().position(|(of, _)| *of == index) else { return };
        let (_, block) = self.open.remove(at);
        match block {
            Block::Text { from, citations } => self.reading.cited(from, citations, out),
            Block::Call { index, begun: false } => {
                let arguments = "{}".to_owned();
                out.push(Event::ToolCallDelta { choice: 0, index, arguments });
            }
            Block::Native { kind, mut json, input } => {
                if kind == "toolUse" {
                    let empty = input.is_empty();
                    let parsed = serde_json::from_str(&input);
                    let input = if empty { json!({}) } else { parsed.unwrap_or(json!(input)) };
                    json.insert("input".into(), input);
                }
                self.reading.native(json!({ kind: json }), out);
            }
            Block::Media { kind, json } => {
                let block = Map::from_iter([(kind, Value::Object(json))]);
                match media_in(&block) {
                    Some(media) => out.push(Event::Media { choice: 0, media }),
                    None => self.reading.native(Value::Object(block), out),
                }
            }
            Block::Thought | Block::Call { .. } => {}
        }
    }
}

const KNOWN: &[&str] = &[
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
];

/// Adds a piece to a block that is not looked into.
fn grow(
    kind: &str,
    json: &mut Map<String, Value>,
    input: &mut String,
    delta: &mut Map<String, Value>,
) -> Result<(), Wrong> {
    match delta.remove(kind) {
        Some(Value::Object(more)) => input.push_str(text_of(&more, "input")),
        Some(Value::Array(more)) => {
            let content = json.entry("content").or_insert_with(|| json!([]));
            if let Value::Array(content) = content {
                content.extend(more);
                if content.len() > MOST_PIECES {
                    return Err("a content block is too large");
                }
            }
        }
        _ => {}
    }
    if input.len() > MOST_HELD { Err("a content block is too large") } else { Ok(()) }
}

fn text_of<'j>(json: &'j Map<String, Value>, name: &str) -> &'j str {
    json.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The block of a piece, found without reading it. The quotes around the name cannot stand so
/// inside a string.
fn index_in(data: &[u8]) -> Option<u32> {
    const NAME: &[u8] = br#""contentBlockIndex":"#;
    let at = memmem::find(data, NAME)? + NAME.len();
    let digits = data[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&data[at..at + digits]).ok()?.parse().ok()
}

/// A fault outside the service's own: its code and message are in the frame's headers.
fn broken(frame: &Frame) -> Fault {
    let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(8192)]).into_owned();
    let message = if frame.data.is_empty() {
        "The provider's stream ended with an error.".to_owned()
    } else {
        text(&frame.data)
    };
    let said = UpstreamError {
        code: Some(text(&frame.event)),
        message: Some(message.clone()),
        ..UpstreamError::default()
    };
    let fault = Fault::new(tollgate_model::FaultKind::BadUpstream, Source::Upstream, message);
    Fault { upstream: Some(Box::new(said)), ..fault }
}
