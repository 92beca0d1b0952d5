//! The four decoders of a dialect. What each reads is written again, in every dialect.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Number, Value};
use tollgate_model::{DialectId, Event, Fault, FinishReason, Reply, Usage};
use tollgate_wire::framing::aws_eventstream;
use tollgate_wire::{
    DIALECTS, Dialect, Frame, Framing, Incoming, Operation, Quirks, Recipient, ReplyContext, Route,
    scan,
};

use crate::bodies::{LIMITS, sound};
use crate::frames::{cuts, frames};

pub(crate) static QUIRKS: Quirks = Quirks { developer_role: true, ..Quirks::NONE };

/// The routes of a dialect for one operation.
pub(crate) fn routes(
    dialect: DialectId,
    operation: Operation,
) -> impl Iterator<Item = &'static Route> {
    let dialects = DIALECTS.iter().filter(move |one| one.id() == dialect);
    dialects.flat_map(|one| one.rules().routes).filter(move |route| route.operation == operation)
}

pub(crate) fn incoming<'a>(
    route: &'static Route,
    headers: &'a HeaderMap,
    body: &'a [u8],
) -> Incoming<'a> {
    Incoming { route, model: route.suffix.map(|_| "m"), headers, body }
}

pub(crate) fn request(dialect: &'static Dialect, body: &[u8]) {
    // A decoder is promised a body that passed the scan.
    let Ok(found) = scan(body, &LIMITS) else { return };
    // What the host would refuse is written as it wants.
    let is_kept = !(dialect.rules().disturbs)(&QUIRKS, body, &found);
    let headers = HeaderMap::new();
    for route in routes(dialect.id(), Operation::Chat) {
        let chat = match dialect.decode_request(&incoming(route, &headers, body)) {
            Ok(chat) => chat,
            Err(fault) => {
                tell(&fault);
                continue;
            }
        };
        let to = Recipient { model: &chat.model, quirks: &QUIRKS };
        for other in DIALECTS.iter().copied() {
            let Ok(outgoing) = other.encode_request(&chat, &to) else { continue };
            sound(&outgoing.body);
            assert!(outgoing.path.starts_with('/'));
            if is_kept && other.id() == dialect.id() {
                same(dialect, body, &outgoing.body);
            }
        }
    }
}

/// Law 1: what was read is written as it was, but for the model.
fn same(dialect: &'static Dialect, body: &[u8], written: &[u8]) {
    let Ok(mut before) = serde_json::from_slice::<Value>(body) else { return };
    let mut after: Value = serde_json::from_slice(written).expect("sound JSON");
    for value in [&mut before, &mut after] {
        if let Some(members) = value.as_object_mut() {
            members.remove("model");
        }
        // Anthropic refuses most characters in ids of calls: they are made such as it takes.
        if dialect.id().as_str() == "anthropic-messages" {
            without_call_ids(value);
        }
    }
    assert!(
        alike(&after, &before),
        "read and written again it is another request:\n{after}\n{before}"
    );
}

/// Equal, but for the last bit of a fraction: serde_json does not read more than that.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if one.is_f64() && other.is_f64() => {
            let bits = |number: &Number| number.as_f64().unwrap_or_default().to_bits();
            bits(one).abs_diff(bits(other)) <= 4
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(key, value)| other.get(key).is_some_and(|other| alike(value, other));
            one.len() == other.len() && one.iter().all(same)
        }
        _ => one == other,
    }
}

fn without_call_ids(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_call_ids),
        Value::Object(members) => {
            members.retain(|key, _| key != "id" && key != "tool_use_id");
            members.values_mut().for_each(without_call_ids);
        }
        _ => {}
    }
}

pub(crate) fn reply(dialect: &'static Dialect, body: &[u8]) {
    let _ = dialect.skim_reply(body, &QUIRKS);
    match dialect.decode_reply(body, &QUIRKS) {
        Err(fault) => tell(&fault),
        Ok(events) => {
            assert_eq!(events.last(), Some(&Event::End), "a whole answer ends");
            if let Ok(reply) = Reply::gather(events) {
                for other in DIALECTS {
                    sound(&other.encode_reply(&reply, &context()).body);
                }
            }
        }
    }
}

pub(crate) fn stream(dialect: &'static Dialect, body: &[u8]) {
    let array = body.trim_ascii_start().first() == Some(&b'[');
    let framing = match framing(dialect) {
        Framing::Sse if array => Framing::JsonArray,
        framing => framing,
    };
    let sealed = (framing == Framing::AwsEventStream).then(|| sealed(body));
    let body = sealed.as_deref().unwrap_or(body);
    let (whole, broken) = frames(framing, [body]);
    assert_eq!(frames(framing, cuts(body, body.len() as u64)), (whole.clone(), broken));
    let events = read(dialect, &whole);
    let closings = events.iter().filter(|event| matches!(event, Event::End | Event::Fault(_)));
    assert_eq!(closings.count(), 1, "a stream ends once: {events:?}");
    assert!(matches!(events.last(), Some(Event::End | Event::Fault(_))), "and says so last");
    skim(dialect, &whole, &events);
    for other in DIALECTS {
        let mut encoder = other.encode_stream(context(), None);
        let mut written = Vec::new();
        for event in &events {
            encoder.write(event.clone(), &mut written);
        }
        let (again, broken) = frames(self::framing(*other), [&written[..]]);
        assert_eq!(broken, None, "{}", String::from_utf8_lossy(&written));
        let sentinel = Bytes::from_static(b"[DONE]");
        for frame in again.iter().filter(|frame| !frame.data.is_empty() && frame.data != sentinel) {
            sound(&frame.data);
        }
    }
}

/// In which frames the dialect's encoder writes here.
fn framing(dialect: &Dialect) -> Framing {
    match dialect.rules().framing {
        Framing::JsonArray => Framing::Sse,
        framing => framing,
    }
}

/// Lines of an event's name and its payload as frames whose checksums agree: nothing that was made
/// up would ever get past them.
fn sealed(lines: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let at = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (name, payload) = line.split_at(at);
        match std::str::from_utf8(name) {
            Ok(name) if name.ends_with("Exception") => {
                aws_eventstream::write_exception(name, payload, &mut out);
            }
            Ok(name) => aws_eventstream::write_event(name, payload, &mut out),
            Err(_) => {}
        }
    }
    out
}

fn read(dialect: &'static Dialect, frames: &[Frame]) -> Vec<Event> {
    let mut decoder = dialect.decode_stream(&QUIRKS);
    let mut events = Vec::new();
    for frame in frames {
        decoder.read(frame, &mut events);
        resume(dialect, decoder.snapshot());
    }
    decoder.end(&mut events);
    events
}

/// An encoder can go on from wherever a stream stands, and end it.
fn resume(dialect: &'static Dialect, snapshot: tollgate_wire::Snapshot) {
    let mut written = Vec::new();
    let mut encoder = dialect.encode_stream(context(), Some(snapshot));
    encoder.write(Event::Fault(Fault::bad_upstream("it broke")), &mut written);
    assert_eq!(frames(framing(dialect), [&written[..]]).1, None);
}

/// Skimming a sound stream sees what metering needs, as reading it does. (It does not look into
/// frames of content, so it may miss that one is broken.)
fn skim(dialect: &'static Dialect, frames: &[Frame], read: &[Event]) {
    let mut decoder = dialect.decode_stream(&QUIRKS);
    let mut events = Vec::new();
    for frame in frames {
        decoder.skim(frame, &mut events);
    }
    decoder.end(&mut events);
    if read.last() == Some(&Event::End) {
        let ((skimmed, usage), (read, all)) = (metered(&events), metered(read));
        assert_eq!(skimmed, read, "skimmed and read differ");
        // Gemini repeats all figures in each frame, so the last one is enough; one that leaves out
        // some is read as it stands.
        if dialect.id().as_str() != "gemini-generate" {
            assert_eq!(usage, all, "skimmed and read are metered otherwise");
        }
    }
}

/// What stays of the events in the books. A finish by the provider's own word: what a skimming
/// reader makes of it rests on a glance at frames that may lie.
fn metered(events: &[Event]) -> (Vec<Event>, Usage) {
    let mut usage = Usage::default();
    let mut others = Vec::new();
    for event in events.iter().filter(|event| event.is_metered()) {
        match event {
            Event::Usage(stated) => usage.update(stated.clone()),
            Event::Finish { choice, word, .. } => others.push(Event::Finish {
                choice: *choice,
                word: word.clone(),
                reason: FinishReason::Other,
                stop_sequence: None,
            }),
            other => others.push(other.clone()),
        }
    }
    // How the provider wrote it may have come from one frame or several.
    usage.raw = None;
    (others, usage)
}

pub(crate) fn fault(dialect: &'static Dialect, body: &[u8]) {
    let headers = HeaderMap::new();
    for status in [200, 400, 401, 404, 413, 429, 500, 503, 529] {
        tell(&dialect.decode_fault(status, &headers, body));
    }
}

/// Writes a fault in every dialect.
pub(crate) fn tell(fault: &Fault) {
    for dialect in DIALECTS {
        let told = dialect.encode_fault(fault, "request-1");
        assert!((400..600).contains(&told.status), "{}", told.status);
        sound(&told.body);
    }
}

fn context() -> ReplyContext {
    ReplyContext {
        id: "id-1".into(),
        created: 1,
        model: "m".into(),
        stream_usage: true,
        ..ReplyContext::default()
    }
}
