//! The newer of OpenAI's dialects: whole or streamed it says the same, numbered and in order; what is
//! stored comes back; what the vendor would refuse is refused.
#![expect(clippy::unwrap_used, reason = "a test that breaks should say so at once")]

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_simulate::{Request, Script, Simulator};

const AT: &str = "/v1/responses";

fn ask(simulator: &Simulator, method: &str, path: &str, body: &Value) -> Script {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    simulator.answer(&Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: vec![("authorization".into(), "Bearer k".into())],
        body: if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) },
    })
}

fn told(simulator: &Simulator, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let script = ask(simulator, method, path, body);
    (script.status, serde_json::from_slice(&script.sent()).unwrap_or_default())
}

fn whole(body: &Value) -> Value {
    let (status, told) = told(&Simulator::new(), "POST", AT, body);
    assert_eq!(status, 200, "{told}");
    told
}

fn events(body: &Value) -> Vec<Value> {
    let mut body = body.clone();
    body["stream"] = json!(true);
    let script = ask(&Simulator::new(), "POST", AT, &body);
    assert_eq!(script.status, 200);
    let text = String::from_utf8(script.sent()).unwrap();
    let names: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("event: ")).collect();
    let data = text.lines().filter_map(|l| l.strip_prefix("data: "));
    let events: Vec<Value> = data.map(|d| serde_json::from_str(d).unwrap()).collect();
    for (at, (event, name)) in events.iter().zip(&names).enumerate() {
        assert_eq!(event["type"], **name);
        assert_eq!(event["sequence_number"], at);
    }
    assert_eq!(events.len(), names.len());
    events
}

fn sound(user: &str) -> Value {
    json!({
        "model": "m",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": user}]}],
        "tools": [
            {"type": "function", "name": "get_weather", "parameters": {
                "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}},
            {"type": "custom", "name": "run"},
        ],
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
    })
}

#[test]
fn a_stream_says_what_is_said_whole() {
    for user in ["Hello, world.", "call get_weather and run", "please refuse", "please filter"] {
        let mut last = whole(&sound(user));
        let events = events(&sound(user));
        let end = &events[events.len() - 1];
        let mut streamed = end["response"].clone();
        assert_eq!(end["type"], format!("response.{}", last["status"].as_str().unwrap()));
        // The two requests are not the same bytes, so neither ids nor thoughts are the same.
        for response in [&mut streamed, &mut last] {
            response["id"] = Value::Null;
            for item in response["output"].as_array_mut().unwrap() {
                for own in ["id", "call_id", "summary", "encrypted_content"] {
                    item[own] = Value::Null;
                }
            }
        }
        assert_eq!(streamed, last);
        for (at, item) in end["response"]["output"].as_array().unwrap().iter().enumerate() {
            let of = |kind: &str| {
                events.iter().filter(|e| e["output_index"] == at && e["type"] == kind).count()
            };
            assert_eq!((of("response.output_item.added"), of("response.output_item.done")), (1, 1));
            let deltas = events.iter().filter(|e| e["output_index"] == at);
            let joined: String = deltas.filter_map(|e| e["delta"].as_str()).collect();
            let said = match item["type"].as_str().unwrap() {
                "reasoning" => &item["summary"][0]["text"],
                "function_call" => &item["arguments"],
                "custom_tool_call" => &item["input"],
                _ if item["content"][0]["type"] == "refusal" => &item["content"][0]["refusal"],
                _ => &item["content"][0]["text"],
            };
            assert_eq!(joined, said.as_str().unwrap());
        }
    }
}

#[test]
fn what_is_stored_comes_back_and_leads_on() {
    let simulator = Simulator::new();
    let (_, first) = told(&simulator, "POST", AT, &sound("call get_weather"));
    let id = first["id"].as_str().unwrap();
    let path = format!("{AT}/{id}");
    assert_eq!(told(&simulator, "GET", &path, &Value::Null), (200, first.clone()));
    let call = first["output"].as_array().unwrap().iter().find(|i| i["type"] == "function_call");
    let result = json!([{"type": "function_call_output", "call_id": call.unwrap()["call_id"], "output": "sunny"}]);
    let next = json!({"model": "m", "input": result, "previous_response_id": id});
    let (status, second) = told(&simulator, "POST", AT, &next);
    assert_eq!(status, 200, "{second}");
    let said = second["output"][0]["content"][0]["text"].as_str().unwrap();
    assert_eq!(said, "The tool get_weather returned: sunny");
    let items = format!("{AT}/{}/input_items?order=asc", second["id"].as_str().unwrap());
    let (_, listed) = told(&simulator, "GET", &items, &Value::Null);
    let kinds: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|i| i["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message", "reasoning", "function_call", "function_call_output"]);
    assert_eq!(told(&simulator, "POST", &format!("{path}/cancel"), &Value::Null).0, 400);
    assert_eq!(told(&simulator, "DELETE", &path, &Value::Null).1["deleted"], true);
    assert_eq!(told(&simulator, "GET", &path, &Value::Null).0, 404);
    let (status, gone) = told(&simulator, "POST", AT, &next);
    assert_eq!((status, &gone["error"]["code"]), (400, &json!("previous_response_not_found")));
    let mut unkept = sound("hi");
    unkept["store"] = json!(false);
    let (_, unkept) = told(&simulator, "POST", AT, &unkept);
    let path = format!("{AT}/{}", unkept["id"].as_str().unwrap());
    assert_eq!(told(&simulator, "GET", &path, &Value::Null).0, 404);
}

#[test]
fn conversations_grow_and_background_can_be_cancelled() {
    let simulator = Simulator::new();
    let (_, made) = told(&simulator, "POST", "/v1/conversations", &json!({"metadata": {"a": "b"}}));
    let id = made["id"].as_str().unwrap();
    let mut body = sound("hi");
    body["conversation"] = json!(id);
    let (status, answer) = told(&simulator, "POST", AT, &body);
    assert_eq!((status, &answer["conversation"]["id"]), (200, &json!(id)));
    let items = format!("/v1/conversations/{id}/items");
    let (_, listed) = told(&simulator, "GET", &items, &Value::Null);
    assert_eq!(listed["data"].as_array().unwrap().len(), 3);
    let one = format!("{items}/{}", listed["first_id"].as_str().unwrap());
    assert_eq!(told(&simulator, "GET", &one, &Value::Null).1["role"], "assistant");
    assert_eq!(told(&simulator, "DELETE", &one, &Value::Null).0, 200);
    assert_eq!(told(&simulator, "GET", &one, &Value::Null).0, 404);
    body["conversation"] = json!("conv_nowhere");
    assert_eq!(told(&simulator, "POST", AT, &body).0, 404);
    let mut later = sound("hi");
    later["background"] = json!(true);
    let (_, queued) = told(&simulator, "POST", AT, &later);
    assert_eq!((&queued["status"], &queued["output"]), (&json!("queued"), &json!([])));
    let path = format!("{AT}/{}", queued["id"].as_str().unwrap());
    assert_eq!(told(&simulator, "GET", &path, &Value::Null).1["status"], "completed");
    let cancel = format!("{path}/cancel");
    assert_eq!(told(&simulator, "POST", &cancel, &Value::Null).1["status"], "cancelled");
}

#[test]
fn it_takes_what_codex_says_of_itself() {
    let simulator = Simulator::new();
    let mut body = sound("hi");
    body["client_metadata"] = json!({"x-codex-installation-id": "7"});
    assert_eq!(told(&simulator, "POST", AT, &body).0, 200);
    body["client_metadata"] = json!("7");
    assert_eq!(told(&simulator, "POST", AT, &body).0, 400);
}

#[test]
fn it_refuses_in_the_vendors_words() {
    let cases = [
        (
            "/model",
            json!(7),
            "invalid_type",
            "Invalid type for 'model': expected a string, but got an integer instead.",
        ),
        ("/extra", json!(1), "unknown_parameter", "Unknown parameter: 'extra'."),
        (
            "/temperature",
            json!(3),
            "decimal_above_max_value",
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
        ),
        (
            "/max_output_tokens",
            json!(1),
            "integer_below_min_value",
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 1 instead.",
        ),
        (
            "/input/0/role",
            json!("tool"),
            "invalid_value",
            "Invalid value: 'tool'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
        ),
        (
            "/input/0/content/0/type",
            json!("text"),
            "invalid_value",
            "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', and 'input_file'.",
        ),
        (
            "/input/0",
            json!({"type": "function_call", "name": "a", "arguments": "{}"}),
            "missing_required_parameter",
            "Missing required parameter: 'input[0].call_id'.",
        ),
        (
            "/input/0",
            json!({"type": "function_call", "call_id": "c", "name": "a", "arguments": "{}"}),
            "",
            "No tool output found for function call c.",
        ),
        (
            "/input/0",
            json!({"type": "function_call_output", "call_id": "c", "output": "x"}),
            "",
            "No tool call found for function call output with call_id c.",
        ),
        (
            "/input/0",
            json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "EgRtYWRl"}),
            "invalid_encrypted_content",
            "The encrypted content EgRt... could not be verified. Reason: Encrypted content could not be decrypted or parsed.",
        ),
        (
            "/input/0",
            json!({"role": "assistant", "id": "chatcmpl-1", "content": "x"}),
            "invalid_value",
            "Invalid 'input[0].id': 'chatcmpl-1'. Expected an ID that begins with 'msg'.",
        ),
        (
            "/tools/0/name",
            json!("a b"),
            "invalid_value",
            "Invalid 'tools[0].name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
        ),
        (
            "/tools/0/parameters",
            json!({"type": "array"}),
            "invalid_function_parameters",
            "Invalid schema for function 'get_weather': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'.",
        ),
        (
            "/tool_choice",
            json!({"type": "function", "name": "none"}),
            "",
            "Tool choice 'none' not found in 'tools' parameter.",
        ),
        (
            "/text",
            json!({"format": {"type": "json_object"}}),
            "",
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
        ),
        (
            "/stream_options",
            json!({}),
            "",
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        ),
    ];
    assert_eq!(told(&Simulator::new(), "POST", AT, &sound("hi")).0, 200);
    for (pointer, value, code, message) in cases {
        let mut body = sound("hi");
        match body.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => body[&pointer[1..]] = value,
        }
        let (status, told) = told(&Simulator::new(), "POST", AT, &body);
        let error = &told["error"];
        assert_eq!(status, 400, "{pointer}");
        assert_eq!(error["message"], message);
        assert_eq!(error["code"].as_str().unwrap_or_default(), code, "{message}");
    }
}

#[test]
fn it_misbehaves_when_asked() {
    let mut body = sound("say 20 words");
    body["stream"] = json!(true);
    body["model"] = json!("fault-error-in-stream");
    let text = String::from_utf8(ask(&Simulator::new(), "POST", AT, &body).sent()).unwrap();
    assert!(text.contains("event: error\n") && text.contains("event: response.failed\n"));
    assert!(!text.contains("response.completed"));
    body["model"] = json!("fault-no-terminator");
    let text = String::from_utf8(ask(&Simulator::new(), "POST", AT, &body).sent()).unwrap();
    assert!(text.contains("response.output_item.done") && !text.contains("response.completed"));
    for name in tollgate_simulate::faults::names() {
        body["model"] = json!(name);
        let script = ask(&Simulator::new(), "POST", AT, &body);
        let text = String::from_utf8_lossy(&script.sent()).into_owned();
        let whole = script.status == 200 && text.contains("\"type\":\"response.completed\"");
        let may_be_whole =
            ["drip", "huge-line", "garbage-chunk", "slow-head", "silence", "reset-early"];
        assert!(!whole || may_be_whole.iter().any(|f| name.contains(f)), "{name}");
    }
}
