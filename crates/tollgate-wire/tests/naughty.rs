//! Naughty strings in every place of every document where a string can stand: values and keys of
//! requests, answers, stream frames and errors. No decoder may panic, and a request that is read
//! is written again as it was.
//!
//! The strings are those of the robustness corpus; the documents stand here. Each place gets an
//! eighth of the strings, places next to one another another eighth: a document has many places
//! where a text may stand.

#![expect(clippy::unwrap_used, reason = "a test that breaks should say so at once")]

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use tollgate_model::{DialectId, Reply};
use tollgate_wire::{
    Codec, DIALECTS, Dialect, Frame, Framer, Framing, Incoming, OPERATIONS, Operation, Quirks,
    Recipient, ReplyContext, Route, dialect,
};

static QUIRKS: Quirks = Quirks { developer_role: true, ..Quirks::NONE };

#[derive(Clone, Copy)]
enum Part {
    Request,
    Reply,
    Chunk,
    Fault,
    Operation,
}

fn documents() -> Vec<(&'static str, Part, Value)> {
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    vec![
        (
            "openai-chat",
            Part::Request,
            json!({
                "model": "m", "user": "u", "stop": ["s"], "tool_choice": "auto", "service_tier": "default",
                "reasoning_effort": "low", "metadata": { "a": "b" }, "unknown": "x",
                "messages": [
                    { "role": "developer", "content": "be kind", "name": "n" },
                    { "role": "user", "content": [
                        { "type": "text", "text": "what is this?" },
                        { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA", "detail": "low" } },
                        { "type": "input_audio", "input_audio": { "data": "AAAA", "format": "wav" } },
                        { "type": "file", "file": { "filename": "f.pdf", "file_data": "data:application/pdf;base64,AAAA" } },
                    ] },
                    { "role": "assistant", "content": "wait", "tool_calls": [
                        { "id": "call_1", "type": "function", "function": { "name": "weather", "arguments": "{\"city\":\"x\"}" } },
                    ] },
                    { "role": "tool", "tool_call_id": "call_1", "content": "rain" },
                ],
                "tools": [{ "type": "function", "function": { "name": "weather", "description": "d", "parameters": schema } }],
                "response_format": { "type": "json_schema", "json_schema": { "name": "r", "schema": schema } },
            }),
        ),
        (
            "openai-chat",
            Part::Reply,
            json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "service_tier": "default",
                "choices": [{ "index": 0, "finish_reason": "tool_calls", "message": {
                    "role": "assistant", "content": "wait", "refusal": "no", "reasoning_content": "hm",
                    "tool_calls": [{ "id": "call_1", "type": "function", "function": { "name": "weather", "arguments": "{}" } }],
                    "annotations": [{ "type": "url_citation", "url_citation": { "url": "https://a.example", "title": "t", "start_index": 0, "end_index": 1 } }],
                } }],
                "usage": { "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3 },
            }),
        ),
        (
            "openai-chat",
            Part::Chunk,
            json!({
                "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{ "index": 0, "finish_reason": "stop", "delta": {
                    "role": "assistant", "content": "hello", "reasoning_content": "hm", "refusal": "no",
                    "tool_calls": [{ "index": 0, "id": "call_1", "type": "function", "function": { "name": "weather", "arguments": "{" } }],
                } }],
            }),
        ),
        (
            "openai-chat",
            Part::Fault,
            json!({ "error": { "message": "m", "type": "t", "param": "p", "code": "c" } }),
        ),
        (
            "openai-chat",
            Part::Operation,
            json!({
                "model": "m", "input": ["a", "b"], "encoding_format": "base64", "user": "u", "object": "list",
                "data": [{ "object": "embedding", "index": 0, "embedding": "AACAPw==" }],
            }),
        ),
        (
            "anthropic-messages",
            Part::Request,
            json!({
                "model": "m", "max_tokens": 10, "stop_sequences": ["s"], "metadata": { "user_id": "u" },
                "system": [{ "type": "text", "text": "be kind", "cache_control": { "type": "ephemeral", "ttl": "1h" } }],
                "messages": [
                    { "role": "user", "content": [
                        { "type": "text", "text": "what is this?" },
                        { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "AAAA" } },
                        { "type": "document", "title": "t", "context": "c", "source": { "type": "url", "url": "https://a.example/x.pdf" } },
                    ] },
                    { "role": "assistant", "content": [
                        { "type": "thinking", "thinking": "hm", "signature": "AAAA" },
                        { "type": "redacted_thinking", "data": "AAAA" },
                        { "type": "tool_use", "id": "toolu_1", "name": "weather", "input": { "city": "x" } },
                    ] },
                    { "role": "user", "content": [
                        { "type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": [{ "type": "text", "text": "rain" }] },
                    ] },
                ],
                "tools": [{ "name": "weather", "description": "d", "input_schema": schema }],
                "tool_choice": { "type": "tool", "name": "weather" },
            }),
        ),
        (
            "anthropic-messages",
            Part::Reply,
            json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "stop_sequence", "stop_sequence": "s",
                "content": [
                    { "type": "thinking", "thinking": "hm", "signature": "AAAA" },
                    { "type": "text", "text": "hello", "citations": [{ "type": "char_location", "cited_text": "c", "document_index": 0, "document_title": "t", "start_char_index": 0, "end_char_index": 1 }] },
                    { "type": "tool_use", "id": "toolu_1", "name": "weather", "input": { "city": "x" } },
                ],
                "usage": { "input_tokens": 1, "output_tokens": 2, "service_tier": "standard" },
            }),
        ),
        (
            "anthropic-messages",
            Part::Chunk,
            json!({ "type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": { "input_tokens": 1, "output_tokens": 1 },
        } }),
        ),
        (
            "anthropic-messages",
            Part::Chunk,
            json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "tool_use", "id": "toolu_1", "name": "weather", "input": {} } }),
        ),
        (
            "anthropic-messages",
            Part::Chunk,
            json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "hello" } }),
        ),
        (
            "anthropic-messages",
            Part::Chunk,
            json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null }, "usage": { "output_tokens": 2 } }),
        ),
        (
            "anthropic-messages",
            Part::Fault,
            json!({ "type": "error", "error": { "type": "overloaded_error", "message": "m" }, "request_id": "r" }),
        ),
        (
            "gemini-generate",
            Part::Request,
            json!({
                "systemInstruction": { "parts": [{ "text": "be kind" }] },
                "contents": [
                    { "role": "user", "parts": [
                        { "text": "what is this?" },
                        { "inlineData": { "mimeType": "image/png", "data": "AAAA" } },
                        { "fileData": { "mimeType": "video/mp4", "fileUri": "https://a.example/x.mp4" } },
                    ] },
                    { "role": "model", "parts": [
                        { "text": "hm", "thought": true, "thoughtSignature": "AAAA" },
                        { "functionCall": { "id": "c1", "name": "weather", "args": { "city": "x" } } },
                    ] },
                    { "role": "user", "parts": [{ "functionResponse": { "id": "c1", "name": "weather", "response": { "result": "rain" } } }] },
                ],
                "tools": [{ "functionDeclarations": [{ "name": "weather", "description": "d", "parameters": { "type": "OBJECT", "properties": { "city": { "type": "STRING" } } } }] }],
                "toolConfig": { "functionCallingConfig": { "mode": "ANY", "allowedFunctionNames": ["weather"] } },
                "safetySettings": [{ "category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE" }],
                "generationConfig": { "stopSequences": ["s"], "responseMimeType": "application/json", "temperature": 0.5 },
            }),
        ),
        ("gemini-generate", Part::Reply, gemini_answer()),
        ("gemini-generate", Part::Chunk, gemini_answer()),
        (
            "gemini-generate",
            Part::Fault,
            json!({ "error": { "code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED", "details": [
            { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s" },
            { "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "r", "domain": "d", "metadata": { "k": "v" } },
        ] } }),
        ),
        (
            "gemini-generate",
            Part::Operation,
            json!({
                "model": "models/m", "content": { "parts": [{ "text": "a" }] }, "taskType": "RETRIEVAL_QUERY", "title": "t",
                "requests": [{ "model": "models/m", "content": { "parts": [{ "text": "a" }] } }],
                "contents": [{ "role": "user", "parts": [{ "text": "a" }] }],
            }),
        ),
    ]
}

fn gemini_answer() -> Value {
    json!({
        "responseId": "r", "modelVersion": "m",
        "candidates": [{ "index": 0, "finishReason": "STOP", "finishMessage": "f", "content": { "role": "model", "parts": [
            { "text": "hello" },
            { "text": "hm", "thought": true, "thoughtSignature": "AAAA" },
            { "functionCall": { "name": "weather", "args": { "city": "x" } } },
        ] }, "groundingMetadata": { "groundingChunks": [{ "web": { "uri": "https://a.example", "title": "t" } }],
            "groundingSupports": [{ "segment": { "startIndex": 0, "endIndex": 1, "text": "h" }, "groundingChunkIndices": [0] }] } }],
        "usageMetadata": { "promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3, "trafficType": "ON_DEMAND" },
    })
}

/// The document with `text` in the place of its `place`-th string or key; `None` past the last.
fn with(document: &Value, place: usize, text: &str) -> Option<Value> {
    let mut left = Some(place);
    let changed = change(document, &mut left, text);
    left.is_none().then_some(changed)
}

fn change(value: &Value, left: &mut Option<usize>, text: &str) -> Value {
    match value {
        Value::String(old) => this(left, old, text).into(),
        Value::Array(items) => items.iter().map(|item| change(item, left, text)).collect(),
        Value::Object(members) => {
            let mut changed = serde_json::Map::new();
            for (key, inner) in members {
                let key = this(left, key, text).to_owned();
                changed.insert(key, change(inner, left, text));
            }
            Value::Object(changed)
        }
        other => other.clone(),
    }
}

/// Counts down to the place that is meant; there it is `new`, and nothing is left to change.
fn this<'a>(left: &mut Option<usize>, old: &'a str, new: &'a str) -> &'a str {
    match left {
        Some(0) => {
            *left = None;
            new
        }
        Some(places) => {
            *places -= 1;
            old
        }
        None => old,
    }
}

#[test]
fn no_decoder_minds_a_naughty_string() {
    let Some(vectors) = tollgate_testkit::robustness("naughty_strings.jsonl.gz") else { return };
    let texts: Vec<_> = vectors.iter().map(|vector| vector["text"].as_str().unwrap()).collect();
    assert!(texts.len() > 250);
    let mut understood = 0;
    for (name, part, document) in documents() {
        let spoken = DIALECTS.iter().find(|one| one.id().as_str() == name).unwrap();
        let as_it_is = check(spoken, part, &document);
        assert!(as_it_is, "{name} does not understand the document itself: {document}");
        for place in 0.. {
            if with(&document, place, "\u{1}").is_none() {
                assert!(place >= 5, "too few places in {document}");
                break;
            }
            for text in texts.iter().skip(place % 8).step_by(8) {
                if let Some(changed) = with(&document, place, text) {
                    understood += usize::from(check(spoken, part, &changed));
                }
            }
        }
    }
    assert!(understood > 2_500, "only {understood} documents were understood at all");
}

/// Reads a document, and writes again what was read; whether it was understood.
fn check(spoken: &'static Dialect, part: Part, document: &Value) -> bool {
    let body = document.to_string();
    match part {
        Part::Request => request(spoken, document, body.as_bytes()),
        Part::Reply => reply(spoken, body.as_bytes()),
        Part::Chunk => chunk(spoken, body),
        Part::Fault => {
            let fault = spoken.decode_fault(429, &HeaderMap::new(), body.as_bytes());
            for other in DIALECTS {
                let told = other.encode_fault(&fault, "r");
                serde_json::from_slice::<Value>(&told.body).unwrap();
            }
            fault.upstream.is_some()
        }
        Part::Operation => operation(spoken.id(), body.as_bytes()),
    }
}

fn incoming<'a>(route: &'static Route, headers: &'a HeaderMap, body: &'a [u8]) -> Incoming<'a> {
    Incoming { route, model: route.suffix.map(|_| "m"), headers, body }
}

fn request(spoken: &'static Dialect, document: &Value, body: &[u8]) -> bool {
    let routes = spoken.rules().routes.iter();
    let route = routes.clone().find(|route| route.operation == Operation::Chat).unwrap();
    let Ok(chat) = spoken.decode_request(&incoming(route, &HeaderMap::new(), body)) else {
        return false;
    };
    let to = Recipient { model: &chat.model, quirks: &QUIRKS };
    for other in DIALECTS {
        let Ok(outgoing) = other.encode_request(&chat, &to) else { continue };
        let mut written: Value = serde_json::from_slice(&outgoing.body).unwrap();
        if other.id() == spoken.id() {
            let mut document = document.clone();
            // Anthropic refuses most characters in ids of calls: they are made such as it takes.
            if spoken.id().as_str() == "anthropic-messages" {
                without_call_ids(&mut written);
                without_call_ids(&mut document);
            }
            assert_eq!(written, document);
        }
    }
    true
}

fn without_call_ids(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_call_ids),
        Value::Object(members) => {
            members.retain(|key, _| key != "id" && key != "tool_use_id");
            members.values_mut().for_each(without_call_ids);
        }
        _ => {}
    }
}

fn reply(spoken: &'static Dialect, body: &[u8]) -> bool {
    let Ok(events) = spoken.decode_reply(body, &QUIRKS) else { return false };
    let Ok(reply) = Reply::gather(events) else { return false };
    for other in DIALECTS {
        let written = other.encode_reply(&reply, &ReplyContext::default());
        serde_json::from_slice::<Value>(&written.body).unwrap();
    }
    true
}

fn chunk(spoken: &'static Dialect, body: String) -> bool {
    let kind = serde_json::from_str::<Value>(&body).unwrap()["type"].as_str().map(str::to_owned);
    let event =
        kind.filter(|kind| !kind.contains(['\r', '\n'])).map(Bytes::from).unwrap_or_default();
    let frame = Frame { event, data: body.into(), ..Frame::default() };
    let mut decoder = spoken.decode_stream(&QUIRKS);
    let mut events = Vec::new();
    decoder.read(&frame, &mut events);
    let count = events.len();
    decoder.end(&mut events);
    for other in DIALECTS {
        let mut written = Vec::new();
        let mut encoder = other.encode_stream(ReplyContext::default(), None);
        events.iter().for_each(|event| encoder.write(event.clone(), &mut written));
        assert!(is_sound(other.rules().framing, written));
    }
    count > 0
}

/// Text, or frames that hold nothing but JSON.
fn is_sound(framing: Framing, written: Vec<u8>) -> bool {
    if framing != Framing::AwsEventStream {
        return std::str::from_utf8(&written).is_ok();
    }
    let mut framer = Framer::new(framing, written.len());
    framer.push(written.into());
    while let Some(frame) = framer.next_frame().unwrap() {
        serde_json::from_slice::<Value>(&frame.data).unwrap();
    }
    framer.end() == Ok(None)
}

fn operation(id: DialectId, body: &[u8]) -> bool {
    let headers = HeaderMap::new();
    let routes = || dialect(id).unwrap().rules().routes.iter();
    let mut understood = false;
    for row in OPERATIONS.iter().filter(|row| row.dialect == id) {
        match row.codec {
            Codec::Embed(codec) => {
                for route in routes().filter(|route| route.operation == Operation::Embed) {
                    understood |= codec.decode_request(&incoming(route, &headers, body)).is_ok();
                }
                let _ = codec.decode_reply(body, &QUIRKS);
            }
            Codec::Rerank(codec) => {
                for route in routes().filter(|route| route.operation == Operation::Rerank) {
                    understood |= codec.decode_request(&incoming(route, &headers, body)).is_ok();
                }
                let _ = codec.decode_reply(body, &QUIRKS);
            }
            Codec::CountTokens(codec) => {
                for route in routes().filter(|route| route.operation == Operation::CountTokens) {
                    understood |= codec.decode_request(&incoming(route, &headers, body)).is_ok();
                }
                let _ = codec.decode_reply(body);
            }
            Codec::AsIs(_) | Codec::Batches(_) | Codec::Chat(_) | Codec::Models(_) => {}
        }
    }
    understood
}
