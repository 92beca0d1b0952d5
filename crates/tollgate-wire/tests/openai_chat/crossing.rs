//! Chats of the other dialects written for hosts of this one, and thinking on its way through.

use http::HeaderMap;
use serde_json::{Value, json};
use tollgate_model::{Chat, Choice, DialectId, Event, FinishReason, PartKind, Reply, Signature};
use tollgate_wire::{Incoming, Outgoing, PROVIDERS, Recipient, dialect, provider};

use crate::{ID, chat, context, recordings_of, report};

fn read(from: &'static str, body: &Value) -> Chat {
    let from = dialect(DialectId(from)).unwrap();
    let bytes = body.to_string();
    let incoming = Incoming {
        route: &from.rules().routes[0],
        model: Some("m"),
        headers: &HeaderMap::new(),
        body: bytes.as_bytes(),
    };
    from.decode_request(&incoming).unwrap()
}

fn written(chat_read: &Chat, kind: &str, model: &str) -> (Value, Vec<String>) {
    let quirks = &provider::find(kind).unwrap().quirks;
    let Outgoing { body, losses, .. } =
        chat().encode_request(chat_read, &Recipient { model, quirks }).unwrap();
    let losses = losses.iter().map(ToString::to_string).collect();
    (serde_json::from_slice(&body).unwrap(), losses)
}

fn from_anthropic() -> Chat {
    read(
        "anthropic-messages",
        &json!({
            "model": "m", "max_tokens": 100, "stream": true, "top_k": 5,
            "metadata": {"user_id": "u"}, "stop_sequences": ["END"],
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
            "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}],
            "messages": [
                {"role": "user", "content": "Where?"},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "sea"}},
                    {"type": "tool_use", "id": "toolu_2", "name": "look", "input": {}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": [
                        {"type": "text", "text": "a ship"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
                    ]},
                    {"type": "tool_result", "tool_use_id": "toolu_2", "content": "fog", "is_error": true},
                    {"type": "text", "text": "And now?"},
                ]},
            ],
        }),
    )
}

#[test]
fn an_anthropic_conversation_reaches_openai() {
    let (body, losses) = written(&from_anthropic(), "openai", "gpt-5");
    assert_eq!(
        body,
        json!({
            "model": "gpt-5",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Where?"},
                {"role": "assistant", "content": "I look.", "tool_calls": [
                    {"id": "toolu_1", "type": "function", "function": {"name": "look", "arguments": "{\"at\":\"sea\"}"}},
                    {"id": "toolu_2", "type": "function", "function": {"name": "look", "arguments": "{}"}},
                ]},
                {"role": "tool", "tool_call_id": "toolu_1", "content": "a ship"},
                {"role": "tool", "tool_call_id": "toolu_2", "content": "fog"},
                {"role": "user", "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
                ]},
                {"role": "user", "content": "And now?"},
            ],
            "stream": true,
            "stream_options": {"include_usage": true},
            "tools": [{"type": "function", "function": {
                "name": "look", "description": "Looks.", "parameters": {"type": "object"},
            }}],
            "tool_choice": "required",
            "parallel_tool_calls": false,
            "max_completion_tokens": 100,
            "stop": ["END"],
            "reasoning_effort": "low",
            "user": "u",
        }),
        "{body:#}"
    );
    for lost in ["top_k", "~reasoning", "messages[2].is_error"] {
        let found =
            losses.iter().any(|loss| loss.ends_with(lost.trim_start_matches("messages[2].")));
        assert!(found, "{lost} is not in {losses:?}");
    }
    assert!(losses.iter().any(|loss| loss.contains("cache_control")), "{losses:?}");
}

#[test]
fn quirks_shape_what_other_hosts_get() {
    let source = from_anthropic();
    let (mistral, _) = written(&source, "mistral", "mistral-large");
    assert_eq!(mistral["tool_choice"], "any");
    assert_eq!(mistral["max_tokens"], 100);
    assert!(mistral.get("reasoning_effort").is_none() && mistral.get("user").is_none());
    let thinking = json!({"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]});
    assert_eq!(mistral["messages"][2]["content"][0], thinking);
    let id = mistral["messages"][2]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    assert_eq!(mistral["messages"][3]["tool_call_id"], id);

    let (openrouter, losses) = written(&source, "openrouter", "anthropic/claude");
    assert_eq!(openrouter["reasoning"], json!({"enabled": true, "max_tokens": 1024}));
    assert_eq!(openrouter["top_k"], 5);
    assert_eq!(
        openrouter["messages"][0]["content"][0]["cache_control"],
        json!({"type": "ephemeral"})
    );
    let details = &openrouter["messages"][2]["reasoning_details"];
    assert_eq!(
        *details,
        json!([{
            "type": "reasoning.text", "text": "Hm.", "signature": "c2ln",
            "format": "anthropic-claude-v1", "index": 0,
        }])
    );
    assert!(!losses.iter().any(|loss| loss.contains("reasoning")), "{losses:?}");

    let (deepseek, _) = written(&source, "deepseek", "deepseek-chat");
    assert_eq!(deepseek["thinking"], json!({"type": "enabled"}));
    assert_eq!(deepseek["messages"][2]["reasoning_content"], "Hm.");
    let (gpt4, losses) = written(&source, "openai", "gpt-4o");
    assert!(gpt4.get("reasoning_effort").is_none());
    assert!(losses.contains(&"reasoning".to_owned()), "{losses:?}");
}

#[test]
fn a_gemini_conversation_without_ids_gets_ids_that_match() {
    let source = read(
        "gemini-generate",
        &json!({
            "contents": [
                {"role": "user", "parts": [{"text": "Where?"}]},
                {"role": "model", "parts": [
                    {"functionCall": {"name": "a", "args": {"x": 1}}},
                    {"functionCall": {"name": "b", "args": {}}},
                ]},
                {"role": "user", "parts": [
                    {"functionResponse": {"name": "b", "response": {"result": "B"}}},
                    {"functionResponse": {"name": "a", "response": {"result": "A"}}},
                ]},
            ],
        }),
    );
    let (body, _) = written(&source, "openai", "gpt-4o");
    let messages = &body["messages"];
    let calls = messages[1]["tool_calls"].as_array().unwrap();
    assert_eq!(messages[2]["tool_call_id"], calls[1]["id"]);
    assert_eq!(messages[3]["tool_call_id"], calls[0]["id"]);
    assert_ne!(calls[0]["id"], calls[1]["id"]);
}

/// Laws that every host of the dialect checks: known roles, and after calls one result for each.
fn is_well_formed(body: &Value) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    for message in body["messages"].as_array().ok_or("no messages")? {
        let role = message["role"].as_str().ok_or("no role")?;
        if role == "tool" {
            let id = message["tool_call_id"].as_str().filter(|id| !id.is_empty());
            let id = id.ok_or("a result without an id")?;
            open.retain(|call| *call != id);
        }
        if !["system", "developer", "user", "assistant", "tool"].contains(&role) {
            return Err(format!("a role {role}"));
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let id = call["id"].as_str().filter(|id| !id.is_empty()).ok_or("a call without id")?;
            call["function"]["arguments"].as_str().ok_or("arguments that are no text")?;
            open.push(id);
        }
        let content = &message["content"];
        let absent = content.is_null() || content == "";
        if role == "user" && (content.is_null() || content == &json!([])) {
            return Err("a user without content".into());
        }
        if role == "assistant" && absent && message.get("tool_calls").is_none() {
            // Nothing to say is allowed: such turns were recorded.
            continue;
        }
    }
    Ok(())
}

#[test]
fn every_recorded_chat_of_the_other_dialects_is_well_formed_for_every_host() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for (recorded, from) in
        [("anthropic-messages", "anthropic-messages"), ("gemini-generate", "gemini-generate")]
    {
        for recording in recordings_of(recorded) {
            let request = &recording.exchange["request"];
            if request["body"]["kind"] != "json" {
                continue;
            }
            let from = dialect(DialectId(from)).unwrap();
            let bytes = request["body"]["json"].to_string();
            let incoming = Incoming {
                route: &from.rules().routes[0],
                model: Some("m"),
                headers: &HeaderMap::new(),
                body: bytes.as_bytes(),
            };
            let Ok(source) = from.decode_request(&incoming) else { continue };
            for row in PROVIDERS.iter().filter(|row| row.speaks(ID).is_some()) {
                seen += 1;
                let to = Recipient { model: "m", quirks: &row.quirks };
                let body = chat().encode_request(&source, &to).unwrap().body;
                let body: Value = serde_json::from_slice(&body).unwrap();
                if let Err(what) = is_well_formed(&body) {
                    wrong.push(format!("{} for {}: {what}", recording.file, row.kind));
                }
            }
        }
    }
    report("foreign chats for each host", seen, &wrong);
}

#[test]
fn signed_thinking_comes_back_from_a_caller_as_it_left() {
    let anthropic =
        |data: &str| Signature { origin: DialectId("anthropic-messages"), data: data.into() };
    let google = Signature { origin: DialectId("gemini-generate"), data: "Z29v".into() };
    let parts = vec![
        PartKind::Reasoning { text: "Hm.".into(), signature: Some(anthropic("c2ln")) }.into(),
        PartKind::RedactedReasoning(anthropic("cmVk")).into(),
        PartKind::Text("Yes.".into()).into(),
        PartKind::ToolCall {
            id: "call_1".into(),
            name: "f".into(),
            arguments: "{}".into(),
            signature: Some(google.clone()),
        }
        .into(),
    ];
    let finish = Some(FinishReason::ToolCalls);
    let choice = Choice { parts: parts.clone(), finish, ..Choice::default() };
    let reply = Reply { choices: vec![choice], ..Reply::default() };

    let body: Value =
        serde_json::from_slice(&chat().encode_reply(&reply, &context()).body).unwrap();
    let message = &body["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "Hm.");
    assert_eq!(message["reasoning_details"][0]["format"], "anthropic-messages");
    // SDKs send back the message as they got it.
    let source = read(
        "openai-chat",
        &json!({"model": "m", "messages": [
            {"role": "user", "content": "?"}, message,
        ]}),
    );
    let back: Vec<_> = source.messages[1].parts.iter().map(|part| part.kind.clone()).collect();
    let sent: Vec<_> = parts.into_iter().map(|part| part.kind).collect();
    assert_eq!(back, sent);
}

#[test]
fn pieces_of_one_choice_keep_their_order_in_a_stream() {
    let mut encoder = chat().encode_stream(context(), None);
    let mut out = Vec::new();
    for event in [
        Event::Start { id: None, model: None, created: None },
        Event::Reasoning { choice: 0, text: "Hm.".into() },
        Event::Text { choice: 0, text: "A".into() },
        Event::ToolCallStart {
            choice: 0,
            index: 0,
            id: String::new(),
            name: "f".into(),
            signature: None,
        },
        Event::Finish {
            choice: 0,
            reason: FinishReason::ToolCalls,
            word: None,
            stop_sequence: None,
        },
        Event::End,
    ] {
        encoder.write(event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let chunks: Vec<&str> = text.split("\n\n").filter(|chunk| !chunk.is_empty()).collect();
    assert_eq!(chunks.last(), Some(&"data: [DONE]"));
    let deltas: Vec<Value> = chunks
        .iter()
        .filter_map(|chunk| serde_json::from_str::<Value>(chunk.strip_prefix("data: ")?).ok())
        .map(|chunk| chunk["choices"][0].clone())
        .collect();
    assert_eq!(
        deltas[0]["delta"],
        json!({"role": "assistant", "content": "", "reasoning_content": "Hm."})
    );
    assert_eq!(deltas[1]["delta"], json!({"content": "A"}));
    assert_eq!(deltas[2]["delta"]["tool_calls"][0]["id"], "call_0190abc0");
    // A call without arguments must parse.
    assert_eq!(deltas[3]["delta"]["tool_calls"][0]["function"]["arguments"], "{}");
    assert_eq!(deltas[4]["finish_reason"], "tool_calls");
}

/// What "call some tool", "call this one" and "call none" become, host by host.
#[test]
fn a_demand_for_tools_is_told_to_those_who_know_it_and_else_is_a_loss() {
    let ask = |choice: Value| {
        read(
            "anthropic-messages",
            &json!({
                "model": "m", "max_tokens": 9, "tool_choice": choice,
                "tools": [{"name": "look", "input_schema": {"type": "object"}}],
                "messages": [{"role": "user", "content": "Where?"}],
            }),
        )
    };
    let one = json!({"type": "function", "function": {"name": "look"}});
    let lost = ["~tool_choice".to_owned()];
    for (host, choice, told, losses) in [
        ("openai", json!({"type": "any"}), json!("required"), &[][..]),
        ("mistral", json!({"type": "any"}), json!("any"), &[]),
        ("moonshot", json!({"type": "any"}), Value::Null, &lost),
        ("moonshot", json!({"type": "tool", "name": "look"}), one.clone(), &[]),
        ("moonshot", json!({"type": "none"}), json!("none"), &[]),
        ("zai", json!({"type": "tool", "name": "look"}), Value::Null, &lost),
        ("zai", json!({"type": "auto"}), json!("auto"), &[]),
    ] {
        let (body, said) = written(&ask(choice), host, "m");
        assert_eq!(body["tool_choice"], told, "{host}");
        assert_eq!(said, losses, "{host}");
        assert_eq!(body["tools"].as_array().map(Vec::len), Some(1), "{host}");
    }
    let (body, said) = written(&ask(json!({"type": "none"})), "zai", "m");
    assert_eq!((body.get("tools"), body.get("tool_choice")), (None, None));
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn thinking_is_switched_by_one_field_where_there_is_one() {
    let chat = read(
        "anthropic-messages",
        &json!({
            "model": "m", "max_tokens": 9, "thinking": {"type": "disabled"},
            "messages": [{"role": "user", "content": "Where?"}],
        }),
    );
    let (body, losses) = written(&chat, "alibaba", "qwen3-max");
    assert_eq!(body["enable_thinking"], json!(false));
    assert!(losses.is_empty(), "{losses:?}");
}
