//! Reads a valid chat into what it asks for. Judging it is `rules`' work.

use crate::asked::{Asked, Choice, Output, Tool, ToolResult};
use crate::tokens::{self, MEDIA, TURN};
use serde_json::Value;

pub(super) fn asked(body: &Value, bytes: &[u8]) -> Asked {
    let mut asked = Asked::new(body["model"].as_str().unwrap_or_default(), bytes);
    asked.stream = body["stream"] == Value::Bool(true);
    asked.cap = body["max_tokens"].as_u64();
    let stops = body["stop_sequences"].as_array().into_iter().flatten();
    asked.stops = stops.filter_map(Value::as_str).map(str::to_owned).collect();
    asked.thinking = body["thinking"]["type"] == "enabled";
    let format = &body["response_format"];
    let schema = ["json_schema", "schema"].iter().map(|name| &format[*name]);
    asked.output = match (format["type"].as_str(), schema.into_iter().find(|s| s.is_object())) {
        (Some("json_object"), Some(schema)) => Output::Schema(schema.clone()),
        (Some("json_object"), None) => Output::Json,
        _ => Output::Text,
    };
    let tools = body["tools"].as_array().into_iter().flatten().map(|tool| &tool["function"]);
    asked.tools = tools
        .filter_map(|function| {
            let name = function["name"].as_str()?.to_owned();
            Some(Tool { name, schema: function["parameters"].clone() })
        })
        .collect();
    asked.choice = match body["tool_choice"].as_str() {
        Some("REQUIRED") => Choice::Must(Vec::new()),
        Some("NONE") => Choice::Never,
        _ => Choice::Auto,
    };
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    last_turn(&mut asked, messages);
    let mut counted = tokens::count_json(&body["tools"]) + tokens::count_json(&body["documents"]);
    for message in messages {
        let images = parts(message).filter(|part| part["type"] == "image_url").count() as u64;
        counted += TURN + tokens::count(&text(message)) + images * MEDIA;
        counted += tokens::count_json(&message["tool_calls"]);
    }
    asked.input_tokens = counted;
    asked
}

fn parts(message: &Value) -> impl Iterator<Item = &Value> {
    message["content"].as_array().into_iter().flatten()
}

fn text(message: &Value) -> String {
    if let Some(text) = message["content"].as_str() {
        return text.to_owned();
    }
    let texts = parts(message).filter_map(|part| match part["type"].as_str()? {
        "document" => Some(part["document"]["data"].to_string()),
        _ => part["text"].as_str().map(str::to_owned),
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn last_turn(asked: &mut Asked, messages: &[Value]) {
    let called = |id: &Value| {
        let calls = messages.iter().filter_map(|m| m["tool_calls"].as_array()).flatten();
        let mut calls = calls.filter(|call| call["id"] == *id);
        calls.next().and_then(|call| call["function"]["name"].as_str()).unwrap_or("unknown")
    };
    let results = messages.iter().rev().take_while(|message| message["role"] == "tool");
    asked.results = results
        .map(|message| ToolResult {
            name: called(&message["tool_call_id"]).to_owned(),
            text: text(message),
            failed: false,
        })
        .collect();
    asked.results.reverse();
    if let Some(user) = messages.iter().rfind(|message| message["role"] == "user") {
        asked.last_user = text(user);
        let images = parts(user).filter(|part| part["type"] == "image_url");
        asked.media = images.map(|_| "image".to_owned()).collect();
    }
}
