//! The workbench of these tests: recordings, frames, and what a stream must look like.
//!
//! The recordings are read from `TOLLGATE_SHARED`, else from `../shared` beside the repository.

use std::path::PathBuf;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use tollgate_model::{Event, PartKind, Reply};
use tollgate_wire::dialects::anthropic_messages::ANTHROPIC_MESSAGES;
use tollgate_wire::{Frame, Framer, Framing, Incoming, Quirks, ReplyContext, Snapshot};

pub(crate) static QUIRKS: Quirks = Quirks::NONE;
const MOST_FRAME: usize = 16 << 20;

/// The recordings whose row of the index is wanted, or nothing (said aloud) where there are none.
pub(crate) fn recordings(wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let shared = std::env::var_os("TOLLGATE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let corpus = shared.join("corpus");
    let Ok(index) = std::fs::read_to_string(corpus.join("index.jsonl")) else {
        assert!(std::env::var("STRICT").as_deref() != Ok("1"), "no recordings");
        println!("skipped: no recordings at hand");
        return Vec::new();
    };
    let rows = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(wanted)
        .map(|row| {
            let text = std::fs::read_to_string(corpus.join(row["file"].as_str().unwrap())).unwrap();
            serde_json::from_str(&text).unwrap()
        })
        .collect()
}

pub(crate) fn has_note(recording: &Value, notes: &[&str]) -> bool {
    recording["notes"].as_array().unwrap().iter().any(|n| notes.contains(&n.as_str().unwrap()))
}

pub(crate) fn incoming<'a>(body: &'a [u8], headers: &'a HeaderMap) -> Incoming<'a> {
    Incoming { route: &ANTHROPIC_MESSAGES.rules().routes[0], model: None, headers, body }
}

/// The body of an answer in frames, pushed in the pieces that `cut` makes.
pub(crate) fn frames(body: &str, mut cut: impl FnMut(usize) -> usize) -> Vec<Frame> {
    let mut framer = Framer::new(Framing::Sse, MOST_FRAME);
    let mut rest = Bytes::copy_from_slice(body.as_bytes());
    let mut out = Vec::new();
    while !rest.is_empty() {
        let piece = cut(rest.len()).clamp(1, rest.len());
        framer.push(rest.split_to(piece));
        while let Some(frame) = framer.next_frame().unwrap() {
            out.push(frame);
        }
    }
    // A body that ends inside a frame is its reader's to judge.
    out.extend(framer.end().ok().flatten());
    out
}

pub(crate) fn read(frames: &[Frame]) -> Vec<Event> {
    let mut decoder = ANTHROPIC_MESSAGES.decode_stream(&QUIRKS);
    let mut out = Vec::new();
    for frame in frames {
        decoder.read(frame, &mut out);
    }
    decoder.end(&mut out);
    out
}

pub(crate) fn skim(frames: &[Frame]) -> Vec<Event> {
    let mut decoder = ANTHROPIC_MESSAGES.decode_stream(&QUIRKS);
    let mut out = Vec::new();
    for frame in frames {
        decoder.skim(frame, &mut out);
    }
    decoder.end(&mut out);
    out
}

pub(crate) fn context() -> ReplyContext {
    ReplyContext { id: "made-up".into(), model: "m".into(), ..ReplyContext::default() }
}

pub(crate) fn written(events: Vec<Event>, resume: Option<Snapshot>) -> String {
    let mut encoder = ANTHROPIC_MESSAGES.encode_stream(context(), resume);
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// What the SDKs demand of the order of events.
pub(crate) fn assert_well_formed(stream: &str, clean: bool) {
    let (mut started, mut open, mut next, mut finished, mut ended) = (false, None, 0, false, false);
    let mut failed = false;
    for frame in frames(stream, |all| all) {
        if frame.data.is_empty() {
            continue;
        }
        let data: Value = serde_json::from_slice(&frame.data).unwrap();
        let kind = data["type"].as_str().unwrap();
        assert_eq!(frame.event, kind.as_bytes());
        assert!(!ended && !failed, "nothing follows the end");
        match kind {
            "ping" => {}
            "message_start" => {
                assert!(!started);
                started = true;
            }
            "content_block_start" => {
                assert!(started && open.is_none() && !finished, "{stream}");
                assert_eq!(data["index"], next);
                open = Some(next);
                next += 1;
            }
            "content_block_delta" => assert_eq!(data["index"].as_u64(), open),
            "content_block_stop" => {
                assert_eq!(data["index"].as_u64(), open);
                open = None;
            }
            "message_delta" => {
                assert!(started && open.is_none() && !finished);
                assert!(data["delta"]["stop_reason"].is_string());
                assert!(data["usage"]["output_tokens"].is_u64());
                finished = true;
            }
            "message_stop" => {
                assert!(finished);
                ended = true;
            }
            "error" => {
                assert!(open.is_none());
                failed = true;
            }
            _ => panic!("{kind}"),
        }
    }
    assert_eq!((ended, failed), (clean, !clean));
}

/// Places of citations are those of the blocks, and a stream may join two of them; the provider's
/// own object has more than the classes.
pub(crate) fn plain(mut reply: Reply) -> Reply {
    reply.usage.raw = None;
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
