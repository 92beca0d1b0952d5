//! What these tests share: recordings, frames, and a report that names what failed.
//!
//! The recordings are read from `TOLLGATE_SHARED`, else from `../shared` beside the repository.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};
use tollgate_model::{DialectId, Event, Fault};
use tollgate_wire::{
    Dialect, Frame, Framer, Framing, Incoming, Operation, Quirks, Recipient, ReplyContext, Route,
    dialect,
};

pub(crate) const ID: DialectId = DialectId("gemini-generate");

pub(crate) const BOUND: usize = 64 << 20;

pub(crate) fn gemini() -> &'static Dialect {
    dialect(ID).unwrap()
}

pub(crate) struct Recording {
    pub(crate) file: String,
    pub(crate) value: Value,
}

impl Recording {
    pub(crate) fn status(&self) -> u16 {
        u16::try_from(self.value["response"]["status"].as_u64().unwrap()).unwrap()
    }

    pub(crate) fn expect(&self) -> &Value {
        &self.value["expect"]
    }

    pub(crate) fn answer(&self) -> Vec<u8> {
        let body = &self.value["response"]["body"];
        match body["kind"].as_str().unwrap() {
            "json" => body["json"].to_string().into_bytes(),
            _ => body["text"].as_str().unwrap().as_bytes().to_vec(),
        }
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.value["response"]["body"]["kind"] == "sse"
    }

    pub(crate) fn request(&self) -> Option<&Value> {
        let lost = ["request-elided", "request-body-missing"];
        let notes = self.value["notes"].as_array().map(Vec::as_slice).unwrap_or_default();
        if notes.iter().any(|note| lost.iter().any(|lost| note == lost)) {
            return None;
        }
        self.value["request"]["body"].get("json")
    }
}

/// Recordings of a dialect as the corpus names it, without those that were edited or framed anew.
pub(crate) fn recordings(of: &str) -> Vec<Recording> {
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

pub(crate) fn route(operation: Operation, stream: bool) -> &'static Route {
    let mut routes = gemini().rules().routes.iter();
    routes.find(|route| route.operation == operation && route.stream == stream).unwrap()
}

pub(crate) fn incoming<'a>(
    route: &'static Route,
    headers: &'a HeaderMap,
    body: &'a [u8],
) -> Incoming<'a> {
    Incoming { route, model: Some("gemini-test"), headers, body }
}

pub(crate) const TO: Recipient<'static> = Recipient { model: "gemini-test", quirks: &Quirks::NONE };

pub(crate) fn report(what: &str, failures: &[String], of: usize) {
    println!("{what}: {} of {of}", of - failures.len());
    for failure in failures.iter().take(20) {
        println!("  {failure}");
    }
    assert!(failures.is_empty(), "{what}: {} of {of} failed", failures.len());
}

/// The first place where two documents part.
pub(crate) fn difference(a: &Value, b: &Value, path: &str) -> String {
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

pub(crate) fn short(text: &str) -> String {
    text.chars().take(300).collect()
}

/// The events of a stream, its body cut into pieces of `cut` bytes in turn.
pub(crate) fn streamed(body: &[u8], framing: Framing, cut: &[usize]) -> Vec<Event> {
    let mut decoder = gemini().decode_stream(&Quirks::NONE);
    let mut out = Vec::new();
    for frame in frames(body, framing, cut) {
        decoder.read(&frame, &mut out);
    }
    decoder.end(&mut out);
    out
}

pub(crate) fn frames(body: &[u8], framing: Framing, cut: &[usize]) -> Vec<Frame> {
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

pub(crate) fn events(recording: &Recording) -> Result<Vec<Event>, Fault> {
    if recording.is_stream() {
        return Ok(streamed(&recording.answer(), Framing::Sse, &[usize::MAX]));
    }
    gemini().decode_reply(&recording.answer(), &Quirks::NONE)
}

pub(crate) fn encoded(events: Vec<Event>, context: &ReplyContext) -> Vec<u8> {
    let mut encoder = gemini().encode_stream(context.clone(), None);
    let mut body = Vec::new();
    events.into_iter().for_each(|event| encoder.write(event, &mut body));
    body
}

/// Every `model` on the way to a request is the recipient's.
pub(crate) fn with_model(mut value: Value) -> Value {
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
