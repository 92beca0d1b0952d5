//! The clock that limits are measured by: one reading that never jumps, and one of the calendar.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tollgate_policy::limit::Moment;

#[derive(Clone, Copy, Debug)]
pub struct Clock {
    begun: Instant,
    /// Unix time of the begin.
    begun_ms: u64,
}

impl Clock {
    #[must_use]
    pub fn start() -> Self {
        Self { begun: Instant::now(), begun_ms: wall_ms() }
    }

    #[must_use]
    pub fn now(&self) -> Moment {
        let since = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Moment { steady_ms: self.begun_ms.saturating_add(since), wall_ms: wall_ms() }
    }
}

fn wall_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
