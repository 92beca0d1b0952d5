//! Reading the messages of a request.

use serde_json::{Value, json};
use tollgate_model::{Fault, Media, MediaKind, MediaSource, Message, Part, PartKind, Role, Shape};

use super::{ID, image};
use crate::{fields::Fields, unparsed};

pub(super) fn decode(list: Vec<Value>) -> Result<Vec<Message>, Fault> {
    let messages = list.into_iter().enumerate();
    messages.map(|(at, message)| decode_message(message, &format!("messages[{at}]"))).collect()
}

fn decode_message(message: Value, path: &str) -> Result<Message, Fault> {
    let mut fields = Fields::of(ID, message, path)?;
    let role = fields.role()?;
    let mut parts = Vec::new();
    if let Some(text) = fields.string("thinking")? {
        if text.is_empty() {
            fields.extras().spell(ID, "thinking", None, text.into());
        } else {
            parts.push(PartKind::Reasoning { text, signature: None }.into());
        }
    }
    let shape = decode_content(&mut fields, &mut parts)?;
    decode_images(&mut fields, &mut parts)?;
    decode_calls(&mut fields, &mut parts)?;
    if role == Role::Tool {
        let result = PartKind::ToolResult {
            call_id: fields.string("tool_call_id")?.unwrap_or_default(),
            name: fields.string("tool_name")?,
            parts: std::mem::take(&mut parts),
            shape,
            is_error: None,
        };
        parts.push(result.into());
    }
    Ok(Message { role, name: None, parts, shape, extras: fields.rest() })
}

fn decode_content(fields: &mut Fields, parts: &mut Vec<Part>) -> Result<Shape, Fault> {
    match fields.take_raw("content") {
        None => Ok(Shape::Absent),
        Some(Value::Null) => Ok(Shape::Null),
        Some(Value::String(text)) => {
            parts.push(Part::text(text));
            Ok(Shape::Text)
        }
        Some(other) => Err(fields.wrong("content", "a string", &other)),
    }
}

fn decode_images(fields: &mut Fields, parts: &mut Vec<Part>) -> Result<(), Fault> {
    let Some(list) = fields.list("images")? else { return Ok(()) };
    if list.is_empty() {
        fields.extras().spell(ID, "images", None, json!([]));
    }
    for (at, image) in list.into_iter().enumerate() {
        let Value::String(data) = image else {
            return Err(fields.wrong(&format!("images[{at}]"), "base64 data", &image));
        };
        let source = MediaSource::Base64 { mime: image::mime(&data).to_owned(), data };
        let media = Media { kind: MediaKind::Image, source, name: None, detail: None };
        parts.push(PartKind::Media(media).into());
    }
    Ok(())
}

fn decode_calls(fields: &mut Fields, parts: &mut Vec<Part>) -> Result<(), Fault> {
    let Some(list) = fields.list("tool_calls")? else { return Ok(()) };
    if list.is_empty() {
        fields.extras().spell(ID, "tool_calls", None, json!([]));
    }
    for (at, call) in list.into_iter().enumerate() {
        parts.push(decode_call(call, &fields.at(&format!("tool_calls[{at}]")))?);
    }
    Ok(())
}

fn decode_call(call: Value, path: &str) -> Result<Part, Fault> {
    let mut call = Fields::of(ID, call, path)?;
    // Clients add the type that OpenAI's calls have; it says nothing here.
    if let Some(kind) = call.string("type")? {
        call.extras().spell(ID, "type", None, kind.into());
    }
    let function = call.take("function").ok_or_else(|| call.missing("function"))?;
    let mut function = Fields::of(ID, function, &call.at("function"))?;
    let name = function.string("name")?.ok_or_else(|| function.missing("name"))?;
    if let Some(index) = function.count("index")? {
        function.extras().spell(ID, "index", None, index.into());
    }
    let arguments = match function.take("arguments") {
        None => {
            function.extras().omit(ID, "arguments", json!({}));
            String::new()
        }
        Some(object @ Value::Object(_)) => unparsed::read(&object),
        Some(other) => return Err(function.wrong("arguments", "an object", &other)),
    };
    let id = call.string("id")?.unwrap_or_default();
    let kind = PartKind::ToolCall { id, name, arguments, signature: None };
    function.rest_in(&mut call, "function");
    Ok(Part { kind, cache: None, extras: call.rest() })
}
