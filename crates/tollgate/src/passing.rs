//! An answer that is passed on as it comes: bytes, of whatever kind, read along for the figures they
//! state. Nothing of it is held back. Dropped before its end it closes the call.

mod meter;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::time::{Instant, Sleep, sleep_until};
use tollgate_model::{Fault, FaultKind, Record};

use crate::upload::Upload;
use crate::upstream::Body;

pub use meter::Meter;

/// How an answer is to be passed on.
#[derive(Debug)]
pub struct Manner {
    pub status: StatusCode,
    pub meter: Meter,
    /// Between two pieces.
    pub pause: Duration,
    /// The whole call must be over by then.
    pub deadline: Instant,
    /// What the call still sends; dropped with the answer it is stopped.
    pub upload: Option<Arc<Upload>>,
}

#[derive(Debug)]
pub struct Passing {
    manner: Manner,
    body: Option<Body>,
    when_whole: Option<WhenWhole>,
    length: Option<u64>,
    last: Instant,
    timer: Pin<Box<Sleep>>,
}

struct WhenWhole(Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for WhenWhole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WhenWhole")
    }
}

impl Passing {
    #[must_use]
    pub fn new(body: Body, manner: Manner) -> Self {
        let now = Instant::now();
        let timer = Box::pin(sleep_until(manner.deadline.min(now + manner.pause)));
        let length = body.length();
        Self { manner, body: Some(body), when_whole: None, length, last: now, timer }
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.manner.status
    }

    /// Of the whole, where the provider stated it.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next piece; `None` after the last. After a fault there is nothing more.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        match body.poll_data(cx) {
            Poll::Ready(Some(Ok(piece))) => {
                self.last = Instant::now();
                self.manner.meter.push(&piece);
                // Whoever knows the length does not ask again after the last piece.
                let last = self.body.as_ref().is_none_or(|body| body.length() == Some(0));
                Poll::Ready(Some(match last {
                    true => self.finish().map(|()| piece),
                    false => Ok(piece),
                }))
            }
            Poll::Ready(Some(Err(_))) => {
                let message = "The provider's answer broke off.";
                self.fail(Fault::bad_upstream(message).with_code("answer_broken"))
            }
            Poll::Ready(None) => Poll::Ready(self.finish().err().map(Err)),
            Poll::Pending => match self.poll_timer(cx) {
                None => Poll::Pending,
                Some(fault) => self.fail(fault),
            },
        }
    }

    /// What is to be done when its last byte was read and all of it was sound.
    pub fn when_whole(&mut self, then: Box<dyn FnOnce() + Send>) {
        self.when_whole = Some(WhenWhole(then));
    }

    /// Nothing more is to come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.body.is_none()
    }

    /// Whether its caller reads it as a stream of events, in which an error can be said.
    #[must_use]
    pub fn is_events(&self) -> bool {
        self.manner.meter.is_events()
    }

    /// Writes down what was used, as far as it was said.
    pub fn book(&self, record: &mut Record) {
        self.manner.meter.book(record);
        if let Some(upload) = &self.manner.upload {
            record.request_bytes = upload.arrived();
        }
    }

    /// Ends it here; the provider's call is closed.
    pub fn close(&mut self) {
        self.body = None;
        if let Some(upload) = &self.manner.upload {
            upload.stop();
        }
    }

    fn finish(&mut self) -> Result<(), Fault> {
        if let Some(body) = self.body.take() {
            body.give_back();
        }
        self.manner.meter.end()?;
        if let Some(WhenWhole(then)) = self.when_whole.take() {
            then();
        }
        Ok(())
    }

    fn fail(&mut self, fault: Fault) -> Poll<Option<Result<Bytes, Fault>>> {
        self.close();
        Poll::Ready(Some(Err(fault)))
    }

    /// `Some` when the provider was silent for too long. The timer is set anew when it rings, not
    /// for every piece.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Option<Fault> {
        loop {
            if self.timer.as_mut().poll(cx).is_pending() {
                return None;
            }
            let due = self.manner.deadline.min(self.last + self.manner.pause);
            if Instant::now() >= due {
                return Some(self.too_slow());
            }
            self.timer.as_mut().reset(due);
        }
    }

    fn too_slow(&self) -> Fault {
        let (message, code) = if Instant::now() >= self.manner.deadline {
            ("The answer was not whole within the time allowed for a call.", "total_timeout")
        } else {
            ("The provider fell silent inside its answer.", "stream_stalled")
        };
        let fault = Fault::new(FaultKind::Timeout, tollgate_model::Source::Upstream, message);
        fault.with_code(code)
    }
}
