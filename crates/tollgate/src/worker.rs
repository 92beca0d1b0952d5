//! What one runtime thread serves with: the gateway of the moment, a pool of its own, telemetry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use tollgate_model::RecordId;

use crate::cut::Cut;
use crate::gateway::Gateway;
use crate::ledger::Ledger;
use crate::objects::Objects;
use crate::tally::Tally;
use crate::telemetry::Telemetry;
use crate::upstream::Pool;

#[derive(Debug)]
pub struct Worker {
    pub shared: Arc<Shared>,
    pub pool: Arc<Pool>,
    /// Its lane of the ledger's journal.
    pub lane: usize,
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
    /// A part of that name: in the ids of the ledger.
    pub instance_number: u32,
    /// Calls so far.
    pub calls: AtomicU64,
    /// Whose is what rests at a provider.
    pub objects: Objects,
    /// What was called, and what it cost.
    pub ledger: Arc<Ledger>,
    /// What was used so far, of every limit.
    pub tally: Tally,
}

impl Shared {
    /// The number of one more call.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    /// Unique in this process by its number, and among all by the instance.
    #[must_use]
    pub fn request_id(&self, number: u64) -> String {
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

impl Shared {
    /// Names a call among those of all gateways.
    #[must_use]
    pub fn record_id(&self, started_us: u64, number: u64) -> RecordId {
        // The number goes round only when the clock has gone on.
        let low = u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default();
        RecordId::new(started_us, self.instance_number, low)
    }
}

impl Worker {
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        let lane = shared.ledger.lane();
        Self { shared, pool: Arc::default(), lane }
    }

    /// The gateway as it is now; a call keeps it to its end.
    #[must_use]
    pub fn gateway(&self) -> Arc<Gateway> {
        self.shared.gateway.load_full()
    }
}
