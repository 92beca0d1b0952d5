//! The blocks of a message, read. A block is an object with one field, which names its kind.

use serde_json::{Map, Value, json};
use tollgate_model::{CacheMark, Extras, Fault, Part, PartKind, Shape};

use crate::dialects::bedrock_converse::reply::is_of_server;
use crate::dialects::bedrock_converse::{ID, media, thought};
use crate::fields::Fields;
use crate::{sealed, unparsed};

/// Where a content stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    System,
    User,
    Assistant,
    Result,
}

/// Text that is marked for a guardrail.
pub(super) const GUARDED: &str = "guardContent";
/// Text with its citations, given back.
pub(super) const CITED: &str = "citationsContent";
/// JSON in a tool result.
pub(super) const JSON: &str = "json";

/// Reads a list of blocks. A cache point is a mark on the block before it.
pub(super) fn decode(list: Vec<Value>, path: &str, place: Place) -> Result<Vec<Part>, Fault> {
    let mut parts: Vec<Part> = Vec::with_capacity(list.len());
    for (at, block) in list.into_iter().enumerate() {
        let path = format!("{path}[{at}]");
        if let Some(before) = parts.last_mut()
            && before.cache.is_none()
            && let Some(mark) = cache_point(&block)
        {
            before.cache = Some(mark);
        } else {
            parts.push(decode_block(block, &path, place)?);
        }
    }
    if place == Place::Assistant {
        sealed::attach(&mut parts, ID);
    }
    Ok(parts)
}

/// Reads `{"cachePoint": {"type": "default", "ttl": "1h"}}`; `None` for anything more than that.
pub(super) fn cache_point(block: &Value) -> Option<CacheMark> {
    let block = block.as_object().filter(|block| block.len() == 1)?;
    let mut fields = block.get("cachePoint")?.as_object()?.clone();
    let kind = fields.shift_remove("type")?;
    let ttl = match fields.shift_remove("ttl") {
        Some(Value::String(ttl)) => Some(ttl),
        Some(other) => {
            fields.insert("ttl".into(), other);
            None
        }
        None => None,
    };
    let mut extras = Extras::left_over(ID, fields);
    extras.spell(ID, "type", Some(json!("default")), kind);
    Some(CacheMark { ttl, extras })
}

/// The names of the blocks that are looked into.
const NAMES: &[&str] = &[
    "text",
    "image",
    "document",
    "video",
    "audio",
    "toolUse",
    "toolResult",
    "reasoningContent",
    GUARDED,
    CITED,
    JSON,
];

fn decode_block(block: Value, path: &str, place: Place) -> Result<Part, Fault> {
    let mut fields = Fields::of(ID, block, path)?;
    let all = fields.all();
    let name = NAMES.iter().copied().find(|name| all.get(*name).is_some_and(|v| !v.is_null()));
    let Some(name) = name.filter(|name| is_understood(name, &all[*name], place)) else {
        return Ok(native(Value::Object(fields.all().clone())));
    };
    let at = fields.at(name);
    let value = fields.take(name).unwrap_or_default();
    let (kind, inner) = match name {
        "text" => match value {
            Value::String(text) => (PartKind::Text(text), None),
            other => return Err(crate::fields::expected(&at, "a string", &other)),
        },
        JSON => (PartKind::Text(value.to_string()), None),
        "toolUse" => nested(tool_call(value, &at)?),
        "toolResult" => nested(tool_result(value, &at)?),
        "reasoningContent" => nested(thought::read(value, &at)?),
        GUARDED => nested(guarded(value, &at)?),
        CITED => nested(cited(value, &at)?),
        _ => {
            let kind = media::kind_of(name).ok_or_else(|| Fault::internal("a kind of media"))?;
            let (media, inner) = media::read(kind, value, &at)?;
            (PartKind::Media(media), Some(inner))
        }
    };
    let mut extras = fields.rest();
    if let Some(inner) = inner {
        extras.nest(ID, name, inner);
    }
    if [GUARDED, CITED, JSON].contains(&name) {
        extras.choose(ID, name);
    }
    Ok(Part { kind, cache: None, extras })
}

fn nested((kind, inner): (PartKind, Extras)) -> (PartKind, Option<Extras>) {
    (kind, Some(inner))
}

/// Tools that Amazon runs, blocks within documents and whatever comes next are not looked into.
fn is_understood(name: &str, block: &Value, place: Place) -> bool {
    let has_text = |field: &str| {
        let pieces = block.get(field).and_then(Value::as_array);
        pieces.is_some_and(|all| {
            !all.is_empty() && all.iter().all(|one| one.get("text").is_some_and(Value::is_string))
        })
    };
    match name {
        "image" | "document" | "video" | "audio" => media::is_plain(block),
        "toolUse" => !is_of_server(block),
        "toolResult" => place == Place::User,
        GUARDED => block.get("text").is_some_and(Value::is_object),
        CITED => has_text("content"),
        JSON => place == Place::Result,
        _ => true,
    }
}

/// A block that only this dialect understands.
pub(super) fn native(json: Value) -> Part {
    let kind = PartKind::Native { dialect: ID, json };
    Part { kind, cache: None, extras: Extras::left_over(ID, Map::new()) }
}

fn tool_call(value: Value, path: &str) -> Result<(PartKind, Extras), Fault> {
    let mut fields = Fields::of(ID, value, path)?;
    let id = fields.string("toolUseId")?.ok_or_else(|| fields.missing("toolUseId"))?;
    let name = fields.string("name")?.ok_or_else(|| fields.missing("name"))?;
    let input = fields.take_raw("input").ok_or_else(|| fields.missing("input"))?;
    let arguments = unparsed::read(&input);
    let canonical = unparsed::object(&arguments);
    fields.extras().spell(ID, "input", Some(canonical), input);
    Ok((PartKind::ToolCall { id, name, arguments, signature: None }, fields.rest()))
}

fn tool_result(value: Value, path: &str) -> Result<(PartKind, Extras), Fault> {
    let mut fields = Fields::of(ID, value, path)?;
    let call_id = fields.string("toolUseId")?.ok_or_else(|| fields.missing("toolUseId"))?;
    let content = fields.list("content")?;
    let shape = if content.is_some() { Shape::List } else { Shape::Absent };
    let parts = decode(content.unwrap_or_default(), &fields.at("content"), Place::Result)?;
    let is_error = match fields.all().get("status").and_then(Value::as_str) {
        Some("error") => Some(true),
        Some("success") => Some(false),
        _ => None,
    };
    if is_error.is_some() {
        fields.take("status");
    }
    Ok((PartKind::ToolResult { call_id, name: None, parts, shape, is_error }, fields.rest()))
}

fn guarded(value: Value, path: &str) -> Result<(PartKind, Extras), Fault> {
    let mut fields = Fields::of(ID, value, path)?;
    let mut inner = fields.object("text")?.ok_or_else(|| fields.missing("text"))?;
    let text = inner.string("text")?.ok_or_else(|| inner.missing("text"))?;
    inner.nest_in(&mut fields, "text");
    Ok((PartKind::Text(text), fields.rest()))
}

/// Text with citations: the text is read, and all is written again as it was.
fn cited(value: Value, path: &str) -> Result<(PartKind, Extras), Fault> {
    let mut fields = Fields::of(ID, value, path)?;
    let pieces = fields.take("content").unwrap_or_default();
    let texts = pieces.as_array().into_iter().flatten();
    let text = texts.filter_map(|piece| piece.get("text").and_then(Value::as_str)).collect();
    fields.extras().spell(ID, "content", None, pieces);
    Ok((PartKind::Text(text), fields.rest()))
}
