//! What other dialects' callers and providers really sent, written for Bedrock and its callers; and
//! what Bedrock's sent, written for the others.

use serde_json::Value;
use tollgate_model::{Chat, FaultKind, PartKind, Reply};
use tollgate_wire::dialects::bedrock_converse::{BEDROCK_CONVERSE, ID};
use tollgate_wire::{DIALECTS, Dialect, Framer, Recipient};

use crate::bench::{
    QUIRKS, assert_well_formed, context, decoded, has_note, read, recordings, whole, written,
};

const MODELS: &[&str] = &[
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.amazon.nova-2-lite-v1:0",
    "openai.gpt-oss-120b-1:0",
    "meta.llama3-70b-instruct-v1:0",
];

fn others() -> Vec<Value> {
    recordings(|row| {
        let dialect = row["dialect"].as_str();
        matches!(dialect, Some("openai-chat" | "gemini-generate" | "anthropic-messages"))
    })
}

/// Hosts put the same calls under paths of their own.
fn path(recording: &Value) -> String {
    let path = recording["request"]["path"].as_str().unwrap_or_default();
    match (recording["dialect"].as_str(), path.find("/models/")) {
        (Some("gemini-generate"), Some(at)) => format!("/v1beta{}", &path[at..]),
        (Some("anthropic-messages"), _) => "/v1/messages".to_owned(),
        (Some("bedrock-converse"), _) => path.to_owned(),
        _ => "/v1/chat/completions".to_owned(),
    }
}

/// Every text and call of a chat, and every result.
fn said(chat: &Chat) -> Vec<String> {
    let mut out = Vec::new();
    for part in chat.messages.iter().flat_map(|message| &message.parts) {
        match &part.kind {
            PartKind::Text(text) => out.push(text.clone()),
            PartKind::ToolCall { name, .. } => out.push(name.clone()),
            PartKind::ToolResult { parts, .. } => {
                out.extend(parts.iter().filter_map(|part| match &part.kind {
                    PartKind::Text(text) => Some(text.clone()),
                    _ => None,
                }))
            }
            _ => {}
        }
    }
    out.retain(|text| !text.trim().is_empty());
    out
}

/// What Bedrock demands of any request, whatever the model.
fn assert_taken(id: &Value, body: &Value) {
    let messages = body["messages"].as_array().unwrap();
    let mut before = "";
    let (mut calls, mut has_calls) = (Vec::new(), false);
    for message in messages {
        let role = message["role"].as_str().unwrap();
        assert_ne!(role, before, "{id}: roles come by turns");
        before = role;
        let blocks = message["content"].as_array().unwrap();
        assert!(!blocks.is_empty(), "{id}: a message says nothing");
        for block in blocks {
            assert_eq!(block.as_object().unwrap().len(), 1, "{id}: {block}");
            if let Some(text) = block["text"].as_str() {
                assert!(!text.trim().is_empty(), "{id}: a blank text");
            }
            let ids = [&block["toolUse"]["toolUseId"], &block["toolResult"]["toolUseId"]];
            for call in ids.into_iter().filter_map(Value::as_str) {
                let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
                assert!(!call.is_empty() && call.bytes().all(fits), "{id}: the id {call}");
                has_calls = true;
            }
            if let Some(call) = block["toolUse"]["toolUseId"].as_str() {
                assert!(block["toolUse"]["input"].is_object(), "{id}");
                calls.push(call.to_owned());
            }
            if let Some(name) = block["document"]["name"].as_str() {
                assert!(!name.is_empty() && !name.contains("  "), "{id}: the name {name}");
            }
        }
    }
    assert!(!has_calls || body["toolConfig"]["tools"].is_array(), "{id}: calls without tools");
    if let Some(temperature) = body["inferenceConfig"]["temperature"].as_f64() {
        assert!((0.0..=1.0).contains(&temperature), "{id}");
    }
}

#[test]
fn requests_of_others_are_written_as_bedrock_takes_them() {
    let (mut taken, mut unsupported) = (0, 0);
    for (number, recording) in others().into_iter().enumerate() {
        let request = &recording["request"]["body"]["json"];
        if !request.is_object()
            || recording["response"]["status"] != 200
            || has_note(&recording, &["request-elided"])
        {
            continue;
        }
        let Some(Ok(chat)) = decoded(&path(&recording), request) else { continue };
        let id = &recording["id"];
        let to = Recipient { model: MODELS[number % MODELS.len()], quirks: &QUIRKS };
        match BEDROCK_CONVERSE.encode_request(&chat, &to) {
            Ok(outgoing) => {
                let body: Value = serde_json::from_slice(&outgoing.body).unwrap();
                if chat.messages.iter().any(|message| !message.parts.is_empty()) {
                    assert_taken(id, &body);
                }
                let again = decoded(&outgoing.path, &body).unwrap().unwrap();
                let heard = said(&again).join("\n");
                for text in said(&chat) {
                    assert!(heard.contains(&text), "{id}: `{text}` is lost");
                }
                taken += 1;
            }
            Err(fault) => {
                assert_eq!(fault.kind, FaultKind::Unsupported, "{id} {fault}");
                unsupported += 1;
            }
        }
    }
    println!("{taken} requests of others, {unsupported} not to be carried");
}

#[test]
fn requests_of_bedrocks_callers_reach_the_others() {
    let mut reached = 0;
    for recording in recordings(|row| row["dialect"] == "bedrock-converse") {
        let request = &recording["request"]["body"]["json"];
        if !request.is_object() || has_note(&recording, &["request-elided"]) {
            continue;
        }
        let chat = decoded(&path(&recording), request).unwrap().unwrap();
        for to in DIALECTS.iter().filter(|to| to.id() != ID) {
            let id = format!("{} {}", recording["id"], to.id());
            let Ok(outgoing) = to.encode_request(&chat, &Recipient { model: "m", quirks: &QUIRKS })
            else {
                continue;
            };
            let body: Value = serde_json::from_slice(&outgoing.body).unwrap();
            let mut strings = Vec::new();
            gather_strings(&body, &mut strings);
            let heard = strings.join("\n");
            // A result that is JSON may travel as such.
            let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
            for text in said(&chat).into_iter().filter(|text| !is_json(text)) {
                assert!(heard.contains(&text), "{id}: `{text}` is lost");
            }
            for own in
                ["guardContent", "cachePoint", "toolUseId", "inferenceConfig", "reasoningContent"]
            {
                assert!(!body.to_string().contains(&format!("\"{own}\":")), "{id}: {own} leaked");
            }
            let limits = ["guardrailConfig", "requestMetadata", "promptVariables"];
            for field in limits.iter().filter(|field| request.get(**field).is_some()) {
                let told = outgoing.losses.iter().any(|loss| loss.field == **field);
                assert!(told, "{id}: nobody is told of {field}");
            }
            reached += 1;
        }
    }
    println!("{reached} requests reached another dialect");
}

fn gather_strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|item| gather_strings(item, out)),
        Value::Object(fields) => fields.values().for_each(|item| gather_strings(item, out)),
        _ => {}
    }
}

#[test]
fn answers_of_others_are_written_well() {
    let mut answers = 0;
    for recording in others() {
        if recording["expect"]["kind"] != "message" {
            continue;
        }
        let found = DIALECTS.iter().find(|d| recording["dialect"] == d.id().as_str()).unwrap();
        let body = &recording["response"]["body"];
        let events = match body["kind"].as_str() {
            Some("json") => found.decode_reply(body["json"].to_string().as_bytes(), &QUIRKS),
            Some("sse") => Ok(streamed(found, body["text"].as_str().unwrap())),
            _ => continue,
        };
        let Ok(events) = events else { continue };
        let Ok(reply) = Reply::gather(events.clone()) else { continue };
        let id = &recording["id"];
        let stream = written(events, None);
        assert_well_formed(&stream, true);
        let streamed = Reply::gather(read(&whole(&stream))).unwrap();
        let encoded = BEDROCK_CONVERSE.encode_reply(&reply, &context());
        let encoded = BEDROCK_CONVERSE.decode_reply(&encoded.body, &QUIRKS).unwrap();
        let buffered = Reply::gather(encoded).unwrap();
        let Some(said) = reply.choices.first() else { continue };
        for heard in [streamed, buffered] {
            let none = tollgate_model::Choice::default();
            let heard = heard.choices.first().unwrap_or(&none);
            assert_eq!(heard.text(), said.text() + &said.refusal(), "{id}");
            assert_eq!(heard.reasoning(), said.reasoning(), "{id}");
            assert_eq!(calls(heard), calls(said), "{id}");
        }
        answers += 1;
    }
    println!("{answers} answers of others");
}

fn streamed(dialect: &Dialect, text: &str) -> Vec<tollgate_model::Event> {
    let mut framer = Framer::new(tollgate_wire::Framing::Sse, 16 << 20);
    framer.push(bytes::Bytes::copy_from_slice(text.as_bytes()));
    let mut decoder = dialect.decode_stream(&QUIRKS);
    let mut out = Vec::new();
    while let Ok(Some(frame)) = framer.next_frame() {
        decoder.read(&frame, &mut out);
    }
    if let Ok(Some(frame)) = framer.end() {
        decoder.read(&frame, &mut out);
    }
    decoder.end(&mut out);
    out
}

fn calls(choice: &tollgate_model::Choice) -> Vec<(String, Value)> {
    let calls = choice.parts.iter().filter_map(|part| match &part.kind {
        PartKind::ToolCall { name, arguments, .. } => Some((name.clone(), arguments)),
        _ => None,
    });
    let parsed = |text: &String| match serde_json::from_str(text) {
        Ok(Value::Null) => serde_json::json!({}),
        Ok(parsed) => parsed,
        Err(_) if text.trim().is_empty() => serde_json::json!({}),
        Err(_) => Value::String(text.clone()),
    };
    calls.map(|(name, arguments)| (name, parsed(arguments))).collect()
}
