//! The end of the grace: calls that are still open end at once, each with a fault in its caller's
//! dialect and a record that says so. Nothing is cut silently.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tollgate_model::{Fault, FaultKind, Source};

/// Said once, heard by every open call of the process.
#[derive(Clone, Debug, Default)]
pub struct Cut(CancellationToken);

impl Cut {
    /// Cuts what is open, and what begins from now on.
    pub fn now(&self) {
        self.0.cancel();
    }

    /// Resolves with the fault that ends a call.
    pub async fn told(&self) -> Fault {
        self.0.cancelled().await;
        fault()
    }

    /// As [`told`](Self::told), to be kept by a stream.
    #[must_use]
    pub fn awaited(&self) -> Awaited {
        Awaited(Box::pin(self.0.clone().cancelled_owned()))
    }
}

/// A stream's ear for the cut.
#[derive(Debug)]
pub struct Awaited(Pin<Box<WaitForCancellationFutureOwned>>);

impl Awaited {
    /// Ready when the stream has to end.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        self.0.as_mut().poll(cx).map(|()| fault())
    }
}

fn fault() -> Fault {
    let message = "The gateway is going down; the call was cut at the end of its grace.";
    Fault::new(FaultKind::Unavailable, Source::Internal, message).with_code("shutting_down")
}
