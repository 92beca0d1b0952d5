//! Streamed answers: what a dialect writes of its own to read and write them, and what all of them
//! share. That nothing comes after an end, that a fault is an event, and what is left of a frame
//! that was only skimmed, is held here for every dialect.
//!
//! Deliberately absent: frames, which `framing.rs` cuts.

use std::fmt::Debug;
use std::mem;

use serde_json::{Map, Value};
use tollgate_model::{Event, Fault, Losses, Usage};

use crate::{Frame, Quirks, ReplyContext};

/// How a dialect reads and writes streams.
#[derive(Debug)]
pub(crate) struct Streams {
    decoder: fn(&'static Quirks) -> Box<dyn DecodeStream>,
    encoder: fn(ReplyContext, Snapshot) -> Box<dyn EncodeStream>,
}

impl Streams {
    pub(crate) const fn of<D: DecodeStream + 'static, E: EncodeStream + 'static>() -> Self {
        Self {
            decoder: |quirks| Box::new(D::open(quirks)),
            encoder: |context, from| Box::new(E::open(context, from)),
        }
    }

    pub(crate) fn decoder(&self, quirks: &'static Quirks) -> StreamDecoder {
        StreamDecoder { decoder: (self.decoder)(quirks), skimming: false, over: false }
    }

    pub(crate) fn encoder(&self, context: ReplyContext, resume: Option<Snapshot>) -> StreamEncoder {
        let encoder = (self.encoder)(context, resume.unwrap_or_default());
        StreamEncoder { encoder, sink: Sink::default() }
    }
}

/// What a dialect does to read the frames of a stream. A fault ends it.
pub(crate) trait DecodeStream: Debug + Send {
    fn open(quirks: &'static Quirks) -> Self
    where
        Self: Sized;

    /// Reads one frame. Nothing is read after an error or an `End`.
    fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault>;

    /// As [`read`](Self::read), but only what metering and [`snapshot`](Self::snapshot) need is
    /// kept of what it gives.
    fn skim(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        self.read(frame, out)
    }

    /// The body has ended, and nothing ended the stream.
    fn end(&mut self, _out: &mut Vec<Event>) -> Result<(), Fault> {
        Err(Fault::bad_upstream("The provider's stream broke off."))
    }

    fn snapshot(&self) -> Snapshot;
}

/// What a dialect does to write events as frames. Nothing is written after the sink is over.
pub(crate) trait EncodeStream: Debug + Send {
    /// For a new stream, or from where another stands.
    fn open(context: ReplyContext, from: Snapshot) -> Self
    where
        Self: Sized;

    /// Appends what `event` looks like. `End` closes the stream properly; `Fault` writes the
    /// dialect's error event and never a clean end.
    fn write(&mut self, event: Event, out: &mut Sink);
}

/// Reads the frames of a stream.
#[derive(Debug)]
pub struct StreamDecoder {
    decoder: Box<dyn DecodeStream>,
    /// The last frame went by without being read: only what metering needs is told.
    skimming: bool,
    /// `End` or `Fault` was given.
    over: bool,
}

impl StreamDecoder {
    /// Reads one frame. After a `Fault` or `End` nothing more is read.
    pub fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) {
        if !self.over {
            self.skimming = false;
            let from = out.len();
            let read = self.decoder.read(frame, out);
            self.tell(read, from, out);
        }
    }

    /// As [`read`](Self::read), but only what metering and [`snapshot`](Self::snapshot) need:
    /// `Start`, `Usage`, `Finish`, `Fault`, `End`.
    pub fn skim(&mut self, frame: &Frame, out: &mut Vec<Event>) {
        if !self.over {
            self.skimming = true;
            let from = out.len();
            let skimmed = self.decoder.skim(frame, out);
            self.tell(skimmed, from, out);
        }
    }

    /// The body has ended. Gives `End` when the stream was whole, else a `Fault`; nothing when
    /// either was given before.
    pub fn end(&mut self, out: &mut Vec<Event>) {
        if !self.over {
            let from = out.len();
            let ended = self.decoder.end(out);
            self.tell(ended, from, out);
        }
    }

    /// Where the stream stands, so that an encoder can go on from here.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.decoder.snapshot()
    }

    fn tell(&mut self, said: Result<(), Fault>, from: usize, out: &mut Vec<Event>) {
        if let Err(fault) = said {
            out.push(Event::Fault(fault));
        }
        if out.len() > from {
            self.over = matches!(out.last(), Some(Event::End | Event::Fault(_)));
            if self.skimming {
                keep_metered(from, out);
            }
        }
    }
}

/// Of the events since `from`, leaves those that metering needs.
fn keep_metered(from: usize, out: &mut Vec<Event>) {
    let mut at = 0;
    out.retain(|event| {
        at += 1;
        at <= from || event.is_metered()
    });
}

/// Writes events as the frames of a stream.
#[derive(Debug)]
pub struct StreamEncoder {
    encoder: Box<dyn EncodeStream>,
    sink: Sink,
}

impl StreamEncoder {
    /// Appends what `event` looks like. `End` closes the stream properly; `Fault` writes the
    /// dialect's error event and never a clean end. After either nothing more is written.
    pub fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.sink.over {
            return;
        }
        let ends = matches!(event, Event::End | Event::Fault(_));
        mem::swap(&mut self.sink.bytes, out);
        self.encoder.write(event, &mut self.sink);
        mem::swap(&mut self.sink.bytes, out);
        self.sink.over |= ends;
    }

    /// What could not be carried so far.
    #[must_use]
    pub fn losses(&self) -> &Losses {
        &self.sink.losses
    }
}

/// Where an encoder writes.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    pub bytes: Vec<u8>,
    /// What could not be carried so far.
    pub losses: Losses,
    /// The last frame was written. An encoder says so that ends a stream of its own accord; after
    /// `End` and `Fault` it is known.
    pub over: bool,
}

impl Sink {
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The event is of another choice than the first, and lost where a dialect has only one.
    pub(crate) fn loses_choice(&mut self, event: &Event) -> bool {
        let beside = event.choice().is_some_and(|choice| choice != 0);
        if beside {
            self.losses.dropped("", "choices");
        }
        beside
    }
}

/// The data of a frame as a JSON object.
pub(crate) fn object(data: &[u8]) -> Result<Map<String, Value>, Fault> {
    match serde_json::from_slice(data) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Fault::bad_upstream("The provider's stream holds a frame that is not JSON.")),
    }
}

/// Who answers, as the head of an answer states it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Head {
    pub id: Option<String>,
    pub model: Option<String>,
    pub created: Option<u64>,
}

impl Head {
    /// Stated anew; what is left out stays.
    pub(crate) fn restate(
        &mut self,
        id: Option<String>,
        model: Option<String>,
        created: Option<u64>,
    ) {
        self.id = id.or(self.id.take());
        self.model = model.or(self.model.take());
        self.created = created.or(self.created);
    }
}

/// Where a stream stands after any of its frames.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    pub id: Option<String>,
    pub model: Option<String>,
    pub created: Option<u64>,
    /// The opening frames were sent.
    pub started: bool,
    /// The block that is open, by its index, where the dialect has blocks.
    pub open_block: Option<u32>,
    /// The index of the next block or choice.
    pub next_block: u32,
    /// Choices that were finished.
    pub finished: Vec<u32>,
    pub usage: Usage,
    /// The number of the next event, where the dialect counts them.
    pub sequence: u64,
    /// Items that are open, where several can be at once.
    pub open_items: Vec<OpenItem>,
}

impl Snapshot {
    /// The answer begins with `start`, unless it has begun before.
    pub(crate) fn start(&mut self, start: Event, out: &mut Vec<Event>) {
        if self.started {
            return;
        }
        self.started = true;
        if let Event::Start { id, model, created } = &start {
            self.id.clone_from(id);
            self.model.clone_from(model);
            self.created = *created;
        }
        out.push(start);
    }

    /// Figures were stated.
    pub(crate) fn count(&mut self, usage: Option<Usage>, out: &mut Vec<Event>) {
        if let Some(usage) = usage {
            self.usage.update(usage.clone());
            out.push(Event::Usage(usage));
        }
    }

    pub(crate) fn open(&mut self, block: u32) {
        self.open_block = Some(block);
        self.next_block = self.next_block.max(block.saturating_add(1));
    }

    pub(crate) fn close(&mut self, block: u32) {
        if self.open_block == Some(block) {
            self.open_block = None;
        }
    }

    /// The only choice is finished.
    pub(crate) fn finish(&mut self) {
        if self.finished.is_empty() {
            self.finished.push(0);
        }
    }

    pub(crate) fn head(&self) -> Head {
        Head { id: self.id.clone(), model: self.model.clone(), created: self.created }
    }
}

/// An item that was announced in a stream and is not closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenItem {
    pub index: u32,
    pub id: String,
    /// The dialect's word for its type.
    pub kind: String,
    /// The part of it that is open: its index, and the dialect's word for its type.
    pub part: Option<(u32, String)>,
}
