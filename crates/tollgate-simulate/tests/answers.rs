//! What the simulated provider answers: whole or streamed it says the same, in each vendor's own frames.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that breaks should say so at once")]

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_simulate::{Request, Script, Simulator, Step};

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const GENERATE: &str = "/v1beta/models/m:generateContent";
const STREAM: &str = "/v1beta/models/m:streamGenerateContent";

fn ask(simulator: &Simulator, path: &str, query: &str, body: &Value) -> Script {
    let headers = [("authorization", "Bearer k"), ("anthropic-version", "2023-06-01")];
    simulator.answer(&Request {
        method: "POST".into(),
        path: path.into(),
        query: query.into(),
        headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(),
        body: Bytes::from(body.to_string()),
    })
}

fn whole(path: &str, body: &Value) -> Value {
    let script = ask(&Simulator::new(), path, "", body);
    let told = serde_json::from_slice(&script.sent()).unwrap();
    assert_eq!(script.status, 200, "{told}");
    told
}

/// The `data:` of every event; the terminator's is a string.
fn events(path: &str, query: &str, body: &Value) -> Vec<Value> {
    let script = ask(&Simulator::new(), path, query, body);
    assert_eq!(script.status, 200);
    let text = String::from_utf8(script.sent()).unwrap();
    let data = text.lines().filter_map(|l| l.strip_prefix("data: "));
    data.map(|d| serde_json::from_str(d).unwrap_or_else(|_| json!(d))).collect()
}

fn openai(user: &str) -> Value {
    json!({
        "model": "m",
        "messages": [{"role": "user", "content": user}],
        "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}],
    })
}

fn anthropic(user: &str) -> Value {
    json!({
        "model": "m",
        "max_tokens": 5000,
        "messages": [{"role": "user", "content": user}],
        "tools": [{"name": "get_weather", "input_schema": {
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}],
    })
}

fn gemini(user: &str) -> Value {
    json!({
        "contents": [{"role": "user", "parts": [{"text": user}]}],
        "tools": [{"functionDeclarations": [{"name": "get_weather", "parameters": {
            "type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}}]}],
    })
}

#[test]
fn openai_streams_what_it_says_whole() {
    for user in
        ["Hello, world.", "call get_weather", "call get_weather and get_weather", "please refuse"]
    {
        let mut body = openai(user);
        let told = whole(CHAT, &body);
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
        let events = events(CHAT, "", &body);
        let message = &told["choices"][0]["message"];
        let (mut text, mut refusal, mut arguments) =
            (String::new(), String::new(), vec![String::new(); 2]);
        for delta in events.iter().map(|e| &e["choices"][0]["delta"]) {
            text += delta["content"].as_str().unwrap_or("");
            refusal += delta["refusal"].as_str().unwrap_or("");
            if let Some(call) = delta["tool_calls"].get(0) {
                let at = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
                arguments[at] += call["function"]["arguments"].as_str().unwrap();
            }
        }
        assert_eq!(text, message["content"].as_str().unwrap_or(""));
        assert_eq!(refusal, message["refusal"].as_str().unwrap_or(""));
        for (at, call) in message["tool_calls"].as_array().into_iter().flatten().enumerate() {
            assert_eq!(arguments[at], call["function"]["arguments"].as_str().unwrap());
        }
        let count = events.len();
        assert_eq!(events[count - 1], json!("[DONE]"));
        assert_eq!(events[count - 2]["choices"], json!([]));
        assert_eq!(events[count - 2]["usage"], told["usage"]);
        assert_eq!(
            events[count - 3]["choices"][0]["finish_reason"],
            told["choices"][0]["finish_reason"]
        );
        assert_eq!(events[0]["usage"], Value::Null);
        let usage = &told["usage"];
        let sum =
            usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
        assert_eq!(usage["total_tokens"], sum);
    }
}

#[test]
fn openai_gives_choices_logprobs_schemas_and_reasoning() {
    let mut body = openai("Hi there");
    body["n"] = json!(3);
    body["logprobs"] = json!(true);
    body["top_logprobs"] = json!(2);
    let told = whole(CHAT, &body);
    assert_eq!(told["choices"].as_array().unwrap().len(), 3);
    let entries = told["choices"][2]["logprobs"]["content"].as_array().unwrap();
    let joined: String = entries.iter().map(|e| e["token"].as_str().unwrap()).collect();
    assert_eq!(joined, told["choices"][2]["message"]["content"].as_str().unwrap());
    assert_eq!(entries[0]["top_logprobs"].as_array().unwrap().len(), 2);
    let mut body = openai("Hi there");
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false});
    body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": true}});
    body["reasoning_effort"] = json!("low");
    let told = whole(CHAT, &body);
    assert_eq!(told["choices"][0]["message"]["content"], "{\"a\":1}");
    assert!(told["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap() > 3);
}

#[test]
fn anthropic_streams_what_it_says_whole() {
    for (user, thinking) in [
        ("Hello, world.", false),
        ("call get_weather", true),
        ("Hm", true),
        ("please refuse", false),
    ] {
        let mut body = anthropic(user);
        if thinking {
            body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
        }
        let told = whole(MESSAGES, &body);
        body["stream"] = json!(true);
        let script = ask(&Simulator::new(), MESSAGES, "", &body);
        let text = String::from_utf8(script.sent()).unwrap();
        let names: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("event: ")).collect();
        let events = events(MESSAGES, "", &body);
        assert_eq!(names, events.iter().map(|e| e["type"].as_str().unwrap()).collect::<Vec<_>>());
        assert_eq!(names[0], "message_start");
        assert_eq!(*names.last().unwrap(), "message_stop");
        assert!(told["content"].as_array().unwrap().is_empty() || names.contains(&"ping"));
        let mut blocks: Vec<Value> = Vec::new();
        let mut json_text = String::new();
        for event in &events {
            let delta = &event["delta"];
            match event["type"].as_str().unwrap() {
                "content_block_start" => blocks.push(event["content_block"].clone()),
                "content_block_delta" => {
                    let block = blocks.last_mut().unwrap();
                    for (kind, member) in
                        [("text", "text"), ("thinking", "thinking"), ("signature", "signature")]
                    {
                        if let Some(piece) = delta[kind].as_str() {
                            block[member] =
                                json!(format!("{}{piece}", block[member].as_str().unwrap()));
                        }
                    }
                    json_text += delta["partial_json"].as_str().unwrap_or("");
                }
                "content_block_stop" if !json_text.is_empty() => {
                    blocks.last_mut().unwrap()["input"] = serde_json::from_str(&json_text).unwrap();
                    json_text.clear();
                }
                "message_delta" => {
                    assert_eq!(delta["stop_reason"], told["stop_reason"]);
                    assert_eq!(event["usage"]["output_tokens"], told["usage"]["output_tokens"]);
                }
                _ => {}
            }
        }
        // Ids depend on the bytes of the request, which differ by `stream`.
        let plain = |blocks: &[Value]| -> Vec<Value> {
            let mut blocks = blocks.to_vec();
            blocks.iter_mut().for_each(|b| drop(b.as_object_mut().unwrap().remove("id")));
            blocks
                .iter_mut()
                .filter(|b| b["type"] == "thinking")
                .for_each(|b| *b = json!("thought"));
            blocks
        };
        assert_eq!(plain(&blocks), plain(told["content"].as_array().unwrap()));
    }
}

#[test]
fn anthropic_takes_back_its_own_thinking_and_nothing_forged() {
    let mut body = anthropic("call get_weather");
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
    let told = whole(MESSAGES, &body);
    let id = &told["content"][1]["id"];
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": told["content"]}));
    messages.push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "sunny"}]}));
    let answer = whole(MESSAGES, &body);
    assert_eq!(answer["content"][1]["text"], "The tool get_weather returned: sunny");
    body["messages"][1]["content"][0]["thinking"] = json!("changed");
    assert_eq!(ask(&Simulator::new(), MESSAGES, "", &body).status, 400);
}

#[test]
fn anthropic_counts_cached_tokens_and_tells_the_count() {
    let simulator = Simulator::new();
    let mut body = anthropic("Hi");
    body["system"] = json!([{"type": "text", "text": "Be brief, please.", "cache_control": {"type": "ephemeral"}}]);
    let usage = |body: &Value| -> Value {
        let script = ask(&simulator, MESSAGES, "", body);
        serde_json::from_slice::<Value>(&script.sent()).unwrap()["usage"].clone()
    };
    let (first, second) = (usage(&body), usage(&body));
    assert!(first["cache_creation_input_tokens"].as_u64().unwrap() > 0);
    assert_eq!(second["cache_read_input_tokens"], first["cache_creation_input_tokens"]);
    assert_eq!(second["cache_creation_input_tokens"], 0);
    body.as_object_mut().unwrap().remove("max_tokens");
    let counted = whole("/v1/messages/count_tokens", &body);
    let sum = second["input_tokens"].as_u64().unwrap()
        + second["cache_read_input_tokens"].as_u64().unwrap();
    assert_eq!(counted["input_tokens"], sum);
}

#[test]
fn gemini_streams_what_it_says_whole() {
    for user in ["Hello, world.", "call get_weather", "please refuse", "please filter this"] {
        let mut body = gemini(user);
        body["generationConfig"] = json!({"thinkingConfig": {"includeThoughts": true}});
        let told = whole(GENERATE, &body);
        let events = events(STREAM, "alt=sse", &body);
        let array = ask(&Simulator::new(), STREAM, "", &body);
        let array: Vec<Value> = serde_json::from_slice(&array.sent()).unwrap();
        assert_eq!(array, events);
        let parts = |one: &Value| {
            one["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default()
        };
        let text = |parts: &[Value], thought: bool| -> String {
            let own = parts.iter().filter(|p| (p["thought"] == true) == thought);
            own.filter_map(|p| p["text"].as_str()).collect()
        };
        let streamed: Vec<Value> = events.iter().flat_map(parts).collect();
        for thought in [true, false] {
            assert_eq!(text(&streamed, thought), text(&parts(&told), thought));
        }
        let calls = |parts: &[Value]| {
            parts.iter().filter(|p| !p["functionCall"].is_null()).cloned().collect::<Vec<_>>()
        };
        assert_eq!(calls(&streamed), calls(&parts(&told)));
        let last = events.last().unwrap();
        assert_eq!(last["usageMetadata"], told["usageMetadata"]);
        assert_eq!(last["candidates"][0]["finishReason"], told["candidates"][0]["finishReason"]);
        assert_eq!(last["promptFeedback"], told["promptFeedback"]);
    }
}

#[test]
fn embeddings_have_length_one_and_two_encodings() {
    use base64::Engine as _;
    let body = json!({"model": "e", "input": ["one", "two"], "dimensions": 8});
    let told = whole("/v1/embeddings", &body);
    let vector = |at: usize| -> Vec<f64> {
        let values = told["data"][at]["embedding"].as_array().unwrap();
        values.iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let length: f64 = vector(0).iter().map(|x| x * x).sum();
    assert!((length - 1.0).abs() < 1e-5);
    assert_ne!(vector(0), vector(1));
    let body = json!({"model": "e", "input": "one", "dimensions": 8, "encoding_format": "base64"});
    let packed = whole("/v1/embeddings", &body);
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(packed["data"][0]["embedding"].as_str().unwrap())
        .unwrap();
    let first = f64::from(f32::from_le_bytes(bytes[..4].try_into().unwrap()));
    assert!((first - vector(0)[0]).abs() < 1e-6);
    let body = json!({"requests": [{"model": "models/e", "content": {"parts": [{"text": "one"}]}, "outputDimensionality": 8}]});
    let told = whole("/v1beta/models/e:batchEmbedContents", &body);
    assert_eq!(told["embeddings"][0]["values"].as_array().unwrap().len(), 8);
}

#[test]
fn every_fault_spoils_every_dialect() {
    for fault in tollgate_simulate::faults::names() {
        for stream in [false, true] {
            let mut chat = openai("say 9 words");
            chat["model"] = json!(fault);
            chat["stream"] = json!(stream);
            let mut message = anthropic("say 9 words");
            message["model"] = json!(fault);
            message["stream"] = json!(stream);
            let generate = gemini("say 9 words");
            let method = if stream { "streamGenerateContent" } else { "generateContent" };
            let path = format!("/v1beta/models/{fault}:{method}");
            for (path, query, body) in
                [(CHAT, "", &chat), (MESSAGES, "", &message), (&path, "alt=sse", &generate)]
            {
                spoiled(&fault, &ask(&Simulator::new(), path, query, body), stream, path);
            }
        }
    }
}

fn spoiled(fault: &str, script: &Script, stream: bool, path: &str) {
    let sent = script.sent();
    let last = script.before.last().or(script.steps.last()).unwrap();
    let json: Option<Value> = serde_json::from_slice(&sent).ok();
    match fault.strip_prefix("fault-").unwrap() {
        "529" if path.contains("gemini") || path.contains("v1beta") => {
            assert_eq!(script.status, 503)
        }
        status if status.len() == 3 && status.parse::<u16>().is_ok() => {
            assert_eq!(script.status.to_string(), status);
            assert!(json.unwrap()["error"]["message"].is_string());
        }
        "429-no-retry-after" | "429-quota" => {
            assert_eq!(script.status, 429);
            assert!(!script.headers.iter().any(|(n, _)| n == "retry-after"));
        }
        "silence" | "silence-stream" | "stall" => assert_eq!(*last, Step::Hang),
        "reset" | "reset-early" => assert_eq!(*last, Step::Reset),
        "cut" => assert_eq!(*last, Step::Cut),
        "slow-head" => assert!(matches!(last, Step::Pause(_))),
        "redirect" => assert_eq!(script.status, 302),
        "html" => assert_eq!(script.status, 502),
        "html-200" | "empty" | "garbage" => assert!(json.is_none() && script.status == 200),
        "error-in-200" => assert!(json.unwrap()["error"].is_object()),
        "wrong-json" => assert!(String::from_utf8_lossy(&sent).contains("hello")),
        "huge-line" => assert!(sent.len() > 16 << 20),
        "drip" => assert!(script.steps.len() >= sent.len()),
        "garbage-chunk" => assert!(json.is_none()),
        "error-in-stream" => {
            assert!(!stream || String::from_utf8_lossy(&sent).contains("\"error\""))
        }
        "clean-end" | "no-terminator" => {
            assert_eq!(*last, Step::Close);
            assert!(json.is_none());
        }
        other => panic!("no expectation for {other}"),
    }
}

#[test]
fn a_fault_may_be_only_at_first_and_the_memory_tells_it() {
    let simulator = Simulator::new();
    let mut body = openai("Hi");
    body["model"] = json!("fault-503-first-2");
    let got: Vec<u16> = (0..4).map(|_| ask(&simulator, CHAT, "", &body).status).collect();
    assert_eq!(got, [503, 503, 200, 200]);
    let memory = Request {
        method: "GET".into(),
        path: "/_simulate/requests".into(),
        query: "last=2&model=fault-503-first-2".into(),
        headers: Vec::new(),
        body: Bytes::new(),
    };
    let told: Value = serde_json::from_slice(&simulator.answer(&memory).sent()).unwrap();
    let calls = told["requests"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0]["operation"], "openai-chat");
    assert_eq!(calls[0]["body"]["model"], "fault-503-first-2");
    assert!(calls[0]["input_tokens"].as_u64().unwrap() > 0);
}

#[test]
fn a_test_may_lay_the_next_answer_ready() {
    let simulator = Simulator::new();
    let lay = |body: &str| {
        simulator.answer(&Request {
            method: "POST".into(),
            path: "/_simulate/next".into(),
            query: String::new(),
            headers: Vec::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    };
    assert_eq!(lay(r#"{"model":"m","status":418,"body":{"tea":true}}"#).status, 204);
    assert_eq!(lay(r#"{"tea":1}"#).status, 400);
    let script = ask(&simulator, CHAT, "", &openai("Hi"));
    assert_eq!((script.status, script.sent()), (418, br#"{"tea":true}"#.to_vec()));
    assert!(script.received.is_some());
    assert_eq!(ask(&simulator, CHAT, "", &openai("Hi")).status, 200);
}
