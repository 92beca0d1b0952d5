//! An answer that is passed on as it comes, as the body of a response. What cannot be said inside
//! it breaks the connection off: bytes that stop are never taken for bytes that are whole.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    LAST_MODIFIED,
};
use http::{HeaderMap, HeaderName};
use tollgate_model::{Event, Fault};
use tollgate_wire::{Dialect, ReplyContext, Snapshot};

use crate::cut::Awaited;
use crate::stages::call::Said;
use crate::stages::settle::Settling;
use crate::stages::watch::Watched;

/// What a provider says of the bytes themselves.
const ABOUT_BYTES: [HeaderName; 7] = [
    CONTENT_TYPE,
    CONTENT_ENCODING,
    CONTENT_DISPOSITION,
    CONTENT_RANGE,
    ACCEPT_RANGES,
    ETAG,
    LAST_MODIFIED,
];

/// Those headers travel on.
pub(super) fn heads(from: &HeaderMap, to: &mut HeaderMap) {
    for name in &ABOUT_BYTES {
        if let Some(value) = from.get(name) {
            to.insert(name.clone(), value.clone());
        }
    }
}

#[derive(Debug)]
pub(super) struct Passed {
    watched: Watched,
    dialect: &'static Dialect,
    context: ReplyContext,
    settling: Option<Settling>,
    cut: Awaited,
}

/// The answer is not whole, and cannot say so.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
pub struct BrokenOff;

impl Passed {
    pub(super) fn new(
        watched: Watched,
        dialect: &'static Dialect,
        context: ReplyContext,
        (settling, cut): (Settling, Awaited),
    ) -> Self {
        Self { watched, dialect, context, settling: Some(settling), cut }
    }

    /// Of the whole, where it is known.
    pub(super) fn length(&self) -> Option<u64> {
        match &self.watched.answer.said {
            Said::Passing(passing) => passing.length(),
            _ => None,
        }
    }

    /// The next bytes for the caller. The call is booked before its last bytes leave.
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        let Some(open) = &mut self.settling else { return Poll::Ready(None) };
        let mut next = self.watched.poll_passing(cx, &mut open.record);
        if next.is_pending() {
            next = Poll::Ready(Some(Err(ready!(self.cut.poll(cx)))));
        }
        match ready!(next) {
            Some(Ok(piece)) => {
                if open.record.first_chunk_us.is_none() {
                    open.record.first_chunk_us = Some(open.elapsed_us());
                }
                open.record.response_bytes += piece.len() as u64;
                open.top_up();
                if self.watched.has_passed()
                    && let Some(settling) = self.settling.take()
                {
                    settling.settle();
                }
                Poll::Ready(Some(Ok(piece)))
            }
            Some(Err(fault)) => Poll::Ready(Some(self.broken(fault))),
            None => {
                if let Some(settling) = self.settling.take() {
                    settling.settle();
                }
                Poll::Ready(None)
            }
        }
    }

    fn broken(&mut self, fault: Fault) -> Result<Bytes, BrokenOff> {
        let mut said = Err(BrokenOff);
        if let Said::Passing(passing) = &mut self.watched.answer.said {
            if passing.is_events() {
                let snapshot = Some(Snapshot { started: true, ..Snapshot::default() });
                let mut encoder = self.dialect.encode_stream(self.context.clone(), snapshot);
                // Whatever was begun before it is no event.
                let mut out = b"\n\n".to_vec();
                encoder.write(Event::Fault(fault.clone()), &mut out);
                said = Ok(Bytes::from(out));
            }
            passing.close();
        }
        if let Some(mut settling) = self.settling.take() {
            settling.record.fault = Some(fault);
            settling.settle();
        }
        said
    }
}
