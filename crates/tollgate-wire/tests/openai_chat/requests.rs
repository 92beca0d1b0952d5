//! Requests: read, written again, and refused.

use http::HeaderMap;
use serde_json::{Value, json};
use tollgate_model::{Chat, Fault};
use tollgate_wire::{Incoming, Recipient};

use crate::{UNFAITHFUL, chat, first_difference, quirks, recordings, report};

/// Those who published the recordings put placeholders for ids; a host that checks ids would
/// refuse those.
fn sensible_ids(body: &Value) -> Value {
    serde_json::from_str(&body.to_string().replace("call_REDACTED_", "callReda")).unwrap()
}

#[test]
fn every_recorded_request_comes_back_as_it_was() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for recording in recordings() {
        let request = &recording.exchange["request"];
        if recording.notes.iter().any(|note| UNFAITHFUL.contains(&note.as_str()))
            || request["body"]["kind"] != "json"
        {
            continue;
        }
        seen += 1;
        let body = &sensible_ids(&request["body"]["json"]);
        let mut wanted = body.clone();
        wanted["model"] = "there".into();
        let bytes = body.to_string();
        let incoming = Incoming {
            route: &chat().rules().routes[0],
            model: Some("from-the-path"),
            headers: &HeaderMap::new(),
            body: bytes.as_bytes(),
        };
        let decoded = match chat().decode_request(&incoming) {
            Ok(decoded) => decoded,
            Err(fault) => {
                wrong.push(format!("{}: refused: {}", recording.file, fault.message));
                continue;
            }
        };
        let to = Recipient { model: "there", quirks: quirks(&recording.provider) };
        let outgoing = chat().encode_request(&decoded, &to).unwrap();
        let written: Value = serde_json::from_slice(&outgoing.body).unwrap();
        if written != wanted {
            wrong.push(format!("{}: {}", recording.file, first_difference("", &wanted, &written)));
        } else if !outgoing.losses.is_empty() {
            wrong.push(format!("{}: losses {:?}", recording.file, outgoing.losses));
        }
    }
    report("requests that come back as they were", seen, &wrong);
}

fn decode(body: &Value) -> Result<Chat, Fault> {
    decode_bytes(body.to_string().as_bytes())
}

fn decode_bytes(body: &[u8]) -> Result<Chat, Fault> {
    chat().decode_request(&Incoming {
        route: &chat().rules().routes[0],
        model: None,
        headers: &HeaderMap::new(),
        body,
    })
}

#[test]
fn odd_spellings_and_unknown_fields_of_every_level_survive() {
    let body: Value = serde_json::from_str(include_str!(
        "../../../../fixtures/openai-chat/odd-spellings/request.json"
    ))
    .unwrap();
    let chat_read = decode(&body).unwrap();
    let quirks = quirks("openai");
    let out = chat().encode_request(&chat_read, &Recipient { model: "m", quirks }).unwrap();
    let written: Value = serde_json::from_slice(&out.body).unwrap();
    assert!(written == body, "{}", first_difference("", &body, &written));
    assert!(out.losses.is_empty(), "{:?}", out.losses);
}

#[test]
fn the_last_bit_of_a_fraction_survives() {
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..2000 {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Between 0 and 1, with all the digits a fraction can have.
        let fraction = f64::from_bits((bits >> 12) | (1023 << 52)) - 1.0;
        let body = format!(
            r#"{{"model":"m","messages":[],"temperature":{fraction},"x_unknown":{fraction}}}"#
        );
        let decoded = decode_bytes(body.as_bytes()).unwrap();
        let to = Recipient { model: "m", quirks: quirks("openai") };
        let outgoing = chat().encode_request(&decoded, &to).unwrap();
        let written = String::from_utf8(outgoing.body.to_vec()).unwrap();
        assert_eq!(written.matches(&fraction.to_string()).count(), 2, "{body} became {written}");
    }
}

#[test]
fn empty_lists_and_other_choices_survive() {
    for rest in [
        json!({"tools": [], "stop": [], "stream_options": {}, "response_format": {"type": "text"}}),
        json!({"tools": null, "stop": null, "response_format": {"type": "grammar", "value": "x"}}),
        json!({"stop": ["a", "b"], "stream": true, "stream_options": {"include_usage": true}}),
        json!({"tool_choice": "any", "seed": 3, "response_format": {"type": "json_object"}}),
        json!({"tool_choice": {"function": {"name": "f"}}, "max_completion_tokens": 3}),
        json!({"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [
            {"type": "function", "function": {"name": "f"}}]}}}),
        json!({"tool_choice": {"type": "custom", "custom": {"name": "c"}}, "function_call": "auto"}),
        json!({"reasoning": {"max_tokens": 5}, "safety_identifier": "s"}),
        json!({"thinking": {"type": "disabled"}, "top_k": 3}),
        json!({"thinking": {"type": "enabled", "clear_thinking": false}, "reasoning_effort": "max"}),
    ] {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": []}]});
        for (name, value) in rest.as_object().unwrap() {
            body[name] = value.clone();
        }
        let read = decode(&body).unwrap();
        let to = Recipient { model: "m", quirks: quirks("openai") };
        let out = chat().encode_request(&read, &to).unwrap();
        let written: Value = serde_json::from_slice(&out.body).unwrap();
        assert!(written == body, "{}", first_difference("", &body, &written));
    }
}

#[test]
fn what_is_wrong_is_named() {
    let user = json!({"role": "user", "content": "x"});
    for (body, param) in [
        (json!({"messages": []}), "model"),
        (json!({"model": "m"}), "messages"),
        (json!({"model": 1, "messages": []}), "model"),
        (json!({"model": "m", "messages": {}}), "messages"),
        (json!({"model": "m", "messages": ["x"]}), "messages[0]"),
        (json!({"model": "m", "messages": [user, {"content": "x"}]}), "messages[1].role"),
        (
            json!({"model": "m", "messages": [{"role": "robot", "content": "x"}]}),
            "messages[0].role",
        ),
        (
            json!({"model": "m", "messages": [{"role": "user", "content": 3}]}),
            "messages[0].content",
        ),
        (
            json!({"model": "m", "messages": [{"role": "user", "content": [{"text": "x"}]}]}),
            "messages[0].content[0].type",
        ),
        (
            json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]}),
            "messages[0].content[0].text",
        ),
        (
            json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}),
            "messages[0].content[0].image_url.url",
        ),
        (
            json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "x"}}]}]}),
            "messages[0].content[0].input_audio.format",
        ),
        (
            json!({"model": "m", "messages": [{"role": "tool", "content": "x"}]}),
            "messages[0].tool_call_id",
        ),
        (
            json!({"model": "m", "messages": [{"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"arguments": "{}"}}]}]}),
            "messages[0].tool_calls[0].function.name",
        ),
        (
            json!({"model": "m", "messages": [{"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": 3}}]}]}),
            "messages[0].tool_calls[0].function.arguments",
        ),
        (
            json!({"model": "m", "messages": [], "tools": [{"type": "function", "function": {}}]}),
            "tools[0].function.name",
        ),
        (json!({"model": "m", "messages": [], "tools": [{}]}), "tools[0].type"),
        (json!({"model": "m", "messages": [], "tool_choice": 3}), "tool_choice"),
        (json!({"model": "m", "messages": [], "stream": "yes"}), "stream"),
        (json!({"model": "m", "messages": [], "temperature": "hot"}), "temperature"),
        (json!({"model": "m", "messages": [], "max_tokens": -1}), "max_tokens"),
        (json!({"model": "m", "messages": [], "n": 1.5}), "n"),
        (json!({"model": "m", "messages": [], "stop": [1]}), "stop[0]"),
        (
            json!({"model": "m", "messages": [], "response_format": {"type": "json_schema"}}),
            "response_format.json_schema",
        ),
        (json!({"model": "m", "messages": [], "api_base": "http://192.0.2.1"}), "api_base"),
        (json!({"model": "m", "messages": [], "extra_headers": {}}), "extra_headers"),
    ] {
        let fault = decode(&body).expect_err(&body.to_string());
        assert_eq!(fault.param.as_deref(), Some(param), "{body}: {}", fault.message);
        let written = chat().encode_fault(&fault, "r");
        assert_eq!(written.status, 400);
        let written: Value = serde_json::from_slice(&written.body).unwrap();
        assert_eq!(written["error"]["param"], param);
        assert_eq!(written["error"]["type"], "invalid_request_error");
    }
}

#[test]
fn what_a_host_is_known_to_refuse_is_written_as_it_wants() {
    let body = json!({
        "model": "m", "seed": 7, "max_completion_tokens": 9, "odd": 1, "messages": [
            {"role": "developer", "content": "d"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_abcdefghijkl", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_abcdefghijkl", "content": "r"},
        ],
    });
    let to = Recipient { model: "m", quirks: quirks("mistral") };
    let out = chat().encode_request(&decode(&body).unwrap(), &to).unwrap();
    let written: Value = serde_json::from_slice(&out.body).unwrap();
    let id = written["messages"][1]["tool_calls"][0]["id"].clone();
    assert_eq!(id.as_str().map(str::len), Some(9));
    assert_eq!(
        written,
        json!({
            "model": "m", "random_seed": 7, "max_tokens": 9, "odd": 1, "messages": [
                {"role": "system", "content": "d"},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}},
                ]},
                {"role": "tool", "tool_call_id": id, "content": "r"},
            ],
        })
    );

    let schema = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {}}});
    let body = json!({"model": "m", "messages": [], "response_format": schema});
    let to = Recipient { model: "m", quirks: quirks("deepseek") };
    let out = chat().encode_request(&decode(&body).unwrap(), &to).unwrap();
    let written: Value = serde_json::from_slice(&out.body).unwrap();
    assert_eq!(written["response_format"], json!({"type": "json_object"}));
    assert_eq!(out.losses.iter().next().unwrap().to_string(), "~response_format");
}
