//! What Anthropic refuses in a message beyond its shape: ranges, roles, empty content, media, prefill.

use super::tables;
use super::thinking_rules;
use super::tools_rules;
use super::wording::{flawed, invalid};
use crate::refusal::Refusal;
use crate::shape::{self, Reading, Shape};
use crate::signature;
use serde_json::Value;

/// The first thing Anthropic would refuse in a message.
pub(super) fn messages(body: &Value, system_turns: bool) -> Result<(), Refusal> {
    shaped(&tables::MESSAGE_CALL, body)?;
    ranges(body)?;
    thinking_rules::budget(body)?;
    both(body, system_turns)?;
    prefill(body)?;
    effort(body)
}

/// The first thing Anthropic would refuse in a count.
pub(super) fn count_tokens(body: &Value, system_turns: bool) -> Result<(), Refusal> {
    shaped(&tables::COUNT_CALL, body)?;
    both(body, system_turns)
}

fn shaped(table: &Shape, body: &Value) -> Result<(), Refusal> {
    shape::check(table, body, Reading { loose: false }).map_err(|f| flawed(&f, ""))
}

fn both(body: &Value, system_turns: bool) -> Result<(), Refusal> {
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    tools_rules::tools(body)?;
    roles(body, messages, system_turns)?;
    contents(messages)?;
    cache_marks(body)?;
    tools_rules::results_match_calls(messages)?;
    thinking_rules::blocks(body, messages)
}

fn ranges(body: &Value) -> Result<(), Refusal> {
    if body["max_tokens"].as_f64().is_some_and(|n| n < 1.0) {
        return Err(invalid("max_tokens: must be greater than or equal to 1"));
    }
    for name in ["temperature", "top_p"] {
        if body[name].as_f64().is_some_and(|n| !(0.0..=1.0).contains(&n)) {
            return Err(invalid(format!("{name}: range: 0..1")));
        }
    }
    if body["top_k"].as_i64().is_some_and(|n| n < 0) {
        return Err(invalid("top_k: range: 0..500"));
    }
    for (at, stop) in body["stop_sequences"].as_array().into_iter().flatten().enumerate() {
        if stop.as_str().is_some_and(|s| s.trim().is_empty()) {
            return Err(invalid(format!(
                "stop_sequences: each stop sequence must contain non-whitespace (index {at})"
            )));
        }
    }
    Ok(())
}

fn roles(body: &Value, messages: &[Value], system_turns: bool) -> Result<(), Refusal> {
    if messages.is_empty() {
        return Err(invalid("messages: at least one message is required"));
    }
    let model = body["model"].as_str().unwrap_or_default();
    let may_be_system = system_turns || later_than(model, 8);
    if !may_be_system && messages.iter().any(|m| m["role"] == "system") {
        return Err(invalid(
            "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role.",
        ));
    }
    Ok(())
}

/// Whether the model's name says Claude 4.`minor` or later.
fn later_than(model: &str, minor: u32) -> bool {
    for family in ["opus-", "sonnet-", "haiku-"] {
        let Some((_, rest)) = model.split_once(family) else {
            continue;
        };
        let mut figures = rest.split('-').map(|f| f.parse::<u32>().unwrap_or(0));
        return match (figures.next(), figures.next()) {
            (Some(4), Some(m)) => m >= minor && m < 100,
            (Some(major), _) => (5..100).contains(&major),
            _ => false,
        };
    }
    false
}

fn contents(messages: &[Value]) -> Result<(), Refusal> {
    for (at, message) in messages.iter().enumerate() {
        let last = at + 1 == messages.len();
        let may_be_empty = last && message["role"] == "assistant";
        let empty = match &message["content"] {
            Value::String(s) => s.is_empty(),
            Value::Array(blocks) => blocks.is_empty(),
            _ => false,
        };
        if empty && !may_be_empty {
            return Err(invalid(format!(
                "messages.{at}: all messages must have non-empty content except for the optional final assistant message"
            )));
        }
        for (block_at, block) in message["content"].as_array().into_iter().flatten().enumerate() {
            let path = format!("messages.{at}.content.{block_at}");
            fits_role(&path, message["role"].as_str().unwrap_or_default(), block)?;
            sound(&path, block)?;
        }
        if let Value::String(text) = &message["content"]
            && !text.is_empty()
            && text.trim().is_empty()
        {
            return Err(invalid("messages: text content blocks must contain non-whitespace text"));
        }
    }
    Ok(())
}

/// Which blocks belong to whom.
fn fits_role(path: &str, role: &str, block: &Value) -> Result<(), Refusal> {
    let kind = block["type"].as_str().unwrap_or_default();
    let own = match kind {
        "tool_use" | "thinking" | "redacted_thinking" | "server_tool_use" | "mcp_tool_use" => {
            "assistant"
        }
        "tool_result" | "image" | "document" | "search_result" | "container_upload" => "user",
        "tool_addition" | "tool_removal" => "system",
        _ => return Ok(()),
    };
    if own == role {
        return Ok(());
    }
    Err(invalid(match kind {
        "tool_use" | "tool_result" => {
            format!("{path}: `{kind}` blocks can only be in `{own}` messages")
        }
        _ => format!("{path}: `{kind}` blocks are not permitted in `{role}` messages"),
    }))
}

fn sound(path: &str, block: &Value) -> Result<(), Refusal> {
    match block["type"].as_str() {
        Some("text") => match block["text"].as_str().unwrap_or_default() {
            "" => Err(invalid("messages: text content blocks must be non-empty")),
            blank if blank.trim().is_empty() => {
                Err(invalid("messages: text content blocks must contain non-whitespace text"))
            }
            _ => Ok(()),
        },
        Some(kind @ ("image" | "document")) => {
            source(&format!("{path}.{kind}.source"), kind, &block["source"])
        }
        Some("tool_result") => {
            for (at, part) in block["content"].as_array().into_iter().flatten().enumerate() {
                sound(&format!("{path}.tool_result.content.{at}"), part)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn source(path: &str, kind: &str, source: &Value) -> Result<(), Refusal> {
    match source["type"].as_str() {
        Some("base64") => {
            let Some(bytes) =
                source["data"].as_str().and_then(signature::decode).filter(|b| !b.is_empty())
            else {
                return Err(invalid(format!("{path}.base64.data: Invalid base64 data")));
            };
            match (kind, sniffed(&bytes), source["media_type"].as_str()) {
                ("document", "application/pdf", _) => Ok(()),
                ("document", ..) => {
                    Err(invalid(format!("{path}.base64.data: The PDF specified was not valid.")))
                }
                (_, "", _) => Err(invalid(format!("{path}.base64.data: Could not process image"))),
                (_, found, Some(said)) if found != said => Err(invalid(format!(
                    "{path}.base64.data: Image does not match the provided media type {said}"
                ))),
                _ => Ok(()),
            }
        }
        Some("url") => match source["url"].as_str() {
            Some(url) if url.starts_with("https://") || url.starts_with("http://") => Ok(()),
            _ => Err(invalid(format!("{path}.url.url: Only HTTPS URLs are supported."))),
        },
        _ => Ok(()),
    }
}

/// The media type that the first bytes tell; empty when they tell none.
fn sniffed(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', ..] => "image/webp",
        [b'%', b'P', b'D', b'F', ..] => "application/pdf",
        _ => "",
    }
}

fn cache_marks(body: &Value) -> Result<(), Refusal> {
    fn count(value: &Value) -> usize {
        match value {
            Value::Object(map) => {
                let own = usize::from(map.get("cache_control").is_some_and(|c| !c.is_null()));
                own + map
                    .iter()
                    .filter(|(k, _)| !matches!(k.as_str(), "input" | "input_schema"))
                    .map(|(_, v)| count(v))
                    .sum::<usize>()
            }
            Value::Array(items) => items.iter().map(count).sum(),
            _ => 0,
        }
    }
    let found = count(body);
    if found > 4 {
        return Err(invalid(format!(
            "A maximum of 4 blocks with cache_control may be provided. Found {found}."
        )));
    }
    Ok(())
}

fn prefill(body: &Value) -> Result<(), Refusal> {
    let Some(last) =
        body["messages"].as_array().and_then(|m| m.last()).filter(|m| m["role"] == "assistant")
    else {
        return Ok(());
    };
    if later_than(body["model"].as_str().unwrap_or_default(), 6) {
        return Err(invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    let text = match &last["content"] {
        Value::String(text) => Some(text.as_str()),
        Value::Array(blocks) => blocks.last().and_then(|b| b["text"].as_str()),
        _ => None,
    };
    if text.is_some_and(|t| t.ends_with(char::is_whitespace)) {
        return Err(invalid(
            "messages: final assistant content cannot end with trailing whitespace",
        ));
    }
    Ok(())
}

fn effort(body: &Value) -> Result<(), Refusal> {
    let model = body["model"].as_str().unwrap_or_default();
    let claude = model.contains("opus-") || model.contains("sonnet-") || model.contains("haiku-");
    if body["output_config"]["effort"] == "xhigh" && claude && !later_than(model, 7) {
        return Err(invalid(
            "This model does not support effort level 'xhigh'. Supported levels: high, low, max, medium.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_names_tell_their_age() {
        assert!(later_than("claude-sonnet-5", 6));
        assert!(later_than("claude-opus-4-6", 6));
        assert!(later_than("claude-sonnet-4-6-20260101", 6));
        assert!(!later_than("claude-haiku-4-5-20251001", 6));
        assert!(!later_than("claude-3-opus-20240229", 6));
        assert!(!later_than("claude-sonnet-4-20250514", 6));
        assert!(!later_than("claude-sonnet-4-0", 6));
        assert!(!later_than("simulated", 6));
    }
}
