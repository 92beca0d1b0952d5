//! Reads a valid generateContent request, in the tables' spelling, into what it asks for.

use crate::asked::{Asked, Choice, Output, Tool, ToolResult};
use crate::tokens::{self, MEDIA, TURN};
use serde_json::Value;

/// What the request asks for.
pub(super) fn asked(body: &Value, bytes: &[u8], model: &str) -> Asked {
    let mut asked = Asked::new(model, bytes);
    let config = &body["generationConfig"];
    asked.choices = config["candidateCount"].as_u64().unwrap_or(1);
    asked.cap = config["maxOutputTokens"].as_u64();
    asked.stops = strings(&config["stopSequences"]);
    let thinking = &config["thinkingConfig"];
    asked.thinking = !thinking.is_null() && thinking["thinkingBudget"] != 0;
    asked.output = output(config);
    asked.tools = tools(body);
    asked.choice = choice(&body["toolConfig"]["functionCallingConfig"]);
    let contents = body["contents"].as_array().map(Vec::as_slice).unwrap_or_default();
    last_turn(&mut asked, contents);
    let fixed: u64 =
        asked.tools.iter().map(|t| tokens::count(&t.name) + tokens::count_json(&t.schema)).sum();
    let system: u64 = parts(&body["systemInstruction"]).iter().map(part_tokens).sum();
    asked.push_prefix(
        format!("{}{}", body["tools"], body["systemInstruction"]).as_bytes(),
        fixed + system,
        None,
    );
    for content in contents {
        let counted: u64 = parts(content).iter().map(part_tokens).sum();
        asked.push_prefix(content.to_string().as_bytes(), TURN + counted, None);
    }
    asked.input_tokens = asked.prefixes.last().map_or(0, |p| p.tokens);
    asked
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn parts(content: &Value) -> &[Value] {
    content["parts"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn output(config: &Value) -> Output {
    let schema = ["responseSchema", "responseJsonSchema", "_responseJsonSchema"]
        .iter()
        .map(|s| &config[*s])
        .find(|s| !s.is_null());
    match (config["responseMimeType"].as_str(), schema) {
        (_, Some(schema)) => Output::Schema(schema.clone()),
        (Some("application/json"), None) => Output::Json,
        _ => Output::Text,
    }
}

fn tools(body: &Value) -> Vec<Tool> {
    let offered = body["tools"].as_array().into_iter().flatten();
    let functions =
        offered.flat_map(|t| t["functionDeclarations"].as_array().into_iter().flatten());
    functions
        .filter_map(|f| {
            let schema = if f["parameters"].is_null() {
                &f["parametersJsonSchema"]
            } else {
                &f["parameters"]
            };
            Some(Tool { name: f["name"].as_str()?.to_owned(), schema: schema.clone() })
        })
        .collect()
}

fn choice(config: &Value) -> Choice {
    match config["mode"].as_str().map(str::to_ascii_uppercase).as_deref() {
        Some("NONE") => Choice::Never,
        Some("ANY") => Choice::Must(strings(&config["allowedFunctionNames"])),
        _ => Choice::Auto,
    }
}

fn last_turn(asked: &mut Asked, contents: &[Value]) {
    let Some(last) = contents.last() else { return };
    asked.results = parts(last)
        .iter()
        .filter(|p| !p["functionResponse"].is_null())
        .map(|p| {
            let response = &p["functionResponse"];
            let inner =
                ["result", "output", "error"].iter().find_map(|k| response["response"].get(*k));
            let told = inner.unwrap_or(&response["response"]);
            ToolResult {
                name: response["name"].as_str().unwrap_or("unknown").to_owned(),
                text: told.as_str().map_or_else(|| told.to_string(), str::to_owned),
                failed: response["response"].get("error").is_some(),
            }
        })
        .collect();
    let user = |c: &&Value| c["role"] != "model" && !text(c).is_empty();
    if let Some(user) = contents.iter().rev().find(user) {
        asked.last_user = text(user);
    }
    if let Some(user) = contents.iter().rfind(|c| c["role"] != "model") {
        let nested = parts(user).iter().flat_map(|p| parts(&p["functionResponse"]));
        asked.media = parts(user).iter().chain(nested).filter_map(media).collect();
    }
}

fn text(content: &Value) -> String {
    let texts: Vec<&str> = parts(content)
        .iter()
        .filter(|p| p["thought"] != true)
        .filter_map(|p| p["text"].as_str())
        .collect();
    texts.join("\n")
}

fn media(part: &Value) -> Option<String> {
    let found = ["inlineData", "fileData"].iter().map(|k| &part[*k]).find(|v| !v.is_null())?;
    Some(found["mimeType"].as_str().unwrap_or("file by URI").to_owned())
}

fn part_tokens(part: &Value) -> u64 {
    let nested: u64 = parts(&part["functionResponse"]).iter().map(part_tokens).sum();
    let own = if media(part).is_some() { MEDIA } else { 0 };
    let told = ["text", "functionCall", "executableCode", "codeExecutionResult"]
        .iter()
        .map(|k| tokens::count_json(&part[*k]))
        .sum::<u64>();
    own + nested + told + tokens::count_json(&part["functionResponse"]["response"])
}
