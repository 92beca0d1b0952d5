//! Chats of the other dialects written for this one, and this one's answers and thinking on their
//! way through the others.

use http::HeaderMap;
use serde_json::{Value, json};
use tollgate_model::{Chat, DialectId, Event, FinishReason, PartKind, Reply, Signature};
use tollgate_wire::{Incoming, Recipient, dialect, provider};

use crate::{ID, context, responses};

fn read(from: DialectId, body: &Value) -> Chat {
    let from = dialect(from).unwrap();
    let bytes = body.to_string();
    let incoming = Incoming {
        route: &from.rules().routes[0],
        model: Some("m"),
        headers: &HeaderMap::new(),
        body: bytes.as_bytes(),
    };
    from.decode_request(&incoming).unwrap()
}

fn written(chat: &Chat, kind: &str, model: &str, to: DialectId) -> (Value, Vec<String>) {
    let quirks = &provider::find(kind).unwrap().quirks;
    let out = dialect(to).unwrap().encode_request(chat, &Recipient { model, quirks }).unwrap();
    let losses = out.losses.iter().map(ToString::to_string).collect();
    (serde_json::from_slice(&out.body).unwrap(), losses)
}

#[test]
fn an_anthropic_conversation_reaches_openai() {
    let chat = read(
        DialectId("anthropic-messages"),
        &json!({
            "model": "m", "max_tokens": 100, "stream": true, "top_k": 5,
            "metadata": {"user_id": "u"}, "stop_sequences": ["END"],
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
            "system": "Be brief.",
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
    );
    let (body, losses) = written(&chat, "openai", "gpt-5", ID);
    assert_eq!(
        body,
        json!({
            "model": "gpt-5",
            "instructions": "Be brief.",
            "input": [
                {"type": "message", "role": "user", "content": "Where?"},
                {"type": "message", "role": "assistant", "content": [
                    {"type": "output_text", "text": "I look."}]},
                {"type": "function_call", "call_id": "toolu_1", "name": "look", "arguments": "{\"at\":\"sea\"}"},
                {"type": "function_call", "call_id": "toolu_2", "name": "look", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "toolu_1", "output": [
                    {"type": "input_text", "text": "a ship"},
                    {"type": "input_image", "image_url": "data:image/png;base64,QUJD"}]},
                {"type": "function_call_output", "call_id": "toolu_2", "output": "fog"},
                {"type": "message", "role": "user", "content": "And now?"},
            ],
            "stream": true,
            "tools": [{"type": "function", "name": "look", "description": "Looks.",
                       "parameters": {"type": "object"}, "strict": false}],
            "tool_choice": "required",
            "parallel_tool_calls": false,
            "max_output_tokens": 100,
            "reasoning": {"effort": "low"},
            "include": ["reasoning.encrypted_content"],
            "store": false,
            "user": "u",
        }),
        "{body:#}"
    );
    for lost in ["top_k", "stop", "reasoning", "is_error"] {
        assert!(losses.iter().any(|loss| loss.ends_with(lost)), "{lost} is not in {losses:?}");
    }
}

#[test]
fn a_codex_like_conversation_reaches_the_others() {
    let chat = read(
        ID,
        &json!({
            "model": "m", "instructions": "Be brief.", "store": false, "stream": true,
            "include": ["reasoning.encrypted_content"], "tool_choice": "auto",
            "parallel_tool_calls": true, "prompt_cache_key": "k",
            "reasoning": {"effort": "medium", "summary": "auto"},
            "tools": [{"type": "function", "name": "shell", "strict": false,
                       "parameters": {"type": "object", "properties": {}}}],
            "input": [
                {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "rules"}]},
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "list"}]},
                {"type": "function_call", "call_id": "call_1", "name": "shell", "arguments": "{\"a\":1}"},
                {"type": "function_call", "call_id": "call_2", "name": "shell", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "call_1", "output": "one"},
                {"type": "function_call_output", "call_id": "call_2", "output": "two"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]},
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "more"}]},
            ],
        }),
    );
    let (body, losses) = written(&chat, "openai", "gpt-5", DialectId("openai-chat"));
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": "rules"},
            {"role": "user", "content": "list"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "shell", "arguments": "{\"a\":1}"}},
                {"id": "call_2", "type": "function", "function": {"name": "shell", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "one"},
            {"role": "tool", "tool_call_id": "call_2", "content": "two"},
            {"role": "assistant", "content": "done"},
            {"role": "user", "content": "more"},
        ]),
        "{body:#}"
    );
    assert_eq!(losses, ["prompt_cache_key"]);
    let (body, _) =
        written(&chat, "anthropic", "claude-sonnet-4-5", DialectId("anthropic-messages"));
    assert_eq!(body["messages"][1]["content"][1]["id"], "call_2");
    assert_eq!(body["messages"][2]["content"][1]["tool_use_id"], "call_2");
}

#[test]
fn what_only_the_provider_understands_is_a_loss_and_leaves_no_empty_message() {
    let chat = read(
        ID,
        &json!({
            "model": "m", "tools": [{"type": "web_search"}, {"type": "custom", "name": "c"}],
            "input": [
                {"role": "user", "content": "hi"},
                {"type": "web_search_call", "id": "ws_1", "status": "completed"},
                {"role": "user", "content": "and?"},
            ],
        }),
    );
    for other in ["anthropic-messages", "gemini-generate", "openai-chat"] {
        let other = dialect(DialectId(other)).unwrap();
        let kind =
            if other.id().as_str().starts_with("openai") { "openai" } else { "openai-compatible" };
        let (body, losses) = written(&chat, kind, "m", other.id());
        let losses = losses.join(" ");
        for lost in ["tools[0]", "tools[1]", "messages[1]"] {
            assert!(losses.contains(lost), "{}: {lost} is not in {losses}", other.id());
        }
        let text = body.to_string();
        assert!(
            !text.contains("\"assistant\"") && !text.contains("\"model\",\"parts\""),
            "{}: {text}",
            other.id()
        );
    }
}

/// The answer in another dialect's words, and what its caller sends back.
fn sent_back(through: DialectId, reply: &Reply) -> Chat {
    let through = dialect(through).unwrap();
    let answer: Value =
        serde_json::from_slice(&through.encode_reply(reply, &context()).body).unwrap();
    let body = match through.id().as_str() {
        "openai-chat" => json!({"model": "m", "messages": [answer["choices"][0]["message"]]}),
        "anthropic-messages" => json!({"model": "m", "max_tokens": 9, "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": answer["content"]}]}),
        "gemini-generate" => json!({"contents": [answer["candidates"][0]["content"]]}),
        "openai-responses" => json!({"model": "m", "input": answer["output"]}),
        other => panic!("{other}"),
    };
    read(through.id(), &body)
}

#[test]
fn sealed_thinking_survives_every_dialect() {
    let reply = |origin: &'static str, data: &str| {
        let signature = Signature { origin: DialectId(origin), data: data.into() };
        Reply::gather([
            Event::Start { id: None, model: None, created: None },
            Event::Reasoning { choice: 0, text: "Hm.".into() },
            Event::ReasoningSignature { choice: 0, signature },
            Event::Text { choice: 0, text: "Yes.".into() },
            Event::Finish {
                choice: 0,
                reason: FinishReason::Stop,
                word: None,
                stop_sequence: None,
            },
            Event::End,
        ])
        .unwrap()
    };
    let seals = |chat: &Chat| -> Vec<Signature> {
        let parts = chat.messages.iter().flat_map(|message| &message.parts);
        parts
            .filter_map(|part| match &part.kind {
                PartKind::Reasoning { signature, .. } => signature.clone(),
                PartKind::RedactedReasoning(signature) => Some(signature.clone()),
                _ => None,
            })
            .collect()
    };
    for through in ["openai-chat", "anthropic-messages", "gemini-generate"] {
        let chat = sent_back(DialectId(through), &reply(ID.as_str(), "rs_1:gAAA="));
        assert_eq!(seals(&chat).len(), 1, "{through}");
        let (body, _) = written(&chat, "openai", "gpt-5", ID);
        let items = body["input"].as_array().unwrap();
        let item = items.iter().find(|item| item["type"] == "reasoning");
        let item = item.unwrap_or_else(|| panic!("{through}: {body:#}"));
        assert_eq!((&item["id"], &item["encrypted_content"]), (&json!("rs_1"), &json!("gAAA=")));
    }
    for origin in ["anthropic-messages", "gemini-generate"] {
        let chat = sent_back(ID, &reply(origin, "c2ln"));
        let wanted = Signature { origin: DialectId(origin), data: "c2ln".into() };
        assert_eq!(seals(&chat), [wanted]);
        let (body, losses) = written(&chat, "openai", "gpt-5", ID);
        assert!(!body.to_string().contains("tollgate."), "{body}");
        assert!(losses.iter().any(|loss| loss.ends_with("reasoning")), "{losses:?}");
    }
}

#[test]
fn a_signature_over_a_call_comes_back_on_its_call() {
    let signature = Signature { origin: DialectId("gemini-generate"), data: "c2ln".into() };
    let events = [
        Event::Start { id: None, model: None, created: None },
        Event::ToolCallStart {
            choice: 0,
            index: 0,
            id: String::new(),
            name: "f".into(),
            signature: Some(signature.clone()),
        },
        Event::ToolCallDelta { choice: 0, index: 0, arguments: "{}".into() },
        Event::Finish {
            choice: 0,
            reason: FinishReason::ToolCalls,
            word: None,
            stop_sequence: None,
        },
        Event::End,
    ];
    let chat = sent_back(ID, &Reply::gather(events).unwrap());
    let [part] = chat.messages[0].parts.as_slice() else { panic!("{:?}", chat.messages) };
    let PartKind::ToolCall { signature: found, id, .. } = &part.kind else { panic!("{part:?}") };
    assert_eq!((found.as_ref(), id.as_str()), (Some(&signature), "call_0190abc0"));
    assert_eq!(responses().id(), ID);
}
