//! Reads a valid request for a response into what it asks for. Judging it is `rules`' work.

use super::rules::items;
use super::stored::History;
use crate::asked::{Asked, Choice, Output, Tool, ToolResult};
use crate::tokens::{self, MEDIA, TURN};
use serde_json::{Value, json};

/// What the request asks for, after the turns before it.
pub(super) fn asked(body: &Value, history: &History, bytes: &[u8]) -> Asked {
    let mut asked = Asked::new(body["model"].as_str().unwrap_or_default(), bytes);
    asked.stream = body["stream"] == true;
    asked.cap = body["max_output_tokens"].as_u64();
    asked.parallel = body["parallel_tool_calls"] != false;
    asked.thinking = body["reasoning"]["effort"].as_str().is_some_and(|e| e != "none");
    asked.output = match body["text"]["format"]["type"].as_str() {
        Some("json_object") => Output::Json,
        Some("json_schema") => Output::Schema(body["text"]["format"]["schema"].clone()),
        _ => Output::Text,
    };
    asked.tools = tools(&body["tools"]);
    asked.choice = choice(&body["tool_choice"]);
    let one = body["input"].as_str().map(|text| json!({"role": "user", "content": text}));
    let turns: Vec<&Value> = history.items.iter().chain(items(body)).chain(one.as_ref()).collect();
    last_turn(&mut asked, &turns);
    let fixed = tokens::count_json(&body["instructions"])
        + asked
            .tools
            .iter()
            .map(|t| tokens::count(&t.name) + tokens::count_json(&t.schema))
            .sum::<u64>();
    let fixed_text = format!("{}{}", body["instructions"], body["tools"]);
    asked.push_prefix(fixed_text.as_bytes(), fixed, None);
    for turn in turns {
        asked.push_prefix(turn.to_string().as_bytes(), item_tokens(turn), None);
    }
    asked.input_tokens = asked.prefixes.last().map_or(0, |p| p.tokens);
    asked
}

/// Functions and custom tools, those inside namespaces too.
fn tools(tools: &Value) -> Vec<Tool> {
    let mut found = Vec::new();
    for tool in tools.as_array().into_iter().flatten() {
        match (tool["type"].as_str(), tool["name"].as_str()) {
            (Some("namespace"), _) => found.extend(self::tools(&tool["tools"])),
            (Some("function" | "custom"), Some(name)) => {
                found.push(Tool { name: name.to_owned(), schema: tool["parameters"].clone() });
            }
            _ => {}
        }
    }
    found
}

fn choice(choice: &Value) -> Choice {
    let named = |value: &Value| value["name"].as_str().map(str::to_owned);
    match choice {
        Value::String(word) if word == "none" => Choice::Never,
        Value::String(word) if word == "required" => Choice::Must(Vec::new()),
        Value::Object(_) if choice["type"] == "allowed_tools" => {
            let names =
                choice["tools"].as_array().into_iter().flatten().filter_map(named).collect();
            if choice["mode"] == "required" { Choice::Must(names) } else { Choice::Auto }
        }
        Value::Object(_) => named(choice).map_or(Choice::Auto, |name| Choice::Must(vec![name])),
        _ => Choice::Auto,
    }
}

fn is_result(item: &Value) -> bool {
    item["type"].as_str().is_some_and(|t| t.ends_with("_call_output"))
}

/// The last user turn and the tool results that end the conversation.
fn last_turn(asked: &mut Asked, turns: &[&Value]) {
    let ending = turns.iter().rev().take_while(|i| is_result(i));
    let mut results: Vec<ToolResult> = ending
        .map(|i| ToolResult {
            name: called(turns, &i["call_id"]),
            text: text(&i["output"]),
            failed: false,
        })
        .collect();
    results.reverse();
    asked.results = results;
    if let Some(user) = turns.iter().rfind(|i| i["role"] == "user") {
        asked.last_user = text(&user["content"]);
        asked.media = parts(&user["content"]).filter_map(media).collect();
    }
}

fn called(turns: &[&Value], id: &Value) -> String {
    let call = turns.iter().find(|i| i["name"].is_string() && i["call_id"] == *id);
    call.and_then(|c| c["name"].as_str()).unwrap_or("unknown").to_owned()
}

fn parts(content: &Value) -> impl Iterator<Item = &Value> {
    content.as_array().into_iter().flatten()
}

fn text(content: &Value) -> String {
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
    let data_type = |url: &Value| {
        Some(url.as_str()?.strip_prefix("data:")?.split([';', ',']).next()?.to_owned())
    };
    match part["type"].as_str()? {
        "input_image" => {
            Some(data_type(&part["image_url"]).unwrap_or_else(|| "image by URL".to_owned()))
        }
        "input_file" => {
            Some(data_type(&part["file_data"]).unwrap_or_else(|| "file by id".to_owned()))
        }
        _ => None,
    }
}

fn item_tokens(item: &Value) -> u64 {
    let media = parts(&item["content"]).chain(parts(&item["output"])).filter_map(media);
    let called = tokens::count_json(&item["arguments"]) + tokens::count_json(&item["input"]);
    let said = tokens::count(&text(&item["content"])) + tokens::count(&text(&item["output"]));
    TURN + said + called + media.count() as u64 * MEDIA
}
