//! Stage 6: room for one more? Bounds the calls in flight, and holds each caller to the limits of its
//! key and its team. Budgets will take their place here.

mod rates;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tollgate_model::{Fault, FaultKind, Source};

use super::read::Ask;
use super::settle::Settling;
use crate::gateway::{Caller, Gateway};
use crate::worker::Worker;

pub use rates::{Rated, Told};

/// The right to make a call; gives its place back when dropped. What it leased of the caller's
/// limits is with the record, which settles it.
#[derive(Debug)]
pub struct Permit {
    in_flight: Arc<AtomicUsize>,
}

/// # Errors
/// `Unavailable`, when as many calls are in flight as connections are allowed; `RateLimited` or
/// `QuotaExhausted`, when the caller has used what it may; `Unavailable` again, when nobody can say
/// whether it has.
pub async fn admit(
    worker: &Worker,
    gateway: &Gateway,
    caller: &Caller,
    ask: &Ask,
    settling: &mut Settling,
) -> Result<Permit, Fault> {
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
    if let Some(limits) = &caller.limits {
        rates::hold(&worker.shared.tally, limits, caller, ask, settling).await?;
    }
    Ok(permit)
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
