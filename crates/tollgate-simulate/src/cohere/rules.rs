//! What Cohere refuses beyond the shape of a request, and its words for it.

use super::tables;
use crate::refusal::Refusal;
use crate::shape::{self, Flaw, FlawKind, Reading, Seg, Shape};
use serde_json::Value;

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "", message)
}

pub(super) fn shaped(table: &Shape, body: &Value) -> Result<(), Refusal> {
    shape::check(table, body, Reading { loose: false }).map_err(|flaw| flawed(&flaw))
}

fn flawed(flaw: &Flaw) -> Refusal {
    let names = flaw.path.iter().filter_map(|seg| match seg {
        Seg::Key(name) => Some(name.clone()),
        Seg::Index(at) => Some(at.to_string()),
        Seg::Variant(_) => None,
    });
    let at = names.collect::<Vec<_>>().join(".");
    match &flaw.kind {
        FlawKind::Missing => invalid(format!("invalid request: {at} is required.")),
        FlawKind::Unknown => {
            Refusal::new(422, "", format!("unknown field: parameter '{at}' is not a valid field"))
        }
        FlawKind::Type { got, .. } => {
            Refusal::new(422, "", format!("invalid type: parameter {at} is of type {got}."))
        }
        FlawKind::Word { allowed, got } => {
            let allowed = allowed.join(", ");
            invalid(format!("invalid request: {at} '{got}' must be one of {allowed}."))
        }
    }
}

pub(super) fn chat(body: &Value) -> Result<(), Refusal> {
    shaped(&tables::CHAT, body)?;
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    if messages.is_empty() {
        return Err(invalid("invalid request: messages must not be empty."));
    }
    for (name, least, most) in [
        ("temperature", 0.0, 2.0),
        ("p", 0.0, 0.99),
        ("k", 0.0, 500.0),
        ("frequency_penalty", 0.0, 1.0),
        ("presence_penalty", 0.0, 1.0),
    ] {
        if body[name].as_f64().is_some_and(|number| !(least..=most).contains(&number)) {
            let text =
                format!("invalid request: {name} must be between {least} and {most} inclusive.");
            return Err(invalid(text));
        }
    }
    if body["stop_sequences"].as_array().is_some_and(|stops| stops.len() > 5) {
        return Err(invalid("invalid request: too many stop sequences: the limit is 5."));
    }
    conversation(messages)
}

/// Each result answers a call that was made before it, and calls are answered at once.
fn conversation(messages: &[Value]) -> Result<(), Refusal> {
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        match message["role"].as_str().unwrap_or_default() {
            "tool" => {
                let id = message["tool_call_id"].as_str().unwrap_or_default();
                if !open.contains(&id) {
                    return Err(invalid(
                        "invalid request: a tool message must follow an assistant message with the same tool call id.",
                    ));
                }
            }
            "assistant" => {
                let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
                open = calls.iter().filter_map(|call| call["id"].as_str()).collect();
                let content = &message["content"];
                if calls.is_empty() && content.is_null() {
                    return Err(invalid(
                        "invalid request: an assistant message must have content or tool calls.",
                    ));
                }
            }
            _ => open.clear(),
        }
    }
    Ok(())
}
