//! How the caller's limits stand, in the headers that its dialect's SDKs read.
//!
//! A provider's own headers of this kind speak of the organisation's account, which all callers
//! share. They travel on to a caller without limits, as they came; a caller that has limits here is
//! told of those, and of nothing else.

use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_policy::limit::Unit;
use tollgate_wire::Dialect;

use crate::stages::admit::{Rated, Told};
use crate::stages::settle::Settling;

/// What the headers of one unit are called.
struct Names {
    unit: Unit,
    limit: &'static str,
    remaining: &'static str,
    reset: &'static str,
}

/// A family of headers, and how it writes a moment.
struct Family {
    /// Dialects that let headers of this name through are told in them.
    letting: &'static str,
    names: &'static [Names],
    /// Milliseconds until the reset, and its Unix time.
    reset: fn(u64, u64) -> String,
}

const FAMILIES: [Family; 2] = [
    Family {
        letting: "x-ratelimit-*",
        names: &[
            Names {
                unit: Unit::Requests,
                limit: "x-ratelimit-limit-requests",
                remaining: "x-ratelimit-remaining-requests",
                reset: "x-ratelimit-reset-requests",
            },
            Names {
                unit: Unit::Tokens,
                limit: "x-ratelimit-limit-tokens",
                remaining: "x-ratelimit-remaining-tokens",
                reset: "x-ratelimit-reset-tokens",
            },
        ],
        reset: |ms, _| in_units(ms),
    },
    Family {
        letting: "anthropic-ratelimit-*",
        names: &[
            Names {
                unit: Unit::Requests,
                limit: "anthropic-ratelimit-requests-limit",
                remaining: "anthropic-ratelimit-requests-remaining",
                reset: "anthropic-ratelimit-requests-reset",
            },
            Names {
                unit: Unit::Tokens,
                limit: "anthropic-ratelimit-tokens-limit",
                remaining: "anthropic-ratelimit-tokens-remaining",
                reset: "anthropic-ratelimit-tokens-reset",
            },
            Names {
                unit: Unit::InputTokens,
                limit: "anthropic-ratelimit-input-tokens-limit",
                remaining: "anthropic-ratelimit-input-tokens-remaining",
                reset: "anthropic-ratelimit-input-tokens-reset",
            },
            Names {
                unit: Unit::OutputTokens,
                limit: "anthropic-ratelimit-output-tokens-limit",
                remaining: "anthropic-ratelimit-output-tokens-remaining",
                reset: "anthropic-ratelimit-output-tokens-reset",
            },
        ],
        reset: |_, at_ms| rfc3339(at_ms),
    },
];

/// Whether a provider tells of its limits there.
pub(super) fn is_of_limits(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("x-ratelimit-") || name.starts_with("anthropic-ratelimit-")
}

/// The headers of the caller's dialect, where it has any.
pub(super) fn put(dialect: &Dialect, settling: &Settling, headers: &mut HeaderMap) {
    let Some(rated) = &settling.rated else { return };
    let lets = dialect.rules().response_headers;
    let Some(family) = FAMILIES.iter().find(|family| lets.contains(&family.letting)) else {
        return;
    };
    for names in family.names {
        let Some(told) = tightest(rated, names.unit) else { continue };
        headers.insert(names.limit, HeaderValue::from(told.most));
        headers.insert(names.remaining, HeaderValue::from(told.standing.remaining));
        let reset_ms = told.standing.reset_ms;
        let reset = (family.reset)(reset_ms, rated.at_ms.saturating_add(reset_ms));
        if let Ok(reset) = HeaderValue::from_str(&reset) {
            headers.insert(names.reset, reset);
        }
    }
}

/// Of several limits of one unit the one that has the least left, and then the longest wait.
fn tightest(rated: &Rated, unit: Unit) -> Option<&Told> {
    let of_unit = rated.told.iter().filter(|told| told.unit == unit);
    of_unit.min_by_key(|told| (told.standing.remaining, u64::MAX - told.standing.reset_ms))
}

/// `6m0s`, `1.5s`, `20ms`: as Go writes durations.
fn in_units(ms: u64) -> String {
    let (seconds, millis) = (ms / 1_000, ms % 1_000);
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = match millis {
        0 => String::new(),
        millis => format!(".{millis:03}").trim_end_matches('0').to_owned(),
    };
    match (hours, minutes) {
        (0, 0) if seconds == 0 => format!("{millis}ms"),
        (0, 0) => format!("{rest}{fraction}s"),
        (0, _) => format!("{minutes}m{rest}{fraction}s"),
        _ => format!("{hours}h{minutes}m{rest}{fraction}s"),
    }
}

/// The next whole second.
fn rfc3339(at_ms: u64) -> String {
    let seconds = i64::try_from(at_ms.div_ceil(1_000)).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_each_vendor_writes_them() {
        for (ms, text) in [
            (0, "0ms"),
            (20, "20ms"),
            (1_000, "1s"),
            (1_500, "1.5s"),
            (59_007, "59.007s"),
            (360_000, "6m0s"),
            (3_600_000, "1h0m0s"),
            (90_061_000, "25h1m1s"),
        ] {
            assert_eq!(in_units(ms), text);
        }
        assert_eq!(rfc3339(1_893_456_000_000), "2030-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_893_456_000_001), "2030-01-01T00:00:01Z");
    }
}
