//! Requests that other dialects' callers really sent, written for Anthropic: what leaves must be
//! taken by a strict reader of Anthropic's own rules, which shares no code with the dialect.

use std::collections::BTreeMap;

use http::{HeaderMap, Method};
use serde_json::Value;
use tollgate_model::{FaultKind, Reply};
use tollgate_simulate::{Request, Simulator, Step};
use tollgate_wire::dialects::anthropic_messages::ANTHROPIC_MESSAGES;
use tollgate_wire::{Incoming, Recipient, ingress};

use crate::bench::{
    QUIRKS, assert_well_formed, context, frames, has_note, read, recordings, written,
};

/// One model of each generation that is asked in its own way.
const MODELS: &[&str] = &["claude-3-5-haiku-20241022", "claude-sonnet-4-5", "claude-opus-4-8"];

/// Requests that Anthropic would refuse however they are written, each with the reason.
const REFUSED: &[(&str, &str)] = &[
    ("gemini-gemini-generate-c64fd14ed2a8", "a result names no function that was called"),
    ("gemini-gemini-generate-a1a55bc229a7", "nothing is said"),
    ("mistral-openai-chat-444b4ead7b49", "a Word document, which Anthropic does not read"),
    ("ollama-openai-chat-b6248460bc41", "a call has no result"),
];

/// What Anthropic says to requests that cannot be written otherwise, each with the reason.
const HOPELESS: &[(&str, &str)] = &[
    ("does not support assistant message prefill", "newer models take no beginning of an answer"),
    ("Could not process image", "the recording holds half an image"),
];

fn others() -> Vec<Value> {
    recordings(|row| matches!(row["dialect"].as_str(), Some("openai-chat" | "gemini-generate")))
}

fn judge(simulator: &Simulator, body: &[u8]) -> Result<(), String> {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let answer = simulator.answer(&Request {
        method: "POST".into(),
        path: "/v1/messages".into(),
        query: String::new(),
        headers: vec![
            header("content-type", "application/json"),
            header("x-api-key", "test"),
            header("anthropic-version", "2023-06-01"),
        ],
        body: bytes::Bytes::copy_from_slice(body),
    });
    if answer.status == 200 {
        return Ok(());
    }
    let said = answer.steps.iter().find_map(|step| match step {
        Step::Send(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    });
    Err(said.unwrap_or_default())
}

#[test]
fn requests_of_others_are_taken() {
    let simulator = Simulator::new();
    let (mut taken, mut unsupported) = (0, BTreeMap::<String, u32>::new());
    let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (number, recording) in others().into_iter().enumerate() {
        let request = &recording["request"]["body"]["json"];
        if !request.is_object()
            || recording["response"]["status"] != 200
            || has_note(&recording, &["request-elided"])
        {
            continue;
        }
        let path = recording["request"]["path"].as_str().unwrap_or_default();
        // Hosts put the same calls under paths of their own.
        let path = match path.find("/models/") {
            Some(at) if recording["dialect"] == "gemini-generate" => {
                format!("/v1beta{}", &path[at..])
            }
            _ => "/v1/chat/completions".to_owned(),
        };
        let headers = HeaderMap::new();
        let Some(found) = ingress::find(&Method::POST, &path, &headers) else { continue };
        let body = serde_json::to_vec(request).unwrap();
        let incoming = Incoming {
            route: found.route,
            model: found.model.as_deref(),
            headers: &headers,
            body: &body,
        };
        let Ok(chat) = found.dialect.decode_request(&incoming) else { continue };
        // Each generation is asked a third of them.
        let model = MODELS[number % MODELS.len()];
        match ANTHROPIC_MESSAGES.encode_request(&chat, &Recipient { model, quirks: &QUIRKS }) {
            Ok(outgoing) => match judge(&simulator, &outgoing.body) {
                Ok(()) => taken += 1,
                Err(said) => {
                    let id = recording["id"].as_str().unwrap();
                    let said = said.chars().take(300).collect();
                    refused.entry(said).or_default().push(format!("{id} {model}"));
                }
            },
            Err(fault) => {
                assert_eq!(fault.kind, FaultKind::Unsupported, "{}", recording["id"]);
                *unsupported.entry(fault.message).or_default() += 1;
            }
        }
    }
    println!("{taken} taken, not to be carried: {unsupported:?}, refused: {}", refused.len());
    refused.retain(|said, ids| {
        ids.retain(|id| !REFUSED.iter().any(|(known, _)| id.starts_with(known)));
        !ids.is_empty() && !HOPELESS.iter().any(|(known, _)| said.contains(known))
    });
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn answers_of_others_are_written_well() {
    let mut answers = 0;
    for recording in others() {
        if recording["expect"]["kind"] != "message" {
            continue;
        }
        let Some(found) =
            tollgate_wire::DIALECTS.iter().find(|d| recording["dialect"] == d.id().as_str())
        else {
            continue;
        };
        let body = &recording["response"]["body"];
        let events = match body["kind"].as_str() {
            Some("json") => found.decode_reply(body["json"].to_string().as_bytes(), &QUIRKS),
            Some("sse") => {
                let mut decoder = found.decode_stream(&QUIRKS);
                let mut out = Vec::new();
                for frame in frames(body["text"].as_str().unwrap(), |all| all) {
                    decoder.read(&frame, &mut out);
                }
                decoder.end(&mut out);
                Ok(out)
            }
            _ => continue,
        };
        let Ok(events) = events else { continue };
        let Ok(reply) = Reply::gather(events.clone()) else { continue };
        let id = &recording["id"];
        let stream = written(events, None);
        assert_well_formed(&stream, true);
        let streamed = Reply::gather(read(&frames(&stream, |all| all))).unwrap();
        let whole = ANTHROPIC_MESSAGES.encode_reply(&reply, &context());
        let whole = ANTHROPIC_MESSAGES.decode_reply(&whole.body, &QUIRKS).unwrap();
        let whole = Reply::gather(whole).unwrap();
        let Some(said) = reply.choices.first() else { continue };
        for heard in [streamed, whole] {
            let heard = &heard.choices[0];
            assert_eq!(heard.text(), said.text() + &said.refusal(), "{id}");
            assert_eq!(heard.reasoning(), said.reasoning(), "{id}");
            assert_eq!(calls(heard), calls(said), "{id}");
        }
        answers += 1;
    }
    println!("{answers} answers of others");
}

fn calls(choice: &tollgate_model::Choice) -> Vec<(String, Value)> {
    let parts = choice.parts.iter();
    parts
        .filter_map(|part| match &part.kind {
            tollgate_model::PartKind::ToolCall { name, arguments, .. } => {
                let parsed = serde_json::from_str(arguments)
                    .unwrap_or_else(|_| Value::String(arguments.clone()));
                let parsed = match parsed {
                    Value::Null => serde_json::json!({}),
                    Value::String(text) if text.trim().is_empty() => serde_json::json!({}),
                    parsed => parsed,
                };
                Some((name.clone(), parsed))
            }
            _ => None,
        })
        .collect()
}
