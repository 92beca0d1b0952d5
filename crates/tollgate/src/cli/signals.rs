//! What the operating system may ask: to end, and to read the configuration again. The handlers
//! stand from the beginning, so that no request is lost while something else is awaited.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Requests to end.
#[derive(Debug)]
pub(super) struct End {
    terminate: Signal,
    interrupt: Signal,
}

impl End {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next request.
    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Requests to read the configuration again.
pub(super) fn reload() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}
