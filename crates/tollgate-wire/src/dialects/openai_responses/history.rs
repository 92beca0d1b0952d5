//! Writing the messages of a request as items: those of this dialect as they were, those of another
//! in the order that this one demands (results of tools as items of their own, every call with an
//! id).

use serde_json::{Map, Value};
use tollgate_model::{Message, Part, PartKind, Role, Shape};

use super::{
    ID, content, custom,
    custom::CUSTOM,
    items::{BARE, ITEM, WITHIN},
    request::INSTRUCTIONS,
    seal,
};
use crate::call_ids::Ids;
use crate::dialect::Writing;

/// A conversation as this dialect writes it.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) instructions: Option<String>,
    pub(super) items: Vec<Value>,
}

pub(super) fn encode(messages: &[Message], to: &mut Writing<'_>) -> Written {
    let mut out = Written::default();
    let mut ids = Ids::new(to.own, to.quirks.call_id);
    for (at, message) in messages.iter().enumerate() {
        let path = format!("messages[{at}]");
        if let Some(text) = instructions(message, at == 0, to) {
            message.extras.report(&path, &mut to.losses);
            out.instructions = Some(text.to_owned());
            continue;
        }
        match message.role {
            Role::Assistant => encode_assistant(message, &path, &mut ids, to, &mut out.items),
            Role::Tool | Role::User | Role::System | Role::Developer => {
                encode_turn(message, &path, &mut ids, to, &mut out.items);
            }
        }
    }
    out
}

/// The text of a system message that stands, or may stand, beside the items.
fn instructions<'m>(message: &'m Message, first: bool, to: &Writing<'_>) -> Option<&'m str> {
    let beside = message.extras.chose(ID, INSTRUCTIONS)
        || (!to.own && first && message.role == Role::System && message.name.is_none());
    match message.parts.as_slice() {
        [Part { kind: PartKind::Text(text), cache: None, extras }]
            if beside && extras.is_empty() =>
        {
            Some(text)
        }
        _ => None,
    }
}

/// A turn that is not the model's: results of tools first, each an item of its own, then the rest.
fn encode_turn(
    message: &Message,
    path: &str,
    ids: &mut Ids,
    to: &mut Writing<'_>,
    out: &mut Vec<Value>,
) {
    let mut rest: Vec<&Part> = Vec::new();
    for (at, part) in message.parts.iter().enumerate() {
        if matches!(part.kind, PartKind::ToolResult { .. }) {
            let alone = message.role == Role::Tool && message.parts.len() == 1;
            let path = if alone { path.to_owned() } else { format!("{path}.content[{at}]") };
            out.push(Value::Object(encode_result(part, &path, ids, to)));
        } else {
            rest.push(part);
        }
    }
    if message.role == Role::Tool && rest.is_empty() {
        return message.extras.report(path, &mut to.losses);
    }
    if to.own || !rest.is_empty() {
        out.extend(encode_message(message, &rest, path, to).map(Value::Object));
    } else {
        message.extras.report(path, &mut to.losses);
    }
}

fn encode_result(
    part: &Part,
    path: &str,
    ids: &mut Ids,
    to: &mut Writing<'_>,
) -> Map<String, Value> {
    let mut out = Map::new();
    let PartKind::ToolResult { call_id, name, parts, shape, is_error } = &part.kind else {
        return out;
    };
    let kind = if part.extras.chose(ID, CUSTOM) {
        "custom_tool_call_output"
    } else {
        "function_call_output"
    };
    out.insert("type".into(), kind.into());
    out.insert("call_id".into(), ids.result(call_id, name.as_deref()).into());
    let parts: Vec<&Part> = parts.iter().collect();
    match encode_content(&parts, *shape, &format!("{path}.output"), Role::Tool, to) {
        Some(output) => {
            out.insert("output".into(), output);
        }
        None if !to.own => {
            out.insert("output".into(), "".into());
        }
        None => {}
    }
    if *is_error == Some(true) {
        to.losses.dropped(path, "is_error");
    }
    if part.cache.is_some() {
        to.losses.dropped(path, "cache_control");
    }
    part.extras.restore(ID, &mut out, path, &mut to.losses);
    out
}

/// A message of the system, a developer or a user.
fn encode_message(
    message: &Message,
    parts: &[&Part],
    path: &str,
    to: &mut Writing<'_>,
) -> Option<Map<String, Value>> {
    let mut out = Map::new();
    let role = match message.role {
        Role::Developer if to.own || to.quirks.developer_role => "developer",
        Role::System | Role::Developer => "system",
        Role::Assistant => "assistant",
        Role::User | Role::Tool => "user",
    };
    out.insert("type".into(), "message".into());
    out.insert("role".into(), role.into());
    if message.name.is_some() {
        to.losses.dropped(path, "name");
    }
    let path_of_content = format!("{path}.content");
    if let Some(content) = encode_content(parts, message.shape, &path_of_content, message.role, to)
    {
        out.insert("content".into(), content);
    } else if !to.own {
        message.extras.report(path, &mut to.losses);
        return None;
    }
    message.extras.restore(ID, &mut out, path, &mut to.losses);
    Some(out)
}

/// A bare string where the caller wrote one, or where a foreign content is one plain text; `None`
/// where there is nothing to say.
fn encode_content(
    parts: &[&Part],
    shape: Shape,
    path: &str,
    role: Role,
    to: &mut Writing<'_>,
) -> Option<Value> {
    match (parts, shape) {
        ([], Shape::Absent) => None,
        ([], Shape::Null) if to.own => Some(Value::Null),
        ([Part { kind: PartKind::Text(text), cache, extras }], shape)
            if shape == Shape::Text || !to.own =>
        {
            let path = format!("{path}[0]");
            if cache.is_some() {
                to.losses.dropped(&path, "cache_control");
            }
            extras.report(&path, &mut to.losses);
            Some(text.as_str().into())
        }
        (parts, _) => {
            let mut list = Vec::with_capacity(parts.len());
            for (at, part) in parts.iter().enumerate() {
                let part = content::encode(part, &format!("{path}[{at}]"), role, to);
                list.extend(part.map(Value::Object));
            }
            (to.own || !list.is_empty()).then_some(Value::Array(list))
        }
    }
}

/// What the model said and did, item by item.
fn encode_assistant(
    message: &Message,
    path: &str,
    ids: &mut Ids,
    to: &mut Writing<'_>,
    out: &mut Vec<Value>,
) {
    if message.name.is_some() {
        to.losses.dropped(path, "name");
    }
    message.extras.report(path, &mut to.losses);
    // The parts of the message item that is open.
    let mut open: Vec<(usize, &Part)> = Vec::new();
    for (at, part) in message.parts.iter().enumerate() {
        let path = format!("{path}.content[{at}]");
        if is_content(part) {
            if part.extras.nested(ITEM).is_some() {
                close(&mut open, &path, to, out);
            }
            open.push((at, part));
            continue;
        }
        close(&mut open, &path, to, out);
        out.extend(encode_item(part, &path, ids, to).map(Value::Object));
    }
    close(&mut open, path, to, out);
}

/// A part of a message item, not an item of its own.
fn is_content(part: &Part) -> bool {
    match &part.kind {
        PartKind::Text(_) | PartKind::Refusal(_) | PartKind::Media(_) => true,
        PartKind::Native { .. } => part.extras.chose(ID, WITHIN),
        _ => false,
    }
}

/// Writes the message item that is open.
fn close(open: &mut Vec<(usize, &Part)>, path: &str, to: &mut Writing<'_>, out: &mut Vec<Value>) {
    let parts = std::mem::take(open);
    let Some((_, first)) = parts.first() else { return };
    let mut item = Map::new();
    item.insert("type".into(), "message".into());
    item.insert("role".into(), "assistant".into());
    let bare = first.extras.chose(ID, BARE);
    let content: Value = match (&first.kind, bare) {
        (PartKind::Text(text), true) => text.as_str().into(),
        _ => {
            let mut list = Vec::with_capacity(parts.len());
            for (at, part) in &parts {
                let path = format!("{path}.content[{at}]");
                let Some(mut written) = content::encode(part, &path, Role::Assistant, to) else {
                    continue;
                };
                // It belongs to the item.
                written.remove(ITEM);
                list.push(Value::Object(written));
            }
            if list.is_empty() && !to.own {
                return;
            }
            list.into()
        }
    };
    item.insert("content".into(), content);
    if let Some(of_item) = first.extras.nested(ITEM) {
        of_item.restore(ID, &mut item, path, &mut to.losses);
    }
    out.push(Value::Object(item));
}

/// A call, a thought, or what only this dialect knows.
fn encode_item(
    part: &Part,
    path: &str,
    ids: &mut Ids,
    to: &mut Writing<'_>,
) -> Option<Map<String, Value>> {
    let mut out = match &part.kind {
        PartKind::ToolCall { id, name, arguments, signature } => {
            if signature.is_some() {
                to.losses.dropped(path, "signature");
            }
            let is_custom = part.extras.chose(ID, CUSTOM);
            let mut out = Map::new();
            let kind = if is_custom { "custom_tool_call" } else { "function_call" };
            out.insert("type".into(), kind.into());
            out.insert("call_id".into(), ids.call(id, name).into());
            out.insert("name".into(), name.as_str().into());
            let arguments = if arguments.is_empty() && !to.own { "{}" } else { arguments };
            if is_custom {
                out.insert("input".into(), custom::input(arguments).into());
            } else {
                out.insert("arguments".into(), arguments.into());
            }
            out
        }
        PartKind::Reasoning { signature, .. } => {
            let theirs = signature.as_ref().is_some_and(|signature| signature.origin != ID);
            let unsigned = signature.is_none() && !part.extras.is_of(ID);
            if theirs || unsigned {
                to.losses.dropped(path, "reasoning");
                return None;
            }
            seal::encode(&part.kind)?
        }
        PartKind::RedactedReasoning(data) if data.origin != ID => {
            to.losses.dropped(path, "reasoning");
            return None;
        }
        PartKind::RedactedReasoning(_) => seal::encode(&part.kind)?,
        PartKind::Native { dialect, json } if *dialect == ID => return json.as_object().cloned(),
        PartKind::Native { json, .. } => {
            let kind = json.get("type").and_then(Value::as_str).unwrap_or("part");
            to.losses.dropped(path, kind);
            return None;
        }
        _ => {
            to.losses.dropped(path, "tool_result");
            return None;
        }
    };
    if part.cache.is_some() {
        to.losses.dropped(path, "cache_control");
    }
    part.extras.restore(ID, &mut out, path, &mut to.losses);
    Some(out)
}
