//! `limits` of teams and keys: how much of what in how long. What could not be enforced is refused
//! here, so that no limit is only written down.
//!
//! Not here: the bounds on sizes that stand under the top-level `limits` (see `limits.rs`).

use jiff::tz::TimeZone;
use tollgate_policy::limit::{Limit, Span, Unit, Window};

use super::check::Check;
use super::place::Path;
use super::written::{Per, Rate};

/// Limits that one team or key may have: each is a counter that a call draws on.
const MOST_LIMITS: usize = 8;
/// The largest limit; sums of it fit into any counter.
const MOST: u64 = 1_000_000_000_000_000;

/// Checks the limits that stand below `owner`.
pub(super) fn check(check: &mut Check<'_>, owner: &Path, written: Option<Vec<Rate>>) -> Vec<Limit> {
    let path = owner.key("limits");
    let written = written.unwrap_or_default();
    if written.len() > MOST_LIMITS {
        let message = format!("{} limits are more than a call can be held to", written.len());
        check.refuse(&path, message, format!("write at most {MOST_LIMITS}"));
    }
    let mut limits: Vec<Limit> = Vec::new();
    for (index, rate) in written.iter().enumerate() {
        let path = path.index(index);
        let Some(limit) = limit(check, &path, rate) else { continue };
        let same = |other: &&Limit| (other.unit, &other.window) == (limit.unit, &limit.window);
        if let Some(twin) = limits.iter().find(same) {
            let message = format!("it counts the same as `{}`", twin.name);
            check.refuse(&path, message, "keep the narrower of the two");
        }
        limits.push(limit);
    }
    limits
}

fn limit(check: &mut Check<'_>, path: &Path, rate: &Rate) -> Option<Limit> {
    let written = [
        (Unit::Requests, rate.requests),
        (Unit::Tokens, rate.tokens),
        (Unit::InputTokens, rate.input_tokens),
        (Unit::OutputTokens, rate.output_tokens),
        (Unit::Concurrent, rate.concurrent),
    ];
    let mut counts = written.into_iter().filter_map(|(unit, most)| Some((unit, most?)));
    let hint = "one of `requests`, `tokens`, `input_tokens`, `output_tokens` with `per`, or `concurrent`: `{ requests: 600, per: minute }`";
    let Some((unit, most)) = counts.next() else {
        check.refuse(path, "it does not say what is limited", hint);
        return None;
    };
    if let Some((other, _)) = counts.next() {
        let message = format!("it limits `{}` and `{}` at once", unit.as_str(), other.as_str());
        check.refuse(path, message, "write an entry for each of them");
        return None;
    }
    if !(1..=MOST).contains(&most) {
        let hint = format!("it can be from 1 to {MOST}; to allow nothing, remove the key");
        check.refuse(&path.key(unit.as_str()), format!("{most} cannot be"), hint);
    }
    let window = window(check, path, rate, unit)?;
    Some(Limit { unit, window, most, name: path.to_string() })
}

/// The window that belongs to the unit; `None` when it was refused.
fn window(check: &mut Check<'_>, path: &Path, rate: &Rate, unit: Unit) -> Option<Option<Window>> {
    let at_once = unit == Unit::Concurrent;
    match (rate.per, &rate.zone) {
        (None, None) if at_once => Some(None),
        (None, _) if !at_once => {
            let hint = "add `per: minute`, `hour`, `day`, `week` or `month`";
            check.refuse(path, format!("`{}` in how long?", unit.as_str()), hint);
            None
        }
        (per, _) if at_once => {
            let at = if per.is_some() { "per" } else { "zone" };
            let message = "calls at once are counted at each moment, in no window";
            check.refuse(&path.key(at), message, format!("remove `{at}`"));
            None
        }
        (per, zone) => {
            let span = span(per?);
            let Some(zone) = zone else { return Some(Some(Window::Sliding(span))) };
            let found = match zone.as_str() {
                "UTC" => Some(TimeZone::UTC),
                name => TimeZone::get(name).ok(),
            };
            let Some(found) = found else {
                let hint = "a name of the time zone database, such as `Europe/Berlin`, or `UTC`; this machine must have the database (package `tzdata`)";
                let message = format!("the time zone {zone:?} is not known here");
                check.refuse(&path.key("zone"), message, hint);
                return None;
            };
            Some(Some(Window::Aligned(span, found)))
        }
    }
}

fn span(per: Per) -> Span {
    match per {
        Per::Minute => Span::Minute,
        Per::Hour => Span::Hour,
        Per::Day => Span::Day,
        Per::Week => Span::Week,
        Per::Month => Span::Month,
    }
}
