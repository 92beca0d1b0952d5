//! Requests: read, written again, and refused.

use http::HeaderMap;
use serde_json::{Value, json};
use tollgate_model::{Chat, Fault, PartKind, Role};
use tollgate_wire::{Incoming, Recipient};

use crate::{UNFAITHFUL, first_difference, quirks, recordings, report, responses};

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
        let body = &request["body"]["json"];
        let mut wanted = body.clone();
        wanted["model"] = "there".into();
        let decoded = match decode(body) {
            Ok(decoded) => decoded,
            Err(fault) => {
                wrong.push(format!("{}: refused: {}", recording.file, fault.message));
                continue;
            }
        };
        let to = Recipient { model: "there", quirks: quirks(&recording.provider) };
        let outgoing = responses().encode_request(&decoded, &to).unwrap();
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
    responses().decode_request(&Incoming {
        route: &responses().rules().routes[0],
        model: Some("from-the-path"),
        headers: &HeaderMap::new(),
        body: body.to_string().as_bytes(),
    })
}

fn again(body: &Value) -> (Value, Vec<String>) {
    let read = decode(body).unwrap();
    let to = Recipient { model: "m", quirks: quirks("openai") };
    let out = responses().encode_request(&read, &to).unwrap();
    let losses = out.losses.iter().map(ToString::to_string).collect();
    (serde_json::from_slice(&out.body).unwrap(), losses)
}

#[test]
fn every_kind_of_item_and_tool_survives() {
    for name in ["every-item", "every-tool"] {
        let path = format!("../../fixtures/openai-responses/{name}/request.json");
        let text = std::fs::read_to_string(path).unwrap();
        let body: Value = serde_json::from_str(&text).unwrap();
        let (written, losses) = again(&body);
        assert!(written == body, "{name}: {}", first_difference("", &body, &written));
        assert!(losses.is_empty(), "{name}: {losses:?}");
    }
}

#[test]
fn odd_spellings_survive() {
    for rest in [
        json!({"input": "x", "instructions": null, "tools": [], "stream": false, "text": {}}),
        json!({"input": [], "store": true, "metadata": {"a": "b"}, "include": []}),
        json!({"previous_response_id": "resp_1", "text": {"format": {"type": "text"}}}),
        json!({"input": null, "prompt": {"id": "pmpt_1", "variables": {"a": "b"}}}),
        json!({"input": "x", "include": ["message.output_text.logprobs", "web_search_call.results"]}),
        json!({"input": "x", "reasoning": {}, "temperature": 1.0, "top_p": null}),
        json!({"input": "x", "reasoning": {"effort": null, "summary": "concise", "mode": "pro"}}),
        json!({"input": "x", "text": {"verbosity": "low", "format": {"type": "grammar", "g": 1}}}),
        json!({"input": "x", "user": "u", "safety_identifier": "s", "max_output_tokens": 16.0}),
        json!({"input": "x", "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [
            {"type": "function", "name": "f"}, {"type": "web_search"}]}}),
        json!({"input": "x", "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [
            {"type": "function", "name": "f"}]}}),
        json!({"input": [{"role": "assistant", "content": ""}, {"role": "user", "content": []}]}),
        json!({"input": [{"type": "message", "role": "assistant", "content": [], "id": "msg_1"}]}),
        json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": "x", "odd": 1}]}]}),
    ] {
        let mut body = json!({"model": "m"});
        for (name, value) in rest.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (written, _) = again(&body);
        assert!(written == body, "{}", first_difference("", &body, &written));
    }
}

#[test]
fn what_the_model_did_between_two_turns_is_one_message() {
    let chat = decode(&json!({"model": "m", "instructions": "be brief", "input": [
        {"role": "user", "content": "hi"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "t"}],
         "encrypted_content": "gAAA"},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "g", "input": "a \"b\""},
        {"type": "function_call_output", "call_id": "call_1", "output": "1"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": [
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]},
    ]}))
    .unwrap();
    let roles: Vec<Role> = chat.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::Tool, Role::Tool]);
    let said = &chat.messages[2].parts;
    assert_eq!(said.len(), 3);
    assert!(matches!(&said[0].kind, PartKind::Reasoning { text, signature: Some(signature) }
        if text == "t" && signature.data == "rs_1:gAAA"));
    assert!(matches!(&said[2].kind, PartKind::ToolCall { arguments, .. }
        if arguments == "{\"input\":\"a \\\"b\\\"\"}"));
}

#[test]
fn what_is_wrong_is_named() {
    for (body, param) in [
        (json!({"model": 1, "input": "x"}), "model"),
        (json!({"model": "m", "input": 3}), "input"),
        (json!({"model": "m", "input": ["x"]}), "input[0]"),
        (json!({"model": "m", "input": [{"id": "x"}]}), "input[0].type"),
        (json!({"model": "m", "input": [{"type": 3}]}), "input[0].type"),
        (json!({"model": "m", "input": [{"role": "robot", "content": "x"}]}), "input[0].role"),
        (json!({"model": "m", "input": [{"role": "user", "content": 3}]}), "input[0].content"),
        (
            json!({"model": "m", "input": [{"role": "user", "content": [{"text": "x"}]}]}),
            "input[0].content[0].type",
        ),
        (
            json!({"model": "m", "input": [{"role": "user", "content": [{"type": "input_text"}]}]}),
            "input[0].content[0].text",
        ),
        (
            json!({"model": "m", "input": [{"role": "user", "content": [{"type": "input_image"}]}]}),
            "input[0].content[0].image_url",
        ),
        (
            json!({"model": "m", "input": [{"type": "function_call", "name": "f", "arguments": ""}]}),
            "input[0].call_id",
        ),
        (
            json!({"model": "m", "input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": 1}]}),
            "input[0].arguments",
        ),
        (json!({"model": "m", "input": [{"type": "function_call_output"}]}), "input[0].call_id"),
        (json!({"model": "m", "input": [{"type": "reasoning", "summary": 1}]}), "input[0].summary"),
        (json!({"model": "m", "input": "x", "instructions": 1}), "instructions"),
        (json!({"model": "m", "input": "x", "tools": [{}]}), "tools[0].type"),
        (json!({"model": "m", "input": "x", "tools": [{"type": "function"}]}), "tools[0].name"),
        (json!({"model": "m", "input": "x", "tool_choice": 3}), "tool_choice"),
        (
            json!({"model": "m", "input": "x", "tool_choice": {"type": "function"}}),
            "tool_choice.name",
        ),
        (json!({"model": "m", "input": "x", "stream": "yes"}), "stream"),
        (json!({"model": "m", "input": "x", "temperature": "hot"}), "temperature"),
        (json!({"model": "m", "input": "x", "max_output_tokens": -1}), "max_output_tokens"),
        (json!({"model": "m", "input": "x", "reasoning": 3}), "reasoning"),
        (
            json!({"model": "m", "input": "x", "text": {"format": {"type": "json_schema"}}}),
            "text.format.schema",
        ),
        (json!({"model": "m", "input": "x", "api_base": "http://192.0.2.1"}), "api_base"),
    ] {
        let fault = decode(&body).expect_err(&body.to_string());
        assert_eq!(fault.param.as_deref(), Some(param), "{body}: {}", fault.message);
        let written = responses().encode_fault(&fault, "r");
        assert_eq!(written.status, 400);
        let written: Value = serde_json::from_slice(&written.body).unwrap();
        assert_eq!(written["error"]["param"], param);
        assert_eq!(written["error"]["type"], "invalid_request_error");
    }
}
