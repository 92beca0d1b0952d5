//! Our own samples (`fixtures/anthropic-messages`) and what recordings do not show: calls that
//! interleave, streams that break, and requests of other dialects in Anthropic's words.

use std::path::PathBuf;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tollgate_model::{Event, Fault, FaultKind, FinishReason, PartKind, Reply};
use tollgate_wire::dialects::anthropic_messages::ANTHROPIC_MESSAGES;
use tollgate_wire::{DIALECTS, Frame, Incoming, Recipient, ingress};

use crate::bench::{
    QUIRKS, assert_well_formed, context, frames, incoming, plain, read, skim, written,
};

fn fixture(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/anthropic-messages");
    std::fs::read_to_string(root.join(name)).unwrap()
}

#[test]
fn our_requests_come_back_as_they_were() {
    for case in ["coding-agent", "oddities", "server-tools"] {
        let request: Value =
            serde_json::from_str(&fixture(&format!("{case}/request.json"))).unwrap();
        let body = request.to_string();
        let chat = ANTHROPIC_MESSAGES
            .decode_request(&incoming(body.as_bytes(), &HeaderMap::new()))
            .unwrap();
        let to = Recipient { model: "another", quirks: &QUIRKS };
        let outgoing = ANTHROPIC_MESSAGES.encode_request(&chat, &to).unwrap();
        let again: Value = serde_json::from_slice(&outgoing.body).unwrap();
        let mut expected = request;
        expected["model"] = json!("another");
        assert_eq!(again, expected, "{case}");
        assert!(outgoing.losses.is_empty(), "{case} {:?}", outgoing.losses);
        assert_eq!(outgoing.path, "/v1/messages");
    }
}

#[test]
fn nothing_of_this_dialect_leaks_into_another_and_every_loss_is_told() {
    let request = fixture("oddities/request.json");
    let chat = ANTHROPIC_MESSAGES
        .decode_request(&incoming(request.as_bytes(), &HeaderMap::new()))
        .unwrap();
    for other in DIALECTS.iter().filter(|other| other.id() != ANTHROPIC_MESSAGES.id()) {
        let to = Recipient { model: "m", quirks: &QUIRKS };
        let outgoing = match other.encode_request(&chat, &to) {
            Ok(outgoing) => outgoing,
            // A dialect of single prompts says that it cannot take a conversation.
            Err(fault) if fault.kind == FaultKind::Unsupported => {
                assert_eq!(other.id().as_str(), "openai-completions", "{fault:?}");
                continue;
            }
            Err(fault) => panic!("{}: {fault:?}", other.id()),
        };
        let body = String::from_utf8(outgoing.body.to_vec()).unwrap();
        assert!(!body.contains("leak-") && !body.contains("x_unknown"), "{}: {body}", other.id());
        let losses: Vec<String> = outgoing.losses.iter().map(ToString::to_string).collect();
        let told = losses.iter().filter(|loss| loss.contains("x_unknown")).count();
        // On top, in a message, a part, a source and a mark; the others stand in objects that
        // are left out whole.
        assert!(told >= 4, "{}: {losses:?}", other.id());
        for whole in ["cache_control", "thinking", "metadata"] {
            assert!(
                losses.iter().any(|loss| loss.starts_with(whole)),
                "{} {whole}: {losses:?}",
                other.id()
            );
        }
    }
}

#[test]
fn an_answer_means_the_same_streamed_and_whole_and_however_it_is_cut() {
    let whole =
        ANTHROPIC_MESSAGES.decode_reply(fixture("everything-said/reply.json").as_bytes(), &QUIRKS);
    let whole = Reply::gather(whole.unwrap()).unwrap();
    let stream = fixture("everything-said/stream.sse");
    let events = read(&frames(&stream, |all| all));
    for size in 1..40 {
        assert_eq!(read(&frames(&stream, |_| size)), events, "{size}");
    }
    let streamed = Reply::gather(events.clone()).unwrap();
    let mut expected = whole.clone();
    expected.usage.raw = None;
    let mut heard = streamed;
    heard.usage.raw = None;
    assert_eq!(heard, expected, "places of citations included");

    let places: Vec<_> = whole.choices[0].citations.iter().map(|(_, c)| (c.start, c.end)).collect();
    assert_eq!(places, [(Some(10), Some(27)), (Some(10), Some(27))]);

    let again = ANTHROPIC_MESSAGES.encode_reply(&whole, &context());
    let again: Value = serde_json::from_slice(&again.body).unwrap();
    let mut said: Value = serde_json::from_str(&fixture("everything-said/reply.json")).unwrap();
    said["usage"].as_object_mut().unwrap().remove("server_tool_use");
    assert_eq!(again, said);

    let mut metered = events;
    metered.retain(Event::is_metered);
    assert_eq!(skim(&frames(&stream, |all| all)), metered);
}

#[test]
fn a_stream_that_breaks_off_never_ends() {
    let all = frames(&fixture("everything-said/stream.sse"), |all| all);
    for cut in 0..all.len() - 1 {
        for read in [read as fn(&[Frame]) -> Vec<Event>, skim] {
            let events = read(&all[..cut]);
            assert!(
                matches!(events.last(), Some(Event::Fault(fault)) if fault.kind == FaultKind::BadUpstream)
            );
            assert!(!events.contains(&Event::End));
        }
    }
}

#[test]
fn an_error_inside_a_stream_is_what_the_provider_said() {
    for read in [read as fn(&[Frame]) -> Vec<Event>, skim] {
        let events = read(&frames(&fixture("error-inside/stream.sse"), |all| all));
        let Some(Event::Fault(fault)) = events.last() else { panic!("{events:?}") };
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Overloaded, "Overloaded"));
        assert_eq!(fault.upstream.as_ref().unwrap().kind.as_deref(), Some("overloaded_error"));
    }
    let events = read(&frames(&fixture("error-inside/stream.sse"), |all| all));
    let again = written(events, None);
    assert_well_formed(&again, false);
    let error =
        r#"data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert!(again.contains(error), "{again}");
}

#[test]
fn garbage_is_a_fault() {
    for data in [
        "garbage",
        "{\"type\":7}",
        "[]",
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":0}"#,
        r#"{"type":"message_stop"}"#,
        r#"{"type":"error"}"#,
    ] {
        let frame = Frame { data: Bytes::from(data), ..Frame::default() };
        let events = read(&[frame]);
        assert!(
            matches!(events.last(), Some(Event::Fault(fault)) if fault.kind == FaultKind::BadUpstream),
            "{data}"
        );
    }
    for body in ["", "garbage", "[]", "{}", r#"{"type":"message"}"#, r#"{"content":[7]}"#] {
        for events in [
            ANTHROPIC_MESSAGES.decode_reply(body.as_bytes(), &QUIRKS),
            ANTHROPIC_MESSAGES.skim_reply(body.as_bytes(), &QUIRKS),
        ] {
            // A glance may find a message without content; a read never does.
            let clean = events.is_ok_and(|events| events.contains(&Event::End));
            assert!(!clean || body.contains("message"), "{body}");
        }
    }
}

fn start(index: u32, name: &str) -> Event {
    let id = format!("call_{name}");
    Event::ToolCallStart { choice: 0, index, id, name: name.into(), signature: None }
}

fn more(index: u32, arguments: &str) -> Event {
    Event::ToolCallDelta { choice: 0, index, arguments: arguments.into() }
}

fn finish() -> [Event; 2] {
    let (reason, word) = (FinishReason::ToolCalls, Some("tool_calls".to_owned()));
    [Event::Finish { choice: 0, reason, word, stop_sequence: None }, Event::End]
}

#[test]
fn calls_that_interleave_become_blocks_one_after_the_other() {
    let pieces = [
        start(0, "a"),
        start(1, "b"),
        more(1, "{\"x\":"),
        more(0, "{\"s\":\"}"),
        start(2, "c"),
        more(0, "\\\"\"}"),
        more(2, "null"),
        more(1, "[1]}"),
        start(3, "d"),
        more(3, ""),
    ];
    let events: Vec<Event> = pieces.into_iter().chain(finish()).collect();
    let expected = Reply::gather(events.clone()).unwrap();
    let stream = written(events, None);
    assert_well_formed(&stream, true);
    let mut heard = Reply::gather(read(&frames(&stream, |all| all))).unwrap();
    heard.choices[0].finish_word = Some("tool_calls".into());
    // No arguments are an empty object here.
    let mut expected = plain(expected);
    for part in &mut expected.choices[0].parts {
        if let PartKind::ToolCall { arguments, .. } = &mut part.kind
            && matches!(arguments.as_str(), "" | "null")
        {
            *arguments = "{}".into();
        }
    }
    assert_eq!(plain(heard).choices, expected.choices);
    // The first call went out before the second was whole.
    let piece = stream.find(r#""partial_json":"{\"s\":\"}""#).unwrap();
    assert!(piece < stream.find("call_b").unwrap());
}

#[test]
fn a_call_that_goes_on_after_its_end_is_no_shorter_call() {
    let events = [
        start(0, "a"),
        more(0, "{\"x\":"),
        Event::Text { choice: 0, text: "hm".into() },
        more(0, "1}"),
    ];
    let stream = written(events.into_iter().chain(finish()).collect(), None);
    assert_well_formed(&stream, false);
}

#[test]
fn a_fault_before_the_first_byte_is_only_an_error() {
    let fault = Fault::new(FaultKind::RateLimited, tollgate_model::Source::Upstream, "Slow down.");
    let stream = written(
        vec![Event::Start { id: None, model: None, created: None }, Event::Fault(fault)],
        None,
    );
    assert_eq!(stream.matches("event:").count(), 1);
    assert!(stream.contains("rate_limit_error"));
}

/// A request of OpenAI's dialect, written for Anthropic.
fn crossed(request: Value, model: &str) -> Result<(Value, Vec<String>), Fault> {
    let headers = HeaderMap::new();
    let found = ingress::find(&Method::POST, "/v1/chat/completions", &headers).unwrap();
    let body = request.to_string();
    let incoming =
        Incoming { route: found.route, model: None, headers: &headers, body: body.as_bytes() };
    let chat = found.dialect.decode_request(&incoming).unwrap();
    let outgoing =
        ANTHROPIC_MESSAGES.encode_request(&chat, &Recipient { model, quirks: &QUIRKS })?;
    let losses = outgoing.losses.iter().map(ToString::to_string).collect();
    Ok((serde_json::from_slice(&outgoing.body).unwrap(), losses))
}

fn check(request: Value, model: &str, expected: Value, losses: &[&str]) {
    let (body, told) = crossed(request, model).unwrap();
    assert_eq!(body, expected);
    assert_eq!(told, losses);
}

#[test]
fn a_conversation_with_tools_crosses() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "add", "arguments": "{\"a\":1}"}});
    check(
        json!({
            "model": "x", "max_completion_tokens": 100, "stream": true, "user": "u1", "stop": "END",
            "temperature": 1.5, "parallel_tool_calls": false, "seed": 7, "n": 1,
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
                {"role": "user", "name": "ann", "content": "1 + 1?"},
                {"role": "assistant", "content": null, "tool_calls": [call("call_1"), call("functions.add:1")]},
                {"role": "tool", "tool_call_id": "call_1", "content": "2"},
                {"role": "tool", "tool_call_id": "functions.add:1", "content": "3"},
                {"role": "user", "content": "Go on."},
                {"role": "system", "content": "Late."},
                {"role": "user", "content": "So?"},
            ],
            "tools": [{"type": "function", "function": {"name": "add", "description": "Adds", "strict": true,
                "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false}}}],
            "tool_choice": "required",
        }),
        "claude-sonnet-4-5",
        json!({
            "model": "claude-sonnet-4-5", "max_tokens": 100, "stream": true, "temperature": 1.0,
            "metadata": {"user_id": "u1"}, "stop_sequences": ["END"],
            "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}, {"type": "text", "text": "Late."}],
            "messages": [
                {"role": "user", "content": "1 + 1?"},
                {"role": "assistant", "content": [
                    {"type": "tool_use", "id": "call_1", "name": "add", "input": {"a": 1}},
                    {"type": "tool_use", "id": "toolu_tg_ZnVuY3Rpb25zLmFkZDox", "name": "add", "input": {"a": 1}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "2"},
                    {"type": "tool_result", "tool_use_id": "toolu_tg_ZnVuY3Rpb25zLmFkZDox", "content": "3"},
                    {"type": "text", "text": "Go on."},
                ]},
                {"role": "user", "content": "So?"},
            ],
            "tools": [{"name": "add", "description": "Adds", "strict": true,
                "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false}}],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        }),
        &["messages[2].name", "~messages[7].role", "~temperature", "seed"],
    );
}

fn asked(extra: Value) -> Value {
    let mut request = json!({"model": "x", "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in extra.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

fn said(model: &str, extra: Value) -> Value {
    let mut body = json!({"model": model, "max_tokens": 32_000, "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in extra.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[test]
fn effort_becomes_what_the_model_takes() {
    let effort = asked(json!({"reasoning_effort": "high", "temperature": 0.5}));
    check(
        effort.clone(),
        "claude-sonnet-4-5",
        said(
            "claude-sonnet-4-5",
            json!({"thinking": {"type": "enabled", "budget_tokens": 12_288}}),
        ),
        &["temperature"],
    );
    check(
        effort,
        "claude-opus-4-8",
        said(
            "claude-opus-4-8",
            json!({
                "thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "high"},
            }),
        ),
        &["temperature"],
    );
    check(
        asked(json!({"reasoning_effort": "none"})),
        "claude-opus-4-8",
        said("claude-opus-4-8", json!({"thinking": {"type": "disabled"}})),
        &[],
    );
    check(
        asked(json!({"reasoning_effort": "low", "max_tokens": 1500})),
        "claude-sonnet-4-5",
        said(
            "claude-sonnet-4-5",
            json!({
                "max_tokens": 1500, "thinking": {"type": "enabled", "budget_tokens": 1024},
            }),
        ),
        &[],
    );
    check(
        asked(json!({"reasoning_effort": "low", "max_tokens": 900})),
        "claude-sonnet-4-5",
        said("claude-sonnet-4-5", json!({"max_tokens": 900})),
        &["reasoning_effort"],
    );
}

#[test]
fn output_formats_cross() {
    let schema = json!({"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}, "required": ["age"]});
    let tidy = json!({"type": "object", "properties": {"age": {"type": "integer", "description": "{minimum: 0}"}}, "required": ["age"], "additionalProperties": false});
    check(
        asked(
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "person", "schema": schema}}}),
        ),
        "claude-sonnet-4-5",
        said(
            "claude-sonnet-4-5",
            json!({"output_config": {"format": {"type": "json_schema", "schema": tidy}}}),
        ),
        &["~response_format"],
    );
    check(
        asked(json!({"response_format": {"type": "json_object"}})),
        "claude-sonnet-4-5",
        said(
            "claude-sonnet-4-5",
            json!({"system": "Answer with one valid JSON object and nothing else."}),
        ),
        &["~response_format"],
    );
}

#[test]
fn what_cannot_be_asked_is_told() {
    check(
        asked(json!({
            "n": 2, "logprobs": true, "top_logprobs": 3, "frequency_penalty": 0.5, "presence_penalty": 0,
            "service_tier": "flex", "logit_bias": {"1": 2}, "stop": ["\n", "END"], "top_p": 0.5, "temperature": 0.1,
        })),
        "claude-sonnet-4-5",
        said("claude-sonnet-4-5", json!({"temperature": 0.1, "stop_sequences": ["END"]})),
        &[
            "top_p",
            "frequency_penalty",
            "n",
            "logprobs",
            "top_logprobs",
            "stop",
            "service_tier",
            "logit_bias",
        ],
    );
    let audio = json!({"model": "x", "messages": [{"role": "user", "content": [
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}]}]});
    assert_eq!(crossed(audio, "claude-sonnet-4-5").unwrap_err().kind, FaultKind::Unsupported);
}

#[test]
fn wrong_types_are_named() {
    let good =
        || json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]});
    for (pointer, value, place) in [
        ("/model", json!(7), "model"),
        ("/max_tokens", json!("many"), "max_tokens"),
        ("/max_tokens", json!(-1), "max_tokens"),
        ("/max_tokens", Value::Null, "max_tokens"),
        ("/messages", json!({}), "messages"),
        ("/messages/0", json!("hi"), "messages[0]"),
        ("/messages/0/role", json!("tool"), "messages[0].role"),
        ("/messages/0/content", json!(1), "messages[0].content"),
        ("/messages/0/content", json!([{"text": "x"}]), "messages[0].content[0].type"),
        ("/messages/0/content", json!([{"type": "text"}]), "messages[0].content[0].text"),
        ("/messages/0/content", json!([{"type": "image"}]), "messages[0].content[0].source"),
        (
            "/messages/0/content",
            json!([{"type": "tool_use", "id": "a", "name": "b"}]),
            "messages[0].content[0].input",
        ),
        (
            "/messages/0/content",
            json!([{"type": "tool_result", "tool_use_id": "a", "content": [7]}]),
            "messages[0].content[0].content[0]",
        ),
        (
            "/messages/0/content",
            json!([{"type": "text", "text": "x", "cache_control": {}}]),
            "messages[0].content[0].cache_control.type",
        ),
    ] {
        let mut request = good();
        *request.pointer_mut(pointer).unwrap() = value;
        let body = request.to_string();
        let fault = ANTHROPIC_MESSAGES
            .decode_request(&incoming(body.as_bytes(), &HeaderMap::new()))
            .unwrap_err();
        assert_eq!(
            (fault.kind, fault.param.as_deref()),
            (FaultKind::InvalidRequest, Some(place)),
            "{fault}"
        );
        assert!(fault.message.starts_with(place), "{fault}");
    }
    for (name, value) in [
        ("stream", json!("yes")),
        ("system", json!(1)),
        ("tools", json!({})),
        ("tools", json!([{"name": "x"}])),
        ("tool_choice", json!("auto")),
        ("thinking", json!(true)),
        ("stop_sequences", json!([1])),
        ("temperature", json!("hot")),
        ("metadata", json!([])),
        ("output_config", json!(1)),
        ("api_base", json!("http://192.0.2.1")),
    ] {
        let mut request = good();
        request[name] = value;
        let body = request.to_string();
        let fault = ANTHROPIC_MESSAGES
            .decode_request(&incoming(body.as_bytes(), &HeaderMap::new()))
            .unwrap_err();
        assert!(fault.param.as_deref().is_some_and(|param| param.starts_with(name)), "{fault}");
    }
}
