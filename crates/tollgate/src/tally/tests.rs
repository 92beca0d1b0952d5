//! The two homes of one arithmetic, side by side: the same operations at the same moments give the
//! same decisions.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use secrecy::SecretString;
use tollgate_policy::limit::{
    Amounts, Counters, Held, Lease, Limit, Limits, Moment, Span, Standing, Unit, Window,
};
use tollgate_store::{Batch, Booking, SharedAddress, SharedCounters, Taken};
use tollgate_testkit::Redis;

use super::terms::{self, Truth};

const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 86_400);
const PATIENCE: Duration = Duration::from_secs(10);

/// Chance that comes again: splitmix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

fn limit(unit: Unit, window: Option<Window>, most: u64) -> Limit {
    Limit { unit, window, most, name: format!("{} of {most}", unit.as_str()) }
}

fn sliding(unit: Unit, span: Span, most: u64) -> Limit {
    limit(unit, Some(Window::Sliding(span)), most)
}

async fn connected(redis: &Redis, lease: Duration) -> SharedCounters {
    let address = SharedAddress::parse(&SecretString::from(redis.url())).unwrap();
    address.connect(PATIENCE, lease).await.unwrap()
}

/// One call in both homes.
struct Call {
    limits: Arc<Limits>,
    lease: Lease,
    name: String,
    held: Vec<Held>,
}

/// What a home decided, in words that can be compared.
#[derive(Debug, PartialEq)]
enum Decided {
    Passes(Vec<Standing>),
    Full { limit: String, amount: u64, standing: Standing, retry_ms: Option<u64> },
}

struct Shared {
    counters: SharedCounters,
    batches: u64,
}

impl Shared {
    async fn take(
        &self,
        limits: &Limits,
        estimate: Amounts,
        lease: &str,
        now_ms: u64,
    ) -> (Decided, Vec<Held>) {
        let draws = terms::draws(limits, estimate, now_ms);
        let taken = self.counters.take(lease, &draws, Some(now_ms)).await.unwrap();
        let Taken::Said { now_ms: said_at, answers } = taken else { panic!("no such window") };
        assert_eq!(said_at, now_ms);
        let judged = || terms::answers(&draws, &answers);
        match limits.refused(estimate, judged()) {
            Some(refused) => (full(&refused), Vec::new()),
            None => {
                let standings = judged().map(|answer| answer.standing).collect();
                (Decided::Passes(standings), terms::held(&draws, &answers))
            }
        }
    }

    async fn book(&mut self, bookings: Vec<Booking>, now_ms: u64) -> Vec<u64> {
        self.batches += 1;
        let batch = Batch { booker: "test".into(), number: self.batches, bookings };
        let places = self.counters.book(&batch, Some(now_ms)).await.unwrap();
        // An answer that is lost, and asked for again.
        if self.batches.is_multiple_of(7) {
            self.counters.book(&batch, Some(now_ms)).await.unwrap();
        }
        places
    }
}

fn full(refused: &tollgate_policy::limit::Refused<'_>) -> Decided {
    Decided::Full {
        limit: refused.limit.name.clone(),
        amount: refused.amount,
        standing: refused.standing,
        retry_ms: refused.retry_ms,
    }
}

/// Owners with every shape of window, some of them shared between callers.
fn callers(counters: &Counters) -> Vec<Arc<Limits>> {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let team = [
        sliding(Unit::Requests, Span::Minute, 40),
        limit(Unit::Tokens, Some(Window::Aligned(Span::Hour, berlin.clone())), 30_000),
        limit(Unit::Concurrent, None, 12),
    ];
    let one = [
        sliding(Unit::InputTokens, Span::Minute, 4_000),
        limit(Unit::Requests, Some(Window::Aligned(Span::Minute, TimeZone::UTC)), 25),
    ];
    let other = [
        sliding(Unit::Tokens, Span::Hour, 20_000),
        sliding(Unit::OutputTokens, Span::Minute, 3_000),
        limit(Unit::Concurrent, None, 5),
        limit(Unit::Tokens, Some(Window::Aligned(Span::Day, berlin)), 300_000),
    ];
    let bound = |name: &str, own: &[Limit]| {
        counters.bind("t", [("team t".to_owned(), &team[..]), (format!("key {name}"), own)])
    };
    vec![bound("one", &one), bound("other", &other), bound("none", &[])]
}

async fn compare(redis: &Redis, seed: u64, operations: u32) -> [u32; 2] {
    let own = Counters::default();
    let callers = callers(&own);
    let mut shared = Shared { counters: connected(redis, FOR_EVER).await, batches: 0 };
    let mut chance = Chance(seed);
    // Just before summer time ends in Berlin.
    let mut now_ms = 1_792_889_000_000 + seed % 1_000;
    let mut open: Vec<Call> = Vec::new();
    let mut decided = [0, 0];
    for operation in 0..operations {
        now_ms += match chance.below(20) {
            0..=9 => 0,
            10..=16 => chance.below(1_500),
            17 | 18 => chance.below(20_000),
            _ => chance.below(2_000_000),
        };
        // Somebody sets the clock back, now and then.
        let now_ms = if chance.below(50) == 0 { now_ms - chance.below(3_000) } else { now_ms };
        let now = Moment::at(now_ms);
        let amounts = |chance: &mut Chance| Amounts {
            input_tokens: chance.below(400) + chance.below(40) / 39 * 4_000,
            output_tokens: chance.below(500),
        };
        match chance.below(10) {
            0..=4 => {
                let limits = &callers[chance.below(callers.len() as u64) as usize];
                let estimate = amounts(&mut chance);
                let name = format!("call-{operation}");
                let (theirs, held) = shared.take(limits, estimate, &name, now_ms).await;
                let admitted = limits.admit(estimate, now);
                let ours = match &admitted {
                    Ok(lease) => Decided::Passes(lease.standings().map(|(_, s)| s).collect()),
                    Err(refused) => full(refused),
                };
                assert_eq!(ours, theirs, "operation {operation} of {seed} at {now_ms}");
                decided[usize::from(admitted.is_err())] += 1;
                if let Ok(lease) = admitted {
                    open.push(Call { limits: limits.clone(), lease, name, held });
                }
            }
            5 | 6 if !open.is_empty() => {
                let at = chance.below(open.len() as u64) as usize;
                let used = amounts(&mut chance);
                let call = &mut open[at];
                call.lease.top_up(used, now);
                let grown = terms::growth(&call.limits, &call.held, used, now_ms);
                let (which, bookings): (Vec<usize>, Vec<Booking>) = grown.into_iter().unzip();
                if !bookings.is_empty() {
                    let more: Vec<u64> = bookings.iter().map(|booking| booking.more).collect();
                    let places = shared.book(bookings, now_ms).await;
                    for ((limit, more), place) in which.into_iter().zip(more).zip(places) {
                        call.held[limit].topped_up(place, more);
                    }
                }
            }
            _ if !open.is_empty() => {
                let call = open.swap_remove(chance.below(open.len() as u64) as usize);
                let used = amounts(&mut chance);
                let truth = (Truth::Used(used), call.name.as_str());
                let bookings = terms::settlement(&call.limits, &call.held, truth, now_ms);
                call.lease.settle(used, now);
                shared.book(bookings, now_ms).await;
            }
            _ => {}
        }
    }
    decided
}

#[tokio::test]
async fn the_same_operations_are_decided_the_same_in_memory_and_in_redis() {
    let Some(redis) = Redis::start() else { return };
    let mut all = [0, 0];
    for seed in 1..=5 {
        assert!(redis.ask("FLUSHALL").starts_with("+OK"));
        let decided = compare(&redis, seed, 1_000).await;
        all = [all[0] + decided[0], all[1] + decided[1]];
    }
    // Neither is all of them.
    assert!(all.iter().all(|count| *count > 300), "{all:?}");
}

/// A cluster refuses a script whose keys are not of one slot.
#[tokio::test]
async fn every_counter_of_a_call_is_in_one_slot_of_a_cluster() {
    let Some(redis) = Redis::cluster() else { return };
    let decided = compare(&redis, 11, 300).await;
    assert!(decided[0] > 50, "{decided:?}");
}

#[tokio::test]
async fn a_lease_that_nobody_renews_ends() {
    let Some(redis) = Redis::start() else { return };
    let own = Counters::default();
    let one = [limit(Unit::Concurrent, None, 1)];
    let limits = own.bind("t", [("team t".to_owned(), &one[..])]);
    let mut shared =
        Shared { counters: connected(&redis, Duration::from_secs(30)).await, batches: 0 };
    let none = Amounts::default();
    let passes = |decided: &Decided| matches!(decided, Decided::Passes(_));
    assert!(passes(&shared.take(&limits, none, "a", 1_000).await.0));
    assert!(!passes(&shared.take(&limits, none, "b", 30_999).await.0));
    shared.book(terms::renewal(&limits, "a"), 20_000).await;
    assert!(!passes(&shared.take(&limits, none, "b", 49_999).await.0));
    assert!(passes(&shared.take(&limits, none, "b", 50_000).await.0));
}
