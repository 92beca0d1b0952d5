//! Our own samples (`fixtures/gemini-generate`) and what recordings do not show: arguments in
//! pieces, other dialects' calls, errors, and what is refused.

use std::path::PathBuf;

use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tollgate_model::{
    Chat, DialectId, Event, Extras, Fault, FaultKind, FinishReason, Message, Part, PartKind,
    Reasoning, ReasoningEffort, Reply, Role, Shape, Signature, Source, Tool, ToolChoice, ToolKind,
    UpstreamError,
};
use tollgate_wire::{DIALECTS, Framing, Operation, Quirks, Recipient, ReplyContext, ingress};

use crate::bench::{ID, TO, encoded, gemini, incoming, route, streamed, with_model};

const ANTHROPIC: DialectId = DialectId("anthropic-messages");

fn fixture(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gemini-generate");
    std::fs::read_to_string(root.join(name)).unwrap()
}

fn chat(body: &Value) -> Result<Chat, Fault> {
    let (headers, body) = (HeaderMap::new(), body.to_string());
    gemini().decode_request(&incoming(route(Operation::Chat, false), &headers, body.as_bytes()))
}

fn request(case: &str) -> Value {
    serde_json::from_str(&fixture(&format!("{case}/request.json"))).unwrap()
}

fn for_gemini(chat: &Chat, model: &str) -> (Value, Vec<String>) {
    let outgoing =
        gemini().encode_request(chat, &Recipient { model, quirks: &Quirks::NONE }).unwrap();
    let losses = outgoing.losses.iter().map(ToString::to_string).collect();
    (serde_json::from_slice(&outgoing.body).unwrap(), losses)
}

fn events(name: &str) -> Vec<Event> {
    streamed(fixture(name).as_bytes(), Framing::Sse, &[usize::MAX])
}

#[test]
fn our_requests_come_back_as_they_were() {
    for case in ["agent", "odd-spellings"] {
        let body = request(case);
        let outgoing = gemini().encode_request(&chat(&body).unwrap(), &TO).unwrap();
        let again: Value = serde_json::from_slice(&outgoing.body).unwrap();
        assert_eq!(again, with_model(body), "{case}");
        assert!(outgoing.losses.is_empty(), "{case} {:?}", outgoing.losses);
        assert_eq!(outgoing.path, "/v1beta/models/gemini-test:generateContent");
    }
}

#[test]
fn nothing_of_this_dialect_leaks_into_another_and_every_loss_is_told() {
    let chat = chat(&request("odd-spellings")).unwrap();
    for other in DIALECTS.iter().filter(|other| other.id() != ID) {
        let outgoing = match other.encode_request(&chat, &TO) {
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
        for path in [
            "x_unknown",
            "labels",
            "generationConfig.x_unknown",
            "generationConfig.thinkingConfig.x_unknown",
            "toolConfig.x_unknown",
            "messages[0].x_unknown",
            "messages[1].content[0].x_unknown",
            "messages[1].content[1].inlineData.x_unknown",
            "functionCall.x_unknown",
            "messages[2].x_unknown",
            "tools[0].x_unknown",
        ] {
            assert!(
                losses.iter().any(|loss| loss.ends_with(path)),
                "{} {path}: {losses:?}",
                other.id()
            );
        }
    }
}

#[test]
fn calls_without_ids_meet_their_results_by_order_and_name() {
    let chat = chat(&request("agent")).unwrap();
    let parts = |at: usize| chat.messages[at].parts.iter().map(|part| &part.kind);
    let calls: Vec<_> = parts(2)
        .filter_map(|part| match part {
            PartKind::ToolCall { id, signature, .. } => Some((id, signature.is_some())),
            _ => None,
        })
        .collect();
    let results: Vec<_> = parts(3)
        .filter_map(|part| match part {
            PartKind::ToolResult { call_id, is_error, .. } => Some((call_id, *is_error)),
            _ => None,
        })
        .collect();
    assert_eq!(calls.len(), 2);
    assert!(calls[0].1 && !calls[1].1 && calls[0].0 != calls[1].0);
    assert_eq!(results, [(calls[0].0, None), (calls[1].0, Some(true))]);
    let native = ToolChoice::Native { dialect: ID, json: json!({"mode": "VALIDATED"}) };
    assert_eq!(chat.tool_choice, Some(native));
}

#[test]
fn what_cannot_be_meant_is_refused_by_its_path() {
    let user = json!([{"role": "user", "parts": [{"text": "x"}]}]);
    for (path, body) in [
        ("contents", json!({})),
        ("contents", json!({"contents": []})),
        ("contents[0].role", json!({"contents": [{"role": "assistant", "parts": []}]})),
        (
            "contents[0].parts[1].text",
            json!({"contents": [{"parts": [{"text": ""}, {"text": 1}]}]}),
        ),
        (
            "contents[0].parts[0].inlineData.data",
            json!({"contents": [{"parts": [{"inlineData": {"mimeType": "a/b", "data": "?"}}]}]}),
        ),
        (
            "contents[0].parts[0].functionCall.args",
            json!({"contents": [{"parts": [{"functionCall": {"name": "f", "args": "{}"}}]}]}),
        ),
        (
            "generationConfig.maxOutputTokens",
            json!({"contents": user, "generationConfig": {"maxOutputTokens": -1}}),
        ),
        ("generationConfig.topP", json!({"contents": user, "generationConfig": {"topP": "much"}})),
        (
            "tools[0].functionDeclarations[0].name",
            json!({"contents": user, "tools": [{"functionDeclarations": [{}]}]}),
        ),
        ("api_key", json!({"contents": user, "api_key": "leak-key"})),
        ("", json!([])),
    ] {
        let fault = chat(&body).unwrap_err();
        assert_eq!(fault.kind, FaultKind::InvalidRequest, "{path}");
        assert_eq!(fault.param.as_deref(), Some(path), "{fault}");
        assert!(!fault.message.contains("leak-"), "{fault}");
    }
}

/// A history that another provider's model and a caller of another dialect have made.
fn foreign() -> Chat {
    let call = |id: &str| PartKind::ToolCall {
        id: id.into(),
        name: "look".into(),
        arguments: format!("{{\"at\":\"{id}\"}}"),
        signature: Some(Signature { origin: ANTHROPIC, data: "leak-signature".into() }),
    };
    let result = |id: &str, text: &str, is_error| {
        let parts = vec![Part::text(text)];
        let (call_id, name, shape) = (id.to_owned(), None, Shape::Text);
        PartKind::ToolResult { call_id, name, parts, shape, is_error }.into()
    };
    let thought = PartKind::Reasoning {
        text: "Two looks.".into(),
        signature: Some(Signature { origin: ANTHROPIC, data: "leak-signature".into() }),
    };
    Chat {
        model: "m".into(),
        messages: vec![
            Message::text(Role::System, "Be brief."),
            Message::text(Role::User, "Look."),
            Message::new(
                Role::Assistant,
                vec![thought.into(), call("one").into(), call("two").into()],
            ),
            Message::new(Role::Tool, vec![result("one", "[1]", None)]),
            Message::new(Role::Tool, vec![result("two", "gone", Some(true))]),
            Message::text(Role::Developer, "In English."),
            Message::text(Role::User, "Well?"),
        ],
        tools: vec![Tool {
            kind: ToolKind::Function {
                name: "look".into(),
                description: None,
                parameters: Some(json!({"type": "object", "$defs": {}})),
                strict: Some(true),
            },
            cache: None,
            extras: Extras::default(),
        }],
        tool_choice: Some(ToolChoice::Among { names: vec!["look".into()], required: true }),
        parallel_tool_calls: Some(false),
        reasoning: Some(Reasoning { effort: Some(ReasoningEffort::Low), ..Reasoning::default() }),
        ..Chat::default()
    }
}

#[test]
fn another_dialects_history_is_told_as_gemini_takes_it() {
    let (body, losses) = for_gemini(&foreign(), "gemini-2.5-flash");
    let call = |id: &str| json!({"functionCall": {"name": "look", "args": {"at": id}, "id": id}});
    let result = |id: &str, response: Value| json!({"functionResponse": {"name": "look", "response": response, "id": id}});
    assert_eq!(
        body,
        json!({
            "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "In English."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Look."}]},
                {"role": "model", "parts": [
                    {"text": "Two looks.", "thought": true}, call("one"), call("two"),
                ]},
                {"role": "user", "parts": [
                    result("one", json!({"output": "[1]"})), result("two", json!({"error": "gone"})),
                ]},
                {"role": "user", "parts": [{"text": "Well?"}]},
            ],
            "tools": [{"functionDeclarations": [
                {"name": "look", "parametersJsonSchema": {"type": "object", "$defs": {}}},
            ]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]}},
            "generationConfig": {"thinkingConfig": {"thinkingBudget": 1024}},
        })
    );
    for loss in [
        "messages[2].content[0].signature",
        "~messages[5].role",
        "parallel_tool_calls",
        "tools[0].strict",
    ] {
        assert!(losses.iter().any(|told| told == loss), "{loss}: {losses:?}");
    }
    // The third generation thinks in levels, and wants the first of an answer's calls signed.
    let (body, _) = for_gemini(&foreign(), "gemini-3-flash-preview");
    assert_eq!(body["generationConfig"]["thinkingConfig"], json!({"thinkingLevel": "low"}));
    let parts = &body["contents"][1]["parts"];
    assert!(parts[1]["thoughtSignature"].is_string() && parts[2].get("thoughtSignature").is_none());
}

#[test]
fn a_system_text_alone_is_asked_as_a_user() {
    let messages = vec![Message::text(Role::System, "Say hello.")];
    let (body, losses) = for_gemini(&Chat { messages, ..Chat::default() }, "gemini-2.5-flash");
    let hello = json!({"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]});
    assert_eq!(body, hello);
    assert_eq!(losses, ["~messages[0].role"]);
}

#[test]
fn an_answer_means_the_same_streamed_and_whole() {
    let whole =
        gemini().decode_reply(fixture("everything-said/reply.json").as_bytes(), &Quirks::NONE);
    let whole = Reply::gather(whole.unwrap()).unwrap();
    assert_eq!(Reply::gather(events("everything-said/stream.sse")).unwrap(), whole);
    let choice = &whole.choices[0];
    assert_eq!(
        (choice.finish, choice.finish_word.as_deref()),
        (Some(FinishReason::ToolCalls), Some("STOP"))
    );
    let places: Vec<_> =
        choice.citations.iter().map(|(_, citation)| citation.url.as_deref()).collect();
    // The second support names a chunk that is not there.
    assert_eq!(places, [Some("https://example.com/a"), Some("https://example.com/b"), None]);
    assert_eq!((whole.usage.input_tokens, whole.usage.total_output()), (Some(12), Some(12)));
    let again = gemini().encode_reply(&whole, &ReplyContext::default());
    let again: Value = serde_json::from_slice(&again.body).unwrap();
    let mut said: Value = serde_json::from_str(&fixture("everything-said/reply.json")).unwrap();
    said["candidates"][0]["content"]["parts"][6]["functionCall"]["args"] = json!({});
    said.as_object_mut().unwrap().remove("createTime");
    assert_eq!(again, said);
}

#[test]
fn arguments_in_pieces_become_whole() {
    let reply = Reply::gather(events("pieces-of-arguments/stream.sse")).unwrap();
    let calls: Vec<_> = reply.choices[0].parts.iter().map(|part| &part.kind).collect();
    let [PartKind::ToolCall { arguments, .. }, PartKind::ToolCall { arguments: whole, .. }] =
        calls.as_slice()
    else {
        panic!("{calls:?}")
    };
    let arguments: Value = serde_json::from_str(arguments).unwrap();
    assert_eq!(arguments, json!({"strokes": [{"color": "red", "width": 2.5}], "done": true}));
    assert_eq!(whole, r#"{"at":"top"}"#);
}

#[test]
fn a_blocked_prompt_is_a_content_filter_and_is_written_as_one() {
    let blocked = fixture("blocked/reply.json");
    let events = gemini().decode_reply(blocked.as_bytes(), &Quirks::NONE).unwrap();
    let reply = Reply::gather(events.clone()).unwrap();
    assert_eq!(reply.choices[0].finish, Some(FinishReason::ContentFilter));
    assert_eq!(reply.choices[0].finish_word.as_deref(), Some("blocked:PROHIBITED_CONTENT"));
    let whole = gemini().encode_reply(&reply, &ReplyContext::default()).body.to_vec();
    let frames = encoded(events, &ReplyContext::default());
    for body in [whole, frames.strip_prefix(b"data: ").unwrap().to_vec()] {
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body, serde_json::from_str::<Value>(&blocked).unwrap());
    }
}

#[test]
fn an_error_inside_a_stream_is_what_the_provider_said() {
    let events = events("error-inside/stream.sse");
    let Some(Event::Fault(fault)) = events.last() else { panic!("{events:?}") };
    assert_eq!(fault.kind, FaultKind::Overloaded);
    assert_eq!(fault.upstream.as_ref().unwrap().kind.as_deref(), Some("UNAVAILABLE"));
    for json_array in [false, true] {
        let context = ReplyContext { json_array, ..ReplyContext::default() };
        let again = encoded(events.clone(), &context);
        let framing = if json_array { Framing::JsonArray } else { Framing::Sse };
        let again = streamed(&again, framing, &[usize::MAX]);
        assert!(
            matches!(again.last(), Some(Event::Fault(again)) if again.message == fault.message)
        );
    }
}

#[test]
fn a_call_streamed_in_pieces_by_another_provider_is_written_once_it_is_whole() {
    let start = |index, name: &str| Event::ToolCallStart {
        choice: 0,
        index,
        id: format!("call-{index}"),
        name: name.into(),
        signature: None,
    };
    let piece =
        |index, text: &str| Event::ToolCallDelta { choice: 0, index, arguments: text.into() };
    let (reason, word) = (FinishReason::ToolCalls, Some("tool_calls".to_owned()));
    let finish = Event::Finish { choice: 0, reason, word, stop_sequence: None };
    let mut encoder = gemini().encode_stream(ReplyContext::default(), None);
    let mut body = Vec::new();
    let said =
        [start(0, "a"), piece(0, "{\"x\""), start(1, "b"), piece(1, "{\"y\":"), piece(0, ":1}")];
    for event in said {
        encoder.write(event, &mut body);
        assert!(body.is_empty(), "nothing is whole, or the first is not");
    }
    for event in [piece(1, "2"), finish, Event::End] {
        encoder.write(event, &mut body);
    }
    let losses: Vec<_> = encoder.losses().iter().map(ToString::to_string).collect();
    assert_eq!(losses, ["~candidates[0].arguments"], "the second was cut off");
    let reply = Reply::gather(streamed(&body, Framing::Sse, &[usize::MAX])).unwrap();
    let calls = reply.choices[0].parts.iter().map(|part| match &part.kind {
        PartKind::ToolCall { id, arguments, .. } => (id.as_str(), arguments.as_str()),
        other => panic!("{other:?}"),
    });
    let calls: Vec<_> = calls.collect();
    assert_eq!(calls, [("call-0", "{\"x\":1}"), ("call-1", "{\"y\":2")]);
    assert_eq!(reply.choices[0].finish, Some(FinishReason::ToolCalls));
}

#[test]
fn another_providers_thinking_survives_the_way_there_and_back() {
    let signature = Signature { origin: ANTHROPIC, data: "proof".into() };
    let hidden = Signature { origin: ANTHROPIC, data: "hidden".into() };
    let said = vec![
        PartKind::Reasoning { text: "Hm.".into(), signature: Some(signature) }.into(),
        PartKind::RedactedReasoning(hidden).into(),
        Part::text("Yes."),
    ];
    let choice = tollgate_model::Choice {
        parts: said.clone(),
        finish: Some(FinishReason::Stop),
        ..tollgate_model::Choice::default()
    };
    let reply = Reply { choices: vec![choice], ..Reply::default() };
    let whole = gemini().encode_reply(&reply, &ReplyContext::default());
    let whole: Value = serde_json::from_slice(&whole.body).unwrap();
    let content = &whole["candidates"][0]["content"];
    let chat = chat(&json!({"contents": [content, {"role": "user", "parts": [{"text": "?"}]}]}));
    let back: Vec<_> = chat.unwrap().messages.remove(0).parts.into_iter().map(|p| p.kind).collect();
    assert_eq!(back, said.into_iter().map(|part| part.kind).collect::<Vec<_>>());
    let again = encoded(reply.clone().into_events(), &ReplyContext::default());
    let again = Reply::gather(streamed(&again, Framing::Sse, &[usize::MAX])).unwrap();
    assert_eq!(again.choices, {
        let mut choices = reply.choices;
        choices[0].finish_word = Some("STOP".into());
        choices
    });
}

#[test]
fn errors_have_googles_words_and_keep_others() {
    let decode =
        |status, body: &str| gemini().decode_fault(status, &HeaderMap::new(), body.as_bytes());
    let key = r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT",
        "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}]"#;
    assert_eq!(decode(400, key).kind, FaultKind::Unauthenticated);
    let wait = r#"{"error":{"code":429,"message":"Later.","status":"RESOURCE_EXHAUSTED",
        "details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48.9s"}]}}"#;
    let wait = decode(429, wait);
    assert_eq!((wait.kind, wait.retry_after_s), (FaultKind::RateLimited, Some(49)));
    let day = r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED",
        "details":[{"violations":[{"quotaId":"RequestsPerDay"}]}]}}"#;
    assert_eq!(decode(429, day).kind, FaultKind::QuotaExhausted);
    let html = decode(502, "<html>leak-page</html>");
    assert!(html.kind == FaultKind::BadUpstream && html.upstream.is_none());
    assert!(!html.message.contains("leak-"));

    let mut fault = Fault::new(FaultKind::Overloaded, Source::Upstream, "Overloaded");
    let kind = Some("overloaded_error".to_owned());
    fault.upstream =
        Some(Box::new(UpstreamError { status: 529, kind, ..UpstreamError::default() }));
    let encoded = gemini().encode_fault(&fault, "req-1");
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!((encoded.status, &body["error"]["code"]), (503, &json!(503)));
    assert_eq!(body["error"]["status"], "UNAVAILABLE");
    let metadata = json!({"requestId": "req-1", "type": "overloaded_error"});
    assert_eq!(body["error"]["details"][0]["metadata"], metadata);
    for kind in FaultKind::ALL {
        let encoded = gemini().encode_fault(&Fault::new(kind, Source::Internal, "x"), "");
        let again = gemini().decode_fault(encoded.status, &HeaderMap::new(), &encoded.body);
        // Google has no words for these two, and says no more than their status.
        if !matches!(kind, FaultKind::QuotaExhausted | FaultKind::Loop) {
            assert_eq!(again.kind.retryable(), kind.retryable(), "{kind:?}");
        }
    }
}

#[test]
fn every_request_line_of_googles_sdks_is_known() {
    let mut headers = HeaderMap::new();
    headers.insert("x-goog-api-key", http::HeaderValue::from_static("x"));
    for (method, path, operation, stream) in [
        (Method::POST, "/v1beta/models/a%2Fb:generateContent", Operation::Chat, false),
        (Method::POST, "/v1/models/a%2Fb:streamGenerateContent", Operation::Chat, true),
        (Method::POST, "/v1beta/models/a%2Fb:countTokens", Operation::CountTokens, false),
        (Method::POST, "/v1beta/models/a%2Fb:batchEmbedContents", Operation::Embed, false),
        (Method::POST, "/v1/models/a/b:embedContent", Operation::Embed, false),
        (Method::GET, "/v1beta/models/a%2Fb", Operation::GetModel, false),
        (Method::GET, "/v1/models/a%2Fb", Operation::GetModel, false),
    ] {
        let found = ingress::find(&method, path, &headers).unwrap();
        assert_eq!(found.dialect.id(), ID, "{path}");
        assert_eq!((found.route.operation, found.route.stream), (operation, stream), "{path}");
        assert_eq!(found.model.as_deref(), Some("a/b"), "{path}");
    }
    let list = ingress::find(&Method::GET, "/v1beta/models", &HeaderMap::new()).unwrap();
    assert_eq!((list.dialect.id(), list.route.operation), (ID, Operation::ListModels));
}
