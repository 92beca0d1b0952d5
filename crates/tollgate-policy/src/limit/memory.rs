//! The counters of one gateway, in its memory. Each has a lock of its own that is held for some
//! additions; a call takes those of all its counters, in one order, so that it draws on all or none.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::counter::{Counter, Held, Moment, Standing};
use super::{Amounts, Learnt, Limit, Unit};

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
    counter: Mutex<Counter>,
}

/// The limits of one caller, each with its counter.
#[derive(Debug)]
pub struct Limits {
    /// In the order of their cells.
    bound: Vec<(Limit, Arc<Cell>)>,
    learnt: Arc<Learnt>,
    open: Arc<AtomicU64>,
    counts_tokens: bool,
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
        let mut bound: Vec<(Limit, Arc<Cell>)> = Vec::new();
        for (owner, limits) in owners {
            for limit in limits {
                let cell = known.cell(&owner, limit);
                // Two limits of one counter would take its lock twice: the narrower holds.
                match bound.iter_mut().find(|(_, other)| other.order == cell.order) {
                    Some((other, _)) if other.most <= limit.most => {}
                    Some((other, _)) => *other = limit.clone(),
                    None => bound.push((limit.clone(), cell)),
                }
            }
        }
        bound.sort_by_key(|(_, cell)| cell.order);
        let learnt = match known.learnt.get(team).and_then(Weak::upgrade) {
            Some(learnt) => learnt,
            None => {
                let learnt = Arc::<Learnt>::default();
                known.learnt.insert(team.to_owned(), Arc::downgrade(&learnt));
                learnt
            }
        };
        let tokens = [Unit::Tokens, Unit::InputTokens, Unit::OutputTokens];
        let counts_tokens = bound.iter().any(|(limit, _)| tokens.contains(&limit.unit));
        Arc::new(Limits { bound, learnt, open: self.open.clone(), counts_tokens })
    }
}

impl Known {
    fn cell(&mut self, owner: &str, limit: &Limit) -> Arc<Cell> {
        let name = limit.counter(owner);
        if let Some(cell) = self.cells.get(&name).and_then(Weak::upgrade) {
            return cell;
        }
        self.made += 1;
        let counter = Mutex::new(Counter::new(limit.window.as_ref()));
        let cell = Arc::new(Cell { order: self.made, counter });
        self.cells.insert(name, Arc::downgrade(&cell));
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
        let mut cells: Vec<MutexGuard<'_, Counter>> = Vec::with_capacity(self.bound.len());
        let mut refused: Option<Refused<'_>> = None;
        for (limit, cell) in &self.bound {
            let mut counter = locked(&cell.counter);
            counter.advance(now);
            let amount = estimate.drawn(limit.unit, limit.most);
            if !counter.has_room(amount, limit.most) {
                let standing = counter.standing(limit.most, now);
                let retry_ms = counter.retry_ms(amount, limit.most, now);
                let this = Refused { limit, amount, standing, retry_ms };
                if refused.is_none_or(|other| this.waits_longer_than(&other)) {
                    refused = Some(this);
                }
            }
            cells.push(counter);
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        let lease = LEASES.fetch_add(1, Ordering::Relaxed);
        let bound = self.bound.iter().zip(&mut cells);
        let drawn = bound.map(|((limit, _), counter)| {
            let amount = estimate.drawn(limit.unit, limit.most);
            let held = counter.draw(amount, lease, NEVER);
            Drawn { held, standing: counter.standing(limit.most, now) }
        });
        let drawn = drawn.collect();
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(Lease { limits: self.clone(), drawn, estimate, settled: false })
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
        let limits = self.limits.bound.iter().map(|(limit, _)| limit);
        limits.zip(self.drawn.iter().map(|drawn| drawn.standing))
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What was thought when the call was let through.
    #[must_use]
    pub fn estimate(&self) -> Amounts {
        self.estimate
    }

    /// A call that goes on: what it has used by now is drawn on where it is more than was leased,
    /// and a quarter of it besides, so that this is not done for every token. It is drawn whether there is
    /// room or not: a limit on a rate makes the next call wait, it does not cut this one.
    pub fn top_up(&mut self, used: Amounts, now: Moment) {
        for ((limit, cell), drawn) in self.limits.bound.iter().zip(&mut self.drawn) {
            let used = used.of(limit.unit);
            if limit.unit == Unit::Concurrent || used <= drawn.held.amount {
                continue;
            }
            let mut counter = locked(&cell.counter);
            counter.advance(now);
            let more = (used - drawn.held.amount).saturating_add(used / 4);
            counter.top_up(&mut drawn.held, more);
        }
    }

    /// Books the truth.
    pub fn settle(mut self, used: Amounts, now: Moment) {
        self.settled = true;
        for ((limit, cell), drawn) in self.limits.bound.iter().zip(&self.drawn) {
            let mut counter = locked(&cell.counter);
            counter.advance(now);
            counter.settle(drawn.held, used.of(limit.unit));
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.limits.open.fetch_sub(1, Ordering::Relaxed);
        if self.settled {
            return;
        }
        for ((_, cell), drawn) in self.limits.bound.iter().zip(&self.drawn) {
            locked(&cell.counter).settle(drawn.held, drawn.held.amount);
        }
    }
}

/// A panic between two additions leaves a count that is still one.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
