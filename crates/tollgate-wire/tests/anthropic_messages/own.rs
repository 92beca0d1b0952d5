//! Every recorded request comes back as it was, every recorded answer is read as its digest says,
//! however it is cut, and every stream that is cut can be ended.

use http::HeaderMap;
use serde_json::{Value, json};
use tollgate_model::{Event, FaultKind, Reply};
use tollgate_wire::Recipient;
use tollgate_wire::dialects::anthropic_messages::{ANTHROPIC_MESSAGES, ID, count_tokens::Count};
use tollgate_wire::operation::CountTokens as _;

use crate::bench::{
    QUIRKS, assert_well_formed, context, frames, has_note, incoming, plain, read, recordings, skim,
    written,
};

/// The recordings of Anthropic itself.
fn anthropic() -> Vec<Value> {
    recordings(|row| {
        row["provider"] == "anthropic" && row["dialect"].as_str().unwrap().starts_with("anthropic-")
    })
}

#[test]
fn every_recorded_request_comes_back_as_it_was() {
    let (mut same, mut refused) = (0, 0);
    for recording in anthropic() {
        let request = &recording["request"]["body"]["json"];
        if !request.is_object()
            || has_note(
                &recording,
                &["edited-possible", "reframed", "request-elided", "request-body-missing"],
            )
        {
            continue;
        }
        let body = serde_json::to_vec(request).unwrap();
        let headers = HeaderMap::new();
        let counts = recording["dialect"] == "anthropic-count-tokens";
        let chat = if counts {
            Count.decode_request(&incoming(&body, &headers))
        } else {
            ANTHROPIC_MESSAGES.decode_request(&incoming(&body, &headers))
        };
        let chat = match chat {
            Ok(chat) => chat,
            Err(fault) => {
                // What is refused here was refused by Anthropic, too.
                assert_eq!(recording["response"]["status"], 400, "{} {fault}", recording["id"]);
                assert_eq!(fault.kind, FaultKind::InvalidRequest);
                refused += 1;
                continue;
            }
        };
        let to = Recipient { model: request["model"].as_str().unwrap(), quirks: &QUIRKS };
        let outgoing = if counts {
            Count.encode_request(&chat, &to)
        } else {
            ANTHROPIC_MESSAGES.encode_request(&chat, &to)
        };
        let outgoing = outgoing.unwrap();
        let again: Value = serde_json::from_slice(&outgoing.body).unwrap();
        assert_eq!(&again, request, "{}", recording["id"]);
        assert!(outgoing.losses.is_empty(), "{} {:?}", recording["id"], outgoing.losses);
        same += 1;
    }
    println!("{same} requests came back as they were, {refused} were refused");
}

/// Fault or whole answer of a recording.
fn events(recording: &Value) -> Option<Vec<Event>> {
    let body = &recording["response"]["body"];
    match body["kind"].as_str()? {
        "json" => {
            let bytes = serde_json::to_vec(&body["json"]).unwrap();
            Some(
                ANTHROPIC_MESSAGES
                    .decode_reply(&bytes, &QUIRKS)
                    .unwrap_or_else(|f| vec![Event::Fault(f)]),
            )
        }
        "sse" => Some(read(&frames(body["text"].as_str()?, |all| all))),
        _ => None,
    }
}

/// Files (all noted `edited-possible` and `reframed`) in which their authors joined several answers
/// to one body, which no provider sends: a stream that begins twice is a fault here.
fn is_exception(recording: &Value) -> bool {
    let text = recording["response"]["body"]["text"].as_str().unwrap_or_default();
    has_note(recording, &["edited-possible"])
        && has_note(recording, &["reframed"])
        && text.matches("event: message_start").count() > 1
}

#[test]
fn every_recorded_answer_is_read_as_its_digest_says() {
    let mut met = 0;
    for recording in anthropic() {
        let expect = &recording["expect"];
        let id = recording["id"].as_str().unwrap();
        if recording["dialect"] != "anthropic-messages" || is_exception(&recording) {
            continue;
        }
        let status = recording["response"]["status"].as_u64().unwrap();
        if expect["kind"] == "error" {
            let body = serde_json::to_vec(&recording["response"]["body"]["json"]).unwrap();
            let status = u16::try_from(status).unwrap();
            let fault = ANTHROPIC_MESSAGES.decode_fault(status, &HeaderMap::new(), &body);
            assert_eq!(json!(fault.status()), expect["error"]["status"], "{id}");
            let said = fault.upstream.as_ref().unwrap();
            assert_eq!(json!(said.kind), expect["error"]["type"], "{id}");
            assert_eq!(json!(said.message), expect["error"]["message"], "{id}");
            let again = ANTHROPIC_MESSAGES.encode_fault(&fault, "req_1");
            let again: Value = serde_json::from_slice(&again.body).unwrap();
            assert_eq!(again["error"], recording["response"]["body"]["json"]["error"], "{id}");
            met += 1;
            continue;
        }
        let events = events(&recording).unwrap();
        let reply = Reply::gather(events).unwrap_or_else(|fault| panic!("{id}: {fault}"));
        assert_digest(id, &reply, expect);
        met += 1;
    }
    println!("{met} answers were read as their digests say");
}

fn assert_digest(id: &str, reply: &Reply, expect: &Value) {
    let empty = tollgate_model::Choice::default();
    let choice = reply.choices.first().unwrap_or(&empty);
    assert_eq!(json!(choice.text()), expect["text"], "{id} text");
    assert_eq!(
        choice.reasoning(),
        expect["reasoning"].as_str().unwrap_or_default(),
        "{id} reasoning"
    );
    assert_eq!(json!(reply.model), expect["model"], "{id} model");
    assert_eq!(json!(choice.finish_word), expect["stop"], "{id} stop");
    if !expect["finish"].is_null() {
        assert_eq!(json!(choice.finish.map(|f| f.as_str())), expect["finish"], "{id} finish");
    }
    assert_eq!(json!(choice.stop_sequence), expect["stop_sequence"], "{id} stop_sequence");
    let calls: Vec<Value> = choice.parts.iter().filter_map(|part| match &part.kind {
        tollgate_model::PartKind::ToolCall { id, name, arguments, .. } => {
            Some(match serde_json::from_str::<Value>(arguments) {
                Ok(parsed) => json!({"id": id, "name": name, "arguments": parsed}),
                Err(_) => json!({"id": id, "name": name, "arguments": arguments, "invalid_json": true}),
            })
        }
        _ => None,
    }).collect();
    assert_eq!(json!(calls), expect["tool_calls"], "{id} tool calls");
    let citations = expect["citations"].as_u64().unwrap_or(0);
    assert_eq!(choice.citations.len() as u64, citations, "{id} citations");
    let redacted = choice
        .parts
        .iter()
        .filter(|part| matches!(part.kind, tollgate_model::PartKind::RedactedReasoning(_)));
    assert_eq!(
        redacted.count() as u64,
        expect["redacted_reasoning"].as_u64().unwrap_or(0),
        "{id} redacted"
    );
    let usage = &expect["usage"];
    let figures = [
        ("input", reply.usage.total_input()),
        ("output", reply.usage.total_output()),
        ("cached", reply.usage.cache_read_input_tokens),
        ("cache_write", reply.usage.total_cache_write()),
        ("reasoning", reply.usage.reasoning_output_tokens),
    ];
    for (name, figure) in figures {
        assert_eq!(json!(figure), usage[name], "{id} usage {name}");
    }
}

/// A small generator of cuts: the same ones each time.
fn cuts(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed | 1;
    move |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % 97 + 1
    }
}

#[test]
fn streams_mean_the_same_however_they_are_cut() {
    let mut streams = 0;
    for recording in anthropic() {
        let body = &recording["response"]["body"];
        let Some(text) = body["text"].as_str().filter(|_| body["kind"] == "sse") else { continue };
        let whole = read(&frames(text, |all| all));
        assert_eq!(read(&frames(text, cuts(streams))), whole, "{}", recording["id"]);
        if streams % 40 == 0 {
            assert_eq!(read(&frames(text, |_| 1)), whole, "{}", recording["id"]);
        }
        streams += 1;
    }
    println!("{streams} streams");
}

#[test]
fn skimming_meters_as_reading_does() {
    for recording in anthropic() {
        let body = &recording["response"]["body"];
        if is_exception(&recording) {
            continue;
        }
        if body["kind"] == "sse" {
            let frames = frames(body["text"].as_str().unwrap(), |all| all);
            let mut all = read(&frames);
            all.retain(Event::is_metered);
            assert_eq!(skim(&frames), all, "{}", recording["id"]);
        } else if body["kind"] == "json" && recording["expect"]["kind"] == "message" {
            let bytes = serde_json::to_vec(&body["json"]).unwrap();
            let mut all = ANTHROPIC_MESSAGES.decode_reply(&bytes, &QUIRKS).unwrap();
            all.retain(Event::is_metered);
            assert_eq!(
                ANTHROPIC_MESSAGES.skim_reply(&bytes, &QUIRKS).unwrap(),
                all,
                "{}",
                recording["id"]
            );
        }
    }
}

#[test]
fn an_answer_written_again_says_the_same_streamed_and_whole() {
    for recording in anthropic() {
        if recording["expect"]["kind"] != "message" || is_exception(&recording) {
            continue;
        }
        let id = &recording["id"];
        let events = events(&recording).unwrap();
        let reply = Reply::gather(events.clone()).unwrap();
        let stream = written(events, None);
        assert_well_formed(&stream, true);
        let streamed = Reply::gather(read(&frames(&stream, |all| all))).unwrap();
        assert_eq!(plain(streamed), plain(reply.clone()), "{id} streamed");

        let whole = ANTHROPIC_MESSAGES.encode_reply(&reply, &context());
        assert!(whole.losses.is_empty(), "{id}");
        let whole = ANTHROPIC_MESSAGES.decode_reply(&whole.body, &QUIRKS).unwrap();
        assert_eq!(plain(Reply::gather(whole).unwrap()), plain(reply), "{id} whole");
    }
}

#[test]
fn a_stream_cut_after_any_frame_can_be_ended() {
    use tollgate_model::{Fault, FinishReason, Usage};
    let mut streams = 0;
    for recording in anthropic() {
        let body = &recording["response"]["body"];
        let Some(text) = body["text"].as_str().filter(|_| body["kind"] == "sse") else { continue };
        streams += 1;
        if is_exception(&recording) || (streams % 5 != 0 && text.len() > 20_000) {
            continue;
        }
        let all = frames(text, |all| all);
        for reading in [true, false] {
            let mut decoder = ANTHROPIC_MESSAGES.decode_stream(&QUIRKS);
            let (mut before, mut events) = (String::new(), Vec::new());
            for frame in &all {
                if reading {
                    decoder.read(frame, &mut events);
                } else {
                    decoder.skim(frame, &mut events);
                }
                if matches!(events.last(), Some(Event::End)) {
                    break;
                }
                before.push_str(std::str::from_utf8(&frame.raw).unwrap());
                let rest = vec![
                    Event::Text { choice: 0, text: "more".into() },
                    Event::Finish {
                        choice: 0,
                        reason: FinishReason::Length,
                        word: None,
                        stop_sequence: None,
                    },
                    Event::Usage(Usage { output_tokens: Some(5), ..Usage::default() }),
                    Event::End,
                ];
                let snapshot = decoder.snapshot();
                let rest = if snapshot.finished.is_empty() { rest } else { vec![Event::End] };
                let ended = before.clone() + &written(rest, Some(snapshot.clone()));
                assert_well_formed(&ended, true);
                let failed = vec![Event::Fault(Fault::bad_upstream("broken"))];
                assert_well_formed(&(before.clone() + &written(failed, Some(snapshot))), false);
            }
        }
    }
}

#[test]
fn signatures_of_others_come_back() {
    use tollgate_model::{DialectId, Signature};
    let other = Signature { origin: DialectId("gemini-generate"), data: "AbC+/=".into() };
    let events = vec![
        Event::Start { id: None, model: None, created: None },
        Event::Reasoning { choice: 0, text: "hm".into() },
        Event::ReasoningSignature { choice: 0, signature: other.clone() },
        Event::ToolCallStart {
            choice: 0,
            index: 0,
            id: String::new(),
            name: "f".into(),
            signature: Some(other.clone()),
        },
        Event::ToolCallDelta { choice: 0, index: 0, arguments: "{\"a\":1}".into() },
        Event::Finish {
            choice: 0,
            reason: tollgate_model::FinishReason::Stop,
            word: Some("STOP".into()),
            stop_sequence: None,
        },
        Event::End,
    ];
    let reply = Reply::gather(events).unwrap();
    let body = ANTHROPIC_MESSAGES.encode_reply(&reply, &context());
    let message: Value = serde_json::from_slice(&body.body).unwrap();
    assert_eq!(message["stop_reason"], "tool_use");
    assert_eq!(message["content"][1]["type"], "redacted_thinking");
    // The caller sends the answer back with the result.
    let request = json!({
        "model": "m", "max_tokens": 10,
        "messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": message["content"]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": message["content"][2]["id"], "content": "1"}]},
        ],
    });
    let body = serde_json::to_vec(&request).unwrap();
    let chat = ANTHROPIC_MESSAGES.decode_request(&incoming(&body, &HeaderMap::new())).unwrap();
    let said = &chat.messages[1].parts;
    assert_eq!(said.len(), 2);
    assert!(
        matches!(&said[0].kind, tollgate_model::PartKind::Reasoning { signature: Some(s), .. } if *s == other)
    );
    assert!(
        matches!(&said[1].kind, tollgate_model::PartKind::ToolCall { signature: Some(s), .. } if *s == other)
    );
    // Anthropic itself would refuse them.
    let to = Recipient { model: "claude-sonnet-4-5", quirks: &QUIRKS };
    let outgoing = ANTHROPIC_MESSAGES.encode_request(&chat, &to).unwrap();
    assert!(!String::from_utf8_lossy(&outgoing.body).contains("AbC+"));
    assert_eq!(outgoing.losses.len(), 2, "{:?}", outgoing.losses);
    assert_eq!(ID.as_str(), "anthropic-messages");
}
