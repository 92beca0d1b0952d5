//! Every recorded request comes back as it was, every recorded answer is read as its digest says,
//! however it is cut, and every stream that is cut can be ended.

use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tollgate_model::{Event, Fault, FaultKind, FinishReason, PartKind, Reply, Usage};
use tollgate_wire::dialects::bedrock_converse::{BEDROCK_CONVERSE, count_tokens::Count};
use tollgate_wire::operation::CountTokens as _;
use tollgate_wire::{Incoming, Recipient, ingress};

use crate::bench::{
    QUIRKS, assert_well_formed, context, decoded, frames, has_note, headers, plain, read,
    recordings, skim, stream_of, whole, written,
};

const UNFAITHFUL: &[&str] =
    &["edited-possible", "reframed", "request-elided", "request-body-missing"];

fn converse() -> Vec<Value> {
    recordings(|row| row["dialect"] == "bedrock-converse")
}

#[test]
fn every_recorded_request_comes_back_as_it_was() {
    let mut same = 0;
    for recording in converse() {
        let request = &recording["request"]["body"]["json"];
        if !request.is_object() || has_note(&recording, UNFAITHFUL) {
            continue;
        }
        let id = &recording["id"];
        let path = recording["request"]["path"].as_str().unwrap();
        let chat = decoded(path, request).unwrap();
        let chat = chat.unwrap_or_else(|fault| panic!("{id}: {fault}"));
        let to = Recipient { model: &chat.model, quirks: &QUIRKS };
        let outgoing = BEDROCK_CONVERSE.encode_request(&chat, &to).unwrap();
        let again: Value = serde_json::from_slice(&outgoing.body).unwrap();
        assert_eq!(&again, request, "{id}");
        assert!(outgoing.losses.is_empty(), "{id} {:?}", outgoing.losses);
        assert_eq!(outgoing.path.replace("%3A", ":"), path.replace("%3A", ":"), "{id}");
        same += 1;
    }
    println!("{same} requests came back as they were");
}

#[test]
fn counts_are_asked_and_read_as_they_were() {
    let (mut same, mut refused) = (0, 0);
    for recording in recordings(|row| row["dialect"] == "bedrock-count-tokens") {
        let request = &recording["request"]["body"]["json"];
        let (headers, body) = (HeaderMap::new(), request.to_string());
        let path = recording["request"]["path"].as_str().unwrap();
        let found = ingress::find(&Method::POST, path, &headers).unwrap();
        let (route, model) = (found.route, found.model.as_deref());
        let incoming = Incoming { route, model, headers: &headers, body: body.as_bytes() };
        let chat = match Count.decode_request(&incoming) {
            Ok(chat) => chat,
            Err(fault) => {
                assert_eq!(fault.kind, FaultKind::Unsupported);
                assert_eq!(fault.param.as_deref(), Some("input.invokeModel"));
                refused += 1;
                continue;
            }
        };
        let to = Recipient { model: &chat.model, quirks: &QUIRKS };
        let outgoing = Count.encode_request(&chat, &to).unwrap();
        let again: Value = serde_json::from_slice(&outgoing.body).unwrap();
        assert_eq!(&again, request, "{}", recording["id"]);
        let answer = recording["response"]["body"]["json"].to_string();
        let tokens = Count.decode_reply(answer.as_bytes()).unwrap();
        assert_eq!(Count.encode_reply(tokens), answer);
        same += 1;
    }
    println!("{same} counts, {refused} of another operation's body");
}

/// Fault or whole answer of a recording.
fn events(recording: &Value) -> Vec<Event> {
    let body = &recording["response"]["body"];
    let fault = |fault: Fault| vec![Event::Fault(fault)];
    match stream_of(recording) {
        Some(stream) => read(&whole(&stream)),
        None => BEDROCK_CONVERSE
            .decode_reply(body["json"].to_string().as_bytes(), &QUIRKS)
            .unwrap_or_else(fault),
    }
}

#[test]
fn every_recorded_answer_is_read_as_its_digest_says() {
    let mut met = 0;
    for recording in converse() {
        let expect = &recording["expect"];
        let id = recording["id"].as_str().unwrap();
        if expect["kind"] == "error" {
            let body = recording["response"]["body"]["json"].to_string();
            let status = u16::try_from(recording["response"]["status"].as_u64().unwrap()).unwrap();
            let headers = headers(&recording);
            let fault = BEDROCK_CONVERSE.decode_fault(status, &headers, body.as_bytes());
            assert_eq!(json!(fault.status()), expect["error"]["status"], "{id}");
            let said = fault.upstream.as_ref().unwrap();
            assert_eq!(json!(said.message), expect["error"]["message"], "{id}");
            let again = BEDROCK_CONVERSE.encode_fault(&fault, "r");
            assert_eq!(again.body, body, "{id}");
            let kind = |value: &str| value.split(':').next().unwrap().to_owned();
            if let Some(sent) = headers.get("x-amzn-errortype") {
                let (_, found) = &again.headers[0];
                assert_eq!(found.to_str().unwrap(), kind(sent.to_str().unwrap()), "{id}");
            }
        } else {
            let reply = Reply::gather(events(&recording));
            assert_digest(id, &reply.unwrap_or_else(|fault| panic!("{id}: {fault}")), expect);
        }
        met += 1;
    }
    println!("{met} answers were read as their digests say");
}

fn assert_digest(id: &str, reply: &Reply, expect: &Value) {
    let empty = tollgate_model::Choice::default();
    let choice = reply.choices.first().unwrap_or(&empty);
    let wanted = |field: &str| expect[field].as_str().unwrap_or_default();
    assert_eq!(choice.text(), wanted("text"), "{id} text");
    assert_eq!(choice.reasoning(), wanted("reasoning"), "{id} reasoning");
    assert_eq!(json!(choice.finish_word), expect["stop"], "{id} stop");
    assert_eq!(json!(choice.finish.map(FinishReason::as_str)), expect["finish"], "{id} finish");
    let calls = choice.parts.iter().filter_map(|part| match &part.kind {
        PartKind::ToolCall { id, name, arguments, .. } => Some((id, name, arguments)),
        _ => None,
    });
    let calls = calls.map(|(id, name, arguments)| match serde_json::from_str::<Value>(arguments) {
        Ok(parsed) => json!({"id": id, "name": name, "arguments": parsed}),
        Err(_) => json!({"id": id, "name": name, "arguments": arguments, "invalid_json": true}),
    });
    let calls: Vec<Value> = calls.collect();
    assert_eq!(json!(calls), expect["tool_calls"], "{id} tool calls");
    let count = |field: &str| expect[field].as_u64().unwrap_or_default();
    assert_eq!(choice.citations.len() as u64, count("citations"), "{id} citations");
    let redacted =
        |part: &&tollgate_model::Part| matches!(part.kind, PartKind::RedactedReasoning(_));
    let redacted = choice.parts.iter().filter(redacted).count();
    assert_eq!(redacted as u64, count("redacted_reasoning"), "{id} redacted");
    for (name, figure) in [
        ("input", reply.usage.total_input()),
        ("output", reply.usage.total_output()),
        ("cached", reply.usage.cache_read_input_tokens),
        ("cache_write", reply.usage.total_cache_write()),
        ("total", reply.usage.stated_total),
    ] {
        assert_eq!(json!(figure), expect["usage"][name], "{id} usage {name}");
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
    for recording in converse() {
        let Some(stream) = stream_of(&recording) else { continue };
        let all = read(&whole(&stream));
        assert_eq!(read(&frames(&stream, cuts(streams))), all, "{}", recording["id"]);
        assert_eq!(read(&frames(&stream, |_| 1)), all, "{}", recording["id"]);
        streams += 1;
    }
    println!("{streams} streams");
}

#[test]
fn skimming_meters_as_reading_does() {
    for recording in converse() {
        let body = &recording["response"]["body"];
        let id = &recording["id"];
        if let Some(stream) = stream_of(&recording) {
            let frames = whole(&stream);
            let mut all = read(&frames);
            all.retain(Event::is_metered);
            assert_eq!(skim(&frames), all, "{id}");
        } else if recording["expect"]["kind"] == "message" {
            let bytes = body["json"].to_string();
            let mut all = BEDROCK_CONVERSE.decode_reply(bytes.as_bytes(), &QUIRKS).unwrap();
            all.retain(Event::is_metered);
            assert_eq!(
                BEDROCK_CONVERSE.skim_reply(bytes.as_bytes(), &QUIRKS).unwrap(),
                all,
                "{id}"
            );
        }
    }
}

#[test]
fn an_answer_written_again_says_the_same_streamed_and_whole() {
    let mut answers = 0;
    for recording in converse() {
        if recording["expect"]["kind"] != "message" {
            continue;
        }
        let id = &recording["id"];
        let events = events(&recording);
        let reply = Reply::gather(events.clone()).unwrap();
        let stream = written(events, None);
        assert_well_formed(&stream, true);
        let streamed = Reply::gather(read(&whole(&stream))).unwrap();
        assert_eq!(plain(streamed), plain(reply.clone()), "{id} streamed");
        let encoded = BEDROCK_CONVERSE.encode_reply(&reply, &context());
        assert!(encoded.losses.is_empty(), "{id} {:?}", encoded.losses);
        let buffered = BEDROCK_CONVERSE.decode_reply(&encoded.body, &QUIRKS).unwrap();
        assert_eq!(plain(Reply::gather(buffered).unwrap()), plain(reply), "{id} whole");
        answers += 1;
    }
    println!("{answers} answers");
}

#[test]
fn a_stream_cut_after_any_frame_can_be_ended() {
    let mut ended = 0;
    for recording in converse() {
        let Some(stream) = stream_of(&recording) else { continue };
        let frames = whole(&stream);
        // What their authors framed anew lacks its opening.
        if frames[0].event != "messageStart" {
            continue;
        }
        for cut in 0..frames.len() {
            for skims in [false, true] {
                let mut decoder = BEDROCK_CONVERSE.decode_stream(&QUIRKS);
                let (mut passed, mut events) = (Vec::new(), Vec::new());
                for frame in &frames[..cut] {
                    if skims {
                        decoder.skim(frame, &mut events);
                    } else {
                        decoder.read(frame, &mut events);
                    }
                    passed.extend_from_slice(&frame.raw);
                }
                if events.last() == Some(&Event::End) {
                    continue;
                }
                let fault = Fault::bad_upstream("cut");
                let broken = written(vec![Event::Fault(fault)], Some(decoder.snapshot()));
                assert_well_formed(&[&passed[..], &broken].concat(), false);
                let (choice, reason) = (0, FinishReason::Length);
                let finish = Event::Finish { choice, reason, word: None, stop_sequence: None };
                let usage = Event::Usage(Usage { output_tokens: Some(9), ..Usage::default() });
                let rest = written(vec![finish, usage, Event::End], Some(decoder.snapshot()));
                assert_well_formed(&[&passed[..], &rest].concat(), true);
                ended += 1;
            }
        }
    }
    println!("{ended} endings");
}
