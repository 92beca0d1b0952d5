//! Reading the messages of a request.

use serde_json::{Value, json};
use tollgate_model::{Fault, Message, Part, PartKind, Role, Shape};

use super::{
    ID,
    parts::{self, decode_content},
    reasoning,
};
use crate::fields::Fields;

/// The form of a cache mark that stands on the message instead of its last part.
pub(super) const ON_MESSAGE: &str = "cache_control on message";
/// The form of a call or result from before there were tools.
pub(super) const FUNCTION: &str = "function";
/// The form of a tool whose input is free text.
pub(super) const CUSTOM: &str = "custom";
/// The form of an object that does not state its type.
pub(super) const UNTYPED: &str = "untyped";

pub(super) fn decode(messages: Vec<Value>) -> Result<Vec<Message>, Fault> {
    messages
        .into_iter()
        .enumerate()
        .map(|(at, message)| decode_one(message, &format!("messages[{at}]")))
        .collect()
}

fn decode_one(message: Value, path: &str) -> Result<Message, Fault> {
    let mut message = Fields::of(ID, message, path)?;
    let word = match message.take_raw("role") {
        None => return Err(message.missing("role")),
        Some(Value::String(word)) => word,
        Some(other) => return Err(message.wrong("role", "a string", &other)),
    };
    let name = message.string("name")?;
    let (parts, shape) = decode_content(message.take_raw("content"), &message.at("content"))?;
    let role = match word.as_str() {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        other => {
            let at = message.at("role");
            return Err(Fault::invalid_field(
                &at,
                format!(
                    "Invalid value for '{at}': '{}'. Supported values are: 'system', \
                     'developer', 'user', 'assistant', 'tool' and 'function'.",
                    other.chars().take(40).collect::<String>()
                ),
            ));
        }
    };
    let mut out = match role {
        Role::Assistant => decode_assistant(&mut message, parts)?,
        Role::Tool => decode_result(&mut message, &word, name.clone(), parts, shape)?,
        _ => Message::new(role, parts),
    };
    mark_message(&mut message, &mut out)?;
    if role == Role::Tool {
        out.shape = Shape::List;
    } else {
        out.shape = shape;
        out.name = name;
    }
    out.extras = message.rest();
    Ok(out)
}

/// A cache mark on the whole message is one on its last part.
fn mark_message(message: &mut Fields, out: &mut Message) -> Result<(), Fault> {
    if !message.all().contains_key("cache_control") {
        return Ok(());
    }
    let last = out.parts.last_mut();
    let Some(last) = last.filter(|last| last.cache.is_none()) else { return Ok(()) };
    last.cache = parts::decode_cache(message)?;
    message.extras().choose(ID, ON_MESSAGE);
    Ok(())
}

fn decode_assistant(message: &mut Fields, content: Vec<Part>) -> Result<Message, Fault> {
    let mut parts = reasoning::decode(message)?;
    parts.extend(content);
    if let Some(refusal) = message.string("refusal")? {
        if refusal.is_empty() {
            message.extras().spell(ID, "refusal", None, "".into());
        } else {
            parts.push(PartKind::Refusal(refusal).into());
        }
    }
    if let Some(calls) = message.list("tool_calls")? {
        if calls.is_empty() {
            message.extras().spell(ID, "tool_calls", None, json!([]));
        }
        for (at, call) in calls.into_iter().enumerate() {
            parts.push(decode_call(call, &message.at(&format!("tool_calls[{at}]")))?);
        }
    }
    if let Some(call) = message.take("function_call") {
        let path = message.at("function_call");
        let mut function = Fields::of(ID, call, &path)?;
        let name = function.string("name")?.ok_or_else(|| function.missing("name"))?;
        let arguments = decode_arguments(&mut function)?;
        function.extras().choose(ID, FUNCTION);
        let kind = PartKind::ToolCall { id: String::new(), name, arguments, signature: None };
        parts.push(Part { kind, cache: None, extras: function.rest() });
    }
    Ok(Message::new(Role::Assistant, parts))
}

/// Arguments are JSON text; some hosts write the object itself.
fn decode_arguments(function: &mut Fields) -> Result<String, Fault> {
    match function.take_raw("arguments") {
        Some(Value::String(text)) => Ok(text),
        None => {
            function.extras().omit(ID, "arguments", "".into());
            Ok(String::new())
        }
        Some(other @ (Value::Object(_) | Value::Null)) => {
            let text = if other.is_null() { String::new() } else { other.to_string() };
            function.extras().spell(ID, "arguments", Some(text.as_str().into()), other);
            Ok(text)
        }
        Some(other) => Err(function.wrong("arguments", "a string", &other)),
    }
}

fn decode_call(call: Value, path: &str) -> Result<Part, Fault> {
    let mut call = Fields::of(ID, call, path)?;
    let cache = parts::decode_cache(&mut call)?;
    let id = call.string("id")?.unwrap_or_default();
    let signature = reasoning::decode_call_signature(&mut call);
    let kind = match call.take("type") {
        Some(Value::String(kind)) => kind,
        Some(other) => return Err(call.wrong("type", "a string", &other)),
        None => {
            call.extras().choose(ID, UNTYPED);
            FUNCTION.into()
        }
    };
    let (name, arguments) = if kind == CUSTOM && call.all().contains_key(CUSTOM) {
        call.extras().choose(ID, CUSTOM);
        let custom = call.take_raw(CUSTOM).unwrap_or_default();
        let mut custom = Fields::of(ID, custom, &call.at(CUSTOM))?;
        let name = custom.string("name")?.ok_or_else(|| custom.missing("name"))?;
        let input = custom.string("input")?.unwrap_or_default();
        custom.rest_in(&mut call, CUSTOM);
        (name, input)
    } else {
        call.extras().spell(ID, "type", Some(FUNCTION.into()), kind.into());
        let Some(function) = call.take_raw(FUNCTION) else { return Err(call.missing(FUNCTION)) };
        let mut function = Fields::of(ID, function, &call.at(FUNCTION))?;
        let name = function.string("name")?.ok_or_else(|| function.missing("name"))?;
        let arguments = decode_arguments(&mut function)?;
        function.rest_in(&mut call, FUNCTION);
        (name, arguments)
    };
    let kind = PartKind::ToolCall { id, name, arguments, signature };
    Ok(Part { kind, cache, extras: call.rest() })
}

fn decode_result(
    message: &mut Fields,
    role: &str,
    name: Option<String>,
    parts: Vec<Part>,
    shape: Shape,
) -> Result<Message, Fault> {
    let call_id = message.string("tool_call_id")?.unwrap_or_default();
    if role == FUNCTION {
        message.extras().choose(ID, FUNCTION);
    } else if call_id.is_empty() && !message.all().contains_key("tool_call_id") && name.is_none() {
        return Err(message.missing("tool_call_id"));
    }
    let result = PartKind::ToolResult { call_id, name, parts, shape, is_error: None };
    Ok(Message::new(Role::Tool, vec![result.into()]))
}
