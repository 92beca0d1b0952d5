//! `systemInstruction` and `contents`, both ways.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Extras, Fault, Losses, Message, PartKind, Role, Shape};

use super::super::ID;
use super::super::fields::{Fields, ONE};
use super::parts::{self, CallIds, PartWriter};

/// Stands for Google's own signature on calls that another provider's model made: documented by
/// Google for conversations that come from elsewhere, which its newer models refuse unsigned.
const FOREIGN_CALL: &str = "context_engineering_is_the_way_to_go";

/// The old role of function results.
const FUNCTION: &str = "function";

pub(super) fn decode(body: &mut Fields, messages: &mut Vec<Message>) -> Result<(), Fault> {
    let mut ids = CallIds::default();
    if let Some(system) = body.take("systemInstruction") {
        let path = body.path("systemInstruction");
        messages.push(decode_system(system, &path, &mut ids)?);
    }
    let path = body.path("contents");
    let Some(contents) = body.list("contents")?.filter(|contents| !contents.is_empty()) else {
        return Err(Fault::invalid_field(&path, format!("'{path}' is missing or empty")));
    };
    for (at, content) in contents.into_iter().enumerate() {
        messages.push(decode_content(content, &format!("{path}[{at}]"), &mut ids)?);
    }
    Ok(())
}

fn decode_system(value: Value, path: &str, ids: &mut CallIds) -> Result<Message, Fault> {
    if let Value::String(text) = value {
        let extras = Extras::left_over(ID, Map::new());
        return Ok(Message { extras, ..Message::text(Role::System, text) });
    }
    let mut content = Fields::open(value, path)?;
    if let Some(role) = content.text("role")? {
        content.extras.spell(ID, "role", None, role.into());
    }
    decode_parts(content, Role::System, ids)
}

fn decode_content(value: Value, path: &str, ids: &mut CallIds) -> Result<Message, Fault> {
    let mut content = Fields::open(value, path)?;
    let role = match content.text("role")?.as_deref() {
        None => {
            content.extras.omit(ID, "role", "user".into());
            Role::User
        }
        Some("user") => Role::User,
        Some("") => {
            content.extras.spell(ID, "role", Some("user".into()), "".into());
            Role::User
        }
        Some("model") => Role::Assistant,
        Some(FUNCTION) => {
            content.extras.spell(ID, "role", Some("user".into()), FUNCTION.into());
            Role::Tool
        }
        Some(other) => {
            let path = content.path("role");
            let other: String = other.chars().take(40).collect();
            let message = format!("'{path}' must be 'user' or 'model', not '{other}'");
            return Err(Fault::invalid_field(path, message));
        }
    };
    decode_parts(content, role, ids)
}

fn decode_parts(mut content: Fields, role: Role, ids: &mut CallIds) -> Result<Message, Fault> {
    let path = content.path("parts");
    let written = content.list("parts")?;
    let shape = if written.is_some() { Shape::List } else { Shape::Absent };
    let mut list = Vec::new();
    for (at, part) in written.unwrap_or_default().into_iter().enumerate() {
        list.push(parts::decode(part, &format!("{path}[{at}]"), ids)?);
    }
    Ok(Message { shape, extras: content.into_extras(), ..Message::new(role, list) })
}

/// Writes `systemInstruction` and `contents`. Gemini has one place for system text, before
/// everything: what stands later moves there.
pub(super) fn encode(chat: &Chat, model: &str, out: &mut Map<String, Value>, losses: &mut Losses) {
    let native = chat.extras.is_of(ID);
    let newer = super::generation(model) >= 3;
    let media_inside = native || newer;
    let mut writer = PartWriter { names: HashMap::new(), media_inside, losses };
    let mut system: Option<Value> = None;
    let mut contents: Vec<Value> = Vec::new();
    let mut last = None;
    for (at, message) in chat.messages.iter().enumerate() {
        let path = format!("messages[{at}]");
        if message.name.is_some() {
            writer.losses.dropped(&path, "name");
        }
        if matches!(message.role, Role::System | Role::Developer) {
            if !contents.is_empty() {
                writer.losses.approximated(&path, "role");
            }
            add_system(&mut system, message, &path, &mut writer);
            continue;
        }
        let content = content(message, native, &path, &mut writer);
        let Some(content) = content else { continue };
        if !native && message.role == Role::Tool && last == Some(Role::Tool) {
            join(contents.last_mut(), content);
        } else {
            contents.push(content.into());
        }
        last = Some(message.role);
    }
    if contents.is_empty() && !native {
        // Gemini does not answer a system text alone.
        if let Some(text) = system.take() {
            losses.approximated("messages[0]", "role");
            contents.push(json!({"role": "user", "parts": text["parts"]}));
        }
    }
    if newer && !native {
        sign_foreign_calls(&mut contents);
    }
    if let Some(system) = system {
        out.insert("systemInstruction".into(), system);
    }
    let one = chat.extras.chose(ID, ONE) && contents.len() == 1;
    let contents = if one { contents.pop().unwrap_or_default() } else { contents.into() };
    out.insert("contents".into(), contents);
}

fn add_system(
    system: &mut Option<Value>,
    message: &Message,
    path: &str,
    writer: &mut PartWriter<'_>,
) {
    if message.shape == Shape::Text && message.extras.is_of(ID) {
        let text = message.parts.iter().filter_map(|part| match &part.kind {
            PartKind::Text(text) => Some(text.as_str()),
            _ => None,
        });
        *system = Some(Value::String(text.collect()));
        return;
    }
    let mut written = content_of(message, path, writer);
    message.extras.restore(ID, &mut written, path, writer.losses);
    match system.as_mut().and_then(|system| system["parts"].as_array_mut()) {
        Some(parts) => {
            if let Some(Value::Array(mut more)) = written.remove("parts") {
                parts.append(&mut more);
            }
        }
        None => *system = Some(written.into()),
    }
}

/// A message as a content; `None` for one of another dialect that says nothing.
fn content(
    message: &Message,
    native: bool,
    path: &str,
    writer: &mut PartWriter<'_>,
) -> Option<Map<String, Value>> {
    let role = if message.role == Role::Assistant { "model" } else { "user" };
    let mut written = content_of(message, path, writer);
    let empty = written.get("parts").and_then(Value::as_array).is_none_or(Vec::is_empty);
    if empty && !native {
        message.extras.report(path, writer.losses);
        return None;
    }
    written.entry("role").or_insert_with(|| role.into());
    message.extras.restore(ID, &mut written, path, writer.losses);
    Some(written)
}

fn content_of(message: &Message, path: &str, writer: &mut PartWriter<'_>) -> Map<String, Value> {
    let mut list = Vec::new();
    for (at, part) in message.parts.iter().enumerate() {
        let path = format!("{path}.content[{at}]");
        let said = !matches!(&part.kind, PartKind::Text(text) if text.is_empty());
        // Gemini refuses empty texts, which other dialects send beside calls.
        if said || part.extras.is_of(ID) {
            writer.write(part, &path, &mut list);
        } else {
            part.extras.report(&path, writer.losses);
        }
    }
    let mut written = Map::new();
    match (message.shape, message.extras.is_of(ID)) {
        (Shape::Absent, true) => {}
        (_, true) if message.extras.chose(ID, ONE) && list.len() == 1 => {
            written.extend(list.pop().map(|part| ("parts".to_owned(), part)));
        }
        _ => {
            written.insert("parts".into(), list.into());
        }
    }
    written
}

/// Adds the parts of `more` to the content before it.
fn join(before: Option<&mut Value>, mut more: Map<String, Value>) {
    let parts = before.and_then(|before| before["parts"].as_array_mut());
    if let (Some(parts), Some(Value::Array(mut more))) = (parts, more.remove("parts")) {
        parts.append(&mut more);
    }
}

/// The first call of each answer must be signed.
fn sign_foreign_calls(contents: &mut [Value]) {
    for content in contents.iter_mut() {
        let parts = content["parts"].as_array_mut().into_iter().flatten();
        let call =
            parts.filter_map(Value::as_object_mut).find(|part| part.contains_key("functionCall"));
        if let Some(call) = call {
            call.entry("thoughtSignature").or_insert_with(|| FOREIGN_CALL.into());
        }
    }
}
