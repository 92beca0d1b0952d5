//! Recorded traffic of the Gemini dialect, read and written again. The recordings lie outside the
//! repository; without them the tests say so and pass, unless `STRICT=1` demands them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use tollgate_model::{DialectId, Event, Fault, FinishReason, PartKind, Reply, Signature};
use tollgate_wire::operation::{CountTokens, Embed};
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
