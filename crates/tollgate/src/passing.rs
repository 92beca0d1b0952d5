//! An answer that is passed on as it comes: bytes, of whatever kind, read along for the figures they
//! state. Nothing of it is held back. Dropped before its end it closes the call.

mod meter;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
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
    claim: Option<Claim>,
    /// What waits for the claim: the last piece, where it was known to be the last.
    last_piece: Option<Option<Bytes>>,
    length: Option<u64>,
    last: Instant,
    timer: Pin<Box<Sleep>>,
}

/// Tells whether what was read may be booked, since nobody has booked it before.
pub struct Claim(Pin<Box<dyn Future<Output = Result<bool, Fault>> + Send>>);

impl Claim {
    #[must_use]
    pub fn new(claim: impl Future<Output = Result<bool, Fault>> + Send + 'static) -> Self {
        Self(Box::pin(claim))
    }
}

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Claim")
    }
}

impl Passing {
    #[must_use]
    pub fn new(body: Body, manner: Manner) -> Self {
        let now = Instant::now();
        let timer = Box::pin(sleep_until(manner.deadline.min(now + manner.pause)));
        let length = body.length();
        let (body, claim, last_piece) = (Some(body), None, None);
        Self { manner, body, claim, last_piece, length, last: now, timer }
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
        if self.last_piece.is_some() {
            return self.poll_claim(cx);
        }
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        match body.poll_data(cx) {
            Poll::Ready(Some(Ok(piece))) => {
                self.last = Instant::now();
                self.manner.meter.push(&piece);
                // Whoever knows the length does not ask again after the last piece.
                let last = self.body.as_ref().is_none_or(|body| body.length() == Some(0));
                match last {
                    true => self.finish(cx, Some(piece)),
                    false => Poll::Ready(Some(Ok(piece))),
                }
            }
            Poll::Ready(Some(Err(_))) => {
                let message = "The provider's answer broke off.";
                self.fail(Fault::bad_upstream(message).with_code("answer_broken"))
            }
            Poll::Ready(None) => self.finish(cx, None),
            Poll::Pending => match self.poll_timer(cx) {
                None => Poll::Pending,
                Some(fault) => self.fail(fault),
            },
        }
    }

    /// What it used is booked only if `claim` grants it, which is asked when its last byte was read
    /// and all of it was sound.
    pub fn books_by(&mut self, claim: Claim) {
        self.claim = Some(claim);
    }

    /// Nothing more is to come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.body.is_none() && self.last_piece.is_none()
    }

    /// Whether its caller reads it as a stream of events, in which an error can be said.
    #[must_use]
    pub fn is_events(&self) -> bool {
        self.manner.meter.is_events()
    }

    /// Writes down what was used, as far as it was said.
    pub fn book(&self, record: &mut Record) {
        if self.claim.is_none() {
            self.manner.meter.book(record);
        }
        if let Some(upload) = &self.manner.upload {
            record.request_bytes = upload.arrived();
        }
    }

    /// Ends it here; the provider's call is closed.
    pub fn close(&mut self) {
        self.body = None;
        self.last_piece = None;
        if let Some(upload) = &self.manner.upload {
            upload.stop();
        }
    }

    /// After its last piece.
    fn finish(
        &mut self,
        cx: &mut Context<'_>,
        piece: Option<Bytes>,
    ) -> Poll<Option<Result<Bytes, Fault>>> {
        if let Some(body) = self.body.take() {
            body.give_back();
        }
        if let Err(fault) = self.manner.meter.end() {
            return Poll::Ready(Some(Err(fault)));
        }
        self.last_piece = Some(piece);
        self.poll_claim(cx)
    }

    /// The last piece leaves when it is known whether what was used is to be booked.
    fn poll_claim(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        if let Some(Claim(claim)) = &mut self.claim {
            match ready!(claim.as_mut().poll(cx)) {
                Ok(granted) => {
                    self.claim = None;
                    if !granted {
                        self.manner.meter.forget();
                    }
                }
                // Told by nobody, its figures would be lost: who wants it comes again.
                Err(fault) => return self.fail(fault),
            }
        }
        Poll::Ready(self.last_piece.take().flatten().map(Ok))
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
