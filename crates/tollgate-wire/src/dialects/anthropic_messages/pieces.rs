//! The content blocks of an answer, read into events: the same for a whole block of a buffered
//! answer (opened and closed at once) and for one that arrives piece by piece.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tollgate_model::{Event, Signature};

use super::{ID, citation};
use crate::{call_id, sealed, signature, unparsed};

/// Blocks that are open at the same time; Anthropic opens one after the other.
const MOST_OPEN: usize = 64;
/// What is held of one block until it is closed, in bytes.
const MOST_HELD: usize = 32 << 20;

/// Fields that pieces may add to a block.
const MOST_FIELDS: usize = 256;

/// Why a block cannot be read.
pub(super) type Wrong = &'static str;

#[derive(Debug, Default)]
pub(super) struct Pieces {
    open: Vec<(u32, Block)>,
    calls: u32,
    /// Characters of visible text so far.
    chars: u64,
    /// The signature of the call that comes next, if a call comes next.
    sealed: Option<Signature>,
}

#[derive(Debug)]
enum Block {
    Text { from: u64, citations: Vec<Value> },
    Thinking { signature: String },
    Call { index: u32, input: Value, begun: bool },
    Native { json: Map<String, Value>, input: String },
    Done,
}

/// A piece of a block, of any type.
#[derive(Deserialize)]
struct Delta {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    partial_json: Option<String>,
    citation: Option<Value>,
}

impl Pieces {
    /// A block begins; in a buffered answer it is all there already.
    pub(super) fn open(
        &mut self,
        index: u32,
        block: Value,
        out: &mut Vec<Event>,
    ) -> Result<(), Wrong> {
        let Value::Object(mut json) = block else { return Err("a content block is no object") };
        if self.open.len() >= MOST_OPEN {
            return Err("too many content blocks are open");
        }
        if self.open.iter().any(|(of, _)| *of == index) {
            return Err("a content block was opened twice");
        }
        let kind = json.get("type").and_then(Value::as_str).unwrap_or_default();
        if kind != "tool_use" {
            self.unseal(out);
        }
        let block = match kind {
            "text" => {
                let from = self.chars;
                self.text(text_of(&json, "text"), out);
                let citations = match json.remove("citations") {
                    Some(Value::Array(citations)) => citations,
                    _ => Vec::new(),
                };
                Block::Text { from, citations }
            }
            "thinking" => {
                reasoning(text_of(&json, "thinking"), out);
                Block::Thinking { signature: text_of(&json, "signature").to_owned() }
            }
            "redacted_thinking" => {
                let data = signature::read(text_of(&json, "data"), ID);
                match sealed::of_call(&data, ID) {
                    Some(_) => self.sealed = Some(data),
                    None => out.push(Event::RedactedReasoning { choice: 0, data }),
                }
                Block::Done
            }
            "tool_use" => {
                let call = self.sealed.take().and_then(|data| sealed::of_call(&data, ID));
                let index = self.calls;
                self.calls += 1;
                out.push(Event::ToolCallStart {
                    choice: 0,
                    index,
                    id: call_id::read(text_of(&json, "id").to_owned()),
                    name: text_of(&json, "name").to_owned(),
                    signature: call,
                });
                let input = json.remove("input").unwrap_or(Value::Null);
                Block::Call { index, input, begun: false }
            }
            "" => return Err("a content block has no type"),
            _ => Block::Native { json, input: String::new() },
        };
        self.open.push((index, block));
        Ok(())
    }

    /// A piece of an open block.
    pub(super) fn delta(
        &mut self,
        index: u32,
        raw: &RawValue,
        out: &mut Vec<Event>,
    ) -> Result<(), Wrong> {
        let delta: Delta = serde_json::from_str(raw.get())
            .map_err(|_| "a piece of a content block is malformed")?;
        let Some(at) = self.open.iter().position(|(of, _)| *of == index) else {
            return Err("a piece belongs to no open content block");
        };
        let (_, block) = &mut self.open[at];
        match (block, delta.kind.as_str()) {
            (Block::Text { .. }, "text_delta") => {
                self.text(delta.text.as_deref().unwrap_or_default(), out);
            }
            (Block::Text { citations, .. }, "citations_delta") => {
                if citations.len() >= MOST_HELD / 1024 {
                    return Err("a content block has too many citations");
                }
                citations.extend(delta.citation);
            }
            (Block::Thinking { .. }, "thinking_delta") => {
                reasoning(delta.thinking.as_deref().unwrap_or_default(), out);
            }
            (Block::Thinking { signature }, "signature_delta") => {
                *signature = delta.signature.unwrap_or_default();
            }
            (Block::Call { index, begun, .. }, "input_json_delta") => {
                let arguments = delta.partial_json.unwrap_or_default();
                if !arguments.is_empty() {
                    *begun = true;
                    out.push(Event::ToolCallDelta { choice: 0, index: *index, arguments });
                }
            }
            (Block::Native { input, .. }, "input_json_delta") => {
                input.push_str(&delta.partial_json.unwrap_or_default());
                if input.len() > MOST_HELD {
                    return Err("a content block is too large");
                }
            }
            (Block::Native { json, .. }, _) => grow(json, raw)?,
            // A kind of piece that came after this was written: the block lives without it.
            _ => {}
        }
        Ok(())
    }

    /// A block ends.
    pub(super) fn close(&mut self, index: u32, out: &mut Vec<Event>) -> Result<(), Wrong> {
        let Some(at) = self.open.iter().position(|(of, _)| *of == index) else {
            return Err("a content block was closed that was not open");
        };
        let (_, block) = self.open.remove(at);
        match block {
            Block::Text { from, citations } => {
                for json in citations {
                    let citation = citation::read(json, from, self.chars);
                    out.push(Event::Citation { choice: 0, citation });
                }
            }
            Block::Thinking { signature } if !signature.is_empty() => {
                let signature = signature::read(&signature, ID);
                out.push(Event::ReasoningSignature { choice: 0, signature });
            }
            // The input stood in the opening, or there is none.
            Block::Call { index, input, begun: false } => {
                let arguments = arguments_of(&input);
                out.push(Event::ToolCallDelta { choice: 0, index, arguments });
            }
            Block::Native { mut json, input } => {
                if !input.is_empty() {
                    let input = serde_json::from_str(&input).unwrap_or(Value::String(input));
                    json.insert("input".into(), input);
                }
                let json = Value::Object(json);
                out.push(Event::Native { choice: 0, dialect: ID, json });
            }
            Block::Thinking { .. } | Block::Call { .. } | Block::Done => {}
        }
        Ok(())
    }

    /// The answer ends. `false` when a block is still open.
    pub(super) fn end(&mut self, out: &mut Vec<Event>) -> bool {
        self.unseal(out);
        self.open.is_empty()
    }

    fn text(&mut self, text: &str, out: &mut Vec<Event>) {
        if !text.is_empty() {
            self.chars += text.chars().count() as u64;
            out.push(Event::Text { choice: 0, text: text.to_owned() });
        }
    }

    /// No call follows the signature: it is thinking like any other that is hidden.
    fn unseal(&mut self, out: &mut Vec<Event>) {
        if let Some(data) = self.sealed.take() {
            out.push(Event::RedactedReasoning { choice: 0, data });
        }
    }
}

fn reasoning(text: &str, out: &mut Vec<Event>) {
    if !text.is_empty() {
        out.push(Event::Reasoning { choice: 0, text: text.to_owned() });
    }
}

fn text_of<'j>(json: &'j Map<String, Value>, name: &str) -> &'j str {
    json.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn arguments_of(input: &Value) -> String {
    if input.is_null() { "{}".to_owned() } else { unparsed::read(input) }
}

/// Adds a piece to a block of a type that is not looked into: text grows, the rest is replaced.
fn grow(json: &mut Map<String, Value>, raw: &RawValue) -> Result<(), Wrong> {
    let piece: Map<String, Value> =
        serde_json::from_str(raw.get()).map_err(|_| "a piece of a content block is malformed")?;
    for (name, value) in piece {
        if name == "type" {
            continue;
        }
        if json.len() >= MOST_FIELDS {
            return Err("a content block is too large");
        }
        match (json.get_mut(&name), value) {
            (Some(Value::String(before)), Value::String(more)) => {
                if before.len() + more.len() > MOST_HELD {
                    return Err("a content block is too large");
                }
                before.push_str(&more);
            }
            (_, Value::Null) => {}
            (_, value) => {
                json.insert(name, value);
            }
        }
    }
    Ok(())
}
