//! A provider's streamed answer, read along: bytes in, frames and events out, with the timeouts
//! between tokens. Dropped before its end it closes the call.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use memchr::memmem;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tollgate_model::{Event, Fault, FaultKind};
use tollgate_wire::{Envelope, Frame, Framer, Framing, MessageType, Snapshot, StreamDecoder};

use crate::upstream::Body;

/// Frames that are read and thrown away after the last word of a stream.
const MOST_REST_FRAMES: usize = 8;
/// How long they are waited for; after that the connection is closed.
const MOST_REST_WAIT: Duration = Duration::from_secs(1);
static CLOSING: Bytes = Bytes::from_static(b"]");

/// How a stream is to be read.
#[derive(Debug)]
pub struct Reading {
    pub framing: Framing,
    /// What each frame is packed into.
    pub envelope: Envelope,
    /// Bound on one event, in bytes.
    pub most_event_bytes: usize,
    pub decoder: StreamDecoder,
    /// Only what metering needs becomes events; the frames travel on as they came.
    pub skim: bool,
    /// The caller did not ask for the frame that holds nothing but usage.
    pub hide_usage: bool,
    /// The first token must be there by then; comments are none.
    pub first_by: Instant,
    pub between_tokens: Duration,
    /// The whole call must be over by then.
    pub deadline: Instant,
}

#[derive(Debug)]
pub struct Source {
    /// `None` once the stream has said its last word.
    body: Option<Body>,
    framer: Framer,
    reading: Reading,
    /// What was read while looking whether the stream begins well.
    begun: Option<(Bytes, Vec<Event>)>,
    /// The end of a JSON array, kept back until it is known that nothing more is to be said.
    closing: Bytes,
    done: bool,
    last: Instant,
    heard: bool,
    timer: Pin<Box<Sleep>>,
}

impl Source {
    #[must_use]
    pub fn new(body: Body, reading: Reading) -> Self {
        let timer = Box::pin(sleep_until(reading.first_by));
        let framer = Framer::new(reading.framing, reading.most_event_bytes);
        Self {
            body: Some(body),
            framer,
            reading,
            begun: None,
            closing: Bytes::new(),
            done: false,
            last: Instant::now(),
            heard: false,
            timer,
        }
    }

    /// Reads until the first events.
    ///
    /// # Errors
    /// The fault, when the stream begins with one: nothing was sent to the caller yet, so another
    /// target may be tried.
    pub async fn begin(&mut self) -> Result<(), Fault> {
        let mut events = Vec::new();
        let mut raw = BytesMut::new();
        while events.is_empty() {
            let next = std::future::poll_fn(|cx| self.poll_next(cx, &mut events)).await;
            let Some(bytes) = next else { break };
            if raw.len() + bytes.len() > self.reading.most_event_bytes {
                self.close();
                return Err(Fault::bad_upstream("The provider's stream does not come to a token."));
            }
            raw.extend_from_slice(&bytes);
        }
        if let Some(Event::Fault(fault)) = events.first() {
            return Err(fault.clone());
        }
        self.begun = Some((raw.freeze(), events));
        Ok(())
    }

    /// The events with which the stream begins, until they are taken.
    #[must_use]
    pub fn begun(&self) -> &[Event] {
        self.begun.as_ref().map(|(_, events)| events.as_slice()).unwrap_or_default()
    }

    /// The next frames: their bytes are returned (without those of a frame that faults), their
    /// events appended. `None` after the end, which was an `End` or `Fault` among the events.
    pub fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        events: &mut Vec<Event>,
    ) -> Poll<Option<Bytes>> {
        if let Some((raw, mut begun)) = self.begun.take() {
            events.append(&mut begun);
            return Poll::Ready(Some(raw));
        }
        while !self.done {
            let Some(body) = &mut self.body else { break };
            match body.poll_data(cx) {
                Poll::Ready(Some(Ok(chunk))) => {
                    self.framer.push(chunk.clone());
                    let raw = self.frames(&chunk, events);
                    if self.heard {
                        self.last = Instant::now();
                    }
                    if self.done {
                        self.let_go(cx);
                    }
                    if !raw.is_empty() || !events.is_empty() {
                        return Poll::Ready(Some(raw));
                    }
                }
                Poll::Ready(Some(Err(_))) => {
                    self.fail(broken_off(), events);
                    return Poll::Ready(Some(Bytes::new()));
                }
                Poll::Ready(None) => return Poll::Ready(Some(self.finish(events))),
                Poll::Pending => {
                    let Some(fault) = self.poll_timer(cx) else { return Poll::Pending };
                    self.fail(fault, events);
                    return Poll::Ready(Some(Bytes::new()));
                }
            }
        }
        Poll::Ready(None)
    }

    /// Where the stream stands, for an encoder that goes on from here.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.reading.decoder.snapshot()
    }

    /// Every whole frame that is there.
    fn frames(&mut self, chunk: &Bytes, events: &mut Vec<Event>) -> Bytes {
        let mut joined = Joined::new(chunk);
        loop {
            let next = self.framer.next_frame();
            match next.and_then(|frame| frame.map(|f| self.reading.envelope.open(f)).transpose()) {
                Ok(Some(frame)) => {
                    if !self.frame(&frame, events, &mut joined) {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let fault = Fault::bad_upstream("The provider's stream cannot be read.");
                    self.fail(fault.with_note(error.to_string()), events);
                    break;
                }
            }
        }
        joined.finish()
    }

    /// Reads one frame; false when nothing may follow.
    fn frame(&mut self, frame: &Frame, events: &mut Vec<Event>, joined: &mut Joined) -> bool {
        self.heard |= !frame.data.is_empty();
        if self.is_closing(frame) {
            return true;
        }
        let from = events.len();
        if self.reading.skim {
            if frame.kind != MessageType::Error && is_broken(&frame.data) {
                self.fail(Fault::bad_upstream("The provider's stream holds no JSON."), events);
                return false;
            }
            self.reading.decoder.skim(frame, events);
        } else {
            self.reading.decoder.read(frame, events);
        }
        let new = &events[from..];
        if matches!(new.last(), Some(Event::Fault(_))) {
            self.close();
            return false;
        }
        if !(self.reading.hide_usage && is_only_usage(new, frame)) {
            joined.add(&frame.raw);
        }
        if matches!(new.last(), Some(Event::End)) {
            self.done = true;
            return false;
        }
        true
    }

    /// Whether the frame ends a JSON array; it is kept back, since an error may yet belong into it.
    fn is_closing(&mut self, frame: &Frame) -> bool {
        let closing = self.reading.framing == Framing::JsonArray && frame.data.is_empty();
        if closing && self.closing.is_empty() {
            self.closing = frame.raw.clone();
        }
        closing
    }

    /// The body ended by itself.
    fn finish(&mut self, events: &mut Vec<Event>) -> Bytes {
        let mut joined = Joined::new(&Bytes::new());
        if let Ok(Some(frame)) = self.framer.end() {
            self.frame(&frame, events, &mut joined);
            if !matches!(events.last(), Some(Event::Fault(_))) {
                self.terminate(&frame, &mut joined);
            }
        }
        if !self.done {
            self.reading.decoder.end(events);
            self.done = true;
        }
        if self.reading.framing == Framing::JsonArray && events.last() == Some(&Event::End) {
            let closing = std::mem::take(&mut self.closing);
            joined.add(if closing.is_empty() { &CLOSING } else { &closing });
        }
        if let Some(body) = self.body.take() {
            body.give_back();
        }
        joined.finish()
    }

    /// Ends a last event whose own end is missing, so that what follows is another event, and
    /// a caller that reads by the book sees this one.
    fn terminate(&self, frame: &Frame, joined: &mut Joined) {
        if !frame.data.is_empty() {
            joined.add(&Bytes::from_static(self.reading.framing.terminator()));
        }
    }

    /// The stream has said its last word, but perhaps not its body: what is not there yet is read
    /// beside the call, so that the connection may serve again.
    fn let_go(&mut self, cx: &mut Context<'_>) {
        let Some(mut body) = self.body.take() else { return };
        for _ in 0..MOST_REST_FRAMES {
            match body.poll_data(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_))) => return,
                Poll::Ready(None) => return body.give_back(),
                Poll::Pending => {
                    tokio::spawn(timeout(MOST_REST_WAIT, rest(body)));
                    return;
                }
            }
        }
    }

    /// Ends the stream with a fault.
    pub fn fail(&mut self, fault: Fault, events: &mut Vec<Event>) {
        events.push(Event::Fault(fault));
        self.close();
    }

    /// Nothing more is wanted: the connection is closed with its body.
    fn close(&mut self) {
        self.done = true;
        self.body = None;
    }

    /// `Some` when the provider was silent for too long. The timer is set anew when it rings, not
    /// for every chunk.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Option<Fault> {
        loop {
            let due = match self.heard {
                true => self.last + self.reading.between_tokens,
                false => self.reading.first_by,
            }
            .min(self.reading.deadline);
            if self.timer.deadline() > due {
                self.timer.as_mut().reset(due);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return None;
            }
            if Instant::now() >= due {
                return Some(self.too_slow());
            }
            self.timer.as_mut().reset(due);
        }
    }

    fn too_slow(&self) -> Fault {
        let (message, code) = if Instant::now() >= self.reading.deadline {
            ("The answer was not whole within the time allowed for a call.", "total_timeout")
        } else if self.heard {
            ("The provider fell silent inside its answer.", "stream_stalled")
        } else {
            ("The provider sent no token in time.", "first_token_timeout")
        };
        let fault = Fault::new(FaultKind::Timeout, tollgate_model::Source::Upstream, message);
        fault.with_code(code)
    }
}

/// Reads a body to its end, which is near, and gives its connection back.
async fn rest(mut body: Body) {
    for _ in 0..MOST_REST_FRAMES {
        match body.data().await {
            Some(Ok(_)) => {}
            Some(Err(_)) => return,
            None => return body.give_back(),
        }
    }
}

fn broken_off() -> Fault {
    Fault::bad_upstream("The provider's answer broke off.").with_code("stream_broken")
}

/// Neither an object from brace to brace nor a terminator in plain words. A frame that travels on
/// as it came is not decoded, so nobody else would notice that it was cut.
fn is_broken(data: &[u8]) -> bool {
    let data = data.trim_ascii();
    let whole = data.starts_with(b"{") && data.ends_with(b"}");
    !(whole || data.is_empty() || data == b"[DONE]")
}

/// The last frame of a stream with `include_usage`: usage and an empty list of choices.
fn is_only_usage(events: &[Event], frame: &Frame) -> bool {
    let usage = events.iter().any(|event| matches!(event, Event::Usage(_)));
    usage
        && ["\"choices\":[]", "\"choices\": []"]
            .iter()
            .any(|empty| memmem::find(&frame.data, empty.as_bytes()).is_some())
}

/// Joins the bytes of frames, without copying while they lie side by side in one chunk.
struct Joined {
    chunk: Bytes,
    run: Bytes,
    copied: BytesMut,
}

impl Joined {
    fn new(chunk: &Bytes) -> Self {
        Self { chunk: chunk.clone(), run: Bytes::new(), copied: BytesMut::new() }
    }

    fn add(&mut self, raw: &Bytes) {
        if !self.copied.is_empty() {
            self.copied.extend_from_slice(raw);
        } else if self.run.is_empty() {
            self.run = raw.clone();
        } else if let Some(longer) = self.beside(raw) {
            self.run = longer;
        } else {
            self.copied.extend_from_slice(&self.run);
            self.copied.extend_from_slice(raw);
        }
    }

    /// The run with `raw`, when both lie side by side in the chunk.
    fn beside(&self, raw: &Bytes) -> Option<Bytes> {
        let base = self.chunk.as_ptr() as usize;
        let at = |bytes: &Bytes| (bytes.as_ptr() as usize).checked_sub(base);
        let (run, next) = (at(&self.run)?, at(raw)?);
        let end = next.checked_add(raw.len())?;
        (run + self.run.len() == next && end <= self.chunk.len())
            .then(|| self.chunk.slice(run..end))
    }

    fn finish(self) -> Bytes {
        if self.copied.is_empty() { self.run } else { self.copied.freeze() }
    }
}
