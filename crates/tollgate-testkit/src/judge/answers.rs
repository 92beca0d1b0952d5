//! Replays a recorded answer: read by the dialect of its provider, written in every shape, read
//! again by the reader of that shape, and compared with the corpus' digest.
//!
//! A recorded stream is judged as a stream, gathered into a buffered answer, and cut at random
//! places; a buffered answer is judged as such and written as a stream.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_model::{DialectId, Event, Fault, Reply};
use tollgate_wire::{
    Dialect, EncodedFault, Frame, FrameError, Framer, Framing, Quirks, ReplyContext, dialect,
};

use super::expressible::{Passage, passed};
use super::{Kind, Known, Verdict, guarded};
use crate::Exchange;
use crate::cuts::{self, Seed};
use crate::digest::{Difference, Digest};
use crate::readers::{Answer, Shape, Writer};

/// Bound on one event of a recorded stream.
const MOST_FRAME: usize = 16 << 20;

/// Into its own shape and into every caller's. Nothing for recordings of other operations, or of a
/// dialect that nothing here speaks.
#[must_use]
pub fn judge(exchange: &Exchange) -> Vec<Verdict> {
    let kind = match exchange.expected_kind() {
        "message" => Kind::Answer,
        "error" => Kind::Error,
        _ => return Vec::new(),
    };
    let Some(known) = Known::of(exchange) else { return Vec::new() };
    let Some(decoder) = known.dialect() else { return Vec::new() };
    let from = known.shape;
    let read = Recording { exchange, decoder, known };
    let expected = expected(exchange, from);
    let events = read.whole();
    from.passages()
        .filter_map(|to| dialect(DialectId(to.as_str())).map(|encoder| (to, encoder)))
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
                        guarded(found, |found| read.cut(events, found));
                        guarded(found, |found| read.skim(events, found));
                    }
                }
            }
            found.dedup();
            verdict
        })
        .collect()
}

/// What the recording says: the corpus' digest; and what the proved reader finds where the digest
/// does not look, on what a signature stands among it.
#[must_use]
pub fn expected(exchange: &Exchange, from: Shape) -> Digest {
    let mut expected = Digest::expected(&exchange.expect, exchange.response.status);
    // Where the body does not say the type of an error, a header may.
    if let (Some(name), Some(error)) = (from.can().type_header, &mut expected.error) {
        let said = exchange.response.headers.get(name).and_then(|said| said.as_str());
        error.kind = said.and_then(|said| said.split(':').next()).map(str::to_owned);
    }
    let Ok(body) = exchange.answer() else { return expected };
    let answer = if exchange.response.body.is_stream() {
        Answer::Stream(&body)
    } else {
        Answer::Buffered(&body)
    };
    let status = exchange.response.status;
    if let Ok(read) = from.read(answer, status, Writer::Provider) {
        if from.as_str() == "gemini-generate" {
            expected.bound = read.bound;
        }
        if from.row().uncounted {
            (expected.choices, expected.logprobs) = (read.choices, read.logprobs);
        }
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

/// A recorded answer and what reads it.
#[derive(Clone, Copy)]
struct Recording<'a> {
    exchange: &'a Exchange,
    decoder: &'static Dialect,
    known: Known,
}

impl Recording<'_> {
    fn quirks(&self) -> &'static Quirks {
        &self.known.row.quirks
    }

    /// The events of the recording, or the panic that reading it was.
    fn whole(&self) -> Result<Vec<Event>, Difference> {
        let mut found = Vec::new();
        let mut events = Vec::new();
        guarded(&mut found, |_| events = self.decode());
        found.pop().map_or(Ok(events), Err)
    }

    /// A failure to read is a fault, as it would be in the gateway.
    fn decode(&self) -> Vec<Event> {
        let response = &self.exchange.response;
        let body = response.body.bytes();
        if response.status >= 400 {
            let headers = headers(&response.headers);
            return vec![Event::Fault(self.decoder.decode_fault(response.status, &headers, &body))];
        }
        match self.framing() {
            Some(framing) => self.read_stream(framing, [body.as_slice()]),
            None => {
                let read = self.decoder.decode_reply(&body, self.quirks());
                read.unwrap_or_else(|fault| vec![Event::Fault(fault)])
            }
        }
    }

    fn framing(&self) -> Option<Framing> {
        let body = &self.exchange.response.body;
        match body.kind.as_str() {
            "sse" => Some(Framing::Sse),
            "ndjson" => Some(Framing::Ndjson),
            "eventstream" => Some(Framing::AwsEventStream),
            // One vendor streams a JSON array to those who do not ask for events.
            _ => body.json.is_array().then_some(Framing::JsonArray),
        }
    }

    /// Reads a stream that arrives in these pieces.
    fn read_stream<'b>(
        &self,
        framing: Framing,
        pieces: impl IntoIterator<Item = &'b [u8]>,
    ) -> Vec<Event> {
        let mut decoder = self.decoder.decode_stream(self.quirks());
        self.frames(framing, pieces, |frame, out| match frame {
            Some(frame) => decoder.read(frame, out),
            None => decoder.end(out),
        })
    }

    /// Hands every frame, out of its envelope, and at last the end, to `take`.
    fn frames<'b>(
        &self,
        framing: Framing,
        pieces: impl IntoIterator<Item = &'b [u8]>,
        mut take: impl FnMut(Option<&Frame>, &mut Vec<Event>),
    ) -> Vec<Event> {
        let mut framer = Framer::new(framing, MOST_FRAME);
        let envelope = self.known.carriage.envelope;
        let next = |framer: &mut Framer, end: bool| {
            let frame = if end { framer.end()? } else { framer.next_frame()? };
            frame.map(|frame| envelope.open(frame)).transpose()
        };
        let mut events = Vec::new();
        let pieces = pieces.into_iter().map(Some).chain([None]);
        for piece in pieces {
            if let Some(piece) = piece {
                framer.push(Bytes::copy_from_slice(piece));
            }
            loop {
                match next(&mut framer, piece.is_none()) {
                    Ok(Some(frame)) => take(Some(&frame), &mut events),
                    Ok(None) => break,
                    Err(error) => {
                        let error: FrameError = error;
                        events.push(Event::Fault(Fault::bad_upstream(format!("{error}"))));
                        return events;
                    }
                }
                // At its end a stream has one frame left at most.
                if piece.is_none() {
                    break;
                }
            }
        }
        take(None, &mut events);
        events
    }

    /// However the network cuts a stream, its events mean the same.
    fn cut(&self, whole: &[Event], found: &mut Vec<Difference>) {
        let Some(framing) = self.framing() else { return };
        let body = self.exchange.response.body.bytes();
        let mut seed = Seed::of(&self.exchange.id);
        let pieces = cuts::random(&body, &mut seed);
        let mut ways = vec![("random cuts", pieces)];
        if seed.draw().is_multiple_of(EVERY_BYTE_ONE_IN) && body.len() <= EVERY_BYTE_MOST {
            ways.push(("a cut at every byte", cuts::every_byte(&body)));
        }
        for (way, pieces) in ways {
            let events = self.read_stream(framing, pieces);
            if events != whole {
                let first = events.iter().zip(whole).position(|(got, whole)| got != whole);
                let at = first.unwrap_or(events.len().min(whole.len()));
                let said = format!("event {at} of {} differs: {:?}", events.len(), events.get(at));
                found.push(Difference::new("cuts", format!("the same events with {way}"), said));
            }
        }
    }

    /// Skimming for the meter finds what reading finds.
    fn skim(&self, read: &[Event], found: &mut Vec<Difference>) {
        let body = self.exchange.response.body.bytes();
        if self.exchange.response.status >= 400 {
            return;
        }
        let skimmed = match self.framing() {
            Some(framing) => {
                let mut decoder = self.decoder.decode_stream(self.quirks());
                self.frames(framing, [body.as_slice()], |frame, out| match frame {
                    Some(frame) => decoder.skim(frame, out),
                    None => decoder.end(out),
                })
            }
            None => {
                let skimmed = self.decoder.skim_reply(&body, self.quirks());
                skimmed.unwrap_or_else(|fault| vec![Event::Fault(fault)])
            }
        };
        let (skimmed, read) = (metered(&skimmed), metered(read));
        if skimmed != read {
            found.push(Difference::new("skim", read, skimmed));
        }
    }
}

/// A recording with this share of its kind is cut at every byte, the others at random places.
const EVERY_BYTE_ONE_IN: u64 = 16;

/// Longer streams are not cut at every byte.
const EVERY_BYTE_MOST: usize = 64 << 10;

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

/// How the recording is written for a caller.
struct Written {
    encoder: &'static Dialect,
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
                self.read_fault(expected, &self.encoder.encode_fault(&fault, "req-corpus"), found);
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

    fn passage(&self) -> Passage {
        Passage { from: self.from, to: self.to }
    }

    /// Reads an error answer, and the header that says its type where the body does not.
    fn read_fault(&self, expected: &Digest, answer: &EncodedFault, found: &mut Vec<Difference>) {
        let read = Answer::Buffered(&answer.body);
        match self.to.read(read, answer.status, Writer::Gateway) {
            Ok(mut got) => {
                if let (Some(name), Some(error)) = (self.to.can().type_header, &mut got.error) {
                    let said = answer.headers.iter().find(|(header, _)| header == name);
                    let said = said.and_then(|(_, value)| value.to_str().ok()?.split(':').next());
                    error.kind = said.map(str::to_owned);
                }
                found.extend(passed(expected, &got, self.passage()));
            }
            Err(what) => found.push(Difference::new("shape", "an error as SDKs read it", what)),
        }
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
                found.extend(passed(expected, &got, self.passage()));
            }
            Err(what) => {
                let way = if stream { "a stream" } else { "a buffered answer" };
                found.push(Difference::new("shape", format!("{way} as SDKs read it"), what));
            }
        }
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
