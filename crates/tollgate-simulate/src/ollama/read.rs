//! Reads a valid chat into what it asks for. Judging it is `rules`' work.

use crate::asked::{Asked, Output, Tool, ToolResult};
use crate::tokens::{self, MEDIA, TURN};
use serde_json::Value;

pub(super) fn asked(body: &Value, bytes: &[u8]) -> Asked {
    let mut asked = Asked::new(body["model"].as_str().unwrap_or_default(), bytes);
    // Who says nothing is streamed to.
    asked.stream = body["stream"] != Value::Bool(false);
    let options = &body["options"];
    asked.cap = options["num_predict"].as_u64();
    asked.stops = strings(&options["stop"]);
    asked.thinking = match &body["think"] {
        Value::Bool(wanted) => *wanted,
        think => think.is_string(),
    };
    asked.output = match &body["format"] {
        Value::String(word) if word == "json" => Output::Json,
        schema @ Value::Object(_) => Output::Schema(schema.clone()),
        _ => Output::Text,
    };
    let tools = body["tools"].as_array().into_iter().flatten().map(|tool| &tool["function"]);
    asked.tools = tools
        .filter_map(|function| {
            let name = function["name"].as_str()?.to_owned();
            Some(Tool { name, schema: function["parameters"].clone() })
        })
        .collect();
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    last_turn(&mut asked, messages);
    let fixed = tokens::count_json(&body["tools"]);
    asked.push_prefix(body["tools"].to_string().as_bytes(), fixed, None);
    for message in messages {
        let images = message["images"].as_array().map_or(0, Vec::len) as u64;
        let counted = TURN
            + tokens::count(message["content"].as_str().unwrap_or_default())
            + tokens::count_json(&message["tool_calls"])
            + images * MEDIA;
        asked.push_prefix(message.to_string().as_bytes(), counted, None);
    }
    asked.input_tokens = asked.prefixes.last().map_or(0, |p| p.tokens);
    asked
}

fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn last_turn(asked: &mut Asked, messages: &[Value]) {
    let text = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
    let results = messages.iter().rev().take_while(|message| message["role"] == "tool");
    asked.results = results
        .map(|message| ToolResult {
            name: message["tool_name"].as_str().unwrap_or("unknown").to_owned(),
            text: text(message),
            failed: false,
        })
        .collect();
    asked.results.reverse();
    if let Some(user) = messages.iter().rfind(|message| message["role"] == "user") {
        asked.last_user = text(user);
        let images = user["images"].as_array().into_iter().flatten();
        asked.media = images.map(|_| "image".to_owned()).collect();
    }
}
