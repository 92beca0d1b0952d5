//! What limits promise, held against a list of everything that was let through.

use std::sync::{Arc, Barrier};

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::window::aligned;
use super::*;

const MINUTE: u64 = 60_000;

fn limit(unit: Unit, window: Option<Window>, most: u64) -> Limit {
    Limit { unit, window, most, name: format!("teams.t.limits ({})", unit.as_str()) }
}

fn sliding(unit: Unit, most: u64) -> Limit {
    limit(unit, Some(Window::Sliding(Span::Minute)), most)
}

fn bound(counters: &Counters, limits: &[Limit]) -> Arc<Limits> {
    counters.bind("t", [("team t".to_owned(), limits)])
}

fn tokens(input_tokens: u64, output_tokens: u64) -> Amounts {
    Amounts { input_tokens, output_tokens }
}

const NOTHING: Amounts = Amounts { input_tokens: 0, output_tokens: 0 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_window_ever_holds_more_than_the_limit(
        most in 1u64..20,
        steps in prop::collection::vec((0u64..4_000, 1u64..5), 1..200),
    ) {
        let mut counter = Counter::new(Some(&Window::Sliding(Span::Minute)));
        let mut now = 1_700_000_000_123;
        let mut through: Vec<(u64, u64)> = Vec::new();
        for (wait, amount) in steps {
            now += wait;
            let moment = Moment::at(now);
            counter.advance(moment);
            let last = |length: u64| -> u64 {
                through.iter().filter(|(at, _)| at + length > now).map(|(_, n)| n).sum()
            };
            if counter.has_room(amount, most) {
                prop_assert!(last(MINUTE) + amount <= most);
                counter.draw(amount, 0, u64::MAX);
                through.push((now, amount));
            } else if let Some(retry) = counter.retry_ms(amount, most, moment) {
                // Refused only where one slot more than the window is full.
                prop_assert!(last(MINUTE + MINUTE / 60) + amount > most);
                let mut later = counter.clone();
                later.advance(Moment::at(now + retry - 1));
                prop_assert!(!later.has_room(amount, most));
                later.advance(Moment::at(now + retry));
                prop_assert!(later.has_room(amount, most));
            } else {
                prop_assert!(amount > most);
            }
        }
    }

    #[test]
    fn what_is_settled_is_what_was_used(
        calls in prop::collection::vec((0u64..500, 0u64..500, 0u64..500), 1..50),
    ) {
        let counters = Counters::default();
        let limits = bound(&counters, &[sliding(Unit::Tokens, u64::MAX >> 1)]);
        let now = Moment::at(5_000_000);
        let mut truth = 0;
        let mut open = Vec::new();
        for (estimate, by_and_by, used) in calls {
            let mut lease = limits.admit(tokens(estimate, 0), now).unwrap();
            lease.top_up(tokens(by_and_by.min(used), 0), now);
            open.push((lease, used));
            truth += used;
        }
        for (lease, used) in open {
            lease.settle(tokens(used, 0), now);
        }
        let left = limits.admit(NOTHING, now).unwrap();
        let (limit, standing) = left.standings().next().unwrap();
        prop_assert_eq!(limit.most - standing.remaining, truth);
        drop(left);
        prop_assert_eq!(counters.open(), 0);
    }

    #[test]
    fn a_clock_that_jumps_lets_no_more_through_than_twice_the_limit(
        jumps in prop::collection::vec(-3_600_000i64..3_600_000, 1..2),
        most in 1u64..10,
    ) {
        let zone = TimeZone::UTC;
        for window in [Window::Sliding(Span::Minute), Window::Aligned(Span::Minute, zone)] {
            let mut counter = Counter::new(Some(&window));
            let mut now = 1_700_000_000_000u64;
            let mut through = 0;
            for jump in [0].iter().chain(&jumps) {
                now = now.saturating_add_signed(*jump);
                for _ in 0..most * 3 {
                    counter.advance(Moment::at(now));
                    if counter.has_room(1, most) {
                        counter.draw(1, 0, u64::MAX);
                        through += 1;
                    }
                }
            }
            prop_assert!(through <= most * 2, "{through} of {most}");
        }
    }
}

#[test]
fn a_window_of_the_calendar_begins_where_people_say() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let at = |text: &str| {
        let moment: jiff::Timestamp = text.parse().unwrap();
        u64::try_from(moment.as_millisecond()).unwrap()
    };
    for (span, zone, now, start, end) in [
        (
            Span::Minute,
            &TimeZone::UTC,
            "2026-11-25T07:32:29Z",
            "2026-11-25T07:32:00Z",
            "2026-11-25T07:33:00Z",
        ),
        (
            Span::Hour,
            &berlin,
            "2026-11-25T07:32:29Z",
            "2026-11-25T07:00:00Z",
            "2026-11-25T08:00:00Z",
        ),
        (
            Span::Day,
            &berlin,
            "2026-11-24T23:30:00Z",
            "2026-11-24T23:00:00Z",
            "2026-11-25T23:00:00Z",
        ),
        // The day on which summer time ends has 25 hours, the one on which it begins 23.
        (
            Span::Day,
            &berlin,
            "2026-10-25T12:00:00Z",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
        ),
        (
            Span::Day,
            &berlin,
            "2026-03-29T12:00:00Z",
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
        ),
        // The hour that comes twice is two hours.
        (
            Span::Hour,
            &berlin,
            "2026-10-25T01:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T02:00:00Z",
        ),
        (
            Span::Week,
            &TimeZone::UTC,
            "2026-11-25T07:32:29Z",
            "2026-11-23T00:00:00Z",
            "2026-11-30T00:00:00Z",
        ),
        (
            Span::Week,
            &TimeZone::UTC,
            "2026-11-23T00:00:00Z",
            "2026-11-23T00:00:00Z",
            "2026-11-30T00:00:00Z",
        ),
        (
            Span::Month,
            &berlin,
            "2026-10-31T23:00:00Z",
            "2026-10-31T23:00:00Z",
            "2026-11-30T23:00:00Z",
        ),
        (
            Span::Month,
            &TimeZone::UTC,
            "2028-02-29T23:59:59Z",
            "2028-02-01T00:00:00Z",
            "2028-03-01T00:00:00Z",
        ),
    ] {
        assert_eq!(aligned(span, zone, at(now)), (at(start), at(end)), "{span:?} at {now}");
    }
}

#[test]
fn a_window_of_the_calendar_is_full_until_its_end() {
    let counters = Counters::default();
    let window = Window::Aligned(Span::Hour, TimeZone::UTC);
    let limits = bound(&counters, &[limit(Unit::Requests, Some(window), 2)]);
    let hour = 3_600_000;
    let now = Moment::at(100 * hour + 1_000);
    for _ in 0..2 {
        limits.admit(NOTHING, now).unwrap().settle(NOTHING, now);
    }
    let refused = limits.admit(NOTHING, now).unwrap_err();
    assert_eq!(refused.retry_ms, Some(hour - 1_000));
    assert!(limits.admit(NOTHING, Moment::at(101 * hour)).is_ok());
}

#[test]
fn a_call_draws_on_every_limit_or_on_none() {
    let counters = Counters::default();
    let limits = bound(&counters, &[sliding(Unit::Requests, 100), sliding(Unit::Tokens, 1_000)]);
    let now = Moment::at(9_000_000);
    limits.admit(tokens(900, 0), now).unwrap().settle(tokens(900, 0), now);
    for _ in 0..50 {
        let refused = limits.admit(tokens(200, 0), now).unwrap_err();
        assert_eq!((refused.limit.unit, refused.standing.remaining), (Unit::Tokens, 100));
    }
    let lease = limits.admit(tokens(100, 0), now).unwrap();
    let remaining = lease.standings().find(|(limit, _)| limit.unit == Unit::Requests);
    assert_eq!(remaining.unwrap().1.remaining, 98, "a refused call was counted");
}

#[test]
fn what_can_never_pass_is_told_from_what_must_wait() {
    let counters = Counters::default();
    let limits = bound(&counters, &[sliding(Unit::Tokens, 1_000)]);
    let now = Moment::at(9_000_000);
    let refused = limits.admit(tokens(1_001, 0), now).unwrap_err();
    assert!(refused.is_for_ever() && refused.retry_ms.is_none());
    // What the answer may be is a guess; it never makes a call too large.
    limits.admit(tokens(10, 5_000), now).unwrap().settle(tokens(10, 0), now);
}

#[test]
fn what_was_not_used_is_there_at_once_and_what_was_used_beyond_the_lease_is_booked() {
    let counters = Counters::default();
    let limits = bound(&counters, &[sliding(Unit::Tokens, 1_000)]);
    let now = Moment::at(9_000_000);
    let first = limits.admit(tokens(500, 500), now).unwrap();
    assert!(limits.admit(tokens(1, 0), now).is_err());
    first.settle(tokens(500, 100), now);
    let second = limits.admit(tokens(400, 0), now).unwrap();
    second.settle(tokens(400, 700), now);
    let refused = limits.admit(tokens(1, 0), now).unwrap_err();
    assert_eq!(refused.standing.remaining, 0);
    // 1,700 were used; only once 701 of them are gone is there room for one.
    assert_eq!(refused.retry_ms, Some(61_000));
}

#[test]
fn a_lease_that_nobody_settles_ends() {
    let mut counter = Counter::new(None);
    counter.advance(Moment::at(1_000));
    let held = counter.draw(1, 7, 31_000);
    let later = counter.draw(1, 8, 90_000);
    counter.advance(Moment::at(30_999));
    assert_eq!(counter.used(), 2);
    counter.advance(Moment::at(31_000));
    assert_eq!(counter.used(), 1);
    // Its holder was only slow: what it gives back was given back already.
    counter.settle(held, 1);
    assert_eq!(counter.used(), 1);
    counter.settle(later, 1);
    counter.settle(later, 1);
    assert_eq!(counter.used(), 0);
}

#[test]
fn two_hundred_at_once_against_ten_let_exactly_ten_pass() {
    for several in [false, true] {
        let counters = Counters::default();
        let mut all = vec![sliding(Unit::Requests, 10)];
        if several {
            all.push(limit(Unit::Concurrent, None, 10));
            all.push(sliding(Unit::Tokens, 1_000));
        }
        let limits = bound(&counters, &all);
        let barrier = Arc::new(Barrier::new(200));
        let threads: Vec<_> = (0..200)
            .map(|_| {
                let (limits, barrier) = (limits.clone(), barrier.clone());
                std::thread::spawn(move || {
                    barrier.wait();
                    limits.admit(tokens(100, 0), Moment::at(9_000_000)).ok()
                })
            })
            .collect();
        let leases: Vec<_> =
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(leases.len(), 10);
        assert_eq!(counters.open(), 10);
        drop(leases);
        assert_eq!(counters.open(), 0);
    }
}

#[test]
fn a_lease_that_is_dropped_counts_as_used_and_no_longer_as_running() {
    let counters = Counters::default();
    let limits =
        bound(&counters, &[limit(Unit::Concurrent, None, 1), sliding(Unit::Tokens, 1_000)]);
    let now = Moment::at(9_000_000);
    drop(limits.admit(tokens(300, 100), now).unwrap());
    let next = limits.admit(tokens(0, 0), now).unwrap();
    let left = next.standings().find(|(limit, _)| limit.unit == Unit::Tokens).unwrap();
    assert_eq!(left.1.remaining, 600);
}

#[test]
fn counters_outlive_a_change_of_their_limits() {
    let counters = Counters::default();
    let now = Moment::at(9_000_000);
    let before = bound(&counters, &[sliding(Unit::Requests, 10)]);
    for _ in 0..10 {
        drop(before.admit(NOTHING, now).unwrap());
    }
    let after = bound(&counters, &[sliding(Unit::Requests, 12), sliding(Unit::Tokens, 5)]);
    drop(before);
    assert!(after.admit(NOTHING, now).is_ok() && after.admit(NOTHING, now).is_ok());
    assert!(after.admit(NOTHING, now).is_err());
    drop(after);
    // Nobody counts any more.
    let anew = bound(&counters, &[sliding(Unit::Requests, 1)]);
    assert!(anew.admit(NOTHING, now).is_ok());
}

#[test]
fn two_limits_of_one_counter_are_the_narrower_one() {
    let counters = Counters::default();
    let limits = bound(&counters, &[sliding(Unit::Requests, 5), sliding(Unit::Requests, 2)]);
    let now = Moment::at(9_000_000);
    let through = (0..5).filter(|_| limits.admit(NOTHING, now).is_ok()).count();
    assert_eq!(through, 2);
}

#[test]
fn estimates_come_from_what_was_used() {
    let learnt = Learnt::default();
    assert_eq!(learnt.estimate(4_000), tokens(1_000, 256));
    for _ in 0..60 {
        learnt.learn(6_000, Some(20_000), tokens(2_000, 100));
    }
    let now = learnt.estimate(6_000);
    assert!((1_960..=2_040).contains(&now.input_tokens), "{now:?}");
    assert!((100..=110).contains(&now.output_tokens), "{now:?}");
    assert!((90..=110).contains(&learnt.streamed(20_000)));
    // A hidden prompt of a million tokens says nothing of text.
    learnt.learn(10, None, tokens(1_000_000, 100));
    assert!((1_960..=2_040).contains(&learnt.estimate(6_000).input_tokens));
}

#[test]
fn an_image_is_not_taken_for_text() {
    let image = "iVBORw0KGgo".repeat(20_000);
    let body = format!(r#"{{"text":"What is this?","url":"data:image/png;base64,{image}"}}"#);
    assert!(text_bytes(body.as_bytes()) < 5_000);
    let prose = format!(r#"{{"text":"{}"}}"#, "All happy families are alike. ".repeat(5_000));
    assert_eq!(text_bytes(prose.as_bytes()), prose.len() as u64 + 1);
    let chinese = format!(r#"{{"text":"{}"}}"#, "幸福的家庭都是相似的".repeat(5_000));
    assert_eq!(text_bytes(chinese.as_bytes()), chinese.len() as u64 + 1);
    assert_eq!(text_bytes(b"{}"), 2);
}
