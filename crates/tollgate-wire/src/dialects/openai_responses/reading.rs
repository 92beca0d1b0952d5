//! Reading what an answer holds, item by item. A stream reads its pieces as they come and here what
//! none of them said; a whole answer reads all of it here.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tollgate_model::{Citation, Event, FinishReason, Usage};

use super::{ID, custom, seal};
use crate::Quirks;
use crate::dialects::openai_chat::{pieces::decode_token, usage};

/// The answer to a call is one; this dialect has no alternatives.
pub(super) const CHOICE: u32 = 0;

/// More items than any answer holds; a bound for hostile upstreams.
pub(super) const MOST_ITEMS: usize = 4096;

/// What was read of an answer.
#[derive(Debug, Default)]
pub(super) struct Reader {
    items: BTreeMap<u64, Item>,
    /// Calls announced so far.
    calls: u32,
}

/// What was read of one item.
#[derive(Debug, Default)]
struct Item {
    id: String,
    /// Its number among the calls, once it was announced as one.
    call: Option<u32>,
    is_custom: bool,
    /// Bytes read of its arguments, or of all that can be read of a thought.
    read: usize,
    parts: BTreeMap<u64, Part>,
    done: bool,
}

/// What was read of one part of a message.
#[derive(Debug, Default)]
struct Part {
    bytes: usize,
    citations: usize,
    logprobs: usize,
}

impl Reader {
    /// Some tool of the caller's is called.
    pub(super) fn called(&self) -> bool {
        self.calls > 0
    }

    fn item(&mut self, index: u64) -> &mut Item {
        let index = if self.items.len() < MOST_ITEMS { index } else { u64::MAX };
        self.items.entry(index).or_default()
    }

    /// An item has begun.
    pub(super) fn begin(&mut self, index: u64, item: &Value, out: &mut Vec<Event>) {
        let known = self.item(index);
        known.id = word(item, "id");
        if matches!(word(item, "type").as_str(), "function_call" | "custom_tool_call") {
            self.announce(index, item, out);
        }
    }

    fn announce(&mut self, index: u64, item: &Value, out: &mut Vec<Event>) {
        let name = word(item, "name");
        if name.is_empty() || self.item(index).call.is_some() {
            return;
        }
        let number = self.calls;
        self.calls = self.calls.saturating_add(1);
        let is_custom = word(item, "type") == "custom_tool_call";
        let known = self.item(index);
        known.call = Some(number);
        known.is_custom = is_custom;
        let id = word(item, "call_id");
        let id = if id.is_empty() { word(item, "id") } else { id };
        out.push(Event::ToolCallStart { choice: CHOICE, index: number, id, name, signature: None });
        if is_custom {
            push_arguments(number, custom::OPENING.to_owned(), out);
        }
    }

    /// A piece of a text, and how sure the model was.
    pub(super) fn text(
        &mut self,
        (index, part): (u64, u64),
        piece: &str,
        logprobs: &[Value],
        out: &mut Vec<Event>,
    ) {
        let known = self.item(index).parts.entry(part).or_default();
        known.bytes += piece.len();
        known.logprobs += logprobs.len();
        push_text(piece, out);
        push_logprobs(logprobs, out);
    }

    pub(super) fn refusal(&mut self, (index, part): (u64, u64), piece: &str, out: &mut Vec<Event>) {
        self.item(index).parts.entry(part).or_default().bytes += piece.len();
        push_refusal(piece, out);
    }

    pub(super) fn cite(
        &mut self,
        (index, part): (u64, u64),
        annotation: &Value,
        out: &mut Vec<Event>,
    ) {
        self.item(index).parts.entry(part).or_default().citations += 1;
        out.push(Event::Citation { choice: CHOICE, citation: decode_annotation(annotation) });
    }

    /// A piece of what can be read of a thought.
    pub(super) fn thought(&mut self, index: u64, piece: &str, out: &mut Vec<Event>) {
        self.item(index).read += piece.len();
        push_thought(piece, out);
    }

    /// A piece of a call's arguments, or of its free text.
    pub(super) fn arguments(&mut self, index: u64, piece: &str, out: &mut Vec<Event>) {
        let known = self.item(index);
        let Some(number) = known.call else { return };
        known.read += piece.len();
        let piece = if known.is_custom { custom::escaped(piece) } else { piece.to_owned() };
        push_arguments(number, piece, out);
    }

    /// An item is whole: what no piece has said yet is read now.
    pub(super) fn complete(&mut self, index: u64, item: &Value, out: &mut Vec<Event>) {
        let Some(fields) = item.as_object() else { return };
        if self.is_known(index, item) {
            return;
        }
        self.item(index).done = true;
        self.item(index).id = word(item, "id");
        match word(item, "type").as_str() {
            "message" => self.complete_message(index, fields, out),
            "reasoning" => self.complete_thought(index, fields, out),
            "function_call" => self.complete_call(index, item, "arguments", out),
            "custom_tool_call" => self.complete_call(index, item, "input", out),
            _ => {
                out.push(Event::Native { choice: CHOICE, dialect: ID, json: item.clone() });
            }
        }
    }

    /// The item was whole before, there or, on hosts that count otherwise, elsewhere.
    fn is_known(&self, index: u64, item: &Value) -> bool {
        let id = word(item, "id");
        self.items.get(&index).is_some_and(|known| known.done)
            || (!id.is_empty() && self.items.values().any(|known| known.done && known.id == id))
    }

    fn complete_message(&mut self, index: u64, item: &Map<String, Value>, out: &mut Vec<Event>) {
        let content = item.get("content");
        if let Some(Value::String(text)) = content {
            return push_text(text, out);
        }
        for (at, part) in content.and_then(Value::as_array).into_iter().flatten().enumerate() {
            let known = self.item(index).parts.entry(at as u64).or_default();
            let text = |field: &str| part.get(field).and_then(Value::as_str);
            let list = |field: &str| part.get(field).and_then(Value::as_array);
            match text("type").unwrap_or_default() {
                "output_text" | "text" => {
                    push_text(rest_of(text("text").unwrap_or_default(), known.bytes), out);
                    for annotation in
                        list("annotations").into_iter().flatten().skip(known.citations)
                    {
                        let citation = decode_annotation(annotation);
                        out.push(Event::Citation { choice: CHOICE, citation });
                    }
                    let logprobs = list("logprobs").map(Vec::as_slice).unwrap_or_default();
                    push_logprobs(logprobs.get(known.logprobs..).unwrap_or_default(), out);
                }
                "refusal" => {
                    push_refusal(rest_of(text("refusal").unwrap_or_default(), known.bytes), out);
                }
                _ => out.push(Event::Native { choice: CHOICE, dialect: ID, json: part.clone() }),
            }
        }
    }

    fn complete_thought(&mut self, index: u64, item: &Map<String, Value>, out: &mut Vec<Event>) {
        use tollgate_model::PartKind;
        match seal::kind_of(item) {
            Some(PartKind::Reasoning { text, signature }) => {
                push_thought(rest_of(&text, self.item(index).read), out);
                if let Some(signature) = signature {
                    out.push(Event::ReasoningSignature { choice: CHOICE, signature });
                }
            }
            Some(PartKind::RedactedReasoning(data)) if self.item(index).read == 0 => {
                out.push(Event::RedactedReasoning { choice: CHOICE, data });
            }
            Some(PartKind::RedactedReasoning(signature)) => {
                out.push(Event::ReasoningSignature { choice: CHOICE, signature });
            }
            _ => {}
        }
    }

    fn complete_call(&mut self, index: u64, item: &Value, field: &str, out: &mut Vec<Event>) {
        self.announce(index, item, out);
        let read = self.item(index).read;
        let text = match item.get(field) {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            // Some hosts write the object itself.
            Some(other) => other.to_string(),
        };
        let rest = rest_of(&text, read).to_owned();
        if !rest.is_empty() {
            self.arguments(index, &rest, out);
        }
        let known = self.item(index);
        if let (Some(number), true) = (known.call, known.is_custom) {
            push_arguments(number, custom::CLOSING.to_owned(), out);
        }
    }
}

/// What of `text` was not among the first `read` bytes.
fn rest_of(text: &str, read: usize) -> &str {
    text.get(read..).unwrap_or_default()
}

fn word(of: &Value, field: &str) -> String {
    of.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn push_text(text: &str, out: &mut Vec<Event>) {
    if !text.is_empty() {
        out.push(Event::Text { choice: CHOICE, text: text.to_owned() });
    }
}

fn push_refusal(text: &str, out: &mut Vec<Event>) {
    if !text.is_empty() {
        out.push(Event::Refusal { choice: CHOICE, text: text.to_owned() });
    }
}

fn push_thought(text: &str, out: &mut Vec<Event>) {
    if !text.is_empty() {
        out.push(Event::Reasoning { choice: CHOICE, text: text.to_owned() });
    }
}

fn push_arguments(index: u32, arguments: String, out: &mut Vec<Event>) {
    if !arguments.is_empty() {
        out.push(Event::ToolCallDelta { choice: CHOICE, index, arguments });
    }
}

fn push_logprobs(logprobs: &[Value], out: &mut Vec<Event>) {
    let tokens: Vec<_> = logprobs.iter().filter_map(|token| decode_token(token, true)).collect();
    if !tokens.is_empty() {
        out.push(Event::Logprobs { choice: CHOICE, tokens });
    }
}

fn decode_annotation(annotation: &Value) -> Citation {
    let text = |field: &str| annotation.get(field).and_then(Value::as_str).map(str::to_owned);
    let count = |field: &str| annotation.get(field).and_then(Value::as_u64);
    Citation {
        url: text("url"),
        title: text("title").or_else(|| text("filename")),
        cited_text: None,
        document: None,
        start: count("start_index"),
        end: count("end_index"),
        native: Some((ID, annotation.clone())),
    }
}

/// What opens an answer.
pub(super) fn start(response: &Map<String, Value>) -> Event {
    let text = |field: &str| {
        let text = response.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    let created = response.get("created_at");
    // Some hosts write a fraction of a second.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
    let created = created.and_then(|created| {
        let seconds = created.as_f64().filter(|seconds| (1.0..1.0e15).contains(seconds))?;
        Some(seconds as u64)
    });
    Event::Start { id: text("id"), model: text("model"), created }
}

/// Usage, with the tier that stands beside it.
pub(super) fn usage_of(response: &Map<String, Value>, quirks: &Quirks) -> Option<Usage> {
    let raw = response.get("usage").filter(|usage| usage.is_object())?;
    let mut usage = usage::decode(raw, quirks)?;
    let tier = response.get("service_tier").and_then(Value::as_str);
    usage.service_tier =
        tier.filter(|tier| !tier.is_empty()).map(str::to_owned).or(usage.service_tier);
    Some(usage)
}

/// How an answer ended: by its status, and why it is incomplete.
pub(super) fn finish(status: Option<&str>, why: Option<&str>, called: bool) -> Event {
    let status = status.unwrap_or("completed");
    let reason = match (status, why) {
        ("completed" | "complete", _) if called => FinishReason::ToolCalls,
        ("completed" | "complete", _) => FinishReason::Stop,
        ("incomplete", Some("max_output_tokens" | "max_tokens" | "length")) => FinishReason::Length,
        ("incomplete", Some("content_filter")) => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    };
    let word = match (status, why) {
        ("incomplete", Some(why)) => format!("incomplete:{why}"),
        _ => status.to_owned(),
    };
    Event::Finish { choice: CHOICE, reason, word: Some(word), stop_sequence: None }
}
