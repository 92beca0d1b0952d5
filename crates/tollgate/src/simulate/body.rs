//! A body that plays a script, frame by frame, and tells the simulator how it ended.

use super::BrokenOff;
use super::connection::Break;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::collections::VecDeque;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::time::{Sleep, sleep};
use tollgate_simulate::{Simulator, Step};

/// Tells the simulator how a call ended; dropped before that, that the caller left.
#[derive(Debug)]
pub(super) struct Watch {
    simulator: Simulator,
    /// [`NOTHING`] once told, and for calls that are not remembered.
    received: AtomicU64,
    arrived: Instant,
}

const NOTHING: u64 = u64::MAX;

impl Watch {
    pub(super) fn new(simulator: Simulator, received: Option<u64>, arrived: Instant) -> Self {
        Self { simulator, received: received.unwrap_or(NOTHING).into(), arrived }
    }

    /// The script has ended, cleanly or as it wanted.
    pub(super) fn ended(&self, whole: bool) {
        if let Some(received) = self.take() {
            self.simulator.played(received, whole);
        }
    }

    fn take(&self) -> Option<u64> {
        let received = self.received.swap(NOTHING, Ordering::AcqRel);
        (received != NOTHING).then_some(received)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(received) = self.take() {
            let after = u64::try_from(self.arrived.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.simulator.caller_left(received, after);
        }
    }
}

#[derive(Debug)]
pub(super) struct Playing {
    steps: VecDeque<Step>,
    /// Known when the whole body is one piece.
    length: Option<u64>,
    pause: Option<Pin<Box<Sleep>>>,
    /// A frame was given out; the connection flushes it when we are not ready at once.
    flush: bool,
    watch: Option<Watch>,
    broken: Break,
}

impl Playing {
    pub(super) fn new(steps: Vec<Step>, watch: Watch, broken: Break) -> Self {
        let length = match steps.as_slice() {
            [Step::Send(only), Step::Close] => Some(only.len() as u64),
            _ => None,
        };
        if length == Some(0) {
            // An empty body is never asked for.
            watch.ended(true);
        }
        Self { steps: steps.into(), length, pause: None, flush: false, watch: Some(watch), broken }
    }

    /// A body outside any script.
    pub(super) fn said(text: Bytes) -> Self {
        let length = Some(text.len() as u64);
        Self {
            steps: VecDeque::from([Step::Send(text)]),
            length,
            pause: None,
            flush: false,
            watch: None,
            broken: Break::default(),
        }
    }

    fn ended(&self, whole: bool) {
        if let Some(watch) = &self.watch {
            watch.ended(whole);
        }
    }
}

impl Body for Playing {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                std::task::ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            if std::mem::take(&mut self.flush) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match self.steps.pop_front() {
                Some(Step::Send(bytes)) => {
                    if matches!(self.steps.front(), Some(Step::Close) | None)
                        && self.length.is_some()
                    {
                        self.steps.clear();
                        self.ended(true);
                    }
                    self.flush = true;
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Pause(time)) => self.pause = Some(Box::pin(sleep(time))),
                Some(Step::Hang) => {
                    self.steps.push_front(Step::Hang);
                    return Poll::Pending;
                }
                Some(Step::Reset) => {
                    self.ended(false);
                    self.broken.reset();
                    return Poll::Ready(Some(Err(BrokenOff::AsScripted)));
                }
                Some(Step::Cut) => {
                    self.ended(false);
                    return Poll::Ready(Some(Err(BrokenOff::AsScripted)));
                }
                Some(Step::Close) | None => {
                    self.steps.clear();
                    self.ended(true);
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.length.is_some() && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.length {
            Some(length) if !self.steps.is_empty() => SizeHint::with_exact(length),
            _ => SizeHint::default(),
        }
    }
}
