//! Buffered answers, read and written.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};
use tollgate_model::{
    Citation, DialectId, Event, Fault, FinishReason, Losses, PartKind, Reply, Signature,
};

use super::pieces::Pieces;
use super::request::sealed_block;
use super::usage::{self, Statement};
use super::{ID, citation, fault, stop};
use crate::blocks::{self, BlockFormat};
use crate::scan::reader::Reader;
use crate::written;
use crate::{Encoded, Quirks, ReplyContext, call_id, signature, tree};

/// Reads a whole answer.
pub(super) fn decode(body: &[u8], _: &Quirks) -> Result<Vec<Event>, Fault> {
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
pub(super) fn skim(body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
    let message = Skimmed::seen(body).map_or_else(|| serde_json::from_slice(body), Ok);
    let message = message.map_err(|_| no_answer())?;
    if message.kind.as_deref() != Some("message") {
        // An error, or a host's own idea of an answer: rare enough to be read in full.
        let mut out = decode(body, quirks)?;
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
    let said = blocks::content::<Messages>(reply, context, &mut losses);
    let reason = said.reason.unwrap_or(FinishReason::Stop);
    let body = json!({
        "id": message_id(reply.id.as_deref(), context),
        "type": "message",
        "role": "assistant",
        "model": reply.model.as_deref().unwrap_or(&context.model),
        "stop_reason": stop::word(reason, said.word, said.stop_sequence.is_some(), said.calls > 0),
        "stop_sequence": said.stop_sequence,
        "content": said.blocks,
        "usage": usage::written(&reply.usage),
    });
    Encoded { body: written::json(&body).into(), losses }
}

pub(super) fn message_id(id: Option<&str>, context: &ReplyContext) -> String {
    id.filter(|id| !id.is_empty()).map_or_else(|| format!("msg_{}", context.id), str::to_owned)
}

/// How blocks look here.
#[derive(Debug, Default)]
pub(super) struct Messages;

impl BlockFormat for Messages {
    const ID: DialectId = ID;
    const ENDS_WITH_ANSWER: bool = true;

    fn text(text: &str, citations: Vec<Value>) -> Value {
        let mut block = json!({"type": "text", "text": text});
        if !citations.is_empty() {
            block["citations"] = Value::Array(citations);
        }
        block
    }

    fn citation(citation: &Citation) -> Option<Value> {
        citation::written(citation)
    }

    fn tool_call(id: &str, name: &str, input: Value) -> Value {
        json!({"type": "tool_use", "id": id, "name": name, "input": input})
    }

    fn call_id(id: &str, context: &ReplyContext, number: u32) -> String {
        if id.is_empty() {
            return format!("toolu_{}_{number}", context.id);
        }
        call_id::written(id).into_owned()
    }

    fn seal(signature: &Signature) -> Value {
        sealed_block(signature)
    }

    fn other(part: &PartKind, losses: &mut Losses) -> Option<Value> {
        match part {
            PartKind::Refusal(text) if !text.is_empty() => Some(Self::text(text, Vec::new())),
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
            _ => None,
        }
    }
}
