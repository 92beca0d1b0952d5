//! Windows: a span that slides along, or one that the calendar of a time zone begins.

use std::fmt;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

use super::counter::SLOTS;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// How long a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Span {
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

impl Span {
    pub const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Of a sliding window; a month then has thirty days.
    #[must_use]
    pub fn millis(self) -> u64 {
        match self {
            Self::Minute => MINUTE_MS,
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
            Self::Week => 7 * DAY_MS,
            Self::Month => 30 * DAY_MS,
        }
    }
}

/// When counting begins anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// The last minute, hour … before each moment.
    Sliding(Span),
    /// The minute, hour … of the calendar in that time zone. A week begins on Monday.
    Aligned(Span, TimeZone),
}

impl Window {
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Sliding(span) | Self::Aligned(span, _) => *span,
        }
    }

    /// How long one slot of it is, when it slides.
    #[must_use]
    pub fn slot_ms(&self) -> Option<u64> {
        match self {
            Self::Sliding(span) => Some(span.millis() / SLOTS),
            Self::Aligned(..) => None,
        }
    }

    /// The window of the calendar that holds the moment, with the ones before and after it: the
    /// moments that part them. For a counter whose clock is not quite ours.
    #[must_use]
    pub fn around(&self, now_ms: u64) -> Option<[u64; 4]> {
        let Self::Aligned(span, zone) = self else { return None };
        let (start, end) = aligned(*span, zone, now_ms);
        let (before, _) = aligned(*span, zone, start.saturating_sub(1));
        let (_, after) = aligned(*span, zone, end);
        Some([before, start, end, after])
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sliding(span) => f.write_str(span.as_str()),
            Self::Aligned(span, zone) => {
                write!(f, "{}@{}", span.as_str(), zone.iana_name().unwrap_or("UTC"))
            }
        }
    }
}

/// The window of the calendar that holds the moment: its first millisecond, and the first of the
/// next. Days that a time zone makes longer or shorter are as long as they are.
#[must_use]
pub(super) fn aligned(span: Span, zone: &TimeZone, now_ms: u64) -> (u64, u64) {
    // Not a moment that the calendar knows: the span of the clock alone.
    let plain = || {
        let length = span.millis();
        let start = now_ms - now_ms % length;
        (start, start.saturating_add(length))
    };
    let zoned = || {
        let at = Timestamp::from_millisecond(i64::try_from(now_ms).ok()?).ok()?;
        let at = at.to_zoned(zone.clone());
        let start = begin(span, &at)?;
        let next = match span {
            Span::Minute => start.checked_add(1.minute()),
            Span::Hour => start.checked_add(1.hour()),
            Span::Day => start.checked_add(1.day()),
            Span::Week => start.checked_add(1.week()),
            Span::Month => start.checked_add(1.month()),
        };
        let millis = |zoned: Zoned| u64::try_from(zoned.timestamp().as_millisecond()).ok();
        let (start, next) = (millis(start)?, millis(next.ok()?)?);
        (start <= now_ms && now_ms < next).then_some((start, next))
    };
    zoned().unwrap_or_else(plain)
}

fn begin(span: Span, at: &Zoned) -> Option<Zoned> {
    let unit = match span {
        Span::Minute => jiff::Unit::Minute,
        Span::Hour => jiff::Unit::Hour,
        Span::Day | Span::Week | Span::Month => return begin_of_days(span, at),
    };
    at.round(jiff::ZonedRound::new().smallest(unit).mode(jiff::RoundMode::Trunc)).ok()
}

fn begin_of_days(span: Span, at: &Zoned) -> Option<Zoned> {
    let day = match span {
        Span::Week => {
            let since_monday = at.weekday().since(Weekday::Monday);
            at.date().checked_sub(i64::from(since_monday).days()).ok()?
        }
        Span::Month => at.date().first_of_month(),
        _ => at.date(),
    };
    at.time_zone().to_zoned(day.to_datetime(jiff::civil::Time::midnight())).ok()
}
