//! Reads a valid chat completion request into what it asks for. Judging it is `rules`' work.

use crate::asked::{Asked, Choice, Output, Tool, ToolResult};
use crate::tokens::{self, MEDIA, TURN};
use serde_json::Value;

/// What the request asks for.
pub(super) fn asked(body: &Value, bytes: &[u8]) -> Asked {
    let mut asked = Asked::new(body["model"].as_str().unwrap_or_default(), bytes);
    asked.stream = body["stream"] == Value::Bool(true);
    asked.choices = body["n"].as_u64().unwrap_or(1);
    asked.cap = body["max_completion_tokens"].as_u64().or_else(|| body["max_tokens"].as_u64());
    asked.stops = match &body["stop"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    asked.parallel = body["parallel_tool_calls"] != Value::Bool(false);
    asked.thinking = body["reasoning_effort"].as_str().is_some_and(|e| e != "none");
    asked.output = output(&body["response_format"]);
    asked.tools = tools(body);
    asked.choice = choice(body);
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    last_turn(&mut asked, messages);
    let fixed: u64 =
        asked.tools.iter().map(|t| tokens::count(&t.name) + tokens::count_json(&t.schema)).sum();
    asked.push_prefix(body["tools"].to_string().as_bytes(), fixed, None);
    for message in messages {
        asked.push_prefix(message.to_string().as_bytes(), message_tokens(message), None);
    }
    asked.input_tokens = asked.prefixes.last().map_or(0, |p| p.tokens);
    asked
}

fn output(format: &Value) -> Output {
    match format["type"].as_str() {
        Some("json_object") => Output::Json,
        Some("json_schema") => Output::Schema(format["json_schema"]["schema"].clone()),
        _ => Output::Text,
    }
}

fn tools(body: &Value) -> Vec<Tool> {
    let named = |function: &Value| {
        let schema = function["parameters"].clone();
        function["name"].as_str().map(|name| Tool { name: name.to_owned(), schema })
    };
    let modern = body["tools"].as_array().into_iter().flatten();
    let modern = modern
        .filter_map(|t| named(if t["type"] == "custom" { &t["custom"] } else { &t["function"] }));
    let old = body["functions"].as_array().into_iter().flatten().filter_map(named);
    modern.chain(old).collect()
}

fn choice(body: &Value) -> Choice {
    let chosen =
        if body["tool_choice"].is_null() { &body["function_call"] } else { &body["tool_choice"] };
    match chosen {
        Value::String(word) if word == "none" => Choice::Never,
        Value::String(word) if word == "required" => Choice::Must(Vec::new()),
        Value::Object(one) => {
            let names =
                ["function", "custom"].iter().find_map(|kind| chosen[*kind]["name"].as_str());
            let names: Vec<String> = match names.or_else(|| one.get("name")?.as_str()) {
                Some(name) => vec![name.to_owned()],
                None => allowed(&chosen["allowed_tools"]["tools"]),
            };
            if names.is_empty() || chosen["allowed_tools"]["mode"] == "auto" {
                Choice::Auto
            } else {
                Choice::Must(names)
            }
        }
        _ => Choice::Auto,
    }
}

fn allowed(tools: &Value) -> Vec<String> {
    let tools = tools.as_array().into_iter().flatten();
    tools.filter_map(|t| t["function"]["name"].as_str()).map(str::to_owned).collect()
}

/// The last user turn and the tool results that end the conversation.
fn last_turn(asked: &mut Asked, messages: &[Value]) {
    let results =
        messages.iter().rev().take_while(|m| m["role"] == "tool" || m["role"] == "function");
    let mut results: Vec<ToolResult> = results
        .map(|m| ToolResult {
            name: m["name"]
                .as_str()
                .map_or_else(|| called(messages, &m["tool_call_id"]), str::to_owned),
            text: text(&m["content"]),
            failed: false,
        })
        .collect();
    results.reverse();
    asked.results = results;
    if let Some(user) = messages.iter().rfind(|m| m["role"] == "user") {
        asked.last_user = text(&user["content"]);
        asked.media = parts(&user["content"]).filter_map(media).collect();
    }
}

fn called(messages: &[Value], id: &Value) -> String {
    let calls = messages.iter().filter_map(|m| m["tool_calls"].as_array()).flatten();
    let call = calls.into_iter().find(|c| c["id"] == *id);
    call.and_then(|c| c["function"]["name"].as_str().or_else(|| c["custom"]["name"].as_str()))
        .unwrap_or("unknown")
        .to_owned()
}

fn parts(content: &Value) -> impl Iterator<Item = &Value> {
    content.as_array().into_iter().flatten()
}

pub(super) fn text(content: &Value) -> String {
    match content {
        Value::String(one) => one.clone(),
        _ => {
            let texts: Vec<&str> = parts(content)
                .filter_map(|p| p["text"].as_str().or_else(|| p["refusal"].as_str()))
                .collect();
            texts.join("\n")
        }
    }
}

fn media(part: &Value) -> Option<String> {
    match part["type"].as_str()? {
        "image_url" => {
            let url = part["image_url"]["url"].as_str().or_else(|| part["image_url"].as_str())?;
            Some(data_type(url).unwrap_or("image by URL").to_owned())
        }
        "input_audio" => {
            Some(format!("audio/{}", part["input_audio"]["format"].as_str().unwrap_or("unknown")))
        }
        "file" => {
            let data = part["file"]["file_data"].as_str().and_then(data_type);
            Some(data.unwrap_or("file by id").to_owned())
        }
        _ => None,
    }
}

fn data_type(url: &str) -> Option<&str> {
    url.strip_prefix("data:")?.split([';', ',']).next()
}

fn message_tokens(message: &Value) -> u64 {
    let media = parts(&message["content"]).filter_map(media).count() as u64;
    let calls = tokens::count_json(&message["tool_calls"]);
    TURN + tokens::count(&text(&message["content"])) + media * MEDIA + calls
}
