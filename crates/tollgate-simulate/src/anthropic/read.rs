//! Reads a valid message request into what it asks for. Judging it is `rules`' work.

use crate::asked::{Asked, Choice, Mark, Output, Tool, ToolResult};
use crate::tokens::{self, MEDIA, TURN};
use serde_json::Value;

/// What the request asks for.
pub(super) fn asked(body: &Value, bytes: &[u8]) -> Asked {
    let mut asked = Asked::new(body["model"].as_str().unwrap_or_default(), bytes);
    asked.stream = body["stream"] == true;
    asked.cap = body["max_tokens"].as_u64();
    asked.stops = body["stop_sequences"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    asked.thinking = matches!(body["thinking"]["type"].as_str(), Some("enabled" | "adaptive"));
    asked.tools = tools(body);
    asked.parallel = body["tool_choice"]["disable_parallel_tool_use"] != true;
    asked.choice = match body["tool_choice"]["type"].as_str() {
        Some("none") => Choice::Never,
        Some("any") => Choice::Must(Vec::new()),
        Some("tool") => Choice::Must(
            body["tool_choice"]["name"].as_str().map(str::to_owned).into_iter().collect(),
        ),
        _ => Choice::Auto,
    };
    let format = if body["output_config"]["format"].is_null() {
        &body["output_format"]
    } else {
        &body["output_config"]["format"]
    };
    if format["type"] == "json_schema" {
        asked.output = Output::Schema(format["schema"].clone());
    }
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    last_turn(&mut asked, messages);
    measure(&mut asked, body, messages);
    asked
}

fn tools(body: &Value) -> Vec<Tool> {
    let offered = body["tools"].as_array().into_iter().flatten();
    let own = offered.filter(|t| !t["input_schema"].is_null());
    own.filter_map(|t| {
        Some(Tool { name: t["name"].as_str()?.to_owned(), schema: t["input_schema"].clone() })
    })
    .collect()
}

fn blocks(message: &Value) -> &[Value] {
    message["content"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn last_turn(asked: &mut Asked, messages: &[Value]) {
    let Some(last) = messages.last() else { return };
    asked.results = blocks(last)
        .iter()
        .filter(|b| b["type"] == "tool_result")
        .map(|b| ToolResult {
            name: called(messages, &b["tool_use_id"]),
            text: text(&b["content"]),
            failed: b["is_error"] == true,
        })
        .collect();
    if let Some(user) =
        messages.iter().rfind(|m| m["role"] == "user" && !text(&m["content"]).is_empty())
    {
        asked.last_user = text(&user["content"]);
    }
    if let Some(user) = messages.iter().rfind(|m| m["role"] == "user") {
        let inside =
            blocks(user).iter().flat_map(|b| b["content"].as_array().into_iter().flatten());
        asked.media = blocks(user).iter().chain(inside).filter_map(media).collect();
    }
}

fn called(messages: &[Value], id: &Value) -> String {
    let call = messages.iter().flat_map(blocks).find(|b| b["type"] == "tool_use" && b["id"] == *id);
    call.and_then(|c| c["name"].as_str()).unwrap_or("unknown").to_owned()
}

fn text(content: &Value) -> String {
    match content {
        Value::String(one) => one.clone(),
        Value::Array(blocks) => {
            let texts: Vec<&str> = blocks
                .iter()
                .filter(|b| b["type"] == "text")
                .filter_map(|b| b["text"].as_str())
                .collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

fn media(block: &Value) -> Option<String> {
    let kind = block["type"].as_str().filter(|k| matches!(*k, "image" | "document"))?;
    let source = &block["source"];
    Some(match source["type"].as_str() {
        Some("url") => format!("{kind} by URL"),
        Some("file") => format!("{kind} by id"),
        _ => source["media_type"].as_str().unwrap_or(kind).to_owned(),
    })
}

/// Counts the input in the order in which Anthropic caches it: tools, system, messages.
fn measure(asked: &mut Asked, body: &Value, messages: &[Value]) {
    for tool in body["tools"].as_array().into_iter().flatten() {
        let counted = tokens::count_json(&tool["name"])
            + tokens::count_json(&tool["description"])
            + tokens::count_json(&tool["input_schema"]);
        piece(asked, tool, counted);
    }
    content(asked, &body["system"]);
    for message in messages {
        asked.push_prefix(message["role"].to_string().as_bytes(), TURN, None);
        content(asked, &message["content"]);
    }
    if let Some(mark) = mark(body)
        && let Some(last) = asked.prefixes.last_mut()
    {
        last.mark = Some(mark);
    }
    asked.input_tokens = asked.prefixes.last().map_or(0, |p| p.tokens);
}

fn content(asked: &mut Asked, content: &Value) {
    match content {
        Value::String(text) => asked.push_prefix(text.as_bytes(), tokens::count(text), None),
        Value::Array(blocks) => blocks.iter().for_each(|b| piece(asked, b, block_tokens(b))),
        _ => {}
    }
}

fn block_tokens(block: &Value) -> u64 {
    match block["type"].as_str() {
        Some("text") => tokens::count_json(&block["text"]),
        Some("image" | "document") => MEDIA,
        Some("tool_use" | "server_tool_use" | "mcp_tool_use") => {
            tokens::count_json(&block["name"]) + tokens::count_json(&block["input"])
        }
        Some("thinking") => tokens::count_json(&block["thinking"]),
        Some("tool_result") => match &block["content"] {
            Value::Array(parts) => parts.iter().map(block_tokens).sum(),
            text => tokens::count_json(text),
        },
        _ => tokens::count_json(&block["content"]),
    }
}

/// A mark is no content: the same block with and without one is the same beginning.
fn piece(asked: &mut Asked, block: &Value, counted: u64) {
    let mut plain = block.clone();
    if let Some(map) = plain.as_object_mut() {
        map.remove("cache_control");
    }
    asked.push_prefix(plain.to_string().as_bytes(), counted, mark(block));
}

fn mark(value: &Value) -> Option<Mark> {
    let control = value.get("cache_control").filter(|c| !c.is_null())?;
    Some(if control["ttl"] == "1h" { Mark::OneHour } else { Mark::FiveMinutes })
}
