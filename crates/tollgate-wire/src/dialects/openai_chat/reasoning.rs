//! Thinking as hosts of this dialect write it: `reasoning_content` or `reasoning` (text), and
//! `reasoning_details` (text, summaries and ciphertext, with the format that signed them).
//!
//! OpenAI itself has none of these. The gateway writes `reasoning_content` and
//! `reasoning_details`, and understands all three when an SDK sends the answer back.

use serde_json::{Map, Value, json};
use tollgate_model::{DialectId, Fault, Part, PartKind, Signature};

use super::ID;
use crate::{DIALECTS, fields::Fields, signature};

/// The fields that hold thinking in plain text; the first is what the gateway writes.
pub(super) const TEXT_FIELDS: [&str; 2] = ["reasoning_content", "reasoning"];
pub(super) const DETAILS: &str = "reasoning_details";

/// What OpenRouter calls the formats of signatures that are also dialects here.
const FORMATS: [(&str, &str); 2] =
    [("anthropic-claude-v1", "anthropic-messages"), ("google-gemini-v1", "gemini-generate")];

/// Takes the thinking out of an assistant's message.
pub(super) fn decode(message: &mut Fields) -> Result<Vec<Part>, Fault> {
    let mut texts = Vec::new();
    for field in TEXT_FIELDS {
        if let Some(text) = message.string(field)? {
            message.extras().choose(ID, field);
            texts.push((field, text));
        }
    }
    let details = message.list(DETAILS)?;
    let mut parts = Vec::new();
    if let Some(details) = details {
        message.extras().choose(ID, DETAILS);
        parts.extend(details.iter().filter_map(decode_detail).map(Part::from));
        let canonical = encode_details(&parts, Formats::Hosts);
        message.extras().spell(ID, DETAILS, Some(canonical), Value::Array(details));
    }
    if joined(&parts).is_empty()
        && let Some((_, text)) = texts.iter().find(|(_, text)| !text.is_empty())
    {
        let kind = PartKind::Reasoning { text: text.clone(), signature: None };
        parts.insert(0, kind.into());
    }
    for (field, text) in texts {
        message.extras().spell(ID, field, Some(joined(&parts).into()), text.into());
    }
    Ok(parts)
}

/// All thinking of a message's own (not that among its content), as one text.
pub(super) fn joined<'a>(parts: impl IntoIterator<Item = &'a Part>) -> String {
    let texts = parts.into_iter().filter(|part| is_own(part)).filter_map(|part| match &part.kind {
        PartKind::Reasoning { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Thinking that belongs to the message, not to its content list.
pub(super) fn is_own(part: &Part) -> bool {
    matches!(part.kind, PartKind::Reasoning { .. } | PartKind::RedactedReasoning(_))
        && !part.extras.chose(ID, super::parts::AMONG)
}

/// One element of `reasoning_details`.
pub(super) fn decode_detail(detail: &Value) -> Option<PartKind> {
    let text = |field: &str| detail.get(field).and_then(Value::as_str);
    let format = text("format").unwrap_or_default();
    match text("type")? {
        "reasoning.text" => {
            let signature = text("signature").filter(|signature| !signature.is_empty());
            let signature =
                signature.map(|data| Signature { origin: origin(format), data: data.to_owned() });
            let text = text("text").unwrap_or_default();
            Some(PartKind::Reasoning { text: text.to_owned(), signature })
        }
        "reasoning.summary" => {
            let text = text("summary").or(text("text")).unwrap_or_default();
            Some(PartKind::Reasoning { text: text.to_owned(), signature: None })
        }
        "reasoning.encrypted" => {
            let data = text("data")?;
            Some(PartKind::RedactedReasoning(match origin(format) {
                // Its id, index and format are part of what the host wants back.
                ID => Signature { origin: ID, data: detail.to_string() },
                origin => Signature { origin, data: data.to_owned() },
            }))
        }
        _ => None,
    }
}

/// The dialect whose signatures have this format; this one when it is a format of its own.
fn origin(format: &str) -> DialectId {
    let word = FORMATS.iter().find(|(theirs, _)| *theirs == format).map_or(format, |(_, id)| id);
    DIALECTS.iter().map(|dialect| dialect.id()).find(|id| id.as_str() == word).unwrap_or(ID)
}

/// Whose words name the format of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Formats {
    /// OpenRouter's, for hosts that take details back.
    Hosts,
    /// The dialects' own names, for callers.
    Dialects,
}

impl Formats {
    fn word(self, origin: DialectId) -> &'static str {
        let theirs = FORMATS.iter().find(|(_, id)| *id == origin.as_str());
        match (self, theirs) {
            (Self::Hosts, Some((word, _))) => word,
            _ => origin.as_str(),
        }
    }
}

/// The thinking among `parts` as `reasoning_details`.
pub(super) fn encode_details<'a>(
    parts: impl IntoIterator<Item = &'a Part>,
    formats: Formats,
) -> Value {
    let own = parts.into_iter().filter(|part| is_own(part));
    let details = own.enumerate().filter_map(|(at, part)| match &part.kind {
        PartKind::Reasoning { text, signature } => {
            Some(text_detail(at, text, signature.as_ref(), formats))
        }
        PartKind::RedactedReasoning(data) => Some(encrypted_detail(at, data, formats)),
        _ => None,
    });
    Value::Array(details.collect())
}

pub(super) fn text_detail(
    index: usize,
    text: &str,
    signature: Option<&Signature>,
    formats: Formats,
) -> Value {
    let mut detail = Map::new();
    detail.insert("type".into(), "reasoning.text".into());
    detail.insert("text".into(), text.into());
    if let Some(signature) = signature {
        detail.insert("signature".into(), signature.data.as_str().into());
        if signature.origin != ID {
            detail.insert("format".into(), formats.word(signature.origin).into());
        }
    }
    detail.insert("index".into(), index.into());
    Value::Object(detail)
}

pub(super) fn encrypted_detail(index: usize, data: &Signature, formats: Formats) -> Value {
    if data.origin == ID
        && let Ok(detail @ Value::Object(_)) = serde_json::from_str(&data.data)
    {
        return detail;
    }
    json!({
        "type": "reasoning.encrypted",
        "data": data.data,
        "format": formats.word(data.origin),
        "index": index,
    })
}

/// A signature over a tool call, as Google's own hosts of this dialect write it.
pub(super) fn decode_call_signature(call: &mut Fields) -> Option<Signature> {
    let google = DialectId("gemini-generate");
    let data = call_signature(call.all())?.to_owned();
    let mut extra = call.take_raw("extra_content")?;
    if let Some(Value::Object(google)) = extra.get_mut("google") {
        google.shift_remove("thought_signature");
        if google.is_empty()
            && let Value::Object(extra) = &mut extra
        {
            extra.shift_remove("google");
        }
    }
    if extra.as_object().is_some_and(|extra| !extra.is_empty()) {
        call.leave("extra_content", extra);
    }
    Some(signature::read(&data, google))
}

pub(super) fn call_signature(call: &Map<String, Value>) -> Option<&str> {
    call.get("extra_content")?.get("google")?.get("thought_signature")?.as_str()
}

pub(super) fn encode_call_signature(signature: &Signature) -> Value {
    let written = signature::written(signature, DialectId("gemini-generate"));
    json!({"google": {"thought_signature": written}})
}
