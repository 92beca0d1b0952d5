//! What is still to be told to the shared counters: leases that grow or end, and what was counted
//! here while they were away. It holds one entry for each call that is being answered and one counter
//! for each limit, whatever happens and however long: that is its bound.
//!
//! Deliberately absent: sending, and waiting.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tollgate_policy::limit::{Amounts, Counted, Counter, Held, Limits, Moment, Window};
use tollgate_store::Booking;

use super::terms::{self, Truth};

/// Leases that are told of in one batch.
const TOGETHER: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Books {
    inner: Mutex<Inner>,
    /// Something is to be told.
    pub(super) news: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<u64, Entry>,
    /// Entries that want something.
    wanting: BTreeSet<u64>,
    /// Used while nobody could be told, by calls that are over.
    owed: HashMap<String, Owed>,
    /// A batch is on its way.
    under_way: bool,
}

/// A call that is being answered.
#[derive(Debug)]
struct Entry {
    limits: Arc<Limits>,
    /// What it is called among the calls of all gateways.
    lease: String,
    estimate: Amounts,
    /// `None`: let through here, and not told yet.
    held: Option<Vec<Held>>,
    want: Option<Want>,
    /// It is in the batch that is under way.
    told: bool,
}

#[derive(Clone, Copy, Debug)]
enum Want {
    Draw,
    TopUp(Amounts),
    End(Truth),
}

#[derive(Debug)]
struct Owed {
    window: Window,
    counter: Counter,
}

/// What an entry holds once its bookings are made: of which entry and limit, and how much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect {
    entry: u64,
    /// `None`: the booking is nobody's any more.
    limit: Option<usize>,
    amount: u64,
    /// It is the first that is drawn for its lease.
    first: bool,
}

/// Bookings, and what each means for its entry.
pub(super) type Told = (Vec<Booking>, Vec<Effect>);

impl Books {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call that the shared counters let through.
    pub(super) fn enter(&self, entry: u64, lease: String, limits: Arc<Limits>, held: Vec<Held>) {
        let estimate = Amounts::default();
        let held = Some(held);
        let fresh = Entry { limits, lease, estimate, held, want: None, told: false };
        self.inner().entries.insert(entry, fresh);
    }

    /// A call that was let through here while they are away.
    pub(super) fn enter_untold(
        &self,
        entry: u64,
        lease: String,
        limits: Arc<Limits>,
        estimate: Amounts,
    ) {
        let want = Some(Want::Draw);
        let fresh = Entry { limits, lease, estimate, held: None, want, told: false };
        let mut inner = self.inner();
        inner.entries.insert(entry, fresh);
        inner.wanting.insert(entry);
    }

    /// A call goes on, and has used so much.
    pub(super) fn top_up(&self, id: u64, used: Amounts) {
        let mut inner = self.inner();
        let Inner { entries, wanting, .. } = &mut *inner;
        let Some(entry) = entries.get_mut(&id) else { return };
        if entry.held.is_some() {
            entry.want = Some(Want::TopUp(used));
            if !entry.told {
                wanting.insert(id);
            }
            self.news.notify_one();
        } else {
            // Not told yet: then it will be told of this at once.
            entry.estimate = used;
        }
    }

    /// A call is over.
    pub(super) fn end(&self, id: u64, truth: Truth, now: Moment) {
        let mut inner = self.inner();
        let Inner { entries, wanting, owed, .. } = &mut *inner;
        let Some(entry) = entries.get_mut(&id) else { return };
        if entry.held.is_none() && !entry.told {
            let used = match truth {
                Truth::Used(used) => Some(used),
                Truth::AsLeased => Some(entry.estimate),
                Truth::Nothing => None,
            };
            for draw in used.iter().flat_map(|used| entry.limits.draws(*used)) {
                let used = used.unwrap_or_default().of(draw.limit.unit);
                let Some(window) = &draw.limit.window else { continue };
                owe(owed, (draw.counter, window), used, now);
            }
            entries.remove(&id);
            wanting.remove(&id);
        } else {
            entry.want = Some(Want::End(truth));
            if !entry.told {
                wanting.insert(id);
            }
        }
        self.news.notify_one();
    }

    /// The next batch; empty when there is nothing to tell. [`Books::told`] ends it.
    #[must_use]
    pub(super) fn next(&self, now: Moment) -> Told {
        let mut inner = self.inner();
        let Inner { entries, wanting, owed, under_way } = &mut *inner;
        let (mut bookings, mut effects) = (Vec::new(), Vec::new());
        for (counter, mut owed) in owed.drain() {
            owed.counter.advance(now);
            let counted = Counted { counter, window: owed.window, parts: owed.counter.parts() };
            bookings.extend(terms::told(&counted, now.wall_ms));
        }
        effects.resize(bookings.len(), Effect { entry: 0, limit: None, amount: 0, first: false });
        for _ in 0..TOGETHER {
            let Some(id) = wanting.pop_first() else { break };
            let Some(entry) = entries.get_mut(&id) else { continue };
            let Some(want) = entry.want.take() else { continue };
            let (limits, held) = (&entry.limits, entry.held.as_deref().unwrap_or_default());
            let first = matches!(want, Want::Draw);
            let wall_ms = now.wall_ms;
            let parts = match want {
                Want::Draw => terms::drawn_anyway(limits, entry.estimate, &entry.lease, wall_ms),
                Want::TopUp(used) => terms::growth(limits, held, used, wall_ms),
                Want::End(truth) => {
                    let ends = terms::settlement(limits, held, (truth, &entry.lease), wall_ms);
                    entries.remove(&id);
                    let nobodys = Effect { entry: id, limit: None, amount: 0, first: false };
                    effects.extend(ends.iter().map(|_| nobodys));
                    bookings.extend(ends);
                    continue;
                }
            };
            entry.told = !parts.is_empty();
            for (limit, booking) in parts {
                let amount = booking.more;
                effects.push(Effect { entry: id, limit: Some(limit), amount, first });
                bookings.push(booking);
            }
        }
        *under_way = !bookings.is_empty();
        (bookings, effects)
    }

    /// The batch was booked, each part at its place.
    pub(super) fn told(&self, effects: &[Effect], places: &[u64]) {
        let mut inner = self.inner();
        let Inner { entries, wanting, under_way, .. } = &mut *inner;
        *under_way = false;
        for (effect, place) in effects.iter().zip(places) {
            let (Some(limit), Some(entry)) = (effect.limit, entries.get_mut(&effect.entry)) else {
                continue;
            };
            let held = entry.held.get_or_insert_default();
            match held.get_mut(limit) {
                Some(held) => held.topped_up(*place, effect.amount),
                None if effect.first => held.push(Held::new(*place, effect.amount)),
                None => {}
            }
            entry.told = false;
            if entry.want.is_some() {
                wanting.insert(effect.entry);
            }
        }
    }

    /// Every call that is being answered goes on.
    #[must_use]
    pub(super) fn renewals(&self) -> Vec<Booking> {
        let inner = self.inner();
        let held = inner.entries.values().filter(|entry| entry.held.is_some());
        held.flat_map(|entry| terms::renewal(&entry.limits, &entry.lease)).collect()
    }

    /// The shared counters have lost what they held, and are told everything that was counted here.
    /// Calls that are being answered are part of that.
    #[must_use]
    pub(super) fn tell_all(&self, counted: &[Counted], now: Moment) -> Vec<Booking> {
        let mut inner = self.inner();
        let Inner { entries, wanting, owed, under_way } = &mut *inner;
        owed.clear();
        *under_way = false;
        for (id, entry) in entries.iter_mut() {
            entry.told = false;
            if entry.held.is_none() {
                entry.want = entry.want.filter(|want| !matches!(want, Want::Draw));
                let draws = entry.limits.draws(entry.estimate);
                let held = draws.map(|draw| {
                    let window = draw.limit.window.as_ref();
                    let slot = window.and_then(Window::slot_ms).map(|ms| now.wall_ms / ms);
                    let start = window.and_then(|window| window.around(now.wall_ms));
                    let place = slot.or(start.map(|[_, start, ..]| start)).unwrap_or_default();
                    Held::new(place, draw.amount)
                });
                entry.held = Some(held.collect());
            }
            if entry.want.is_some() {
                wanting.insert(*id);
            } else {
                wanting.remove(id);
            }
        }
        counted.iter().flat_map(|counted| terms::told(counted, now.wall_ms)).collect()
    }

    /// Whether anything is to be told.
    #[must_use]
    pub(super) fn is_settled(&self) -> bool {
        let inner = self.inner();
        inner.wanting.is_empty() && inner.owed.is_empty() && !inner.under_way
    }
}

fn owe(
    owed: &mut HashMap<String, Owed>,
    (counter, window): (&str, &Window),
    used: u64,
    now: Moment,
) {
    if used == 0 {
        return;
    }
    if !owed.contains_key(counter) {
        let fresh = Owed { window: window.clone(), counter: Counter::new(Some(window)) };
        owed.insert(counter.to_owned(), fresh);
    }
    if let Some(owed) = owed.get_mut(counter) {
        owed.counter.advance(now);
        owed.counter.draw(used, 0, u64::MAX);
    }
}
