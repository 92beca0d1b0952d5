//! One counter: how much was used in its window, and when there will be room again.
//!
//! A sliding window is cut into [`SLOTS`] slots, and what was used is counted from its slot on for
//! the whole span and the rest of that slot: never shorter than the window, at most a sixtieth
//! longer. So no moment exists before which more than the limit was let through in one span. A
//! clock that goes back leaves the newest slot where it was.

use std::collections::BTreeMap;

use super::window::{Span, Window, aligned};
use jiff::tz::TimeZone;

/// Slots of a sliding window; one more is kept, the one that is not over yet.
pub(super) const SLOTS: u64 = 60;
const KEPT: u64 = SLOTS + 1;

/// When something happens. The two differ when somebody sets the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Never goes back and never jumps: what slides is measured by it.
    pub steady_ms: u64,
    /// Unix time: what the calendar is read from.
    pub wall_ms: u64,
}

impl Moment {
    /// Where one clock is both.
    #[must_use]
    pub fn at(ms: u64) -> Self {
        Self { steady_ms: ms, wall_ms: ms }
    }
}

/// How a limit stands, as headers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub remaining: u64,
    /// Until nothing of the limit is used, if no more is drawn.
    pub reset_ms: u64,
}

/// What a lease holds of one counter: enough to give back what was not used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// All that was drawn.
    pub amount: u64,
    /// Where and how much at first, and with the last top-up. A place is a slot, the begin of a
    /// window, or the number of the lease.
    pub first: (u64, u64),
    pub last: (u64, u64),
}

/// What settling does to a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Used and not drawn: counted now.
    pub more: u64,
    /// Drawn and not used: given back where it was counted, if that still counts.
    pub back: [(u64, u64); 2],
}

impl Correction {
    /// Whether there is anything to correct.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.more > 0 || self.back.iter().any(|(_, amount)| *amount > 0)
    }
}

impl Held {
    #[must_use]
    pub fn new(place: u64, amount: u64) -> Self {
        Self { amount, first: (place, amount), last: (place, 0) }
    }

    pub fn topped_up(&mut self, place: u64, amount: u64) {
        self.amount = self.amount.saturating_add(amount);
        self.last = (place, amount);
    }

    /// What is drawn besides, once `used` is more than was leased: the rest of it and a quarter, so
    /// that this is not done for every token.
    #[must_use]
    pub fn growth(&self, used: u64) -> u64 {
        if used <= self.amount { 0 } else { (used - self.amount).saturating_add(used / 4) }
    }

    #[must_use]
    pub fn correction(&self, truth: u64) -> Correction {
        let unused = self.amount.saturating_sub(truth);
        let of_last = unused.min(self.last.1);
        let of_first = (unused - of_last).min(self.first.1);
        Correction {
            more: truth.saturating_sub(self.amount),
            back: [(self.last.0, of_last), (self.first.0, of_first)],
        }
    }
}

/// One counter.
#[derive(Clone, Debug)]
pub enum Counter {
    Sliding(Box<Sliding>),
    Aligned(Aligned),
    Open(Open),
}

impl Counter {
    #[must_use]
    pub fn new(window: Option<&Window>) -> Self {
        match window {
            None => Self::Open(Open::default()),
            Some(Window::Sliding(span)) => Self::Sliding(Box::new(Sliding {
                slot_ms: span.millis() / SLOTS,
                newest: 0,
                used: 0,
                slots: [0; KEPT as usize],
            })),
            Some(Window::Aligned(span, zone)) => Self::Aligned(Aligned {
                span: *span,
                zone: zone.clone(),
                start: 0,
                end: 0,
                used: 0,
            }),
        }
    }

    /// Forgets what counts no more. Everything else is asked after it.
    pub fn advance(&mut self, now: Moment) {
        match self {
            Self::Sliding(sliding) => sliding.advance(now.steady_ms),
            Self::Aligned(aligned) => aligned.advance(now.wall_ms),
            Self::Open(open) => open.advance(now.steady_ms),
        }
    }

    /// What still counts, and since how many slots of its window. Of calls that run, nothing.
    #[must_use]
    pub fn parts(&self) -> Vec<(u64, u64)> {
        match self {
            Self::Sliding(sliding) => sliding.parts().collect(),
            Self::Aligned(Aligned { used: 1.., .. }) => vec![(0, self.used())],
            Self::Aligned(_) | Self::Open(_) => Vec::new(),
        }
    }

    #[must_use]
    pub fn used(&self) -> u64 {
        match self {
            Self::Sliding(sliding) => sliding.used,
            Self::Aligned(aligned) => aligned.used,
            Self::Open(open) => open.leases.len() as u64,
        }
    }

    #[must_use]
    pub fn has_room(&self, amount: u64, most: u64) -> bool {
        // Who draws nothing takes no room.
        amount == 0 || self.used().checked_add(amount).is_some_and(|sum| sum <= most)
    }

    /// Draws `amount`, whether there is room or not. A lease that nobody settles ends, where calls
    /// are counted that run, at `until_ms`.
    pub fn draw(&mut self, amount: u64, lease: u64, until_ms: u64) -> Held {
        let place = match self {
            Self::Sliding(sliding) => sliding.add(amount),
            Self::Aligned(aligned) => aligned.add(amount),
            Self::Open(open) => open.add(lease, until_ms),
        };
        Held::new(place, amount)
    }

    /// Draws more for a lease.
    pub fn top_up(&mut self, held: &mut Held, amount: u64) {
        let place = match self {
            Self::Sliding(sliding) => sliding.add(amount),
            Self::Aligned(aligned) => aligned.add(amount),
            Self::Open(_) => return,
        };
        held.topped_up(place, amount);
    }

    /// Books what was used, and gives back the rest.
    pub fn settle(&mut self, held: Held, truth: u64) {
        if let Self::Open(open) = self {
            open.leases.remove(&held.first.0);
            return;
        }
        let Correction { more, back } = held.correction(truth);
        for (place, amount) in back {
            match self {
                Self::Sliding(sliding) => sliding.give_back(place, amount),
                Self::Aligned(aligned) => aligned.give_back(place, amount),
                Self::Open(_) => {}
            }
        }
        if more > 0 {
            match self {
                Self::Sliding(sliding) => drop(sliding.add(more)),
                Self::Aligned(aligned) => drop(aligned.add(more)),
                Self::Open(_) => {}
            }
        }
    }

    #[must_use]
    pub fn standing(&self, most: u64, now: Moment) -> Standing {
        let reset_ms = match self {
            Self::Sliding(sliding) => sliding.reset_ms(now.steady_ms),
            Self::Aligned(aligned) => aligned.end.saturating_sub(now.wall_ms),
            Self::Open(_) => 0,
        };
        Standing { remaining: most.saturating_sub(self.used()), reset_ms }
    }

    /// In how long there is room, if nobody else draws. `None`: nobody can say, or never.
    #[must_use]
    pub fn retry_ms(&self, amount: u64, most: u64, now: Moment) -> Option<u64> {
        if amount > most {
            return None;
        }
        match self {
            Self::Sliding(sliding) => sliding.retry_ms(amount, most, now.steady_ms),
            Self::Aligned(aligned) => Some(aligned.end.saturating_sub(now.wall_ms)),
            Self::Open(_) => None,
        }
    }
}

/// The last span before each moment.
#[derive(Clone, Debug)]
pub struct Sliding {
    slot_ms: u64,
    /// Number of the newest slot since the clock began.
    newest: u64,
    used: u64,
    slots: [u64; KEPT as usize],
}

impl Sliding {
    fn at(slot: u64) -> usize {
        (slot % KEPT) as usize
    }

    fn advance(&mut self, now_ms: u64) {
        let slot = now_ms / self.slot_ms;
        if slot <= self.newest {
            return;
        }
        for gone in 1..=(slot - self.newest).min(KEPT) {
            let was = std::mem::take(&mut self.slots[Self::at(self.newest + gone)]);
            self.used = self.used.saturating_sub(was);
        }
        self.newest = slot;
    }

    fn add(&mut self, amount: u64) -> u64 {
        // What would not fit into the sum is not counted: no counter comes near it.
        let amount = amount.min(u64::MAX - self.used);
        self.slots[Self::at(self.newest)] += amount;
        self.used += amount;
        self.newest
    }

    fn give_back(&mut self, slot: u64, amount: u64) {
        if slot > self.newest || self.newest - slot >= KEPT {
            return;
        }
        let here = &mut self.slots[Self::at(slot)];
        let amount = amount.min(*here);
        *here -= amount;
        self.used -= amount;
    }

    fn parts(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> {
        let kept = (0..KEPT.min(self.newest + 1)).rev();
        let parts = kept.map(|back| (back, self.slots[Self::at(self.newest - back)]));
        parts.filter(|(_, amount)| *amount > 0)
    }

    /// The moment from which a slot counts no more.
    fn over_ms(&self, slot: u64) -> u64 {
        (slot + KEPT).saturating_mul(self.slot_ms)
    }

    fn reset_ms(&self, now_ms: u64) -> u64 {
        match self.parts().next_back() {
            Some((back, _)) => self.over_ms(self.newest - back).saturating_sub(now_ms),
            None => 0,
        }
    }

    fn retry_ms(&self, amount: u64, most: u64, now_ms: u64) -> Option<u64> {
        let mut missing = self.used.saturating_sub(most - amount);
        let oldest = self.newest.saturating_sub(SLOTS);
        for slot in oldest..=self.newest {
            let here = self.slots[Self::at(slot)];
            if here >= missing {
                return Some(self.over_ms(slot).saturating_sub(now_ms));
            }
            missing -= here;
        }
        None
    }
}

/// The minute, hour … of a calendar.
#[derive(Clone, Debug)]
pub struct Aligned {
    span: Span,
    zone: TimeZone,
    start: u64,
    end: u64,
    used: u64,
}

impl Aligned {
    fn advance(&mut self, now_ms: u64) {
        if !(self.start..self.end).contains(&now_ms) {
            (self.start, self.end) = aligned(self.span, &self.zone, now_ms);
            self.used = 0;
        }
    }

    fn add(&mut self, amount: u64) -> u64 {
        self.used = self.used.saturating_add(amount);
        self.start
    }

    fn give_back(&mut self, start: u64, amount: u64) {
        if start == self.start {
            self.used = self.used.saturating_sub(amount);
        }
    }
}

/// Calls that are being answered: leases by their number, and when each ends of itself.
#[derive(Clone, Debug, Default)]
pub struct Open {
    leases: BTreeMap<u64, u64>,
    /// No lease ends earlier.
    soonest_ms: u64,
}

impl Open {
    fn advance(&mut self, now_ms: u64) {
        if !self.leases.is_empty() && self.soonest_ms <= now_ms {
            self.leases.retain(|_, until| *until > now_ms);
            self.soonest_ms = self.leases.values().min().copied().unwrap_or(u64::MAX);
        }
    }

    fn add(&mut self, lease: u64, until_ms: u64) -> u64 {
        let soonest = if self.leases.is_empty() { u64::MAX } else { self.soonest_ms };
        self.soonest_ms = soonest.min(until_ms);
        self.leases.insert(lease, until_ms);
        lease
    }
}
