//! Reads a valid conversation into what it asks for. Judging it is `rules`' work.

use crate::asked::{Asked, Choice, Mark, Output, Tool, ToolResult};
use crate::tokens::{self, MEDIA, TURN};
use serde_json::Value;

/// What the request asks for.
pub(super) fn asked(body: &Value, bytes: &[u8], model: &str) -> Asked {
    let mut asked = Asked::new(model, bytes);
    let config = &body["inferenceConfig"];
    asked.cap = config["maxTokens"].as_u64();
    asked.stops = list(&config["stopSequences"])
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    asked.thinking = thinks(&body["additionalModelRequestFields"]);
    let tools = list(&body["toolConfig"]["tools"]).iter().map(|t| &t["toolSpec"]);
    asked.tools = tools
        .filter_map(|t| {
            let schema = t["inputSchema"]["json"].clone();
            Some(Tool { name: t["name"].as_str()?.to_owned(), schema })
        })
        .collect();
    let choice = &body["toolConfig"]["toolChoice"];
    asked.choice = match choice["tool"]["name"].as_str() {
        Some(name) => Choice::Must(vec![name.to_owned()]),
        None if choice["any"].is_object() => Choice::Must(Vec::new()),
        None => Choice::Auto,
    };
    let schema = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"].as_str();
    if let Some(schema) = schema.and_then(|s| serde_json::from_str(s).ok()) {
        asked.output = Output::Schema(schema);
    }
    last_turn(&mut asked, list(&body["messages"]));
    measure(&mut asked, body);
    asked
}

/// Each family of models has a field of its own for it.
fn thinks(fields: &Value) -> bool {
    let on = |value: &Value| match value {
        Value::String(word) => word != "none",
        Value::Object(_) => matches!(value["type"].as_str(), Some("enabled" | "adaptive")),
        _ => false,
    };
    ["thinking", "reasoning_config", "reasoningConfig", "reasoning_effort"]
        .iter()
        .any(|name| on(&fields[*name]))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn last_turn(asked: &mut Asked, messages: &[Value]) {
    let Some(last) = messages.last() else { return };
    let results = list(&last["content"]).iter().map(|b| &b["toolResult"]).filter(|r| r.is_object());
    asked.results = results
        .map(|r| ToolResult {
            name: called(messages, &r["toolUseId"]),
            text: text(&r["content"]),
            failed: r["status"] == "error",
        })
        .collect();
    let users = || messages.iter().filter(|m| m["role"] == "user");
    if let Some(user) = users().rfind(|m| !text(&m["content"]).is_empty()) {
        asked.last_user = text(&user["content"]);
    }
    if let Some(user) = users().next_back() {
        let blocks = list(&user["content"]);
        let inside = blocks.iter().flat_map(|b| list(&b["toolResult"]["content"]));
        asked.media = blocks.iter().chain(inside).filter_map(media).collect();
    }
}

fn called(messages: &[Value], id: &Value) -> String {
    let uses = messages.iter().flat_map(|m| list(&m["content"])).map(|b| &b["toolUse"]);
    let mut uses = uses.filter(|u| u.is_object() && u["toolUseId"] == *id);
    uses.next().and_then(|u| u["name"].as_str()).unwrap_or("unknown").to_owned()
}

fn text(content: &Value) -> String {
    let texts: Vec<String> = list(content)
        .iter()
        .filter_map(|b| match (&b["text"], &b["guardContent"]["text"]["text"], b.get("json")) {
            (Value::String(text), ..) | (_, Value::String(text), _) => Some(text.clone()),
            (_, _, Some(json)) => Some(json.to_string()),
            _ => None,
        })
        .collect();
    texts.join("\n")
}

fn media(block: &Value) -> Option<String> {
    let (kind, family) =
        [("image", "image"), ("document", "document"), ("video", "video"), ("audio", "audio")]
            .into_iter()
            .find(|(kind, _)| block[*kind].is_object())?;
    if block[kind]["source"]["bytes"].is_string() {
        let format = block[kind]["format"].as_str().unwrap_or("unknown");
        return Some(mime(family, format));
    }
    Some(format!("{kind} by URL"))
}

/// Bedrock names formats; the other dialects, and every answer here, name media types.
fn mime(family: &str, format: &str) -> String {
    let named = match (family, format) {
        ("document", "pdf") => "application/pdf",
        ("document", "csv") => "text/csv",
        ("document", "html") => "text/html",
        ("document", "txt") => "text/plain",
        ("document", "md") => "text/markdown",
        ("document", "doc") => "application/msword",
        ("document", "xls") => "application/vnd.ms-excel",
        ("document", "docx") => {
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        }
        ("document", "xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => return format!("{family}/{format}"),
    };
    named.to_owned()
}

/// Counts the input in the order in which it is cached: tools, system, messages.
fn measure(asked: &mut Asked, body: &Value) {
    for tool in list(&body["toolConfig"]["tools"]) {
        piece(asked, tool, tokens::count_json(&tool["toolSpec"]));
    }
    for block in list(&body["system"]) {
        piece(asked, block, tokens::count_json(&block["text"]));
    }
    for message in list(&body["messages"]) {
        asked.push_prefix(message["role"].to_string().as_bytes(), TURN, None);
        for block in list(&message["content"]) {
            piece(asked, block, block_tokens(block));
        }
    }
    asked.input_tokens = asked.prefixes.last().map_or(0, |p| p.tokens);
}

fn block_tokens(block: &Value) -> u64 {
    if media(block).is_some() {
        return MEDIA;
    }
    let inside: u64 = list(&block["toolResult"]["content"]).iter().map(block_tokens).sum();
    inside
        + tokens::count_json(&block["text"])
        + tokens::count_json(&block["toolUse"]["name"])
        + tokens::count_json(&block["toolUse"]["input"])
        + tokens::count_json(&block["json"])
        + tokens::count_json(&block["reasoningContent"]["reasoningText"]["text"])
}

/// A cache point is no content: it marks what stands before it.
fn piece(asked: &mut Asked, block: &Value, counted: u64) {
    let point = &block["cachePoint"];
    if point.is_null() {
        asked.push_prefix(block.to_string().as_bytes(), counted, None);
    } else if let Some(last) = asked.prefixes.last_mut() {
        let hour = point["ttl"] == "1h";
        last.mark = Some(if hour { Mark::OneHour } else { Mark::FiveMinutes });
    }
}
