//! Our own samples: every kind of block, odd spellings, faults, and what crosses how.

use serde_json::{Value, json};
use tollgate_model::{
    Chat, DialectId, Event, FaultKind, Media, MediaKind, MediaSource, Message, OutputFormat, Part,
    PartKind, Reasoning, ReasoningEffort, Reply, Role, Signature, ToolChoice,
};
use tollgate_wire::dialects::bedrock_converse::{BEDROCK_CONVERSE, ID};
use tollgate_wire::framing::aws_eventstream;
use tollgate_wire::{Outgoing, Recipient};

use crate::bench::{QUIRKS, chat, context, decoded, read, whole, written};

const CLAUDE: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

fn encoded(chat: &Chat, model: &str) -> (Value, Outgoing) {
    let outgoing = BEDROCK_CONVERSE.encode_request(chat, &Recipient { model, quirks: &QUIRKS });
    let outgoing = outgoing.unwrap();
    (serde_json::from_slice(&outgoing.body).unwrap(), outgoing)
}

fn losses(outgoing: &Outgoing) -> Vec<String> {
    outgoing.losses.iter().map(ToString::to_string).collect()
}

#[test]
fn every_field_and_block_comes_back_as_it_was() {
    let body = json!({
        "system": [
            {"text": "Be brief."}, {"cachePoint": {"type": "default", "ttl": "1h"}},
            {"guardContent": {"text": {"text": "x", "qualifiers": ["grounding_source"]}}},
        ],
        "messages": [
            {"role": "user", "content": [
                {"text": "Look.", "odd": null},
                {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}},
                {"image": {"format": "jpeg", "source":
                    {"s3Location": {"uri": "s3://bucket/a.jpg", "bucketOwner": "000000000000"}}}},
                {"document": {"format": "txt", "name": "a", "source": {"text": "words"},
                    "context": "c", "citations": {"enabled": true}}},
                {"document": {"format": "pdf", "name": "b",
                    "source": {"content": [{"text": "one"}]}}},
                {"video": {"format": "three_gp", "source": {"bytes": "AAAA"}}},
                {"audio": {"format": "mp3", "source": {"bytes": "AAAA"}}},
                {"cachePoint": {"type": "default"}}, {"cachePoint": {"type": "default"}},
                {"somethingNew": {"a": [1]}},
            ]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": ""}}},
                {"reasoningContent": {"redactedContent": "RXRr"}},
                {"citationsContent": {"content": [{"text": "said"}], "citations": [{"title": "t"}]}},
                {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1.0}, "type": "tool_use"}},
                {"toolUse": {"toolUseId": "t2", "name": "g", "input": "odd"}},
                {"toolUse": {"toolUseId": "t3", "name": "nova_grounding", "input": {},
                    "type": "server_tool_use"}},
                {"toolResult": {"toolUseId": "t3", "content": [{"text": "x"}], "type": "y"}},
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "t1", "status": "error", "content": [
                    {"json": {"b": [true, null]}}, {"text": "no"},
                    {"image": {"format": "gif", "source": {"bytes": "AAAA"}}},
                    {"searchResult": {"source": "s", "title": "t", "content": [{"text": "x"}]}},
                ]}},
                {"toolResult": {"toolUseId": "t2", "content": []}},
            ]},
        ],
        "inferenceConfig": {"maxTokens": 10.0, "temperature": 0, "topP": 0.5, "stopSequences": []},
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "f", "description": "", "inputSchema": {"json": {}}, "strict": false}},
                {"cachePoint": {"type": "default"}},
                {"systemTool": {"name": "nova_grounding"}},
            ],
            "toolChoice": {"tool": {"name": "f"}},
        },
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}, "x": 1},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "DRAFT"},
        "performanceConfig": {"latency": "optimized"},
        "promptVariables": {"a": {"text": "b"}},
        "requestMetadata": {"team": "x"},
        "serviceTier": {"type": "reserved"},
        "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema":
            {"schema": "{ \"type\":\"object\" }", "name": "n"}}}},
        "tomorrow": {"deep": [{"a": null}]},
    });
    for body in [
        body,
        json!({"messages": [], "system": [], "inferenceConfig": {}, "toolConfig": {"tools": []}}),
        json!({"promptVariables": {}}),
        json!({"messages": null, "toolConfig": {"tools": [], "toolChoice": {"new": {}}},
            "outputConfig": {"textFormat": {"type": "new"}}, "additionalModelRequestFields": "x"}),
    ] {
        let chat = chat(&body);
        let (again, outgoing) = encoded(&chat, CLAUDE);
        assert_eq!(again, body);
        assert_eq!(losses(&outgoing), [""; 0]);
    }
}

#[test]
fn what_the_hub_understands_is_understood() {
    let chat = chat(&json!({
        "messages": [
            {"role": "user", "content": [{"text": "a"}, {"cachePoint": {"type": "default", "ttl": "1h"}}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "status": "error", "content": [{"json": [1]}]}}]},
        ],
        "toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}],
            "toolChoice": {"any": {}}},
        "inferenceConfig": {"maxTokens": 5, "stopSequences": ["x"]},
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{}", "name": "n"}}}},
    }));
    assert_eq!(chat.model, "anthropic.claude-sonnet-4-5-v1:0");
    assert_eq!(chat.messages[0].parts[0].cache.as_ref().unwrap().ttl.as_deref(), Some("1h"));
    assert_eq!(chat.messages[2].role, Role::Tool);
    let PartKind::ToolResult { parts, is_error, .. } = &chat.messages[2].parts[0].kind else {
        panic!("no result")
    };
    assert_eq!((is_error, &parts[0].kind), (&Some(true), &PartKind::Text("[1]".into())));
    assert_eq!(chat.tool_choice, Some(ToolChoice::Required));
    assert_eq!((chat.max_output_tokens, chat.stop.len()), (Some(5), 1));
    assert_eq!(chat.reasoning.unwrap().budget_tokens, Some(2000));
    assert!(matches!(chat.output, OutputFormat::Schema { name: Some(name), .. } if name == "n"));
}

#[test]
fn wrong_types_are_named() {
    for (body, param) in [
        (json!({"messages": {}}), "messages"),
        (json!({"messages": [1]}), "messages[0]"),
        (json!({"messages": [{"content": []}]}), "messages[0].role"),
        (json!({"messages": [{"role": "system", "content": []}]}), "messages[0].role"),
        (json!({"messages": [{"role": "user", "content": "x"}]}), "messages[0].content"),
        (
            json!({"messages": [{"role": "user", "content": [{"text": 1}]}]}),
            "messages[0].content[0].text",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"image": {"source": {"bytes": "A"}}}]}]}),
            "messages[0].content[0].image.format",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": [{"toolUse": {"name": "f"}}]}]}),
            "messages[0].content[0].toolUse.toolUseId",
        ),
        (
            json!({"messages": [], "inferenceConfig": {"maxTokens": -1}}),
            "inferenceConfig.maxTokens",
        ),
        (
            json!({"messages": [], "toolConfig": {"tools": [{"toolSpec": {}}]}}),
            "toolConfig.tools[0].toolSpec.name",
        ),
        (json!({"messages": [], "endpoint_url": "http://192.0.2.1"}), "endpoint_url"),
    ] {
        let fault = decoded("/model/m/converse", &body).unwrap().unwrap_err();
        assert_eq!(
            (fault.kind, fault.param.as_deref()),
            (FaultKind::InvalidRequest, Some(param)),
            "{body}"
        );
    }
}

#[test]
fn messages_of_others_come_by_turns_with_the_systems_words_apart() {
    let call = PartKind::ToolCall {
        id: String::new(),
        name: "f".into(),
        arguments: "{\"a\":1}".into(),
        signature: None,
    };
    let result = PartKind::ToolResult {
        call_id: String::new(),
        name: Some("f".into()),
        parts: vec![Part::text("1")],
        shape: tollgate_model::Shape::Text,
        is_error: None,
    };
    let chat = Chat {
        messages: vec![
            Message::text(Role::System, "Be brief."),
            Message::text(Role::User, "a"),
            Message::text(Role::User, "b"),
            Message::new(Role::Assistant, vec![call.into()]),
            Message::new(Role::Tool, vec![result.into()]),
            Message::text(Role::User, "c"),
            Message::text(Role::Developer, "Now in French."),
        ],
        ..Chat::default()
    };
    let (body, outgoing) = encoded(&chat, CLAUDE);
    assert_eq!(
        body,
        json!({
            "system": [{"text": "Be brief."}, {"text": "Now in French."}],
            "messages": [
                {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
                {"role": "assistant", "content":
                    [{"toolUse": {"toolUseId": "call_1", "name": "f", "input": {"a": 1}}}]},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "call_1", "content": [{"text": "1"}]}}, {"text": "c"},
                ]},
            ],
            "toolConfig": {"tools": [
                {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}},
            ]},
        })
    );
    assert_eq!(losses(&outgoing), ["~messages[6].role", "~tools"]);
}

#[test]
fn thinking_is_asked_in_the_words_of_the_family() {
    let wanted = Reasoning { effort: Some(ReasoningEffort::High), ..Reasoning::default() };
    let mut chat = Chat { reasoning: Some(wanted), ..Chat::default() };
    chat.messages.push(Message::text(Role::User, "a"));
    chat.sampling.temperature = Some(0.5);
    let (body, _) = encoded(&chat, CLAUDE);
    let fields = &body["additionalModelRequestFields"];
    assert_eq!(fields["thinking"], json!({"type": "enabled", "budget_tokens": 12288}));
    assert!(body["inferenceConfig"]["maxTokens"].as_u64() > Some(12288));
    assert_eq!(body["inferenceConfig"].get("temperature"), None, "Claude does not take both");
    let (body, _) = encoded(&chat, "us.amazon.nova-2-lite-v1:0");
    let fields = &body["additionalModelRequestFields"];
    assert_eq!(fields["reasoningConfig"]["maxReasoningEffort"], "high");
    assert_eq!(body["inferenceConfig"]["temperature"], 0.5);
    let (body, outgoing) = encoded(&chat, "meta.llama3-70b-instruct-v1:0");
    assert_eq!(body.get("additionalModelRequestFields"), None);
    assert_eq!(losses(&outgoing), ["reasoning_effort"]);
}

#[test]
fn media_that_bedrock_cannot_fetch_is_refused_where_it_matters() {
    let url = MediaSource::Url { url: "https://example.com/a.png".into(), mime: None };
    let image = Media { kind: MediaKind::Image, source: url, name: None, detail: None };
    let ask = |messages| Chat { messages, ..Chat::default() };
    let shown = Message::new(Role::User, vec![PartKind::Media(image).into(), Part::text("What?")]);
    let to = Recipient { model: CLAUDE, quirks: &QUIRKS };
    let fault = BEDROCK_CONVERSE.encode_request(&ask(vec![shown.clone()]), &to).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsupported);
    let answered = Message::text(Role::Assistant, "A cat.");
    let again = Message::text(Role::User, "Sure?");
    let (_, outgoing) = encoded(&ask(vec![shown, answered, again]), CLAUDE);
    assert_eq!(losses(&outgoing), ["messages[0].content[0]"]);
}

#[test]
fn signatures_of_others_come_back_and_bedrock_is_spared_them() {
    let other = Signature { origin: DialectId("gemini-generate"), data: "AbC+/=".into() };
    let claude = Signature { origin: DialectId("anthropic-messages"), data: "RXRr".into() };
    let events = vec![
        Event::Start { id: None, model: None, created: None },
        Event::Reasoning { choice: 0, text: "hm".into() },
        Event::ReasoningSignature { choice: 0, signature: claude.clone() },
        Event::RedactedReasoning { choice: 0, data: claude.clone() },
        Event::ToolCallStart {
            choice: 0,
            index: 0,
            id: String::new(),
            name: "f".into(),
            signature: Some(other.clone()),
        },
        Event::ToolCallDelta { choice: 0, index: 0, arguments: "{}".into() },
        Event::End,
    ];
    let reply = Reply::gather(events.clone()).unwrap();
    let streamed = Reply::gather(read(&whole(&written(events, None)))).unwrap();
    let body = BEDROCK_CONVERSE.encode_reply(&reply, &context()).body;
    let buffered = BEDROCK_CONVERSE.decode_reply(&body, &QUIRKS).unwrap();
    for heard in [&streamed, &Reply::gather(buffered).unwrap()] {
        let parts = &heard.choices[0].parts;
        assert_eq!(parts.len(), 3, "{parts:?}");
        assert!(
            matches!(&parts[0].kind, PartKind::Reasoning { signature: Some(s), .. } if *s == claude)
        );
        assert!(matches!(&parts[1].kind, PartKind::RedactedReasoning(s) if *s == claude));
        assert!(
            matches!(&parts[2].kind, PartKind::ToolCall { signature: Some(s), .. } if *s == other)
        );
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let back = json!({"messages": [
        {"role": "user", "content": [{"text": "go"}]}, body["output"]["message"],
        {"role": "user", "content": [{"toolResult":
            {"toolUseId": "tooluse_made-up_0", "content": [{"text": "1"}]}}]},
    ]});
    let disturbs = BEDROCK_CONVERSE.rules().disturbs;
    let scan = tollgate_wire::Scan::default();
    assert!(disturbs(&QUIRKS, back.to_string().as_bytes(), &scan), "it must be written anew");
    let chat = chat(&back);
    let (sent, outgoing) = encoded(&chat, CLAUDE);
    let text = sent.to_string();
    assert!(!text.contains("tollgate.") && !text.contains("AbC"), "{text}");
    // Claude takes what Claude signed, wherever it was served.
    assert_eq!(
        sent["messages"][1]["content"][0]["reasoningContent"]["reasoningText"]["signature"],
        "RXRr"
    );
    assert_eq!(losses(&outgoing), ["messages[1].content[2].signature"]);
    let (sent, _) = encoded(&chat, "us.amazon.nova-2-lite-v1:0");
    assert!(!sent.to_string().contains("RXRr"));
    assert_eq!(ID.as_str(), "bedrock-converse");
}

#[test]
fn exceptions_and_broken_streams_are_faults() {
    let mut stream = Vec::new();
    aws_eventstream::write_event("messageStart", br#"{"role":"assistant"}"#, &mut stream);
    aws_eventstream::write_event(
        "contentBlockDelta",
        br#"{"contentBlockIndex":0,"delta":{"text":"a"}}"#,
        &mut stream,
    );
    let cut = read(&whole(&stream));
    assert!(
        matches!(cut.last(), Some(Event::Fault(fault)) if fault.kind == FaultKind::BadUpstream)
    );
    for (name, kind) in [
        ("throttlingException", FaultKind::RateLimited),
        ("validationException", FaultKind::InvalidRequest),
        ("internalServerException", FaultKind::Internal),
        ("modelStreamErrorException", FaultKind::BadUpstream),
        ("serviceUnavailableException", FaultKind::Overloaded),
    ] {
        let mut broken = stream.clone();
        aws_eventstream::write_exception(name, br#"{"message":"no"}"#, &mut broken);
        let events = read(&whole(&broken));
        let Some(Event::Fault(fault)) = events.last() else { panic!("{name}") };
        assert_eq!((fault.kind, fault.message.as_str()), (kind, "no"), "{name}");
        assert!(fault.upstream.is_some());
        let again = whole(&written(events, None));
        let last = again.last().unwrap();
        assert_eq!(
            (&last.event[..], &last.data[..]),
            (name.as_bytes(), &br#"{"message":"no"}"#[..])
        );
    }
}

#[test]
fn calls_that_come_interleaved_are_told_one_after_the_other() {
    let start = |index: u32, name: &str| Event::ToolCallStart {
        choice: 0,
        index,
        id: format!("t{index}"),
        name: name.into(),
        signature: None,
    };
    let piece =
        |index: u32, text: &str| Event::ToolCallDelta { choice: 0, index, arguments: text.into() };
    let events = vec![
        Event::Start { id: None, model: None, created: None },
        start(0, "f"),
        start(1, "g"),
        piece(0, "{\"a\":"),
        piece(1, "{\"b\":2}"),
        piece(0, "1}"),
        Event::End,
    ];
    let stream = written(events, None);
    crate::bench::assert_well_formed(&stream, true);
    let reply = Reply::gather(read(&whole(&stream))).unwrap();
    let calls: Vec<_> = reply.choices[0]
        .parts
        .iter()
        .map(|part| match &part.kind {
            PartKind::ToolCall { id, name, arguments, .. } => {
                (id.as_str(), name.as_str(), arguments.as_str())
            }
            _ => panic!(),
        })
        .collect();
    assert_eq!(calls, [("t0", "f", "{\"a\":1}"), ("t1", "g", "{\"b\":2}")]);
    assert_eq!(reply.choices[0].finish_word.as_deref(), Some("tool_use"));
}
