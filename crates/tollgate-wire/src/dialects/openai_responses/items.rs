//! Reading the items of a request into messages. What the model said and did between two turns is
//! one message, whatever number of items it came in; each item's first part remembers the rest of
//! its item.

use serde_json::Value;
use tollgate_model::{Extras, Fault, Message, Part, PartKind, Role};

use super::{ID, content::decode_content, custom, custom::CUSTOM, seal};
use crate::{fields::Fields, fields::expected, sealed};

/// Where the first part of an assistant's message item keeps what belongs to the item.
pub(super) const ITEM: &str = "item";
/// The form of an item whose content is a bare string.
pub(super) const BARE: &str = "bare string";
/// The form of a part that is one among those of an item, where it could be taken for an item.
pub(super) const WITHIN: &str = "within";

pub(super) fn decode(list: Vec<Value>) -> Result<Vec<Message>, Fault> {
    let mut out: Vec<Message> = Vec::new();
    for (at, item) in list.into_iter().enumerate() {
        match decode_one(item, &format!("input[{at}]"))? {
            Item::Message(message) => out.push(*message),
            Item::Said(mut parts) => match out.last_mut() {
                Some(last) if last.role == Role::Assistant => last.parts.append(&mut parts),
                _ => out.push(Message::new(Role::Assistant, parts)),
            },
        }
    }
    for message in out.iter_mut().filter(|message| message.role == Role::Assistant) {
        sealed::attach(&mut message.parts, ID);
    }
    Ok(out)
}

enum Item {
    Message(Box<Message>),
    /// Of the model.
    Said(Vec<Part>),
}

fn decode_one(item: Value, path: &str) -> Result<Item, Fault> {
    let kind = match item.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(other) => return Err(expected(&format!("{path}.type"), "a string", other)),
        None if item.get("role").is_some() => "message".to_owned(),
        None if item.is_object() => {
            let at = format!("{path}.type");
            return Err(Fault::invalid_field(&at, format!("Missing required parameter: '{at}'.")));
        }
        None => return Err(expected(path, "an object", &item)),
    };
    match kind.as_str() {
        "message" => decode_message(item, path),
        "reasoning" => Ok(Item::Said(vec![seal::decode(item, path)?])),
        "function_call" => decode_call(item, path, "arguments"),
        "custom_tool_call" => decode_call(item, path, "input"),
        "function_call_output" | "custom_tool_call_output" => {
            decode_result(item, path, kind.starts_with(CUSTOM))
        }
        _ => Ok(Item::Said(vec![PartKind::Native { dialect: ID, json: item }.into()])),
    }
}

/// Takes what names an item and what it came to: it says nothing to another provider.
fn take_labels(item: &mut Fields) {
    for label in ["id", "status"] {
        if let Some(written) = item.take(label) {
            item.extras().spell(ID, label, None, written);
        }
    }
}

fn decode_message(item: Value, path: &str) -> Result<Item, Fault> {
    let whole = item.clone();
    let mut item = Fields::of(ID, item, path)?;
    if item.take_raw("type").is_none() {
        item.extras().omit(ID, "type", "message".into());
    }
    take_labels(&mut item);
    let role = match item.string("role")?.as_deref() {
        Some("system") => Role::System,
        Some("developer") => Role::Developer,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some(other) => {
            let at = item.at("role");
            let other: String = other.chars().take(40).collect();
            let message = format!(
                "Invalid value: '{other}'. Supported values are: 'assistant', 'system', \
                 'developer', and 'user'."
            );
            return Err(Fault::invalid_field(&at, message));
        }
        None => return Err(item.missing("role")),
    };
    let (mut parts, shape) = decode_content(item.take_raw("content"), &item.at("content"), role)?;
    if role != Role::Assistant {
        let extras = item.rest();
        let message = Message { shape, extras, ..Message::new(role, parts) };
        return Ok(Item::Message(Box::new(message)));
    }
    for part in &mut parts {
        if matches!(part.kind, PartKind::Native { .. }) {
            part.extras.choose(ID, WITHIN);
        }
    }
    let Some(first) = parts.first_mut() else {
        // Nothing was said.
        return Ok(Item::Said(vec![PartKind::Native { dialect: ID, json: whole }.into()]));
    };
    if shape == tollgate_model::Shape::Text {
        first.extras.choose(ID, BARE);
    }
    first.extras.nest(ID, ITEM, item.rest());
    Ok(Item::Said(parts))
}

fn decode_call(item: Value, path: &str, field: &str) -> Result<Item, Fault> {
    let mut item = Fields::of(ID, item, path)?;
    item.take_raw("type");
    take_labels(&mut item);
    let id = item.string("call_id")?.ok_or_else(|| item.missing("call_id"))?;
    let name = item.string("name")?.ok_or_else(|| item.missing("name"))?;
    let text = match item.take_raw(field) {
        Some(Value::String(text)) => text,
        // Some callers write the object itself.
        Some(object @ Value::Object(_)) if field == "arguments" => {
            let text = object.to_string();
            item.extras().spell(ID, field, Some(text.as_str().into()), object);
            text
        }
        Some(other) => return Err(item.wrong(field, "a string", &other)),
        None => return Err(item.missing(field)),
    };
    let arguments = if field == "input" {
        item.extras().choose(ID, CUSTOM);
        custom::arguments(&text)
    } else {
        text
    };
    let kind = PartKind::ToolCall { id, name, arguments, signature: None };
    Ok(Item::Said(vec![Part { kind, cache: None, extras: item.rest() }]))
}

fn decode_result(item: Value, path: &str, is_custom: bool) -> Result<Item, Fault> {
    let mut item = Fields::of(ID, item, path)?;
    item.take_raw("type");
    take_labels(&mut item);
    let call_id = item.string("call_id")?.ok_or_else(|| item.missing("call_id"))?;
    let (parts, shape) = decode_content(item.take_raw("output"), &item.at("output"), Role::Tool)?;
    if is_custom {
        item.extras().choose(ID, CUSTOM);
    }
    let kind = PartKind::ToolResult { call_id, name: None, parts, shape, is_error: None };
    let part = Part { kind, cache: None, extras: item.rest() };
    let extras = Extras::default();
    Ok(Item::Message(Box::new(Message { extras, ..Message::new(Role::Tool, vec![part]) })))
}
