//! The counters of one gateway, in its memory. Each has a lock of its own that is held for some
//! additions; a call takes those of all its counters, in one order, so that it draws on all or none.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::counter::{Counter, Held, Moment, Standing};
use super::{Amounts, Learnt, Limit, Unit, Window};

/// A lease in memory ends with its holder, never of itself.
const NEVER: u64 = u64::MAX;

/// Every counter of this gateway by its name. They outlive a reload as long as somebody uses them.
#[derive(Debug, Default)]
pub struct Counters {
    known: Mutex<Known>,
    /// Leases that are not settled.
    open: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Known {
    cells: HashMap<String, Weak<Cell>>,
    learnt: HashMap<String, Weak<Learnt>>,
    /// Cells so far.
    made: u64,
}

#[derive(Debug)]
struct Cell {
    /// The order in which locks are taken.
    order: u64,
    window: Option<Window>,
    counter: Mutex<Counter>,
}

/// One limit of a caller, with its counter and the name that this has.
#[derive(Debug)]
struct Bound {
    limit: Limit,
    name: String,
    cell: Arc<Cell>,
}

/// The limits of one caller, each with its counter.
#[derive(Debug)]
pub struct Limits {
    /// In the order of their cells.
    bound: Vec<Bound>,
    learnt: Arc<Learnt>,
    open: Arc<AtomicU64>,
    counts_tokens: bool,
}

/// What a call would draw of one counter.
#[derive(Clone, Copy, Debug)]
pub struct Draw<'l> {
    pub limit: &'l Limit,
    /// What the counter is called.
    pub counter: &'l str,
    pub amount: u64,
}

/// What a counter holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What it is called.
    pub counter: String,
    pub window: Window,
    /// Since how many slots of its window, and how much.
    pub parts: Vec<(u64, u64)>,
}

/// What a counter says to a call that would draw on it, wherever it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub has_room: bool,
    pub standing: Standing,
    /// In how long there is room; `None`: nobody can say, or never.
    pub retry_ms: Option<u64>,
}

/// Why a call is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused<'l> {
    pub limit: &'l Limit,
    /// What would have been drawn.
    pub amount: u64,
    pub standing: Standing,
    /// `None`: nobody can say when there will be room.
    pub retry_ms: Option<u64>,
}

impl Refused<'_> {
    /// It will be refused at any time.
    #[must_use]
    pub fn is_for_ever(&self) -> bool {
        self.amount > self.limit.most
    }
}

/// What was drawn of one limit, and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    held: Held,
    pub standing: Standing,
}

/// What one call holds until it is settled. Dropped unsettled, what was leased counts as used, and
/// the call no longer as running.
#[derive(Debug)]
pub struct Lease {
    limits: Arc<Limits>,
    drawn: Vec<Drawn>,
    estimate: Amounts,
    settled: bool,
}

impl Counters {
    /// Leases that are not settled.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// The limits of a caller: of each owner the name and its limits. `team` is whose calls teach
    /// the estimates.
    #[must_use]
    pub fn bind<'c>(
        &self,
        team: &str,
        owners: impl IntoIterator<Item = (String, &'c [Limit])>,
    ) -> Arc<Limits> {
        let mut known = locked(&self.known);
        known.cells.retain(|_, cell| cell.strong_count() > 0);
        known.learnt.retain(|_, learnt| learnt.strong_count() > 0);
        let mut bound: Vec<Bound> = Vec::new();
        for (owner, limits) in owners {
            for limit in limits {
                let name = limit.counter(&owner);
                let cell = known.cell(&name, limit);
                // Two limits of one counter would take its lock twice: the narrower holds.
                match bound.iter_mut().find(|other| other.cell.order == cell.order) {
                    Some(other) if other.limit.most <= limit.most => {}
                    Some(other) => other.limit = limit.clone(),
                    None => bound.push(Bound { limit: limit.clone(), name, cell }),
                }
            }
        }
        bound.sort_by_key(|bound| bound.cell.order);
        let learnt = match known.learnt.get(team).and_then(Weak::upgrade) {
            Some(learnt) => learnt,
            None => {
                let learnt = Arc::<Learnt>::default();
                known.learnt.insert(team.to_owned(), Arc::downgrade(&learnt));
                learnt
            }
        };
        let tokens = [Unit::Tokens, Unit::InputTokens, Unit::OutputTokens];
        let counts_tokens = bound.iter().any(|bound| tokens.contains(&bound.limit.unit));
        Arc::new(Limits { bound, learnt, open: self.open.clone(), counts_tokens })
    }

    /// What every counter with a window holds now. For a home elsewhere that has lost what it was
    /// told.
    #[must_use]
    pub fn counted(&self, now: Moment) -> Vec<Counted> {
        let known = locked(&self.known);
        let cells = known.cells.iter().filter_map(|(name, cell)| Some((name, cell.upgrade()?)));
        let counted = cells.filter_map(|(name, cell)| {
            let mut counter = locked(&cell.counter);
            counter.advance(now);
            let window = cell.window.clone()?;
            Some(Counted { counter: name.clone(), window, parts: counter.parts() })
        });
        counted.collect()
    }
}

impl Known {
    fn cell(&mut self, name: &str, limit: &Limit) -> Arc<Cell> {
        if let Some(cell) = self.cells.get(name).and_then(Weak::upgrade) {
            return cell;
        }
        self.made += 1;
        let counter = Mutex::new(Counter::new(limit.window.as_ref()));
        let window = limit.window.clone();
        let cell = Arc::new(Cell { order: self.made, window, counter });
        self.cells.insert(name.to_owned(), Arc::downgrade(&cell));
        cell
    }
}

impl Limits {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bound.is_empty()
    }

    /// Whether an estimate of tokens is needed.
    #[must_use]
    pub fn counts_tokens(&self) -> bool {
        self.counts_tokens
    }

    #[must_use]
    pub fn learnt(&self) -> &Learnt {
        &self.learnt
    }

    /// Draws on every limit, or on none.
    ///
    /// # Errors
    /// The limit that has no room; of several the one with the longest wait.
    pub fn admit(self: &Arc<Self>, estimate: Amounts, now: Moment) -> Result<Lease, Refused<'_>> {
        self.admit_to_share(1, estimate, now)
    }

    /// The same where one of `sharers` may use its part of every limit only, and one at least.
    ///
    /// # Errors
    /// The limit that has no room; of several the one with the longest wait.
    pub fn admit_to_share(
        self: &Arc<Self>,
        sharers: u64,
        estimate: Amounts,
        now: Moment,
    ) -> Result<Lease, Refused<'_>> {
        let mut counters = self.advanced(now);
        let share = |limit: &Limit| (limit.most / sharers.max(1)).max(1);
        let answers = self.bound.iter().zip(&counters).map(|(Bound { limit, .. }, counter)| {
            let most = share(limit);
            let amount = estimate.drawn(limit.unit, most);
            let has_room = counter.has_room(amount, most);
            let retry_ms = if has_room { None } else { counter.retry_ms(amount, most, now) };
            Answer { has_room, standing: counter.standing(most, now), retry_ms }
        });
        if let Some(refused) = self.refused(estimate, answers) {
            return Err(refused);
        }
        Ok(self.drawn(&mut counters, share, estimate, now))
    }

    /// Draws on every limit, whether there is room or not: what was let through elsewhere.
    pub fn count(self: &Arc<Self>, estimate: Amounts, now: Moment) -> Lease {
        self.drawn(&mut self.advanced(now), |limit| limit.most, estimate, now)
    }

    /// What a call would draw of each limit, in the order of [`Lease::held`].
    pub fn draws(&self, estimate: Amounts) -> impl Iterator<Item = Draw<'_>> {
        self.bound.iter().map(move |Bound { limit, name, .. }| {
            let amount = estimate.drawn(limit.unit, limit.most);
            Draw { limit, counter: name, amount }
        })
    }

    /// The limit that has no room by what the counters say; of several the one with the longest wait.
    pub fn refused(
        &self,
        estimate: Amounts,
        answers: impl IntoIterator<Item = Answer>,
    ) -> Option<Refused<'_>> {
        let mut refused: Option<Refused<'_>> = None;
        for (Bound { limit, .. }, answer) in self.bound.iter().zip(answers) {
            let Answer { has_room, standing, retry_ms } = answer;
            let amount = estimate.drawn(limit.unit, limit.most);
            let this = Refused { limit, amount, standing, retry_ms };
            if !has_room && refused.is_none_or(|other| this.waits_longer_than(&other)) {
                refused = Some(this);
            }
        }
        refused
    }

    /// All of them at once, in one order, so that two calls never wait for each other.
    fn advanced(&self, now: Moment) -> Vec<MutexGuard<'_, Counter>> {
        let counters = self.bound.iter().map(|bound| {
            let mut counter = locked(&bound.cell.counter);
            counter.advance(now);
            counter
        });
        counters.collect()
    }

    fn drawn(
        self: &Arc<Self>,
        counters: &mut [MutexGuard<'_, Counter>],
        share: impl Fn(&Limit) -> u64,
        estimate: Amounts,
        now: Moment,
    ) -> Lease {
        let lease = LEASES.fetch_add(1, Ordering::Relaxed);
        let drawn = self.bound.iter().zip(counters).map(|(Bound { limit, .. }, counter)| {
            let most = share(limit);
            let held = counter.draw(estimate.drawn(limit.unit, most), lease, NEVER);
            Drawn { held, standing: counter.standing(most, now) }
        });
        let drawn = drawn.collect();
        self.open.fetch_add(1, Ordering::Relaxed);
        Lease { limits: self.clone(), drawn, estimate, settled: false }
    }
}

/// Leases so far, of every caller: each has a number of its own.
static LEASES: AtomicU64 = AtomicU64::new(0);

impl Refused<'_> {
    fn waits_longer_than(&self, other: &Self) -> bool {
        let rank = |one: &Self| (one.is_for_ever(), one.retry_ms);
        rank(self) > rank(other)
    }
}

impl Lease {
    /// Each limit, and how it stood when the call was let through.
    pub fn standings(&self) -> impl Iterator<Item = (&Limit, Standing)> {
        let limits = self.limits.bound.iter().map(|bound| &bound.limit);
        limits.zip(self.drawn.iter().map(|drawn| drawn.standing))
    }

    #[must_use]
    pub fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    /// What it holds of each limit.
    pub fn held(&self) -> impl Iterator<Item = Held> {
        self.drawn.iter().map(|drawn| drawn.held)
    }

    /// What was thought when the call was let through.
    #[must_use]
    pub fn estimate(&self) -> Amounts {
        self.estimate
    }

    /// A call that goes on: what it has used by now is drawn on where it is more than was leased,
    /// whether there is room or not: a limit on a rate makes the next call wait, it does not cut
    /// this one. Says whether anything was drawn.
    pub fn top_up(&mut self, used: Amounts, now: Moment) -> bool {
        let mut grown = false;
        for (Bound { limit, cell, .. }, drawn) in self.limits.bound.iter().zip(&mut self.drawn) {
            let more = drawn.held.growth(used.of(limit.unit));
            if limit.unit == Unit::Concurrent || more == 0 {
                continue;
            }
            grown = true;
            let mut counter = locked(&cell.counter);
            counter.advance(now);
            counter.top_up(&mut drawn.held, more);
        }
        grown
    }

    /// Books the truth.
    pub fn settle(mut self, used: Amounts, now: Moment) {
        self.settled = true;
        for (Bound { limit, cell, .. }, drawn) in self.limits.bound.iter().zip(&self.drawn) {
            let used = used.of(limit.unit);
            if limit.window.is_some() && !drawn.held.correction(used).changes() {
                continue;
            }
            let mut counter = locked(&cell.counter);
            counter.advance(now);
            counter.settle(drawn.held, used);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.limits.open.fetch_sub(1, Ordering::Relaxed);
        if self.settled {
            return;
        }
        for (Bound { cell, .. }, drawn) in self.limits.bound.iter().zip(&self.drawn) {
            locked(&cell.counter).settle(drawn.held, drawn.held.amount);
        }
    }
}

/// A panic between two additions leaves a count that is still one.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
