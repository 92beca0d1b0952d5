//! Reading the messages of a request.

use serde_json::{Value, json};
use tollgate_model::{Fault, Message, Part, PartKind, Role, Shape, Signature};

use super::{ID, content};
use crate::{fields::Fields, signature};

/// The field of a plan that was made before tools are called, and the form of its part.
pub(super) const PLAN: &str = "tool_plan";
/// Where thinking, or a call, carries the signature of another vendor.
pub(super) const SIGNATURE: &str = "signature";

pub(super) fn decode(list: Vec<Value>) -> Result<Vec<Message>, Fault> {
    let messages = list.into_iter().enumerate();
    messages.map(|(at, message)| decode_message(message, &format!("messages[{at}]"))).collect()
}

fn decode_message(message: Value, path: &str) -> Result<Message, Fault> {
    let mut fields = Fields::of(ID, message, path)?;
    let role = fields.role()?;
    let mut parts = Vec::new();
    if let Some(text) = fields.string(PLAN)? {
        let mut part = Part::new(PartKind::Reasoning { text, signature: None });
        part.extras.choose(ID, PLAN);
        parts.push(part);
    }
    let (mut content, shape) = content::decode(fields.take_raw("content"), &fields.at("content"))?;
    parts.append(&mut content);
    if let Some(calls) = fields.list("tool_calls")? {
        if calls.is_empty() {
            fields.extras().spell(ID, "tool_calls", None, json!([]));
        }
        for (at, call) in calls.into_iter().enumerate() {
            parts.push(decode_call(call, &fields.at(&format!("tool_calls[{at}]")))?);
        }
    }
    if role == Role::Tool {
        let result = PartKind::ToolResult {
            call_id: fields.string("tool_call_id")?.unwrap_or_default(),
            name: None,
            parts: std::mem::take(&mut parts),
            shape,
            is_error: None,
        };
        parts.push(result.into());
    }
    Ok(Message { role, name: None, parts, shape, extras: fields.rest() })
}

fn decode_call(call: Value, path: &str) -> Result<Part, Fault> {
    let mut call = Fields::of(ID, call, path)?;
    if call.string("type")?.is_none() {
        call.extras().omit(ID, "type", "function".into());
    }
    let function = call.take("function").ok_or_else(|| call.missing("function"))?;
    let mut function = Fields::of(ID, function, &call.at("function"))?;
    let name = function.string("name")?.ok_or_else(|| function.missing("name"))?;
    let arguments = function.string("arguments")?;
    if arguments.is_none() {
        function.extras().omit(ID, "arguments", "{}".into());
    }
    let id = call.string("id")?.unwrap_or_default();
    let signature = decode_signature(&mut call)?;
    let arguments = arguments.unwrap_or_default();
    let kind = PartKind::ToolCall { id, name, arguments, signature };
    function.rest_in(&mut call, "function");
    Ok(Part { kind, cache: None, extras: call.rest() })
}

pub(super) fn decode_signature(fields: &mut Fields) -> Result<Option<Signature>, Fault> {
    let data = fields.string(SIGNATURE)?;
    Ok(data.map(|data| signature::read(&data, ID)))
}

/// Whether a message says nothing in its content.
pub(super) fn is_bare(shape: Shape) -> bool {
    matches!(shape, Shape::Null | Shape::Absent)
}
