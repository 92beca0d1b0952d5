//! Replays a recorded answer: read by the dialect of its provider, written in every shape, read
//! again by the reader of that shape, and compared with the corpus' digest.
//!
//! A recorded stream is judged as a stream, gathered into a buffered answer, and cut at random
//! places; a buffered answer is judged as such and written as a stream.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_model::{DialectId, Event, Fault, Reply};
use tollgate_wire::{Dialect, Framer, Framing, Quirks, ReplyContext, StreamDecoder, dialect};

use super::expressible::{Passage, passed};
use super::{Kind, Verdict, guarded, row};
use crate::cuts::{self, Seed};
use crate::digest::{Difference, Digest};
use crate::readers::{Answer, Shape, Writer};
use crate::{Exchange, corpus};

/// Bound on one event of a recorded stream.
const MOST_FRAME: usize = 16 << 20;

/// Into each of the three shapes. Nothing for recordings of other operations.
#[must_use]
pub fn judge(exchange: &Exchange) -> Vec<Verdict> {
    let kind = match exchange.expected_kind() {
        "message" => Kind::Answer,
        "error" => Kind::Error,
        _ => return Vec::new(),
    };
    let (Some(from), Some(row)) = (Shape::family(&exchange.dialect), row(exchange)) else {
        return Vec::new();
    };
    let spoken = |shape: Shape| dialect(DialectId(shape.as_str()));
    let Some(decoder) = spoken(from) else { return Vec::new() };
    let quirks = &row.quirks;
    let expected = expected(exchange, from);
    let events = decoded(exchange, decoder, quirks);
    Shape::ALL
        .into_iter()
        .filter_map(|to| spoken(to).map(|encoder| (to, encoder)))
        .map(|(to, encoder)| {
            let mut verdict = Verdict::new(exchange, to.as_str(), kind);
            let found = &mut verdict.differences;
            match &events {
                Err(panicked) => found.push(panicked.clone()),
                Ok(events) => {
                    guarded(found, |found| {
                        let written = Written { encoder, context: context(exchange), from, to };
                        written.compare(&expected, exchange, events, found);
                    });
                    if from == to {
                        guarded(found, |found| cut(exchange, decoder, quirks, events, found));
                        guarded(found, |found| skim(exchange, decoder, quirks, events, found));
                    }
                }
            }
            found.dedup();
            verdict
        })
        .collect()
}

/// What the recording says: the corpus' digest; and, where it does not say what a signature stands on, what the proved
/// reader finds in the recording.
#[must_use]
pub fn expected(exchange: &Exchange, from: Shape) -> Digest {
    let mut expected = Digest::expected(&exchange.expect, exchange.response.status);
    let body = exchange.response.body.bytes();
    let answer = if exchange.response.body.is_stream() {
        Answer::Stream(&body)
    } else {
        Answer::Buffered(&body)
    };
    if from == Shape::GeminiGenerate
        && let Ok(read) = from.read(answer, exchange.response.status, Writer::Provider)
    {
        expected.bound = read.bound;
    }
    expected
}

fn context(exchange: &Exchange) -> ReplyContext {
    ReplyContext {
        id: "00000000-corpus".into(),
        created: 1_700_000_000,
        model: exchange.model.clone().unwrap_or_else(|| "unnamed".into()),
        stream_usage: true,
        ..ReplyContext::default()
    }
}

/// The events of the recording, or the panic that reading it was.
fn decoded(
    exchange: &Exchange,
    decoder: &'static dyn Dialect,
    quirks: &'static Quirks,
) -> Result<Vec<Event>, Difference> {
    let mut found = Vec::new();
    let mut events = Vec::new();
    guarded(&mut found, |_| events = decode(exchange, decoder, quirks));
    found.pop().map_or(Ok(events), Err)
}

/// A failure to read is a fault, as it would be in the gateway.
fn decode(
    exchange: &Exchange,
    decoder: &'static dyn Dialect,
    quirks: &'static Quirks,
) -> Vec<Event> {
    let response = &exchange.response;
    let body = response.body.bytes();
    if response.status >= 400 {
        let headers = headers(&response.headers);
        return vec![Event::Fault(decoder.decode_fault(response.status, &headers, &body))];
    }
    match framing(&response.body) {
        Some(framing) => read_stream(decoder.decode_stream(quirks), framing, [body.as_slice()]),
        None => decoder.decode_reply(&body, quirks).unwrap_or_else(|f| vec![Event::Fault(f)]),
    }
}

fn framing(body: &corpus::Body) -> Option<Framing> {
    if body.is_stream() {
        Some(Framing::Sse)
    } else {
        // One vendor streams a JSON array to those who do not ask for events.
        body.json.is_array().then_some(Framing::JsonArray)
    }
}

fn headers(recorded: &std::collections::HashMap<String, serde_json::Value>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in recorded {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&text))
        {
            headers.append(name, value);
        }
    }
    headers
}

/// Reads a stream that arrives in these pieces.
fn read_stream<'b>(
    mut decoder: Box<dyn StreamDecoder>,
    framing: Framing,
    pieces: impl IntoIterator<Item = &'b [u8]>,
) -> Vec<Event> {
    frames(framing, pieces, |frame, out| match frame {
        Some(frame) => decoder.read(frame, out),
        None => decoder.end(out),
    })
}

/// Hands every frame, and at last the end, to `take`.
fn frames<'b>(
    framing: Framing,
    pieces: impl IntoIterator<Item = &'b [u8]>,
    mut take: impl FnMut(Option<&tollgate_wire::Frame>, &mut Vec<Event>),
) -> Vec<Event> {
    let mut framer = Framer::new(framing, MOST_FRAME);
    let mut events = Vec::new();
    let broken = |error| Event::Fault(Fault::bad_upstream(format!("{error}")));
    for piece in pieces {
        framer.push(Bytes::copy_from_slice(piece));
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => take(Some(&frame), &mut events),
                Ok(None) => break,
                Err(error) => {
                    events.push(broken(error));
                    return events;
                }
            }
        }
    }
    match framer.end() {
        Ok(Some(frame)) => take(Some(&frame), &mut events),
        Ok(None) => {}
        Err(error) => {
            events.push(broken(error));
            return events;
        }
    }
    take(None, &mut events);
    events
}

/// How the recording is written for a caller.
struct Written {
    encoder: &'static dyn Dialect,
    context: ReplyContext,
    from: Shape,
    to: Shape,
}

impl Written {
    /// Writes the events as a stream and as a buffered answer, and compares both.
    fn compare(
        &self,
        expected: &Digest,
        exchange: &Exchange,
        events: &[Event],
        found: &mut Vec<Difference>,
    ) {
        let refused = exchange.response.status >= 400;
        if !refused {
            let streamed = self.stream(events);
            self.read(expected, Answer::Stream(&streamed), 200, found);
        }
        match Reply::gather(events.iter().cloned()) {
            Ok(reply) => {
                let body = self.encoder.encode_reply(&reply, &self.context).body;
                self.read(expected, Answer::Buffered(&body), 200, found);
            }
            Err(fault) if expected.error.is_none() => {
                found.push(Difference::new("error", "none", format!("{fault}")));
            }
            Err(fault) => {
                let answer = self.encoder.encode_fault(&fault, "req-corpus");
                self.read(expected, Answer::Buffered(&answer.body), answer.status, found);
            }
        }
    }

    fn stream(&self, events: &[Event]) -> Vec<u8> {
        let mut encoder = self.encoder.encode_stream(self.context.clone(), None);
        let mut out = Vec::new();
        for event in events {
            encoder.write(event.clone(), &mut out);
        }
        out
    }

    fn read(
        &self,
        expected: &Digest,
        answer: Answer<'_>,
        status: u16,
        found: &mut Vec<Difference>,
    ) {
        let stream = matches!(answer, Answer::Stream(_));
        match self.to.read(answer, status, Writer::Gateway) {
            Ok(got) => {
                let passage = Passage { from: self.from, to: self.to };
                found.extend(passed(expected, &got, passage));
            }
            Err(what) => {
                let way = if stream { "a stream" } else { "a buffered answer" };
                found.push(Difference::new("shape", format!("{way} as SDKs read it"), what));
            }
        }
    }
}

/// A recording with this share of its kind is cut at every byte, the others at random places.
const EVERY_BYTE_ONE_IN: u64 = 16;

/// Longer streams are not cut at every byte.
const EVERY_BYTE_MOST: usize = 64 << 10;

/// However the network cuts a stream, its events mean the same.
fn cut(
    exchange: &Exchange,
    decoder: &'static dyn Dialect,
    quirks: &'static Quirks,
    whole: &[Event],
    found: &mut Vec<Difference>,
) {
    let Some(framing) = framing(&exchange.response.body) else { return };
    let body = exchange.response.body.bytes();
    let mut seed = Seed::of(&exchange.id);
    let pieces = cuts::random(&body, &mut seed);
    let mut ways = vec![("random cuts", pieces)];
    if seed.draw().is_multiple_of(EVERY_BYTE_ONE_IN) && body.len() <= EVERY_BYTE_MOST {
        ways.push(("a cut at every byte", cuts::every_byte(&body)));
    }
    for (way, pieces) in ways {
        let events = read_stream(decoder.decode_stream(quirks), framing, pieces);
        if events != whole {
            let first = events.iter().zip(whole).position(|(got, whole)| got != whole);
            let at = first.unwrap_or(events.len().min(whole.len()));
            let said = format!("event {at} of {} differs: {:?}", events.len(), events.get(at));
            found.push(Difference::new("cuts", format!("the same events with {way}"), said));
        }
    }
}

/// Skimming for the meter finds what reading finds.
fn skim(
    exchange: &Exchange,
    decoder: &'static dyn Dialect,
    quirks: &'static Quirks,
    read: &[Event],
    found: &mut Vec<Difference>,
) {
    let body = exchange.response.body.bytes();
    if exchange.response.status >= 400 {
        return;
    }
    let skimmed = match framing(&exchange.response.body) {
        Some(framing) => {
            let mut decoder = decoder.decode_stream(quirks);
            frames(framing, [body.as_slice()], |frame, out| match frame {
                Some(frame) => decoder.skim(frame, out),
                None => decoder.end(out),
            })
        }
        None => decoder.skim_reply(&body, quirks).unwrap_or_else(|f| vec![Event::Fault(f)]),
    };
    let (skimmed, read) = (metered(&skimmed), metered(read));
    if skimmed != read {
        found.push(Difference::new("skim", read, skimmed));
    }
}

/// What a meter takes from events, as text that can be compared.
fn metered(events: &[Event]) -> String {
    match Reply::gather(events.iter().filter(|event| event.is_metered()).cloned()) {
        Ok(mut reply) => {
            reply.usage.raw = None;
            let finishes: Vec<_> = reply.choices.iter().map(|choice| choice.finish).collect();
            format!("{:?} {finishes:?} {:?}", reply.model, reply.usage)
        }
        Err(fault) => format!("fault {:?}", fault.kind),
    }
}
