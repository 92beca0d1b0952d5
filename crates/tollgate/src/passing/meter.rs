//! Reads along an answer that is passed on: what it says of what was used, and whether it is whole.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use tollgate_model::{Cost, Event, Fault, Record, Usage};
use tollgate_wire::as_is::{AsIs, TELLING};
use tollgate_wire::batches::Batches;
use tollgate_wire::members::Members;
use tollgate_wire::{Dialect, Framer, Framing, Quirks, StreamDecoder};

use crate::clock::day_of;
use crate::gateway::Upstream;

/// Models whose lines are told apart in one file.
const MOST_MODELS: usize = 64;
/// A longer chat is passed on unread.
const MOST_CHAT_BYTES: usize = 4 << 20;

/// Reads along.
#[derive(Debug, Default)]
pub struct Meter {
    usage: Usage,
    model: Option<String>,
    /// What the lines of a batch used, by the model that each names.
    lines: Vec<(Option<String>, Usage)>,
    reads: Reads,
}

#[derive(Debug, Default)]
enum Reads {
    /// Bytes that say nothing.
    #[default]
    Nothing,
    Object(Members, How),
    Events {
        framer: Framer,
        ended: bool,
        how: How,
    },
    Chat {
        whole: BytesMut,
        dialect: &'static Dialect,
        quirks: &'static Quirks,
    },
    Lines {
        line: BytesMut,
        longest: usize,
        batches: &'static Batches,
        upstream: Arc<Upstream>,
    },
    ChatEvents {
        framer: Framer,
        decoder: StreamDecoder,
    },
}

/// How an answer states what was used.
#[derive(Clone, Copy, Debug)]
struct How {
    operation: &'static AsIs,
    quirks: &'static Quirks,
}

impl Meter {
    /// Reads nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// For an answer with this head; `usage` is what the request says already.
    #[must_use]
    pub fn new(
        operation: &'static AsIs,
        quirks: &'static Quirks,
        headers: &HeaderMap,
        most_event_bytes: usize,
        usage: Usage,
    ) -> Self {
        let how = How { operation, quirks };
        let reads = match Kind::of(headers) {
            Kind::Events(framing @ Framing::Sse) => {
                let framer = Framer::new(framing, most_event_bytes);
                Reads::Events { framer, ended: false, how }
            }
            Kind::Object => Reads::Object(Members::new(TELLING), how),
            Kind::Events(_) | Kind::Other => Reads::Nothing,
        };
        Self { usage, reads, ..Self::default() }
    }

    /// For a chat of that dialect which is passed on and not translated.
    #[must_use]
    pub fn of_chat(
        dialect: &'static Dialect,
        quirks: &'static Quirks,
        headers: &HeaderMap,
        most_event_bytes: usize,
    ) -> Self {
        let reads = match Kind::of(headers) {
            Kind::Events(framing) => {
                let framer = Framer::new(framing, most_event_bytes);
                Reads::ChatEvents { framer, decoder: dialect.decode_stream(quirks) }
            }
            Kind::Object => Reads::Chat { whole: BytesMut::new(), dialect, quirks },
            Kind::Other => Reads::Nothing,
        };
        Self { reads, ..Self::default() }
    }

    /// For the lines that a batch wrote.
    #[must_use]
    pub fn of_batch(batches: &'static Batches, upstream: Arc<Upstream>, longest: usize) -> Self {
        let reads = Reads::Lines { line: BytesMut::new(), longest, batches, upstream };
        Self { reads, ..Self::default() }
    }

    pub(super) fn push(&mut self, piece: &Bytes) {
        match &mut self.reads {
            Reads::Nothing => {}
            Reads::Object(members, _) => members.push(piece),
            Reads::Lines { .. } => self.lines(piece),
            Reads::Chat { whole, .. } if whole.len() + piece.len() > MOST_CHAT_BYTES => {
                self.reads = Reads::Nothing;
            }
            Reads::Chat { whole, .. } => whole.extend_from_slice(piece),
            Reads::Events { framer, .. } | Reads::ChatEvents { framer, .. } => {
                framer.push(piece.clone());
                self.frames();
            }
        }
    }

    /// The answer has ended.
    ///
    /// # Errors
    /// When it is not whole.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        if let Reads::Events { framer, .. } | Reads::ChatEvents { framer, .. } = &mut self.reads
            && let Ok(Some(frame)) = framer.end()
        {
            self.frame(&frame);
        }
        let whole = match &mut self.reads {
            Reads::Lines { .. } => {
                self.lines(&Bytes::from_static(b"\n"));
                true
            }
            Reads::Nothing | Reads::ChatEvents { .. } => true,
            Reads::Events { ended, .. } => *ended,
            Reads::Object(members, how) => {
                let said = how.operation.measured(members, how.quirks);
                self.usage.update(said);
                self.model = members.get("model").and_then(text);
                members.is_whole()
            }
            Reads::Chat { whole, dialect, quirks } => {
                let events = dialect.skim_reply(whole, quirks).unwrap_or_default();
                self.learn(events);
                true
            }
        };
        if whole {
            return Ok(());
        }
        let message = "The provider's answer ended before its end.";
        Err(Fault::bad_upstream(message).with_code("answer_short"))
    }

    /// An error can be said inside it.
    pub(super) fn is_events(&self) -> bool {
        matches!(self.reads, Reads::Events { .. })
    }

    pub(super) fn book(&self, record: &mut Record) {
        record.usage.update(self.usage.clone());
        if self.model.is_some() {
            record.model_answered.clone_from(&self.model);
        }
        if let Reads::Lines { upstream, .. } = &self.reads {
            record.cost = batch_cost(upstream, &self.lines, record.started_us);
        }
    }

    /// What was read is not to be booked.
    pub(super) fn forget(&mut self) {
        *self = Self::nothing();
    }

    /// Every whole frame that is there.
    fn frames(&mut self) {
        loop {
            let (Reads::Events { framer, .. } | Reads::ChatEvents { framer, .. }) = &mut self.reads
            else {
                return;
            };
            match framer.next_frame() {
                Ok(Some(frame)) => self.frame(&frame),
                Ok(None) => return,
                // It goes on to its caller; what it says is not known any more.
                Err(_) => self.reads = Reads::Nothing,
            }
        }
    }

    fn frame(&mut self, frame: &tollgate_wire::Frame) {
        match &mut self.reads {
            Reads::ChatEvents { decoder, .. } => {
                let mut events = Vec::new();
                decoder.skim(frame, &mut events);
                self.learn(events);
            }
            Reads::Events { ended, how, .. } => {
                let mut members = Members::new(TELLING);
                members.push(&frame.data);
                let kind = members.get("type").and_then(text).unwrap_or_default();
                let last = kind.ends_with(".done") || kind.ends_with(".completed");
                let error = members.get("error").is_some_and(|error| !error.is_null());
                let stops = frame.data.trim_ascii() == b"[DONE]";
                *ended |= last || error || stops || kind == "error";
                let said = how.operation.measured(&members, how.quirks);
                self.usage.update(said);
            }
            Reads::Nothing | Reads::Object(..) | Reads::Chat { .. } | Reads::Lines { .. } => {}
        }
    }

    /// Every whole line that is there; what is longer than a line may be says nothing.
    fn lines(&mut self, piece: &Bytes) {
        let Reads::Lines { line, longest, batches, upstream } = &mut self.reads else { return };
        let quirks = &upstream.row.quirks;
        let mut rest = &piece[..];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (part, after) = rest.split_at(end);
            line.extend_from_slice(part);
            if let Some((usage, model)) = batches.used(line, quirks) {
                self.usage.add(&usage);
                self.usage.service_tier.clone_from(&usage.service_tier);
                add_line(&mut self.lines, model.as_deref(), &usage);
                self.model = model.or(self.model.take());
            }
            line.clear();
            rest = after.get(1..).unwrap_or_default();
        }
        if line.len() + rest.len() <= *longest {
            line.extend_from_slice(rest);
        }
    }

    fn learn(&mut self, events: Vec<Event>) {
        for event in events {
            match event {
                Event::Start { model: Some(model), .. } => self.model = Some(model),
                Event::Usage(usage) => self.usage.update(usage),
                _ => {}
            }
        }
    }
}

/// Adds up by model; the last place stands for whatever is named besides.
fn add_line(lines: &mut Vec<(Option<String>, Usage)>, model: Option<&str>, usage: &Usage) {
    let known = lines.iter().position(|(name, _)| name.as_deref() == model);
    let last = (lines.len() == MOST_MODELS).then_some(MOST_MODELS - 1);
    match known.or(last).and_then(|at| lines.get_mut(at)) {
        Some((name, sum)) => {
            if known.is_none() {
                *name = None;
            }
            sum.add(usage);
        }
        None => lines.push((model.map(str::to_owned), usage.clone())),
    }
}

/// What the lines cost, each at the price of its own model for batches.
fn batch_cost(
    upstream: &Upstream,
    lines: &[(Option<String>, Usage)],
    started_us: u64,
) -> Option<Cost> {
    let costs = lines.iter().map(|(model, usage)| {
        let facts = upstream.known.of(model.as_deref().unwrap_or("*"));
        facts.prices.charge(usage, Some("batch"), day_of(started_us))
    });
    costs.reduce(Cost::plus)
}

/// What a head says of its body, as far as it can be read along.
enum Kind {
    Object,
    Events(Framing),
    Other,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Self {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        let plain = headers.get(CONTENT_ENCODING).is_none_or(|value| value == "identity");
        match Framing::of_content_type(&content_type) {
            _ if !plain => Self::Other,
            Some(framing) if framing != Framing::JsonArray => Self::Events(framing),
            _ if content_type.contains("json") => Self::Object,
            _ => Self::Other,
        }
    }
}

fn text(value: serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text),
        _ => None,
    }
}
