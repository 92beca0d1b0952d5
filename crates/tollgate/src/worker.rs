//! What one runtime thread serves with: the gateway of the moment, a pool of its own, telemetry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;

use crate::cut::Cut;
use crate::gateway::Gateway;
use crate::objects::Objects;
use crate::tally::Tally;
use crate::telemetry::Telemetry;
use crate::upstream::Pool;

#[derive(Debug)]
pub struct Worker {
    pub shared: Arc<Shared>,
    pub pool: Arc<Pool>,
}

/// What all workers share.
#[derive(Debug)]
pub struct Shared {
    pub gateway: ArcSwap<Gateway>,
    pub telemetry: Arc<Telemetry>,
    /// Calls that are being answered.
    pub in_flight: Arc<AtomicUsize>,
    /// Ends what is open when the grace is over.
    pub cut: Cut,
    /// Names this process in the hop marker and in the ids of its calls.
    pub instance: String,
    /// Calls so far.
    pub calls: AtomicU64,
    /// Whose is what rests at a provider.
    pub objects: Objects,
    /// What was used so far, of every limit.
    pub tally: Tally,
}

impl Shared {
    /// Unique in this process by its number, and among all by the instance.
    #[must_use]
    pub fn next_request_id(&self) -> String {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        // Written by hand: every call has one.
        let mut id = String::with_capacity("req--".len() + self.instance.len() + 16);
        id.extend(["req-", &self.instance, "-"]);
        let digits = (16 - number.leading_zeros() / 4).max(8);
        id.extend(
            (0..digits)
                .rev()
                .filter_map(|at| char::from_digit(((number >> (4 * at)) & 0xf) as u32, 16)),
        );
        id
    }
}

impl Worker {
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, pool: Arc::default() }
    }

    /// The gateway as it is now; a call keeps it to its end.
    #[must_use]
    pub fn gateway(&self) -> Arc<Gateway> {
        self.shared.gateway.load_full()
    }
}
