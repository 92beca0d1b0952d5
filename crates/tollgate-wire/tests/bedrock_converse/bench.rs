//! The workbench of these tests: recordings, frames, and what a stream must look like.
//!
//! The recordings are read from `TOLLGATE_SHARED`, else from `../shared` beside the repository.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use tollgate_model::{Chat, Event, Fault, PartKind, Reply};
use tollgate_wire::dialects::bedrock_converse::BEDROCK_CONVERSE;
use tollgate_wire::{
    Frame, Framer, Framing, Incoming, MessageType, Quirks, ReplyContext, Snapshot, ingress,
};

pub(crate) static QUIRKS: Quirks = Quirks::NONE;
const MOST_FRAME: usize = 16 << 20;

/// The recordings whose row of the index is wanted, or nothing (said aloud) where there are none.
pub(crate) fn recordings(wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("TOLLGATE_SHARED").map_or_else(beside, PathBuf::from);
    let corpus = shared.join("corpus");
    let Ok(index) = std::fs::read_to_string(corpus.join("index.jsonl")) else {
        assert!(std::env::var("STRICT").as_deref() != Ok("1"), "no recordings");
        println!("skipped: no recordings at hand");
        return Vec::new();
    };
    let rows = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let read = |row: Value| {
        let text = std::fs::read_to_string(corpus.join(row["file"].as_str().unwrap())).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    rows.filter(wanted).map(read).collect()
}

pub(crate) fn has_note(recording: &Value, notes: &[&str]) -> bool {
    recording["notes"].as_array().unwrap().iter().any(|n| notes.contains(&n.as_str().unwrap()))
}

/// Reads a request at `path`, whoever's dialect that is.
pub(crate) fn decoded(path: &str, body: &Value) -> Option<Result<Chat, Fault>> {
    let headers = HeaderMap::new();
    let found = ingress::find(&Method::POST, path, &headers)?;
    let body = body.to_string();
    Some(found.dialect.decode_request(&Incoming {
        route: found.route,
        model: found.model.as_deref(),
        headers: &headers,
        body: body.as_bytes(),
    }))
}

/// Reads one of our own samples.
pub(crate) fn chat(body: &Value) -> Chat {
    decoded("/model/anthropic.claude-sonnet-4-5-v1:0/converse", body).unwrap().unwrap()
}

/// The headers of a recorded answer.
pub(crate) fn headers(recording: &Value) -> HeaderMap {
    let all = recording["response"]["headers"].as_object().unwrap();
    let pairs = all.iter().filter_map(|(name, value)| {
        let name = HeaderName::try_from(name.as_str()).ok()?;
        Some((name, HeaderValue::from_str(value.as_str()?).ok()?))
    });
    pairs.collect()
}

/// The body of a recorded stream.
pub(crate) fn stream_of(recording: &Value) -> Option<Vec<u8>> {
    let body = &recording["response"]["body"];
    (body["kind"] == "eventstream")
        .then(|| STANDARD.decode(body["base64"].as_str().unwrap()).unwrap())
}

/// The body of an answer in frames, pushed in the pieces that `cut` makes.
pub(crate) fn frames(body: &[u8], mut cut: impl FnMut(usize) -> usize) -> Vec<Frame> {
    let mut framer = Framer::new(Framing::AwsEventStream, MOST_FRAME);
    let mut rest = Bytes::copy_from_slice(body);
    let mut out = Vec::new();
    while !rest.is_empty() {
        let piece = cut(rest.len()).clamp(1, rest.len());
        framer.push(rest.split_to(piece));
        while let Some(frame) = framer.next_frame().unwrap() {
            out.push(frame);
        }
    }
    assert_eq!(framer.end(), Ok(None));
    out
}

pub(crate) fn whole(body: &[u8]) -> Vec<Frame> {
    frames(body, |all| all)
}

pub(crate) fn read(frames: &[Frame]) -> Vec<Event> {
    let mut decoder = BEDROCK_CONVERSE.decode_stream(&QUIRKS);
    let mut out = Vec::new();
    for frame in frames {
        decoder.read(frame, &mut out);
    }
    decoder.end(&mut out);
    out
}

pub(crate) fn skim(frames: &[Frame]) -> Vec<Event> {
    let mut decoder = BEDROCK_CONVERSE.decode_stream(&QUIRKS);
    let mut out = Vec::new();
    for frame in frames {
        decoder.skim(frame, &mut out);
    }
    decoder.end(&mut out);
    out
}

pub(crate) fn context() -> ReplyContext {
    ReplyContext { id: "made-up".into(), latency_ms: 7, ..ReplyContext::default() }
}

pub(crate) fn written(events: Vec<Event>, resume: Option<Snapshot>) -> Vec<u8> {
    let mut encoder = BEDROCK_CONVERSE.encode_stream(context(), resume);
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    out
}

/// What the SDKs, and those who build on them, demand of the order of events.
pub(crate) fn assert_well_formed(stream: &[u8], clean: bool) {
    let (mut started, mut open, mut next, mut stopped, mut ended) = (false, None, 0, false, false);
    let mut failed = false;
    for frame in whole(stream) {
        let data: Value = serde_json::from_slice(&frame.data).unwrap();
        assert!(!ended && !failed, "nothing follows the end");
        let index = data["contentBlockIndex"].as_u64();
        if frame.kind == MessageType::Exception {
            assert!(open.is_none() && data["message"].is_string());
            failed = true;
            continue;
        }
        match frame.event.as_ref() {
            b"messageStart" => {
                assert!(!started && data["role"] == "assistant");
                started = true;
            }
            b"contentBlockStart" => {
                assert!(started && open.is_none() && !stopped);
                assert_eq!(index, Some(next));
                open = index;
                next += 1;
            }
            b"contentBlockDelta" => {
                assert!(started && !stopped && data["delta"].is_object());
                if open.is_none() {
                    // Only blocks of text and thinking lack an opening.
                    let delta = &data["delta"];
                    assert!(
                        delta["text"].is_string()
                            || delta["reasoningContent"].is_object()
                            || delta["citation"].is_object()
                    );
                    assert_eq!(index, Some(next));
                    open = index;
                    next += 1;
                }
                assert_eq!(index, open);
            }
            b"contentBlockStop" => {
                assert!(open.is_some() && index == open);
                open = None;
            }
            b"messageStop" => {
                assert!(started && open.is_none() && !stopped && data["stopReason"].is_string());
                stopped = true;
            }
            b"metadata" => {
                assert!(stopped && data["usage"]["totalTokens"].is_u64());
                assert!(data["metrics"]["latencyMs"].is_u64());
                ended = true;
            }
            other => panic!("{}", String::from_utf8_lossy(other)),
        }
    }
    assert_eq!((ended, failed), (clean, !clean));
}

/// Places of citations are those of the blocks, and a stream may join two of them; the provider's
/// own object has more than the classes; a total is what it sums up.
pub(crate) fn plain(mut reply: Reply) -> Reply {
    reply.usage.raw = None;
    reply.usage.stated_total = None;
    // The SDKs demand figures where the provider gave none.
    if reply.usage.total_input().unwrap_or(0) + reply.usage.total_output().unwrap_or(0) == 0 {
        reply.usage = tollgate_model::Usage::default();
    }
    for choice in &mut reply.choices {
        for (_, citation) in &mut choice.citations {
            (citation.start, citation.end) = (None, None);
        }
        for part in &mut choice.parts {
            if let PartKind::ToolCall { arguments, .. } = &mut part.kind
                && let Ok(parsed) = serde_json::from_str::<Value>(arguments)
            {
                *arguments = parsed.to_string();
            }
        }
    }
    reply
}
