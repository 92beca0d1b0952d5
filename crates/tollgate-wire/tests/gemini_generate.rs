//! Recorded traffic of the Gemini dialect, read and written again. The recordings lie outside the
//! repository; without them the tests say so and pass, unless `STRICT=1` demands them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on ends, and says what it saw"
)]

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use tollgate_model::{DialectId, Event, Fault, FaultKind, FinishReason, PartKind, Reply, Usage};
use tollgate_wire::{
    Codec, Dialect, Frame, Framer, Framing, Incoming, Operation, Quirks, Recipient, ReplyContext,
    Route, Snapshot, codec, dialect,
};

const ID: DialectId = DialectId("gemini-generate");
const BOUND: usize = 64 << 20;

fn gemini() -> &'static dyn Dialect {
    dialect(ID).unwrap()
}

struct Recording {
    file: String,
    value: Value,
}

impl Recording {
    fn status(&self) -> u16 {
        u16::try_from(self.value["response"]["status"].as_u64().unwrap()).unwrap()
    }

    fn expect(&self) -> &Value {
        &self.value["expect"]
    }

    fn answer(&self) -> Vec<u8> {
        let body = &self.value["response"]["body"];
        match body["kind"].as_str().unwrap() {
            "json" => body["json"].to_string().into_bytes(),
            _ => body["text"].as_str().unwrap().as_bytes().to_vec(),
        }
    }

    fn is_stream(&self) -> bool {
        self.value["response"]["body"]["kind"] == "sse"
    }

    fn request(&self) -> Option<&Value> {
        let lost = ["request-elided", "request-body-missing"];
        let notes = self.value["notes"].as_array().map(Vec::as_slice).unwrap_or_default();
        if notes.iter().any(|note| lost.iter().any(|lost| note == lost)) {
            return None;
        }
        self.value["request"]["body"].get("json")
    }
}

/// Recordings of a dialect as the corpus names it, without those that were edited or framed anew.
fn recordings(of: &str) -> Vec<Recording> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let corpus = std::env::var_os("TOLLGATE_SHARED").map_or(beside, PathBuf::from).join("corpus");
    let Ok(index) = std::fs::read_to_string(corpus.join("index.jsonl")) else {
        assert!(std::env::var("STRICT").as_deref() != Ok("1"), "no corpus at {corpus:?}");
        println!("skipped: no corpus at {corpus:?}");
        return Vec::new();
    };
    let rows = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let real = |row: &Value| {
        let notes = row["notes"].as_array().map(Vec::as_slice).unwrap_or_default();
        !notes.iter().any(|note| note == "edited-possible" || note == "reframed")
    };
    let list: Vec<_> = rows
        .filter(|row| row["dialect"] == of)
        .filter(real)
        .map(|row| {
            let file = row["file"].as_str().unwrap().to_owned();
            let text = std::fs::read_to_string(corpus.join(&file)).unwrap();
            Recording { file, value: serde_json::from_str(&text).unwrap() }
        })
        .collect();
    assert!(!list.is_empty(), "the corpus holds no {of}");
    list
}

fn route(operation: Operation, stream: bool) -> &'static Route {
    let mut routes = gemini().rules().routes.iter();
    routes.find(|route| route.operation == operation && route.stream == stream).unwrap()
}

fn incoming<'a>(route: &'static Route, headers: &'a HeaderMap, body: &'a [u8]) -> Incoming<'a> {
    Incoming { route, model: Some("gemini-test"), headers, body }
}

const TO: Recipient<'static> = Recipient { model: "gemini-test", quirks: &Quirks::NONE };

/// Every `model` on the way to a request is the recipient's.
fn with_model(mut value: Value) -> Value {
    fn set(object: Option<&mut Map<String, Value>>) {
        if let Some(model) = object.and_then(|object| object.get_mut("model")) {
            *model = "models/gemini-test".into();
        }
    }
    set(value.as_object_mut());
    set(value["generateContentRequest"].as_object_mut());
    for request in value["requests"].as_array_mut().into_iter().flatten() {
        set(request.as_object_mut());
    }
    let nothing = |value: &mut Map<String, Value>, name: &str| {
        if value.get(name) == Some(&Value::Null) {
            value.remove(name);
        }
    };
    // Looking for them has put them there.
    if let Some(object) = value.as_object_mut() {
        nothing(object, "generateContentRequest");
        nothing(object, "requests");
    }
    value
}

fn report(what: &str, failures: &[String], of: usize) {
    println!("{what}: {} of {of}", of - failures.len());
    for failure in failures.iter().take(20) {
        println!("  {failure}");
    }
    assert!(failures.is_empty(), "{what}: {} of {of} failed", failures.len());
}

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

/// The first place where two documents part.
fn difference(a: &Value, b: &Value, path: &str) -> String {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys());
            let mut parted = names.filter(|name| a.get(*name) != b.get(*name));
            let name = parted.next().unwrap();
            let of = |object: &Map<String, Value>| object.get(name).cloned();
            match (of(a), of(b)) {
                (Some(a), Some(b)) => difference(&a, &b, &format!("{path}.{name}")),
                (a, b) => short(&format!("{path}.{name}: {a:?} became {b:?}")),
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let at = (0..a.len()).find(|at| a[*at] != b[*at]).unwrap();
            difference(&a[at], &b[at], &format!("{path}[{at}]"))
        }
        _ => short(&format!("{path}: {a} became {b}")),
    }
}

fn short(text: &str) -> String {
    text.chars().take(300).collect()
}

/// The events of a stream, its body cut into pieces of `cut` bytes in turn.
fn streamed(body: &[u8], framing: Framing, cut: &[usize]) -> Vec<Event> {
    let mut decoder = gemini().decode_stream(&Quirks::NONE);
    let mut out = Vec::new();
    for frame in frames(body, framing, cut) {
        decoder.read(&frame, &mut out);
    }
    decoder.end(&mut out);
    out
}

fn frames(body: &[u8], framing: Framing, cut: &[usize]) -> Vec<Frame> {
    let mut framer = Framer::new(framing, BOUND);
    let mut list = Vec::new();
    let (mut rest, mut turn) = (body, 0);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(cut[turn % cut.len()].min(rest.len()));
        (rest, turn) = (after, turn + 1);
        framer.push(Bytes::copy_from_slice(piece));
        while let Some(frame) = framer.next_frame().unwrap() {
            list.push(frame);
        }
    }
    list.extend(framer.end().unwrap());
    list
}

fn events(recording: &Recording) -> Result<Vec<Event>, Fault> {
    if recording.is_stream() {
        return Ok(streamed(&recording.answer(), Framing::Sse, &[usize::MAX]));
    }
    gemini().decode_reply(&recording.answer(), &Quirks::NONE)
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
            if media.kind == tollgate_model::MediaKind::Image)
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

/// Small numbers that are scattered, the same in every run.
fn scattered(seed: usize, count: usize) -> Vec<usize> {
    let mut state = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 90).unwrap() + 1
    };
    (0..count).map(|_| draw()).collect()
}

fn streams() -> Vec<Recording> {
    let real =
        |recording: &Recording| recording.expect()["kind"] == "message" && recording.is_stream();
    recordings("gemini-generate").into_iter().filter(real).collect()
}

/// Frames come as server-sent events, and as the elements of one array.
fn framings(recording: &Recording) -> [(Framing, Vec<u8>); 2] {
    let sse = recording.answer();
    let data = frames(&sse, Framing::Sse, &[usize::MAX]).into_iter().map(|frame| frame.data);
    let elements: Vec<_> = data
        .filter(|data| !data.is_empty())
        .map(|data| String::from_utf8(data.to_vec()).unwrap())
        .collect();
    [(Framing::Sse, sse), (Framing::JsonArray, format!("[{}\n]", elements.join(",\r\n")).into())]
}

#[test]
fn a_stream_cut_anywhere_gives_the_same_events() {
    let (mut failures, mut count) = (Vec::new(), 0);
    for (number, recording) in streams().into_iter().enumerate() {
        for (framing, body) in framings(&recording) {
            let whole = streamed(&body, framing, &[usize::MAX]);
            let mut cuts = vec![scattered(number, 50), scattered(number + 1000, 7)];
            if number % 20 == 0 {
                cuts.push(vec![1]);
            }
            for cut in cuts {
                count += 1;
                if streamed(&body, framing, &cut) != whole {
                    failures.push(format!("{} {framing:?}", recording.file));
                }
            }
        }
    }
    report("cut streams", &failures, count);
}

#[test]
fn a_stream_of_one_array_gathers_to_the_same_reply() {
    let (mut failures, mut count) = (Vec::new(), 0);
    for recording in streams() {
        let [(sse, as_sse), (array, as_array)] = framings(&recording);
        let one = Reply::gather(streamed(&as_sse, sse, &[usize::MAX]));
        let two = Reply::gather(streamed(&as_array, array, &[usize::MAX]));
        let buffered = gemini().decode_reply(&as_array, &Quirks::NONE).and_then(Reply::gather);
        count += 1;
        if one != two || one != buffered {
            failures.push(recording.file);
        }
    }
    report("arrays", &failures, count);
}

/// What is left when a reply was written and read again: figures in classes, not as said.
fn comparable(mut reply: Reply) -> Reply {
    reply.created = None;
    reply.usage = Usage { raw: None, stated_total: None, service_tier: None, ..reply.usage };
    for choice in &mut reply.choices {
        // Written with the next piece, or at the end.
        choice.citations.iter_mut().for_each(|(at, _)| *at = 0);
        choice.parts.retain(|part| {
            !matches!(&part.kind, PartKind::Native { json, .. }
                if json.get("groundingMetadata").or(json.get("urlContextMetadata")).is_some())
        });
        choice.parts.dedup_by(|after, before| match (&after.kind, &mut before.kind) {
            (PartKind::Text(after), PartKind::Text(before)) => {
                before.push_str(after);
                true
            }
            _ => false,
        });
    }
    reply
}

fn encoded(events: Vec<Event>, context: &ReplyContext) -> Vec<u8> {
    let mut encoder = gemini().encode_stream(context.clone(), None);
    let mut body = Vec::new();
    events.into_iter().for_each(|event| encoder.write(event, &mut body));
    body
}

#[test]
fn every_answer_written_again_reads_the_same() {
    let (mut failures, mut count) = (Vec::new(), 0);
    for recording in recordings("gemini-generate") {
        let Ok(events) = events(&recording) else { continue };
        let Ok(reply) = Reply::gather(events.clone()) else { continue };
        let (id, model) = ("made-up".to_owned(), "some-model".to_owned());
        let said = Reply {
            id: reply.id.clone().or(Some(id.clone())),
            model: reply.model.clone().or(Some(model.clone())),
            ..reply.clone()
        };
        let said = comparable(said);
        for json_array in [false, true] {
            let context = ReplyContext {
                id: id.clone(),
                model: model.clone(),
                json_array,
                ..ReplyContext::default()
            };
            let body = encoded(events.clone(), &context);
            let framing = if json_array { Framing::JsonArray } else { Framing::Sse };
            let again = Reply::gather(streamed(&body, framing, &[usize::MAX])).unwrap();
            count += 1;
            if comparable(again.clone()) != said {
                let at = parted(&said, &comparable(again));
                failures.push(format!("{} streamed: {at}", recording.file));
            }
        }
        let context = ReplyContext { id, model, ..ReplyContext::default() };
        let encoded = gemini().encode_reply(&reply, &context);
        let again = gemini().decode_reply(&encoded.body, &Quirks::NONE).unwrap();
        let again = Reply::gather(again).unwrap();
        count += 1;
        if comparable(again.clone()) != said {
            let at = parted(&said, &comparable(again));
            failures.push(format!("{} buffered: {at}", recording.file));
        }
    }
    report("written again", &failures, count);
}

fn parted(said: &Reply, again: &Reply) -> String {
    let (said, again) = (format!("{said:?}"), format!("{again:?}"));
    let at = said.bytes().zip(again.bytes()).take_while(|(a, b)| a == b).count();
    let part =
        |text: &str| short(&String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(60)..]));
    format!("{}\n    became {}", part(&said), part(&again))
}

#[test]
fn skimming_meters_as_reading_does() {
    let (mut failures, mut count) = (Vec::new(), 0);
    for recording in recordings("gemini-generate") {
        if recording.expect()["kind"] != "message" {
            continue;
        }
        let read = events(&recording).and_then(Reply::gather).unwrap();
        let skimmed = if recording.is_stream() {
            let mut decoder = gemini().decode_stream(&Quirks::NONE);
            let mut out = Vec::new();
            for frame in frames(&recording.answer(), Framing::Sse, &[usize::MAX]) {
                decoder.skim(&frame, &mut out);
            }
            decoder.end(&mut out);
            out
        } else {
            gemini().skim_reply(&recording.answer(), &Quirks::NONE).unwrap()
        };
        assert!(skimmed.iter().all(Event::is_metered), "{}", recording.file);
        let skimmed = Reply::gather(skimmed).unwrap();
        let metered = |reply: &Reply| {
            let finish = reply.choices.iter().map(|choice| choice.finish).collect::<Vec<_>>();
            (reply.id.clone(), reply.model.clone(), reply.usage.clone(), finish)
        };
        count += 1;
        if metered(&read) != metered(&skimmed) {
            failures.push(format!(
                "{}: {:?} {:?}",
                recording.file,
                metered(&read),
                metered(&skimmed)
            ));
        }
    }
    report("skimmed", &failures, count);
}

/// Passes the first frames on as they came, and ends from the snapshot.
fn ended(frames: &[Frame], skim: bool, array: bool, last: &[Event]) -> (Vec<u8>, Snapshot) {
    let mut decoder = gemini().decode_stream(&Quirks::NONE);
    let (mut body, mut out) = (Vec::new(), Vec::new());
    for frame in frames {
        body.extend_from_slice(&frame.raw);
        match skim {
            true => decoder.skim(frame, &mut out),
            false => decoder.read(frame, &mut out),
        }
    }
    let snapshot = decoder.snapshot();
    let context = ReplyContext {
        id: "made-up".into(),
        model: "m".into(),
        json_array: array,
        ..ReplyContext::default()
    };
    let mut encoder = gemini().encode_stream(context, Some(snapshot.clone()));
    last.iter().for_each(|event| encoder.write(event.clone(), &mut body));
    (body, snapshot)
}

#[test]
fn a_stream_ended_from_its_snapshot_is_well_formed() {
    let mut count = 0;
    let cut = FinishReason::Length;
    let finish = Event::Finish { choice: 0, reason: cut, word: None, stop_sequence: None };
    let usage = Usage { input_tokens: Some(3), output_tokens: Some(5), ..Usage::default() };
    let fault = Fault::new(FaultKind::Timeout, tollgate_model::Source::Upstream, "too late");
    for recording in streams() {
        for (framing, body) in framings(&recording) {
            let array = framing == Framing::JsonArray;
            let frames = frames(&body, framing, &[usize::MAX]);
            let frames: Vec<_> =
                frames.into_iter().filter(|frame| !frame.data.is_empty()).collect();
            for upto in 0..=frames.len() {
                let end = [finish.clone(), Event::Usage(usage.clone()), Event::End];
                let (body, snapshot) = ended(&frames[..upto], upto % 2 == 0, array, &end);
                let again = streamed(&body, framing, &[usize::MAX]);
                let reply = Reply::gather(again)
                    .unwrap_or_else(|fault| panic!("{} after {upto}: {fault}", recording.file));
                let done = snapshot.finished.contains(&0);
                assert_eq!(
                    reply.choices[0].finish == Some(cut),
                    !done || recording.expect()["finish"] == "length"
                );
                assert_eq!(reply.usage.total_output(), Some(5).max(reply.usage.total_output()));
                let broken = [Event::Fault(fault.clone())];
                let (body, _) = ended(&frames[..upto], upto % 2 == 1, array, &broken);
                let last = streamed(&body, framing, &[usize::MAX]).pop();
                let Some(Event::Fault(read)) = last else { panic!("a clean end: {last:?}") };
                assert_eq!((read.kind, read.message.as_str()), (FaultKind::Timeout, "too late"));
                count += 1;
            }
        }
    }
    println!("ended from a snapshot: {count}");
}

#[test]
fn a_stream_without_its_finish_never_ends_cleanly() {
    for recording in streams() {
        let frames = frames(&recording.answer(), Framing::Sse, &[usize::MAX]);
        let finish = b"\"finishReason\"";
        let unfinished =
            frames.iter().take_while(|frame| memchr::memmem::find(&frame.data, finish).is_none());
        for skim in [false, true] {
            let mut decoder = gemini().decode_stream(&Quirks::NONE);
            let mut out = Vec::new();
            for frame in unfinished.clone() {
                match skim {
                    true => decoder.skim(frame, &mut out),
                    false => decoder.read(frame, &mut out),
                }
            }
            decoder.end(&mut out);
            let Some(Event::Fault(fault)) = out.last() else { panic!("{}", recording.file) };
            assert_eq!(fault.kind, FaultKind::BadUpstream, "{}", recording.file);
        }
    }
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
