//! What one runtime thread serves with: the gateway of the moment, a pool of its own, telemetry.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use arc_swap::ArcSwap;

use crate::gateway::Gateway;
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
    /// Names this process in the hop marker.
    pub instance: String,
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
