//! The body of a response. A stream is pulled through on the caller's own connection: nothing is
//! read from the provider that the caller does not take, and a caller who leaves drops it all.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tollgate_model::{Event, Fault, Lane};
use tollgate_wire::carriage::Sealer;
use tollgate_wire::{Dialect, Envelope, ReplyContext, StreamEncoder};

use super::passed::{BrokenOff, Passed};
use crate::cut::Awaited;
use crate::stages::call::Said;
use crate::stages::settle::Settling;
use crate::stages::watch::Watched;

#[derive(Debug)]
pub struct ReplyBody(Inner);

#[derive(Debug)]
enum Inner {
    Whole(Option<Bytes>),
    Stream { flow: Box<Flow>, settling: Option<Settling>, cut: Awaited },
    Passed(Box<Passed>),
}

impl ReplyBody {
    #[must_use]
    pub fn whole(bytes: Bytes) -> Self {
        Self(Inner::Whole(Some(bytes)))
    }

    pub(super) fn passed(passed: Passed) -> Self {
        Self(Inner::Passed(Box::new(passed)))
    }

    pub(super) fn stream(flow: Box<Flow>, settling: Settling, cut: Awaited) -> Self {
        Self(Inner::Stream { flow, settling: Some(settling), cut })
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut self.0 {
            Inner::Whole(bytes) => {
                let bytes = bytes.take().filter(|bytes| !bytes.is_empty());
                Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
            Inner::Stream { flow, settling, cut } => {
                let mut next = flow.poll_next(cx, settling);
                if next.is_pending() {
                    // Nothing to say: the moment to hear whether this is the end.
                    let fault = ready!(cut.poll(cx));
                    next = Poll::Ready(flow.cut(fault, settling));
                }
                let next = ready!(next);
                Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
            }
            Inner::Passed(passed) => {
                let next = ready!(passed.poll_next(cx));
                Poll::Ready(next.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Inner::Stream { .. } | Inner::Passed(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Inner::Stream { .. } => SizeHint::default(),
            Inner::Passed(passed) => match passed.length() {
                Some(length) => SizeHint::with_exact(length),
                None => SizeHint::default(),
            },
        }
    }
}

/// A watched stream on its way into the caller's dialect.
#[derive(Debug)]
pub(super) struct Flow {
    watched: Watched,
    writer: Writer,
    /// The caller expects the events in envelopes.
    sealer: Option<Sealer>,
    events: Vec<Event>,
}

#[derive(Debug)]
enum Writer {
    /// Frames travel as they came; the dialect is needed only to write another ending.
    Verbatim {
        dialect: &'static Dialect,
        context: ReplyContext,
    },
    Translated(StreamEncoder),
}

impl Flow {
    pub(super) fn new(
        watched: Watched,
        dialect: &'static Dialect,
        context: ReplyContext,
        envelope: Envelope,
    ) -> Self {
        let sealer = (envelope == Envelope::AwsChunks).then(Sealer::default);
        let writer = match watched.answer.lane {
            Lane::Verbatim => Writer::Verbatim { dialect, context },
            Lane::Translated => Writer::Translated(dialect.encode_stream(context, None)),
        };
        Self { watched, writer, sealer, events: Vec::new() }
    }

    /// The next bytes for the caller. The call is booked before its last bytes leave.
    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        settling: &mut Option<Settling>,
    ) -> Poll<Option<Bytes>> {
        loop {
            let Some(open) = settling else { return Poll::Ready(None) };
            self.events.clear();
            let next = self.watched.poll_next(cx, &mut self.events, &mut open.record);
            let Some(raw) = ready!(next) else {
                if let Some(settling) = settling.take() {
                    settling.settle();
                }
                return Poll::Ready(None);
            };
            let last = matches!(self.events.last(), Some(Event::End | Event::Fault(_)));
            let bytes = self.written(raw);
            if !bytes.is_empty() && open.record.first_chunk_us.is_none() {
                open.record.first_chunk_us = Some(open.elapsed_us());
            }
            open.record.response_bytes += bytes.len() as u64;
            open.top_up();
            if last && let Some(mut open) = settling.take() {
                if let Writer::Translated(encoder) = &self.writer {
                    open.record.losses.extend(encoder.losses().clone());
                }
                open.settle();
            }
            if !bytes.is_empty() {
                return Poll::Ready(Some(bytes));
            }
        }
    }

    /// The last bytes of a stream that has to end here.
    fn cut(&mut self, fault: Fault, settling: &mut Option<Settling>) -> Option<Bytes> {
        let mut open = settling.take()?;
        self.events.clear();
        self.watched.cut(fault, &mut self.events, &mut open.record);
        let bytes = self.written(Bytes::new());
        open.record.response_bytes += bytes.len() as u64;
        open.settle();
        Some(bytes)
    }

    fn written(&mut self, raw: Bytes) -> Bytes {
        let events = self.bare(raw);
        match &mut self.sealer {
            Some(sealer) => sealer.seal(events),
            None => events,
        }
    }

    fn bare(&mut self, raw: Bytes) -> Bytes {
        match &mut self.writer {
            Writer::Verbatim { dialect, context } => {
                let Some(Event::Fault(fault)) = self.events.last() else { return raw };
                let Said::Stream(source) = &self.watched.answer.said else { return raw };
                let mut encoder = dialect.encode_stream(context.clone(), Some(source.snapshot()));
                let mut out = raw.to_vec();
                encoder.write(Event::Fault(fault.clone()), &mut out);
                out.into()
            }
            Writer::Translated(encoder) => {
                let mut out = Vec::new();
                for event in self.events.drain(..) {
                    encoder.write(event, &mut out);
                }
                out.into()
            }
        }
    }
}
