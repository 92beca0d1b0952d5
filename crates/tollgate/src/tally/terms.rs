//! From limits to what the shared counters are asked, and back. The arithmetic of both is one: what
//! is drawn, how a lease grows and what is given back are decided by `tollgate-policy`.

use tollgate_policy::limit::{Amounts, Answer, Counted, Held, Limits, Standing, Unit, Window};
use tollgate_store::{Booking, MOST_COUNTED, Shape, SharedAnswer, SharedDraw};

/// What is booked when a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Used(Amounts),
    /// Nobody says more: what was leased.
    AsLeased,
    /// There never was a call.
    Nothing,
}

/// The shape of a counter, at a moment of the calendar.
#[must_use]
pub(super) fn shape(window: Option<&Window>, wall_ms: u64) -> Shape {
    let Some(window) = window else { return Shape::Open };
    match (window.slot_ms(), window.around(wall_ms)) {
        (Some(slot_ms), _) => Shape::Sliding { slot_ms, slots_ago: 0 },
        (None, Some(moments)) => Shape::Aligned(moments),
        (None, None) => Shape::Open,
    }
}

/// What a call would draw.
#[must_use]
pub(super) fn draws(limits: &Limits, estimate: Amounts, wall_ms: u64) -> Vec<SharedDraw<'_>> {
    let draws = limits.draws(estimate).map(|draw| SharedDraw {
        counter: draw.counter,
        shape: shape(draw.limit.window.as_ref(), wall_ms),
        most: draw.limit.most,
        amount: draw.amount.min(MOST_COUNTED),
    });
    draws.collect()
}

/// What the counters said, as limits judge it.
pub(super) fn answers<'a>(
    draws: &'a [SharedDraw<'_>],
    said: &'a [SharedAnswer],
) -> impl Iterator<Item = Answer> + 'a {
    draws.iter().zip(said).map(|(draw, said)| Answer {
        has_room: said.has_room,
        standing: Standing {
            remaining: draw.most.saturating_sub(said.used),
            reset_ms: said.reset_ms,
        },
        retry_ms: said.retry_ms,
    })
}

/// What was drawn of each limit.
#[must_use]
pub(super) fn held(draws: &[SharedDraw<'_>], said: &[SharedAnswer]) -> Vec<Held> {
    draws.iter().zip(said).map(|(draw, said)| Held::new(said.place, draw.amount)).collect()
}

/// Draws that are made whether there is room or not: of which limit, how much, and the booking.
#[must_use]
pub(super) fn drawn_anyway(
    limits: &Limits,
    estimate: Amounts,
    lease: &str,
    wall_ms: u64,
) -> Vec<(usize, Booking)> {
    let draws = draws(limits, estimate, wall_ms);
    let bookings = draws.iter().map(|draw| booking(draw, [(0, 0); 2], draw.amount, lease));
    bookings.enumerate().collect()
}

/// By what a lease grows once a call has used so much.
#[must_use]
pub(super) fn growth(
    limits: &Limits,
    held: &[Held],
    used: Amounts,
    wall_ms: u64,
) -> Vec<(usize, Booking)> {
    let draws = draws(limits, used, wall_ms);
    let grown = limits.draws(used).zip(&draws).zip(held).enumerate();
    let grown = grown.filter_map(|(at, ((limit, draw), held))| {
        let more = held.growth(used.of(limit.limit.unit)).min(MOST_COUNTED);
        let grows = limit.limit.unit != Unit::Concurrent && more > 0;
        grows.then(|| (at, booking(draw, [(0, 0); 2], more, "")))
    });
    grown.collect()
}

/// What is booked when a lease ends.
#[must_use]
pub(super) fn settlement(
    limits: &Limits,
    held: &[Held],
    (truth, lease): (Truth, &str),
    wall_ms: u64,
) -> Vec<Booking> {
    let draws = draws(limits, Amounts::default(), wall_ms);
    let all = limits.draws(Amounts::default()).zip(&draws).zip(held);
    let bookings = all.filter_map(|((limit, draw), held)| {
        if draw.shape == Shape::Open {
            return Some(booking(draw, [(0, 0); 2], 0, lease));
        }
        let truth = match truth {
            Truth::Used(used) => used.of(limit.limit.unit).min(MOST_COUNTED),
            Truth::AsLeased => held.amount,
            Truth::Nothing => 0,
        };
        let correction = held.correction(truth);
        correction.changes().then(|| booking(draw, correction.back, correction.more, lease))
    });
    bookings.collect()
}

/// The lease of a call that is still being answered goes on.
#[must_use]
pub(super) fn renewal(limits: &Limits, lease: &str) -> Vec<Booking> {
    let draws = draws(limits, Amounts::default(), 0);
    let open = draws.iter().filter(|draw| draw.shape == Shape::Open);
    open.map(|draw| booking(draw, [(0, 0); 2], 1, lease)).collect()
}

/// What was counted elsewhere, as old as it is.
pub(super) fn told(counted: &Counted, wall_ms: u64) -> impl Iterator<Item = Booking> + '_ {
    let shape = shape(Some(&counted.window), wall_ms);
    counted.parts.iter().map(move |(slots_ago, amount)| Booking {
        counter: counted.counter.clone(),
        shape: match shape {
            Shape::Sliding { slot_ms, .. } => Shape::Sliding { slot_ms, slots_ago: *slots_ago },
            other => other,
        },
        back: [(0, 0); 2],
        more: (*amount).min(MOST_COUNTED),
        lease: String::new(),
    })
}

fn booking(draw: &SharedDraw<'_>, back: [(u64, u64); 2], more: u64, lease: &str) -> Booking {
    Booking {
        counter: draw.counter.to_owned(),
        shape: draw.shape,
        back,
        more,
        lease: lease.to_owned(),
    }
}
