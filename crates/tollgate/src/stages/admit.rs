//! Stage 6: room for one more? Bounds the calls in flight; limits and budgets will take their
//! place here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tollgate_model::{Fault, FaultKind, Source};

use crate::gateway::Gateway;
use crate::worker::Worker;

/// The right to make a call; gives its place back when dropped.
#[derive(Debug)]
pub struct Permit {
    in_flight: Arc<AtomicUsize>,
}

/// # Errors
/// `Unavailable`, when as many calls are in flight as connections are allowed.
pub fn admit(worker: &Worker, gateway: &Gateway) -> Result<Permit, Fault> {
    let in_flight = worker.shared.in_flight.clone();
    let before = in_flight.fetch_add(1, Ordering::Relaxed);
    // Made before the check, so that a refusal gives the place back as well.
    let permit = Permit { in_flight };
    if before >= gateway.config.limits.connections {
        let mut fault = Fault::new(
            FaultKind::Unavailable,
            Source::Internal,
            "The gateway has as many calls in flight as it allows.",
        )
        .with_code("too_many_in_flight");
        fault.retry_after_s = Some(1);
        return Err(fault);
    }
    Ok(permit)
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
