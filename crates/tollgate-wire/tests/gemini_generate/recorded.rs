//! Recorded traffic: requests come back as they were, and answers say what the corpus says.

use http::HeaderMap;
use serde_json::{Value, json};
use tollgate_model::{Event, Fault, FinishReason, MediaKind, PartKind, Reply};
use tollgate_wire::{Codec, Operation, Quirks, codec};

use crate::bench::{
    ID, TO, difference, events, gemini, incoming, recordings, report, route, with_model,
};

/// The provider refused it as well: no content may have this role.
const REFUSED: &str = "role' must be 'user' or 'model'";

#[test]
fn every_recorded_request_comes_back_as_it_was() {
    let (mut failures, mut count) = (Vec::new(), 0);
    let headers = HeaderMap::new();
    for recording in recordings("gemini-generate") {
        let Some(body) = recording.request() else { continue };
        count += 1;
        let path = recording.value["request"]["path"].as_str().unwrap();
        let stream = path.contains(":stream");
        let bytes = body.to_string().into_bytes();
        match gemini().decode_request(&incoming(route(Operation::Chat, stream), &headers, &bytes)) {
            Ok(chat) => {
                assert_eq!(chat.stream, stream);
                let out = gemini().encode_request(&chat, &TO).unwrap();
                let again: Value = serde_json::from_slice(&out.body).unwrap();
                let same = with_model(body.clone());
                if again != same {
                    failures.push(format!("{}: {}", recording.file, difference(&same, &again, "")));
                }
                if !out.losses.is_empty() {
                    failures.push(format!("{}: losses {:?}", recording.file, out.losses));
                }
            }
            Err(fault) if recording.status() == 400 && fault.message.contains(REFUSED) => {}
            Err(fault) => failures.push(format!("{}: {fault}", recording.file)),
        }
    }
    report("requests", &failures, count);
}

/// What the events say, in the corpus' words.
fn digest(events: &[Event]) -> Result<Value, Fault> {
    let signed = |part: &PartKind| match part {
        PartKind::Reasoning { signature, .. } | PartKind::ToolCall { signature, .. } => {
            u64::from(signature.is_some())
        }
        PartKind::Native { json, .. } => u64::from(json.get("thoughtSignature").is_some()),
        _ => 0,
    };
    let recited = events.iter().filter(|event| {
        matches!(event, Event::Citation { choice: 0, citation }
            if citation.native.as_ref().is_some_and(|(_, json)| json.get("segment").is_none()))
    });
    let citations = recited.count();
    let reply = Reply::gather(events.to_vec())?;
    let choice = &reply.choices[0];
    let calls = choice.parts.iter().filter_map(|part| match &part.kind {
        PartKind::ToolCall { id, name, arguments, .. } => Some(json!({
            "id": (!id.is_empty()).then_some(id), "name": name,
            "arguments": serde_json::from_str::<Value>(arguments).unwrap(),
        })),
        _ => None,
    });
    let images = choice.parts.iter().filter(|part| {
        matches!(&part.kind, PartKind::Media(media)
            if media.kind == MediaKind::Image)
    });
    let usage = &reply.usage;
    Ok(json!({
        "text": choice.text(),
        "reasoning": choice.reasoning(),
        "signatures": choice.parts.iter().map(|part| signed(&part.kind)).sum::<u64>(),
        "calls": calls.collect::<Vec<_>>(),
        "model": reply.model,
        "stop": choice.finish_word,
        // Google closes calls with `STOP`, and the corpus keeps to that.
        "finish": match choice.finish {
            Some(FinishReason::ToolCalls) => Some("stop"),
            other => other.map(FinishReason::as_str),
        },
        "citations": citations,
        "choices": reply.choices.len(),
        "logprobs": !choice.logprobs.is_empty(),
        "images": images.count(),
        "usage": {
            "input": usage.total_input(), "output": usage.total_output(),
            "cached": usage.cache_read_input_tokens, "reasoning": usage.reasoning_output_tokens,
            "total": usage.stated_total,
        },
    }))
}

fn expected(expect: &Value) -> Value {
    let count = |field: &str| expect[field].as_u64().unwrap_or(0);
    let usage = |field: &str| expect["usage"][field].clone();
    json!({
        "text": expect["text"],
        "reasoning": expect["reasoning"].as_str().unwrap_or_default(),
        "signatures": count("reasoning_signatures"),
        "calls": expect["tool_calls"],
        "model": expect["model"],
        "stop": if expect["stop"] == 1 { "STOP".into() } else { expect["stop"].clone() },
        "finish": expect["finish"],
        "citations": count("citations"),
        "choices": expect["choices"].as_u64().unwrap_or(1),
        "logprobs": expect["logprobs"].as_bool().unwrap_or(false),
        "images": count("images"),
        "usage": {
            "input": usage("input"), "output": usage("output"), "cached": usage("cached"),
            "reasoning": usage("reasoning"), "total": usage("total"),
        },
    })
}

#[test]
fn every_recorded_answer_says_what_its_digest_says() {
    let (mut failures, mut count) = (Vec::new(), 0);
    for recording in recordings("gemini-generate") {
        if recording.expect()["kind"] != "message" {
            continue;
        }
        count += 1;
        let got = events(&recording).and_then(|events| digest(&events));
        match got {
            Ok(got) if got == expected(recording.expect()) => {}
            Ok(got) => {
                let parted = difference(&expected(recording.expect()), &got, "");
                failures.push(format!("{}: {parted}", recording.file));
            }
            Err(fault) => failures.push(format!("{}: {fault}", recording.file)),
        }
    }
    report("answers", &failures, count);
}

#[test]
fn every_recorded_error_keeps_what_was_said() {
    let (mut failures, mut count) = (Vec::new(), 0);
    for dialect in ["gemini-generate", "gemini-embed", "gemini-count-tokens"] {
        for recording in recordings(dialect) {
            let expect = &recording.expect()["error"];
            if recording.expect()["kind"] != "error" {
                continue;
            }
            count += 1;
            let fault =
                gemini().decode_fault(recording.status(), &HeaderMap::new(), &recording.answer());
            let said = fault.upstream.clone().unwrap_or_default();
            let got = json!({
                "type": said.kind, "message": said.message, "status": said.status,
                "code": said.code.as_deref().and_then(|code| code.parse::<u64>().ok()),
            });
            let encoded = gemini().encode_fault(&fault, "request");
            let again = gemini().decode_fault(encoded.status, &HeaderMap::new(), &encoded.body);
            if got != *expect || again.upstream != fault.upstream {
                failures.push(format!("{}: {got} for {expect}", recording.file));
            }
        }
    }
    report("errors", &failures, count);
}

#[test]
fn embeddings_and_counts_come_back_as_they_were() {
    let (mut failures, mut count) = (Vec::new(), 0);
    let headers = HeaderMap::new();
    for (dialect, operation) in
        [("gemini-embed", Operation::Embed), ("gemini-count-tokens", Operation::CountTokens)]
    {
        let codec = codec(ID, operation).unwrap();
        for recording in recordings(dialect) {
            count += 1;
            let answer = recording.answer();
            if let Some(body) = recording.request() {
                let bytes = body.to_string().into_bytes();
                let incoming = incoming(route(operation, false), &headers, &bytes);
                let outgoing = match codec {
                    Codec::Embed(codec) => {
                        codec.encode_request(&codec.decode_request(&incoming).unwrap(), &TO)
                    }
                    Codec::CountTokens(codec) => {
                        codec.encode_request(&codec.decode_request(&incoming).unwrap(), &TO)
                    }
                    _ => panic!("another codec"),
                };
                let outgoing = outgoing.unwrap();
                let again: Value = serde_json::from_slice(&outgoing.body).unwrap();
                let same = with_model(body.clone());
                if again != same {
                    failures.push(format!("{}: {}", recording.file, difference(&same, &again, "")));
                }
                let method = recording.value["request"]["path"].as_str().unwrap();
                let method = method.rsplit_once(':').unwrap().1;
                assert_eq!(outgoing.path, format!("/v1beta/models/gemini-test:{method}"));
            }
            if recording.status() != 200 {
                continue;
            }
            match codec {
                Codec::Embed(codec) => {
                    let reply = codec.decode_reply(&answer, &Quirks::NONE).unwrap();
                    let vectors = recording.expect()["count"].as_u64().unwrap();
                    assert_eq!(reply.vectors.len() as u64, vectors);
                    let length = recording.expect()["dimensions"].as_u64().unwrap();
                    assert!(reply.vectors.iter().all(|vector| vector.len() as u64 == length));
                }
                Codec::CountTokens(codec) => {
                    let stated =
                        recording.value["response"]["body"]["json"]["totalTokens"].as_u64();
                    assert_eq!(codec.decode_reply(&answer).ok(), stated);
                }
                _ => {}
            }
        }
    }
    report("embeddings and counts", &failures, count);
}
