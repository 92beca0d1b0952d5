//! The OpenAI Chat dialect against recorded traffic of its hosts: every request comes back as it
//! was, every answer reads as an independent implementation read it, streamed or not, cut
//! anywhere, written again and resumed. And against chats of the other dialects.
//!
//! The recordings are not part of the repository; `TOLLGATE_SHARED` says where they are.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what helps tests may break as they do, and says what it skips"
)]

mod answers;
mod crossing;
mod embeddings;
mod faults;
mod requests;
mod streams;

use std::{fs, path::PathBuf};

use bytes::Bytes;
use serde_json::Value;
use tollgate_model::{DialectId, Event};
use tollgate_wire::{Dialect, Frame, Framer, Framing, Quirks, ReplyContext, dialect, provider};

pub(crate) const ID: DialectId = DialectId("openai-chat");

/// Requests that were not recorded as they were sent.
pub(crate) const UNFAITHFUL: [&str; 4] =
    ["edited-possible", "reframed", "request-elided", "request-body-missing"];

pub(crate) fn shared() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = PathBuf::from(std::env::var("TOLLGATE_SHARED").unwrap_or(default.to_owned()));
    let corpus = root.join("corpus");
    if corpus.join("index.jsonl").exists() {
        return Some(corpus);
    }
    assert!(std::env::var("STRICT").is_err(), "no recordings at {}", corpus.display());
    println!("skipped: no recordings at {}", corpus.display());
    None
}

pub(crate) struct Recording {
    pub(crate) file: String,
    pub(crate) provider: String,
    pub(crate) notes: Vec<String>,
    pub(crate) exchange: Value,
}

pub(crate) fn recordings() -> Vec<Recording> {
    recordings_of("openai-chat")
}

pub(crate) fn recordings_of(dialect: &str) -> Vec<Recording> {
    let Some(corpus) = shared() else { return Vec::new() };
    let index = fs::read_to_string(corpus.join("index.jsonl")).unwrap();
    let lines = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["dialect"] == dialect)
        .map(|line| {
            let file = line["file"].as_str().unwrap().to_owned();
            let exchange = fs::read(corpus.join(&file)).unwrap();
            let notes = line["notes"].as_array().cloned().unwrap_or_default();
            Recording {
                provider: line["provider"].as_str().unwrap().to_owned(),
                notes: notes.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect(),
                exchange: serde_json::from_slice(&exchange).unwrap(),
                file,
            }
        })
        .collect()
}

pub(crate) fn chat() -> &'static Dialect {
    dialect(ID).unwrap()
}

pub(crate) fn quirks(host: &str) -> &'static Quirks {
    let row = provider::find(host).or_else(|| provider::find("openai-compatible"));
    &row.unwrap().quirks
}

/// All that went wrong, in one message.
pub(crate) fn report(what: &str, seen: usize, wrong: &[String]) {
    println!("{what}: {} of {seen}", seen - wrong.len());
    assert!(wrong.is_empty(), "{what}: {} of {seen} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// The same values: numbers by value, so that a `1.0` and a `1` of different writers agree.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

pub(crate) fn first_difference(path: &str, a: &Value, b: &Value) -> String {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            for (key, value) in x {
                match y.get(key) {
                    None => return format!("{path}.{key} is missing"),
                    Some(other) if value != other => {
                        return first_difference(&format!("{path}.{key}"), value, other);
                    }
                    Some(_) => {}
                }
            }
            let extra: Vec<_> = y.keys().filter(|key| !x.contains_key(*key)).collect();
            format!("{path}: additional {extra:?}")
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            let at = x.iter().zip(y).position(|(x, y)| x != y).unwrap_or_default();
            first_difference(&format!("{path}[{at}]"), &x[at], &y[at])
        }
        _ => {
            let cut = |v: &Value| v.to_string().chars().take(120).collect::<String>();
            format!("{path}: {} became {}", cut(a), cut(b))
        }
    }
}

pub(crate) fn frames(text: &[u8], cuts: &[usize]) -> Vec<Frame> {
    let mut framer = Framer::new(Framing::Sse, 64 << 20);
    let mut out = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([text.len()]) {
        framer.push(Bytes::copy_from_slice(&text[from..to]));
        from = to;
        while let Some(frame) = framer.next_frame().unwrap() {
            out.push(frame);
        }
    }
    out.extend(framer.end().unwrap_or_default());
    out
}

pub(crate) fn read_all(frames: &[Frame], quirks: &'static Quirks) -> Vec<Event> {
    let mut decoder = chat().decode_stream(quirks);
    let mut out = Vec::new();
    for frame in frames {
        decoder.read(frame, &mut out);
    }
    decoder.end(&mut out);
    out
}

pub(crate) fn context() -> ReplyContext {
    ReplyContext {
        id: "0190-abc".into(),
        created: 1,
        model: "m".into(),
        stream_usage: true,
        ..ReplyContext::default()
    }
}
