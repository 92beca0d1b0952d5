//! The blocks of a message, written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tollgate_model::{
    CacheMark, Fault, FaultKind, Losses, Media, MediaKind, MediaSource, Part, PartKind, Shape,
    Signature, Source,
};

use super::call_ids::CallIds;
use super::content::source_written;
use crate::dialects::anthropic_messages::ID;
use crate::{sealed, unparsed};

/// Writes the blocks of one request, message after message.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    pub(super) losses: Losses,
    /// What is written belongs to the turn that the model is to answer.
    pub(super) is_question: bool,
    ids: CallIds,
}

impl Blocks {
    /// Writes the parts as blocks. What Anthropic has no block for is left out and reported.
    ///
    /// # Errors
    /// `Unsupported`, when that is media which the question is about: a model that does not see
    /// it would answer something else.
    pub(super) fn encode(&mut self, parts: &[Part], path: &str) -> Result<Vec<Value>, Fault> {
        let mut out = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            let path = format!("{path}[{at}]");
            if self.encode_part(part, &path, &mut out)? {
                continue;
            }
            part.extras.report(&path, &mut self.losses);
            if let (true, Some(kind)) = (self.is_question, media_of(part)) {
                return Err(Fault::new(
                    FaultKind::Unsupported,
                    Source::Downstream,
                    format!("{path}: this provider takes no {kind} input."),
                ));
            }
        }
        Ok(out)
    }

    /// `false` when the part has no block and was left out.
    fn encode_part(
        &mut self,
        part: &Part,
        path: &str,
        out: &mut Vec<Value>,
    ) -> Result<bool, Fault> {
        let losses = &mut self.losses;
        let own = part.extras.is_of(ID);
        let mut block = Map::new();
        match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => {
                // Anthropic refuses texts without a letter in them.
                if text.trim().is_empty() && !own {
                    if part.cache.is_some() {
                        losses.dropped(path, "cache_control");
                    }
                    part.extras.report(path, losses);
                    return Ok(true);
                }
                block.insert("type".into(), json!("text"));
                block.insert("text".into(), json!(text));
            }
            PartKind::Media(media) => match media_block(media, own, path, losses) {
                Some(written) => block = written,
                None => return Ok(false),
            },
            PartKind::Reasoning { text, signature } => {
                let Some(written) = thinking_block(part, text, signature.as_ref()) else {
                    losses.dropped("", path);
                    return Ok(false);
                };
                block = written;
            }
            PartKind::RedactedReasoning(data) if data.origin == ID => {
                block.insert("type".into(), json!("redacted_thinking"));
                block.insert("data".into(), json!(data.data));
            }
            PartKind::RedactedReasoning(_) => {
                losses.dropped("", path);
                return Ok(false);
            }
            PartKind::ToolCall { id, name, arguments, signature } => {
                if signature.is_some() {
                    losses.dropped(path, "signature");
                }
                block.insert("type".into(), json!("tool_use"));
                block.insert("id".into(), json!(self.ids.of_call(id, name)));
                block.insert("name".into(), json!(name));
                block.insert("input".into(), input(arguments, own, path, losses));
            }
            PartKind::ToolResult { call_id, name, parts, shape, is_error } => {
                block.insert("type".into(), json!("tool_result"));
                let id = self.ids.of_result(call_id, name.as_deref());
                block.insert("tool_use_id".into(), json!(id));
                if let Some(content) = self.result_content(parts, *shape, path)? {
                    block.insert("content".into(), content);
                }
                if let Some(is_error) = is_error {
                    block.insert("is_error".into(), json!(is_error));
                }
            }
            PartKind::Native { dialect: ID, json } => {
                out.push(json.clone());
                return Ok(true);
            }
            PartKind::Native { .. } => {
                losses.dropped("", path);
                return Ok(false);
            }
        }
        if let Some(cache) = &part.cache {
            block.insert("cache_control".into(), cache_written(cache, path, &mut self.losses));
        }
        part.extras.restore(ID, &mut block, path, &mut self.losses);
        out.push(Value::Object(block));
        Ok(true)
    }

    /// Writes the content of a tool result; `None` when there was none.
    fn result_content(
        &mut self,
        parts: &[Part],
        shape: Shape,
        path: &str,
    ) -> Result<Option<Value>, Fault> {
        match (shape, parts) {
            (Shape::Absent | Shape::Null, []) => Ok(None),
            (Shape::Text, [Part { kind: PartKind::Text(text), cache: None, .. }]) => {
                Ok(Some(json!(text)))
            }
            _ => self.encode(parts, &format!("{path}.content")).map(|list| Some(json!(list))),
        }
    }
}

fn media_of(part: &Part) -> Option<&'static str> {
    match &part.kind {
        PartKind::Media(media) => Some(match media.kind {
            MediaKind::Image => "image",
            MediaKind::Document => "document",
            MediaKind::Audio => "audio",
            MediaKind::Video => "video",
        }),
        _ => None,
    }
}

/// Thinking that a caller of this very dialect wrote without a signature (some hosts behind it
/// give none). A foreign signature is no reason to pass thinking on.
fn is_unsigned(part: &Part) -> bool {
    part.extras.is_of(ID) && matches!(part.kind, PartKind::Reasoning { signature: None, .. })
}

fn media_block(
    media: &Media,
    own: bool,
    path: &str,
    losses: &mut Losses,
) -> Option<Map<String, Value>> {
    let kind = match media.kind {
        MediaKind::Image => "image",
        MediaKind::Document => "document",
        MediaKind::Audio | MediaKind::Video => {
            losses.dropped("", path);
            return None;
        }
    };
    let mut out = Map::new();
    out.insert("type".into(), json!(kind));
    let source = match &media.source {
        MediaSource::Base64 { mime, data } if !own && kind == "document" => {
            plain_text(mime, data).unwrap_or_else(|| source_written(&media.source))
        }
        source => source_written(source),
    };
    out.insert("source".into(), source);
    if media.kind == MediaKind::Document
        && let Some(name) = &media.name
    {
        out.insert("title".into(), json!(name));
    }
    if media.detail.as_deref().is_some_and(|detail| detail != "auto") {
        losses.dropped(path, "detail");
    }
    Some(out)
}

/// Documents in base64 are PDFs; text of any type is given as text.
fn plain_text(mime: &str, data: &str) -> Option<Value> {
    let essence = mime.split(';').next().unwrap_or_default().trim();
    if !essence.starts_with("text/") && essence != "application/json" {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(data).ok()?).ok()?;
    Some(json!({"type": "text", "media_type": "text/plain", "data": text}))
}

/// The arguments of a call as the object that Anthropic demands.
fn input(arguments: &str, own: bool, path: &str, losses: &mut Losses) -> Value {
    match serde_json::from_str(arguments) {
        Ok(input) if own => input,
        _ => {
            let input = unparsed::object(arguments);
            if !own && unparsed::is_carried(&input) {
                losses.approximated(path, "arguments");
            }
            input
        }
    }
}

/// `None` for thinking that Anthropic did not sign, and so would not take.
fn thinking_block(
    part: &Part,
    text: &str,
    signature: Option<&Signature>,
) -> Option<Map<String, Value>> {
    let signature = signature.filter(|signature| signature.origin == ID);
    if signature.is_none() && !is_unsigned(part) {
        return None;
    }
    let mut block = Map::new();
    block.insert("type".into(), json!("thinking"));
    block.insert("thinking".into(), json!(text));
    if let Some(signature) = signature {
        block.insert("signature".into(), json!(signature.data));
    }
    Some(block)
}

/// Writes a cache mark.
pub(super) fn cache_written(mark: &CacheMark, path: &str, losses: &mut Losses) -> Value {
    let mut out = Map::new();
    out.insert("type".into(), json!("ephemeral"));
    if let Some(ttl) = &mark.ttl {
        if mark.extras.is_of(ID) || matches!(ttl.as_str(), "5m" | "1h") {
            out.insert("ttl".into(), json!(ttl));
        } else {
            losses.dropped(path, "cache_control.ttl");
        }
    }
    mark.extras.restore(ID, &mut out, &format!("{path}.cache_control"), losses);
    Value::Object(out)
}

/// A signature over a call cannot be sent to Anthropic, but can be shown to its callers.
pub(in super::super) fn sealed_block(signature: &tollgate_model::Signature) -> Value {
    json!({"type": "redacted_thinking", "data": sealed::written(signature, ID)})
}
