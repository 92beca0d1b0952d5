//! The clock that limits are measured by: one reading that never jumps, and one of the calendar.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tollgate_model::Day;
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

/// The day of UTC.
#[must_use]
pub fn day_of(unix_us: u64) -> Day {
    let moment = i64::try_from(unix_us).ok().and_then(|us| Timestamp::from_microsecond(us).ok());
    let date = TimeZone::UTC.to_datetime(moment.unwrap_or_default()).date();
    let parts = [i32::from(date.year()) * 10_000, i32::from(date.month()) * 100, date.day().into()];
    Day(u32::try_from(parts.iter().sum::<i32>()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, 19_700_101),
            (951_782_399, 20_000_228),
            (951_782_400, 20_000_229),
            (951_868_800, 20_000_301),
            (1_795_600_000, 20_261_125),
            (4_107_542_399, 21_000_228),
            (4_107_542_400, 21_000_301),
        ] {
            assert_eq!(day_of(seconds * 1_000_000), Day(expected), "{seconds}");
        }
    }
}
