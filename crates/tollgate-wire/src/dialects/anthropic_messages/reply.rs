//! Buffered answers, read and written.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};
use tollgate_model::{Citation, Event, Fault, FinishReason, Losses, Part, PartKind, Reply};

use super::pieces::Pieces;
use super::request::sealed_block;
use super::usage::{self, Statement};
use super::{ID, citation, fault, stop};
use crate::scan::reader::Reader;
use crate::written;
use crate::{Encoded, ReplyContext, call_id, cited, signature, tree, unparsed};

/// Reads a whole answer.
pub(super) fn decode(body: &[u8]) -> Result<Vec<Event>, Fault> {
    let body =
        tree::read(body).map_err(|_| Fault::bad_upstream("The provider's answer is not JSON."))?;
    let Value::Object(mut message) = body else { return Err(no_answer()) };
    if message.get("type").and_then(Value::as_str) == Some("error") {
        return Err(fault::of_object(0, &message).unwrap_or_else(no_answer));
    }
    let Some(Value::Array(content)) = message.get_mut("content").map(Value::take) else {
        return Err(no_answer());
    };
    let text = |name: &str| message.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut out = vec![Event::Start { id: text("id"), model: text("model"), created: None }];
    let mut pieces = Pieces::default();
    for block in content {
        pieces.open(0, block, &mut out).map_err(wrong)?;
        pieces.close(0, &mut out).map_err(wrong)?;
    }
    pieces.end(&mut out);
    let (word, stop_sequence) = (text("stop_reason"), text("stop_sequence"));
    let mut said = Statement::default();
    said.merge(message.get_mut("usage").map(Value::take).unwrap_or_default());
    close(word, stop_sequence, &said, &mut out);
    Ok(out)
}

/// Reads no more of a whole answer than metering needs.
pub(super) fn skim(body: &[u8]) -> Result<Vec<Event>, Fault> {
    let message = Skimmed::seen(body).map_or_else(|| serde_json::from_slice(body), Ok);
    let message = message.map_err(|_| no_answer())?;
    if message.kind.as_deref() != Some("message") {
        // An error, or a host's own idea of an answer: rare enough to be read in full.
        let mut out = decode(body)?;
        out.retain(Event::is_metered);
        return Ok(out);
    }
    let mut out = vec![Event::Start { id: message.id, model: message.model, created: None }];
    let mut said = Statement::default();
    said.merge(message.usage.unwrap_or_default());
    close(message.stop_reason, message.stop_sequence, &said, &mut out);
    Ok(out)
}

/// What metering needs of a whole answer.
#[derive(Debug, Default, Deserialize)]
struct Skimmed<'b> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'b, str>>,
    id: Option<String>,
    model: Option<String>,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
    usage: Option<Value>,
}

impl<'b> Skimmed<'b> {
    /// An answer of the usual shape, in one pass over its bytes; `None` for any other.
    fn seen(body: &'b [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let mut seen = Self::default();
        reader.object(|key, value| {
            let place = match key {
                b"id" => &mut seen.id,
                b"model" => &mut seen.model,
                b"stop_reason" => &mut seen.stop_reason,
                b"stop_sequence" => &mut seen.stop_sequence,
                b"type" => {
                    seen.kind = value.text()?;
                    return Some(());
                }
                b"usage" => {
                    seen.usage = Some(serde_json::from_slice(value.skip()?).ok()?);
                    return Some(());
                }
                _ => return value.skip().map(drop),
            };
            *place = value.text()?.map(Cow::into_owned);
            Some(())
        })?;
        reader.end()?;
        Some(seen)
    }
}

fn close(
    word: Option<String>,
    stop_sequence: Option<String>,
    said: &Statement,
    out: &mut Vec<Event>,
) {
    out.push(Event::Usage(said.read()));
    if let Some(word) = word {
        let reason = stop::reason(&word);
        out.push(Event::Finish { choice: 0, reason, word: Some(word), stop_sequence });
    }
    out.push(Event::End);
}

fn no_answer() -> Fault {
    Fault::bad_upstream("The provider's answer is not a message.")
}

fn wrong(what: &'static str) -> Fault {
    Fault::bad_upstream(format!("The provider's answer is malformed: {what}."))
}

/// Writes a whole answer.
pub(super) fn encode(reply: &Reply, context: &ReplyContext) -> Encoded {
    let mut losses = Losses::default();
    let mut content = Vec::new();
    let mut finish = (None, None, None);
    let mut calls = 0;
    if let Some(choice) = reply.choices.first() {
        let mut chars = 0;
        for (at, part) in choice.parts.iter().enumerate() {
            match &part.kind {
                PartKind::Text(text) => {
                    let citations = choice.citations.iter().filter(|(of, _)| *of == at);
                    let citations = citations.map(|(_, citation)| citation);
                    chars = text_blocks(text, chars, citations, &mut content, &mut losses);
                }
                PartKind::ToolCall { id, name, arguments, signature } => {
                    content.extend(signature.as_ref().map(sealed_block));
                    let id = id_of_call(id, context, calls);
                    calls += 1;
                    let input = unparsed::object(arguments);
                    content.push(json!({
                        "type": "tool_use", "id": id, "name": name, "input": input,
                    }));
                }
                kind if signs_text(kind, &choice.parts[..at]) => losses.dropped("", "signature"),
                kind => content.extend(block(kind, &mut losses)),
            }
        }
        if !choice.logprobs.is_empty() {
            losses.dropped("", "logprobs");
        }
        finish = (choice.finish, choice.finish_word.as_deref(), choice.stop_sequence.clone());
    }
    if reply.choices.len() > 1 {
        losses.dropped("", "choices");
    }
    let (reason, word, stop_sequence) = finish;
    let reason = reason.map(|r| stop::word(r, word, stop_sequence.is_some(), calls > 0));
    let body = json!({
        "id": message_id(reply.id.as_deref(), context),
        "type": "message",
        "role": "assistant",
        "model": reply.model.as_deref().unwrap_or(&context.model),
        "content": content,
        "stop_reason": reason.unwrap_or_else(|| stop::word(FinishReason::Stop, None, false, calls > 0)),
        "stop_sequence": stop_sequence,
        "usage": usage::written(&reply.usage),
    });
    Encoded { body: written::json(&body).into(), losses }
}

/// Writes `text`, which begins at character `from` of the answer, as one block or several, and
/// gives the character at which it ends.
fn text_blocks<'c>(
    text: &str,
    from: u64,
    citations: impl Iterator<Item = &'c Citation>,
    out: &mut Vec<Value>,
    losses: &mut Losses,
) -> u64 {
    let written = citations.filter_map(|citation| {
        let json = citation::written(citation);
        if json.is_none() {
            losses.dropped("", "citations");
        }
        json.map(|json| ((citation.start, citation.end), json))
    });
    let (pieces, end) = cited::pieces(text, from, written);
    for (text, citations) in pieces {
        let mut block = json!({"type": "text", "text": text});
        if !citations.is_empty() {
            block["citations"] = Value::Array(citations);
        }
        out.push(block);
    }
    end
}

/// Gemini signs its last text too. A block of thinking behind the answer would be taken for the
/// answer, and Gemini can do without it.
fn signs_text(kind: &PartKind, before: &[Part]) -> bool {
    let is_text = |part: &Part| matches!(part.kind, PartKind::Text(_) | PartKind::Refusal(_));
    match kind {
        PartKind::Reasoning { text, signature: Some(signature) } => {
            text.is_empty() && signature.origin != ID && before.last().is_some_and(is_text)
        }
        _ => false,
    }
}

/// The block of any part but text and calls; `None` when an answer of this dialect has none.
pub(super) fn block(kind: &PartKind, losses: &mut Losses) -> Option<Value> {
    match kind {
        PartKind::Text(text) | PartKind::Refusal(text) if !text.is_empty() => {
            Some(json!({"type": "text", "text": text}))
        }
        PartKind::Reasoning { text, signature } => {
            let signature = signature.as_ref().map(|own| signature::written(own, ID));
            let signature = signature.unwrap_or_default();
            Some(json!({"type": "thinking", "thinking": text, "signature": signature}))
        }
        PartKind::RedactedReasoning(data) => {
            Some(json!({"type": "redacted_thinking", "data": signature::written(data, ID)}))
        }
        PartKind::Native { dialect: ID, json } => Some(json.clone()),
        PartKind::Native { json, .. } => {
            losses.dropped("", json.get("type").and_then(Value::as_str).unwrap_or("native"));
            None
        }
        PartKind::Media(_) => {
            losses.dropped("", "media");
            None
        }
        PartKind::Text(_)
        | PartKind::Refusal(_)
        | PartKind::ToolCall { .. }
        | PartKind::ToolResult { .. } => None,
    }
}

pub(super) fn message_id(id: Option<&str>, context: &ReplyContext) -> String {
    id.filter(|id| !id.is_empty()).map_or_else(|| format!("msg_{}", context.id), str::to_owned)
}

/// The call's own id, or one made from the answer's.
pub(super) fn id_of_call(id: &str, context: &ReplyContext, number: u32) -> String {
    if id.is_empty() {
        format!("toolu_{}_{number}", context.id)
    } else {
        call_id::written(id).into_owned()
    }
}
