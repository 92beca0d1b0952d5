//! What each vendor refuses, and in which words: one sound request per dialect, changed at one place.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that breaks should say so at once")]

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_simulate::{Request, Simulator};

fn post(path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let request = Request {
        method: "POST".into(),
        path: path.into(),
        query: String::new(),
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
    };
    let script = Simulator::new().answer(&request);
    (script.status, serde_json::from_slice(&script.sent()).unwrap_or_default())
}

const OPENAI: &[(&str, &str)] = &[("authorization", "Bearer k")];
const ANTHROPIC: &[(&str, &str)] = &[("x-api-key", "k"), ("anthropic-version", "2023-06-01")];
const GEMINI: &[(&str, &str)] = &[("x-goog-api-key", "k")];

/// Sets `pointer` of the sound request to `value` (removes it for `null`), and sends it.
fn changed(sound: &Value, pointer: &str, value: Value) -> String {
    let mut body = sound.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(map), Value::Null) => drop(map.remove(name)),
        (Value::Object(map), value) => drop(map.insert(name.to_owned(), value)),
        (Value::Array(list), value) => list[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer} leads nowhere"),
    }
    body.to_string()
}

fn openai_sound() -> Value {
    json!({
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "2"},
        ],
        "tools": [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}],
        "tool_choice": "auto",
        "temperature": 1,
    })
}

#[test]
fn openai_refuses_in_its_own_words() {
    let sound = openai_sound();
    assert_eq!(post("/v1/chat/completions", OPENAI, &sound.to_string()).0, 200);
    let call =
        json!({"id": "c2", "type": "function", "function": {"name": "add", "arguments": "{}"}});
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        ("/model", Value::Null, "", "you must provide a model parameter"),
        (
            "/messages",
            Value::Null,
            "missing_required_parameter",
            "Missing required parameter: 'messages'.",
        ),
        (
            "/messages",
            json!("hi"),
            "invalid_type",
            "Invalid type for 'messages': expected an array, but got a string instead.",
        ),
        (
            "/messages/1/role",
            json!("person"),
            "invalid_value",
            "Invalid value: 'person'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
        ),
        (
            "/messages/1/content",
            Value::Null,
            "missing_required_parameter",
            "Missing required parameter: 'messages[1].content'.",
        ),
        (
            "/messages/1/content",
            json!(7),
            "invalid_type",
            "Invalid type for 'messages[1].content': expected one of a string or array of objects, but got an integer instead.",
        ),
        (
            "/messages/1/content/0/type",
            json!("picture"),
            "invalid_value",
            "Invalid value: 'picture'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and 'file'.",
        ),
        (
            "/messages/1/thoughts",
            json!(1),
            "unknown_parameter",
            "Unknown parameter: 'messages[1].thoughts'.",
        ),
        (
            "/messages/2/reasoning_content",
            json!("hm"),
            "unknown_parameter",
            "Unknown parameter: 'messages[2].reasoning_content'.",
        ),
        (
            "/messages/3/tool_call_id",
            json!("c9"),
            "",
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
        ),
        (
            "/messages/3",
            json!({"role": "user", "content": "x"}),
            "",
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: c1",
        ),
        (
            "/messages/2/tool_calls/0",
            call,
            "",
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
        ),
        ("/top_k", json!(3), "", "Unrecognized request argument supplied: top_k"),
        (
            "/temperature",
            json!("hot"),
            "invalid_type",
            "Invalid type for 'temperature': expected a decimal, but got a string instead.",
        ),
        (
            "/temperature",
            json!(-1),
            "decimal_below_min_value",
            "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
        ),
        (
            "/max_tokens",
            json!(0),
            "integer_below_min_value",
            "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.",
        ),
        (
            "/tools",
            Value::Null,
            "",
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        ),
        (
            "/tools/0/function/name",
            json!("add it"),
            "invalid_value",
            "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
        ),
        (
            "/tools/0/function/parameters",
            json!({"type": "string"}),
            "invalid_function_parameters",
            "Invalid schema for function 'add': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"string\"'.",
        ),
        (
            "/tools/0/function/strict",
            json!(true),
            "invalid_function_parameters",
            "Invalid schema for function 'add': In context=(), 'additionalProperties' is required to be supplied and to be false.",
        ),
        (
            "/tool_choice",
            json!("any"),
            "invalid_value",
            "Invalid value: 'any'. Supported values are: 'none', 'auto', and 'required'.",
        ),
        (
            "/response_format",
            json!({"type": "json_object"}),
            "",
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        ),
        (
            "/stream_options",
            json!({"include_usage": true}),
            "",
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        ),
        (
            "/messages/1/content/0",
            json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,@@"}}),
            "invalid_base64",
            "Invalid base64 image_url.",
        ),
    ];
    for (pointer, value, code, message) in cases {
        let body = changed(&sound, pointer, value);
        let (status, told) = post("/v1/chat/completions", OPENAI, &body);
        let error = &told["error"];
        let got = (
            status,
            error["type"].as_str(),
            error["code"].as_str().unwrap_or(""),
            error["message"].as_str(),
        );
        assert_eq!(got, (400, Some("invalid_request_error"), code, Some(message)), "{body}");
    }
    let (status, told) = post("/v1/chat/completions", &[], &sound.to_string());
    assert_eq!((status, told["error"]["type"].as_str()), (401, Some("invalid_request_error")));
    assert_eq!(post("/v1/chat/completions", OPENAI, "{").0, 400);
    assert_eq!(post("/v1/nothing", OPENAI, "{}").0, 404);
}

fn anthropic_sound() -> Value {
    json!({
        "model": "m",
        "max_tokens": 2000,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "add", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "2"}]},
        ],
        "tools": [{"name": "add", "input_schema": {"type": "object"}}],
    })
}

#[test]
fn anthropic_refuses_in_its_own_words() {
    let sound = anthropic_sound();
    assert_eq!(post("/v1/messages", ANTHROPIC, &sound.to_string()).0, 200);
    let call = json!({"type": "tool_use", "id": "t1", "name": "add", "input": {}});
    let thinking = json!([{"type": "thinking", "thinking": "hm", "signature": "forged"}, call]);
    let cases: Vec<(&str, Value, &str)> = vec![
        ("/max_tokens", Value::Null, "max_tokens: Field required"),
        ("/max_tokens", json!("many"), "max_tokens: Input should be a valid integer"),
        ("/max_tokens", json!(0), "max_tokens: must be greater than or equal to 1"),
        ("/messages", json!([]), "messages: at least one message is required"),
        (
            "/messages/0/role",
            json!("tool"),
            "messages.0.role: Input should be 'user', 'assistant' or 'system'",
        ),
        (
            "/messages/0/role",
            json!("system"),
            "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role.",
        ),
        (
            "/messages/0/content",
            json!(""),
            "messages.0: all messages must have non-empty content except for the optional final assistant message",
        ),
        (
            "/messages/0/content/0/text",
            json!(""),
            "messages: text content blocks must be non-empty",
        ),
        (
            "/messages/0/content/0/text",
            json!(" \n"),
            "messages: text content blocks must contain non-whitespace text",
        ),
        ("/messages/0/name", json!("me"), "messages.0.name: Extra inputs are not permitted"),
        (
            "/messages/0/content/0/logprobs",
            json!(1),
            "messages.0.content.0.text.logprobs: Extra inputs are not permitted",
        ),
        (
            "/messages/0/content/0",
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": "AAAA"}}),
            "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
        ),
        (
            "/messages/0/content/0",
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "@@"}}),
            "messages.0.content.0.image.source.base64.data: Invalid base64 data",
        ),
        (
            "/messages/0/content/0",
            json!({"type": "tool_use", "id": "t", "name": "add", "input": {}}),
            "messages.0.content.0: `tool_use` blocks can only be in `assistant` messages",
        ),
        (
            "/messages/2/content/0/tool_use_id",
            json!("t9"),
            "messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t9. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
        ),
        (
            "/messages/2/content",
            json!("never mind"),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        ),
        (
            "/messages/1/content",
            thinking,
            "messages.1.content.0: Invalid `signature` in `thinking` block",
        ),
        ("/n", json!(2), "n: Extra inputs are not permitted"),
        ("/temperature", json!(1.5), "temperature: range: 0..1"),
        (
            "/tools/0/name",
            json!("add it"),
            "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
        ),
        ("/tools/0/input_schema", Value::Null, "tools.0.custom.input_schema: Field required"),
        ("/tools/0/function", json!({}), "tools.0.custom.function: Extra inputs are not permitted"),
        ("/tool_choice", json!("auto"), "tool_choice: Input should be a valid dictionary"),
        (
            "/tool_choice",
            json!({"type": "tool", "name": "sub"}),
            "tool_choice: Tool 'sub' not found in provided tools",
        ),
        (
            "/thinking",
            json!({"type": "enabled", "budget_tokens": 100}),
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        ("/stop_sequences", json!("END"), "stop_sequences: Input should be a valid list"),
    ];
    for (pointer, value, message) in cases {
        let body = changed(&sound, pointer, value);
        let (status, told) = post("/v1/messages", ANTHROPIC, &body);
        let error = &told["error"];
        assert_eq!(
            (status, error["type"].as_str(), error["message"].as_str()),
            (400, Some("invalid_request_error"), Some(message)),
            "{body}"
        );
        assert!(told["request_id"].is_string());
    }
    let (status, told) = post("/v1/messages", &ANTHROPIC[..1], &sound.to_string());
    assert_eq!(
        (status, told["error"]["message"].as_str()),
        (400, Some("anthropic-version: header is required"))
    );
    let (status, told) = post("/v1/messages", &ANTHROPIC[1..], &sound.to_string());
    assert_eq!((status, told["error"]["type"].as_str()), (401, Some("authentication_error")));
    let (status, told) = post("/v1/messages/count_tokens", ANTHROPIC, &sound.to_string());
    assert_eq!(
        (status, told["error"]["message"].as_str()),
        (400, Some("max_tokens: Extra inputs are not permitted"))
    );
}

fn gemini_sound() -> Value {
    json!({
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "add", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "add", "response": {"result": 2}}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "add", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "NUMBER"}}}}]}],
        "generationConfig": {"temperature": 1},
    })
}

#[test]
fn gemini_refuses_in_its_own_words() {
    let at = "/v1beta/models/m:generateContent";
    let sound = gemini_sound();
    assert_eq!(post(at, GEMINI, &sound.to_string()).0, 200);
    let cases: Vec<(&str, Value, &str)> = vec![
        ("/contents", json!([]), "* GenerateContentRequest.contents: contents is not specified\n"),
        (
            "/messages",
            json!([]),
            "Invalid JSON payload received. Unknown name \"messages\": Cannot find field.",
        ),
        (
            "/contents/0/content",
            json!("x"),
            "Invalid JSON payload received. Unknown name \"content\" at 'contents[0]': Cannot find field.",
        ),
        ("/contents/0/role", json!("assistant"), "Please use a valid role: user, model."),
        (
            "/contents/0/parts",
            json!([]),
            "* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n",
        ),
        (
            "/contents/0/parts/0",
            json!({}),
            "* GenerateContentRequest.contents[0].parts[0].data: required oneof field 'data' must have one initialized field\n",
        ),
        (
            "/contents/0/parts/0/text",
            json!(5),
            "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 5",
        ),
        (
            "/contents/0/parts/0",
            json!({"inlineData": {"mimeType": "image/png", "data": "@@"}}),
            "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed for \"@@\"",
        ),
        (
            "/contents/0/parts/0",
            json!({"inlineData": {"mimeType": "application/zip", "data": "AAAA"}}),
            "Unsupported MIME type: application/zip",
        ),
        (
            "/contents/1/parts/0",
            json!({"text": "no call"}),
            "Please ensure that function response turn comes immediately after a function call turn.",
        ),
        (
            "/contents/2/parts/0",
            json!({"text": "no response"}),
            "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
        ),
        ("/contents/1/parts/0/thoughtSignature", json!("gAAAAABm"), "Corrupted thought signature."),
        (
            "/generationConfig/temperature",
            json!("hot"),
            "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"hot\"",
        ),
        (
            "/generationConfig/temperature",
            json!(3),
            "* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].\n",
        ),
        (
            "/generationConfig/max_tokens",
            json!(3),
            "Invalid JSON payload received. Unknown name \"max_tokens\" at 'generation_config': Cannot find field.",
        ),
        (
            "/generationConfig/thinkingConfig",
            json!({"thinkingBudget": 99999}),
            "The thinking budget 99999 is invalid. Please choose a value between 0 and 24576.",
        ),
        (
            "/generationConfig/responseSchema",
            json!({"type": "STRING"}),
            "* GenerateContentRequest.generation_config.response_schema: only allowed for response_mime_type `application/json` or `text/x.enum`.\n",
        ),
        (
            "/tools/0/functionDeclarations/0/parameters/additionalProperties",
            json!(false),
            "Invalid JSON payload received. Unknown name \"additionalProperties\" at 'tools[0].function_declarations[0].parameters': Cannot find field.",
        ),
        (
            "/tools/0/functionDeclarations/0/parameters/required",
            json!(["b"]),
            "* GenerateContentRequest.tools[0].function_declarations[0].parameters.required[0]: property is not defined\n",
        ),
        (
            "/toolConfig",
            json!({"functionCallingConfig": {"mode": "SOMETIMES"}}),
            "Invalid value at 'tool_config.function_calling_config.mode' (TYPE_ENUM), \"SOMETIMES\"",
        ),
    ];
    for (pointer, value, message) in cases {
        let body = changed(&sound, pointer, value);
        let (status, told) = post(at, GEMINI, &body);
        let error = &told["error"];
        assert_eq!(
            (status, error["status"].as_str(), error["message"].as_str()),
            (400, Some("INVALID_ARGUMENT"), Some(message)),
            "{body}"
        );
        assert_eq!(error["code"], 400);
    }
    let (status, told) = post(at, &[], &sound.to_string());
    assert_eq!((status, told["error"]["status"].as_str()), (403, Some("PERMISSION_DENIED")));
    let (_, told) = post("/v1beta/models/gemini-3-pro:generateContent", GEMINI, &sound.to_string());
    assert!(
        told["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Function call is missing a thought_signature")
    );
}

#[test]
fn gemini_reads_both_spellings_nulls_and_single_items() {
    let body = json!({
        "contents": {"parts": {"text": "Hi"}},
        "system_instruction": {"parts": {"text": "Be brief."}},
        "generation_config": {"max_output_tokens": "5", "thinking_config": null, "stop_sequences": "x"},
        "safetySettings": null,
    });
    let (status, told) = post("/v1beta/models/m:generateContent", GEMINI, &body.to_string());
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["candidates"][0]["content"]["parts"][0]["text"], "You said: Hi");
}
