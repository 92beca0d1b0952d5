//! Writing the messages of a request: those of this dialect as they were, those of another in
//! the order and shape that this one demands (results of tools in messages of their own, right
//! after the calls; every call with an id).

use serde_json::{Map, Value};
use tollgate_model::{Message, Part, PartKind, Role, Shape};

use super::{
    ID,
    messages::{CUSTOM, FUNCTION, ON_MESSAGE, UNTYPED},
    parts,
    reasoning::{self, DETAILS, Formats, TEXT_FIELDS},
};
use crate::dialect::Writing;
use crate::{call_ids, provider::ReasoningBack};

pub(super) fn encode(messages: &[Message], to: &mut Writing<'_>) -> Vec<Value> {
    let mut out = Vec::with_capacity(messages.len());
    let mut ids = call_ids::Ids::new(to.own, to.quirks.call_id);
    for (at, message) in messages.iter().enumerate() {
        let path = format!("messages[{at}]");
        match message.role {
            // Only another dialect understands it, and an empty message is refused.
            Role::Assistant if !to.own && is_foreign(message) => {
                for (at, part) in message.parts.iter().enumerate() {
                    parts::encode(part, &format!("{path}.content[{at}]"), to);
                }
            }
            Role::Assistant => out.push(encode_assistant(message, &path, &mut ids, to)),
            Role::Tool | Role::User => encode_turn(message, &path, &mut ids, to, &mut out),
            Role::System | Role::Developer => {
                out.push(encode_plain(
                    message,
                    &message.parts.iter().collect::<Vec<_>>(),
                    &path,
                    to,
                ));
            }
        }
    }
    out
}

fn is_foreign(message: &Message) -> bool {
    let foreign =
        |part: &Part| matches!(&part.kind, PartKind::Native { dialect, .. } if *dialect != ID);
    !message.parts.is_empty() && message.parts.iter().all(foreign)
}

/// A user's turn: results of tools first, each a message of its own, then the rest.
fn encode_turn(
    message: &Message,
    path: &str,
    ids: &mut call_ids::Ids,
    to: &mut Writing<'_>,
    out: &mut Vec<Value>,
) {
    let mut rest: Vec<&Part> = Vec::new();
    let mut media = Vec::new();
    for (at, part) in message.parts.iter().enumerate() {
        if matches!(part.kind, PartKind::ToolResult { .. }) {
            let path = if message.role == Role::Tool && message.parts.len() == 1 {
                path.to_owned()
            } else {
                format!("{path}.content[{at}]")
            };
            let (result, shown) = encode_result(message, part, &path, ids, to);
            out.push(result);
            media.extend(shown);
        } else {
            rest.push(part);
        }
    }
    if !media.is_empty() {
        // Only a user may show images.
        let mut shown = Map::new();
        shown.insert("role".into(), "user".into());
        shown.insert("content".into(), Value::Array(media));
        out.push(Value::Object(shown));
    }
    let empty = message.role == Role::User && message.parts.is_empty();
    if !rest.is_empty() || empty {
        out.push(encode_plain(message, &rest, path, to));
    } else if message.role == Role::User {
        message.extras.report(path, &mut to.losses);
    }
}

/// The result, and what of it only a user may show.
fn encode_result(
    message: &Message,
    part: &Part,
    path: &str,
    ids: &mut call_ids::Ids,
    to: &mut Writing<'_>,
) -> (Value, Vec<Value>) {
    let (mut out, mut media) = (Map::new(), Vec::new());
    let PartKind::ToolResult { call_id, name, parts, shape, is_error } = &part.kind else {
        return (Value::Null, media);
    };
    let function = message.extras.chose(ID, FUNCTION);
    out.insert("role".into(), if function { FUNCTION } else { "tool" }.into());
    let id = ids.result(call_id, name.as_deref());
    if !id.is_empty() && !function {
        out.insert("tool_call_id".into(), id.into());
    }
    if let Some(name) = name
        && (to.own || to.quirks.message_name)
    {
        out.insert("name".into(), name.as_str().into());
    }
    let (texts, others): (Vec<&Part>, Vec<&Part>) =
        parts.iter().partition(|part| to.own || matches!(part.kind, PartKind::Text(_)));
    put_content(&mut out, &texts, *shape, path, to);
    if !to.own {
        out.entry("content").or_insert_with(|| "".into());
        for (at, part) in others.into_iter().enumerate() {
            let path = format!("{path}.content[{at}]");
            if let Some(value) = parts::encode(part, &path, to) {
                to.losses.approximated(path.as_str(), "position");
                media.push(value);
            }
        }
    }
    if *is_error == Some(true) {
        to.losses.dropped(path, "is_error");
    }
    if let Some(mark) = &part.cache {
        parts::put_cache(mark, &message.extras, path, to, &mut out);
    }
    part.extras.restore(ID, &mut out, path, &mut to.losses);
    if message.role == Role::Tool {
        message.extras.restore(ID, &mut out, path, &mut to.losses);
    }
    (Value::Object(out), media)
}

/// A message of the system, a developer or a user.
fn encode_plain(message: &Message, parts: &[&Part], path: &str, to: &mut Writing<'_>) -> Value {
    let mut out = Map::new();
    let role = match message.role {
        Role::Developer if to.quirks.developer_role => "developer",
        Role::System | Role::Developer => "system",
        Role::Assistant => "assistant",
        Role::User | Role::Tool => "user",
    };
    out.insert("role".into(), role.into());
    put_name(message, path, to, &mut out);
    put_content_of(message, parts, path, to, &mut out);
    message.extras.restore(ID, &mut out, path, &mut to.losses);
    Value::Object(out)
}

fn put_name(message: &Message, path: &str, to: &mut Writing<'_>, out: &mut Map<String, Value>) {
    let Some(name) = &message.name else { return };
    if to.own || to.quirks.message_name {
        out.insert("name".into(), name.as_str().into());
    } else {
        to.losses.dropped(path, "name");
    }
}

/// Writes the content and, where it was written there, the cache mark of the message.
fn put_content_of(
    message: &Message,
    parts: &[&Part],
    path: &str,
    to: &mut Writing<'_>,
    out: &mut Map<String, Value>,
) {
    if message.extras.chose(ID, ON_MESSAGE)
        && let Some(last) = message.parts.last()
    {
        let bare = Part { cache: None, ..last.clone() };
        let parts: Vec<&Part> = parts
            .iter()
            .map(|part| if std::ptr::eq(*part, last) { &bare } else { *part })
            .collect();
        put_content(out, &parts, message.shape, path, to);
        if let Some(mark) = &last.cache {
            parts::put_cache(mark, &message.extras, path, to, out);
        }
    } else {
        put_content(out, parts, message.shape, path, to);
    }
}

/// A bare string where the caller wrote one, or where a foreign content is one plain text.
fn put_content(
    out: &mut Map<String, Value>,
    parts: &[&Part],
    shape: Shape,
    path: &str,
    to: &mut Writing<'_>,
) {
    let content = match (parts, shape) {
        ([], Shape::Absent) => return,
        ([], Shape::Null) => Value::Null,
        ([Part { kind: PartKind::Text(text), cache, extras }], shape)
            if shape == Shape::Text || (!to.own && cache_is_lost(cache.is_some(), to)) =>
        {
            if cache.is_some() && !to.own {
                to.losses.dropped(&format!("{path}.content[0]"), "cache_control");
            }
            extras.restore(ID, &mut Map::new(), &format!("{path}.content[0]"), &mut to.losses);
            text.as_str().into()
        }
        (parts, _) => {
            let mut list = Vec::with_capacity(parts.len());
            for (at, part) in parts.iter().enumerate() {
                list.extend(parts::encode(part, &format!("{path}.content[{at}]"), to));
            }
            if list.is_empty() && !to.own { "".into() } else { Value::Array(list) }
        }
    };
    out.insert("content".into(), content);
}

/// Nothing but the text would be left of a part.
fn cache_is_lost(marked: bool, to: &Writing<'_>) -> bool {
    !marked || !to.quirks.cache_control
}

fn encode_assistant(
    message: &Message,
    path: &str,
    ids: &mut call_ids::Ids,
    to: &mut Writing<'_>,
) -> Value {
    let mut out = Map::new();
    out.insert("role".into(), "assistant".into());
    put_name(message, path, to, &mut out);
    let (mut content, mut refusals, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    let mut function_call = None;
    for (at, part) in message.parts.iter().enumerate() {
        match &part.kind {
            PartKind::ToolCall { .. } => {
                let path = format!("{path}.tool_calls[{}]", calls.len());
                let call = encode_call(part, &path, ids, to);
                if part.extras.chose(ID, FUNCTION) {
                    function_call = Some(call);
                } else {
                    calls.push(call);
                }
            }
            PartKind::Refusal(text) if !to.own || message.shape != Shape::List => {
                refusals.push(text.as_str());
            }
            PartKind::Reasoning { .. } | PartKind::RedactedReasoning(_)
                if reasoning::is_own(part) => {}
            PartKind::Reasoning { .. } if !to.own => {}
            PartKind::ToolResult { .. } => to.losses.dropped(path, "tool_result"),
            PartKind::Media(_) if !to.own => {
                to.losses.dropped(&format!("{path}.content[{at}]"), "media");
            }
            _ => content.push(part),
        }
    }
    let lists_thinking = put_reasoning(message, path, to, &mut out);
    if content.is_empty() && !to.own && lists_thinking.is_none() {
        out.insert("content".into(), Value::Null);
    } else {
        put_content_of(message, &content, path, to, &mut out);
    }
    if let Some(thinking) = lists_thinking {
        join_thinking(&thinking, &mut out);
    }
    if !refusals.is_empty() {
        out.insert("refusal".into(), refusals.concat().into());
    }
    if !calls.is_empty() {
        out.insert("tool_calls".into(), calls.into());
    }
    if let Some(call) = function_call {
        out.insert("function_call".into(), call);
    }
    message.extras.restore(ID, &mut out, path, &mut to.losses);
    Value::Object(out)
}

/// Writes the message's own thinking where its recipient takes it back. Gives the text that is
/// to stand among the content instead.
fn put_reasoning(
    message: &Message,
    path: &str,
    to: &mut Writing<'_>,
    out: &mut Map<String, Value>,
) -> Option<String> {
    let text = reasoning::joined(&message.parts);
    if to.own {
        for field in TEXT_FIELDS {
            if message.extras.chose(ID, field) {
                out.insert(field.into(), text.as_str().into());
            }
        }
        if message.extras.chose(ID, DETAILS) {
            let details = reasoning::encode_details(&message.parts, Formats::Hosts);
            out.insert(DETAILS.into(), details);
        }
        return None;
    }
    let mut own = message.parts.iter().filter(|part| reasoning::is_own(part)).peekable();
    own.peek()?;
    for part in own {
        part.extras.report(path, &mut to.losses);
    }
    let sealed = message.parts.iter().any(|part| {
        matches!(
            part.kind,
            PartKind::RedactedReasoning(_) | PartKind::Reasoning { signature: Some(_), .. }
        )
    });
    let back = to.quirks.reasoning_back;
    if back == ReasoningBack::None {
        to.losses.dropped(path, "reasoning");
    } else if sealed && back != ReasoningBack::Details {
        to.losses.dropped(path, "signature");
    }
    match back {
        ReasoningBack::Content if !text.is_empty() => {
            out.insert(TEXT_FIELDS[0].into(), text.into());
        }
        ReasoningBack::Reasoning if !text.is_empty() => {
            out.insert(TEXT_FIELDS[1].into(), text.into());
        }
        ReasoningBack::Details => {
            let details = reasoning::encode_details(&message.parts, Formats::Hosts);
            out.insert(DETAILS.into(), details);
        }
        ReasoningBack::Part if !text.is_empty() => return Some(text),
        _ => {}
    }
    None
}

/// Puts thinking first into the content, which becomes a list.
fn join_thinking(text: &str, out: &mut Map<String, Value>) {
    let mut list = vec![parts::thinking_part(text)];
    match out.remove("content") {
        Some(Value::Array(parts)) => list.extend(parts),
        Some(Value::String(text)) if !text.is_empty() => list.push(parts::text_part(&text)),
        _ => {}
    }
    out.insert("content".into(), list.into());
}

fn encode_call(part: &Part, path: &str, ids: &mut call_ids::Ids, to: &mut Writing<'_>) -> Value {
    let mut out = Map::new();
    let PartKind::ToolCall { id, name, arguments, signature } = &part.kind else {
        return Value::Null;
    };
    let id = ids.call(id, name);
    let mut function = Map::new();
    function.insert("name".into(), name.as_str().into());
    let custom = part.extras.chose(ID, CUSTOM);
    if part.extras.chose(ID, FUNCTION) {
        function.insert("arguments".into(), arguments.as_str().into());
        part.extras.restore(ID, &mut function, path, &mut to.losses);
        return Value::Object(function);
    }
    let arguments = if arguments.is_empty() && !to.own { "{}" } else { arguments };
    function.insert(if custom { "input" } else { "arguments" }.into(), arguments.into());
    if !id.is_empty() {
        out.insert("id".into(), id.into());
    }
    let kind = if custom { CUSTOM } else { FUNCTION };
    if !part.extras.chose(ID, UNTYPED) {
        out.insert("type".into(), kind.into());
    }
    out.insert(kind.into(), function.into());
    if let Some(signature) = signature {
        if to.own {
            out.insert("extra_content".into(), reasoning::encode_call_signature(signature));
        } else {
            to.losses.dropped(path, "signature");
        }
    }
    if let Some(mark) = &part.cache {
        parts::put_cache(mark, &part.extras, path, to, &mut out);
    }
    part.extras.restore(ID, &mut out, path, &mut to.losses);
    Value::Object(out)
}
