//! The caller's end of an upload: takes piece after piece, within its bounds, and reads along.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};
use tollgate_model::{Fault, FaultKind, Source};
use tollgate_wire::members::Members;
use tollgate_wire::multipart::{Form, FormError};

/// What is read along.
#[derive(Debug)]
pub enum Along {
    Nothing,
    /// Until every field that it wants is there.
    Form(Box<Form>),
    /// While it passes.
    Object(Members),
}

/// What a caller may send, and how fast.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// As the caller stated it.
    pub length: Option<u64>,
    pub most: u64,
    /// Between two pieces.
    pub pause: Duration,
    /// The caller waits for leave to send.
    pub expects: bool,
}

#[derive(Debug)]
pub(super) struct Inlet {
    incoming: Option<Incoming>,
    pub(super) along: Along,
    bounds: Bounds,
    pub(super) read: u64,
    /// Something went out that is kept nowhere.
    pub(super) spent: bool,
    asked: bool,
    ended: Option<Result<(), Fault>>,
    patience: Option<Pin<Box<Sleep>>>,
    waker: Option<Waker>,
}

impl Inlet {
    pub(super) fn new(incoming: Incoming, along: Along, bounds: Bounds) -> Self {
        Self {
            incoming: Some(incoming),
            along,
            bounds,
            read: 0,
            spent: false,
            asked: false,
            ended: None,
            patience: None,
            waker: None,
        }
    }

    /// The next piece; `None` after the last.
    pub(super) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Fault>>> {
        match &self.ended {
            Some(Ok(())) => return Poll::Ready(None),
            Some(Err(fault)) => return Poll::Ready(Some(Err(fault.clone()))),
            None => {}
        }
        self.asked = true;
        loop {
            let Some(incoming) = &mut self.incoming else { return self.end(Err(stopped())) };
            match Pin::new(incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.patience = None;
                    let Ok(data) = frame.into_data() else { continue };
                    return match self.passed(&data) {
                        Ok(()) => Poll::Ready(Some(Ok(data))),
                        Err(fault) => self.end(Err(fault)),
                    };
                }
                Poll::Ready(Some(Err(_))) => {
                    return self.end(Err(Fault::invalid("The request body broke off.")));
                }
                Poll::Ready(None) => {
                    let whole = match &self.along {
                        Along::Form(form) => form.end().map_err(|error| malformed(&error)),
                        _ => Ok(()),
                    };
                    return self.end(whole);
                }
                Poll::Pending => {
                    let due = self.bounds.pause;
                    let patience = self
                        .patience
                        .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + due)));
                    if patience.as_mut().poll(cx).is_ready() {
                        return self.end(Err(slow()));
                    }
                    self.waker = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
        }
    }

    /// Nothing more has to be read before it is known where the call goes.
    pub(super) fn knows_enough(&self) -> bool {
        match &self.along {
            Along::Form(form) => form.has_all(),
            Along::Nothing | Along::Object(_) => true,
        }
    }

    /// It arrived whole.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.ended, Some(Ok(())))
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.ended.clone()?.err()
    }

    /// Ends it; what has not arrived is given back, and how much of it may be taken, when its
    /// caller is sending it.
    pub(super) fn stop(&mut self) -> Option<(Incoming, u64)> {
        let rest = self.incoming.take()?;
        if self.ended.is_none() {
            self.ended = Some(Err(stopped()));
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        let sends = self.asked || !self.bounds.expects;
        (sends && !self.is_over()).then_some((rest, self.bounds.most))
    }

    fn passed(&mut self, data: &Bytes) -> Result<(), Fault> {
        self.read += data.len() as u64;
        if self.read > self.bounds.most {
            return Err(too_large(self.bounds.most));
        }
        match &mut self.along {
            Along::Nothing => Ok(()),
            Along::Form(form) => form.push(data).map_err(|error| malformed(&error)),
            Along::Object(members) => {
                members.push(data);
                Ok(())
            }
        }
    }

    fn end(&mut self, how: Result<(), Fault>) -> Poll<Option<Result<Bytes, Fault>>> {
        self.ended = Some(how.clone());
        Poll::Ready(how.err().map(Err))
    }
}

pub(super) fn too_large(most: u64) -> Fault {
    let message = format!("The request body is larger than {most} bytes.");
    Fault::new(FaultKind::TooLarge, Source::Downstream, message)
}

fn slow() -> Fault {
    let message = "The request body did not arrive in time.";
    Fault::new(FaultKind::Timeout, Source::Downstream, message).with_code("slow_request")
}

fn malformed(error: &FormError) -> Fault {
    let mut fault = Fault::invalid(format!("The request body is not an acceptable form: {error}."));
    if let FormError::Twice(name) | FormError::File(name) = error {
        fault.param = Some((*name).to_owned());
    }
    fault.with_code("invalid_form")
}

fn stopped() -> Fault {
    Fault::internal("an upload was stopped")
}
