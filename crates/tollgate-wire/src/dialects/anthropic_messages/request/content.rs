//! The blocks of a message, read.

use serde_json::{Map, Value, json};
use tollgate_model::{
    CacheMark, Extras, Fault, Media, MediaKind, MediaSource, Part, PartKind, Shape,
};

use super::decode::shape_of;
use crate::dialects::anthropic_messages::ID;
use crate::dialects::anthropic_messages::citation;
use crate::dialects::anthropic_messages::fields::{Fields, wrong};
use crate::{call_id, sealed, signature, unparsed};

/// Where a content stands; a tool result inside a tool result is not looked into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    System,
    User,
    Assistant,
    Result,
}

/// Reads a content: a string or a list of blocks.
pub(super) fn decode(
    content: Value,
    path: &str,
    place: Place,
) -> Result<(Vec<Part>, Shape), Fault> {
    let shape = shape_of(&content);
    let blocks = match content {
        Value::String(text) => return Ok((vec![Part::text(text)], shape)),
        Value::Array(blocks) => blocks,
        _ => return Err(wrong(path, "expected a string or a list of content blocks")),
    };
    let mut parts = Vec::with_capacity(blocks.len());
    for (at, block) in blocks.into_iter().enumerate() {
        parts.push(decode_block(block, format!("{path}[{at}]"), place)?);
    }
    if place == Place::Assistant {
        sealed::attach(&mut parts, ID);
    }
    Ok((parts, shape))
}

fn decode_block(block: Value, path: String, place: Place) -> Result<Part, Fault> {
    let mut fields = Fields::of(block, path)?;
    if fields.kind().is_empty() {
        return Err(fields.missing("type"));
    }
    let mut inner = Extras::default();
    let kind = match fields.kind() {
        "text" => text(&mut fields)?,
        "image" | "document" if !has_plain_source(&fields) => return Ok(native(fields)),
        "image" => media(&mut fields, MediaKind::Image, &mut inner)?,
        "document" => media(&mut fields, MediaKind::Document, &mut inner)?,
        "thinking" => PartKind::Reasoning {
            text: fields.need_text("thinking")?,
            // An empty one is no signature; the field stays behind as it was written.
            signature: match fields.peek("signature").and_then(Value::as_str) {
                Some("") => None,
                _ => fields.text("signature")?.map(|data| signature::read(&data, ID)),
            },
        },
        "redacted_thinking" => {
            PartKind::RedactedReasoning(signature::read(&fields.need_text("data")?, ID))
        }
        "tool_use" => tool_call(&mut fields)?,
        "tool_result" if place != Place::Result => tool_result(&mut fields)?,
        _ => return Ok(native(fields)),
    };
    let cache = cache_mark(&mut fields)?;
    let mut rest = fields.left_over();
    rest.remove("type");
    let mut extras = Extras::left_over(ID, rest);
    if let Some(source) = inner.nested("source") {
        extras.nest(ID, "source", source.clone());
    }
    Ok(Part { kind, cache, extras })
}

fn native(fields: Fields) -> Part {
    let kind = PartKind::Native { dialect: ID, json: Value::Object(fields.left_over()) };
    Part { kind, cache: None, extras: Extras::left_over(ID, Map::new()) }
}

fn text(fields: &mut Fields) -> Result<PartKind, Fault> {
    let text = fields.need_text("text")?;
    // Citations that we made for a foreign answer come back; Anthropic would refuse them.
    if let Some(Value::Array(mut citations)) = fields.value("citations") {
        let all = citations.len();
        citations.retain(|one| !citation::is_foreign(one));
        if all == 0 || !citations.is_empty() {
            fields.put_back("citations", Value::Array(citations));
        }
    }
    Ok(PartKind::Text(text))
}

/// Reads a cache mark: `{"type": "ephemeral", "ttl": "5m"}`.
pub(super) fn cache_mark(fields: &mut Fields) -> Result<Option<CacheMark>, Fault> {
    let Some(mut mark) = fields.object("cache_control")? else { return Ok(None) };
    let kind = mark.need_text("type")?;
    let ttl = mark.text("ttl")?;
    let mut extras = Extras::left_over(ID, mark.left_over());
    extras.spell(ID, "type", Some(json!("ephemeral")), json!(kind));
    Ok(Some(CacheMark { ttl, extras }))
}

/// Blocks inside a document, and whatever kind of source comes next, are not looked into.
fn has_plain_source(fields: &Fields) -> bool {
    let kind = fields.peek("source").and_then(|source| source.get("type")).and_then(Value::as_str);
    kind.is_none_or(|kind| matches!(kind, "base64" | "url" | "file" | "text"))
}

fn media(fields: &mut Fields, kind: MediaKind, extras: &mut Extras) -> Result<PartKind, Fault> {
    let Some(mut inner) = fields.object("source")? else { return Err(fields.missing("source")) };
    let mut spelt = None;
    let source = match inner.kind() {
        "base64" => {
            let data = inner.need_text("data")?;
            let data = match standard_base64(&data) {
                Some(standard) => {
                    spelt = Some((json!(standard), Value::String(data)));
                    standard
                }
                None => data,
            };
            MediaSource::Base64 { mime: inner.need_text("media_type")?, data }
        }
        "url" => MediaSource::Url { url: inner.need_text("url")?, mime: None },
        "file" => MediaSource::File { id: inner.need_text("file_id")?, mime: None },
        "text" => {
            let mime = inner.need_text("media_type")?;
            MediaSource::Text { mime, text: inner.need_text("data")? }
        }
        _ => return Err(inner.missing("type")),
    };
    inner.value("type");
    let mut left = Extras::left_over(ID, inner.left_over());
    if let Some((canonical, written)) = spelt {
        left.spell(ID, "data", Some(canonical), written);
    }
    if !left.is_empty() {
        extras.nest(ID, "source", left);
    }
    let name = if kind == MediaKind::Document { fields.text("title")? } else { None };
    Ok(PartKind::Media(Media { kind, source, name, detail: None }))
}

/// A media source as it is written.
pub(super) fn source_written(source: &MediaSource) -> Value {
    match source {
        MediaSource::Base64 { mime, data } => {
            json!({"type": "base64", "media_type": mime, "data": data})
        }
        MediaSource::Url { url, .. } => json!({"type": "url", "url": url}),
        MediaSource::File { id, .. } => json!({"type": "file", "file_id": id}),
        MediaSource::Text { mime, text } => {
            json!({"type": "text", "media_type": mime, "data": text})
        }
    }
}

/// Some callers write base64 in the alphabet for URLs; `None` when there is nothing to change.
fn standard_base64(data: &str) -> Option<String> {
    memchr::memchr2(b'-', b'_', data.as_bytes())?;
    let mut out = data.replace('-', "+").replace('_', "/");
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    Some(out)
}

fn tool_call(fields: &mut Fields) -> Result<PartKind, Fault> {
    let id = call_id::read(fields.need_text("id")?);
    let name = fields.need_text("name")?;
    let input = fields.value("input").ok_or_else(|| fields.missing("input"))?;
    let arguments = unparsed::read(&input);
    Ok(PartKind::ToolCall { id, name, arguments, signature: None })
}

fn tool_result(fields: &mut Fields) -> Result<PartKind, Fault> {
    let call_id = call_id::read(fields.need_text("tool_use_id")?);
    let is_error = fields.flag("is_error")?;
    let (parts, shape) = match fields.value("content") {
        None => (Vec::new(), Shape::Absent),
        Some(content) => decode(content, &fields.at("content"), Place::Result)?,
    };
    Ok(PartKind::ToolResult { call_id, name: None, parts, shape, is_error })
}
