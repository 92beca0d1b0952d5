//! Where what calls use is counted: in the memory of this process, or in a Redis that several
//! gateways share. The arithmetic is one; what differs is where the counters are.
//!
//! Whatever the shared counters let through is counted here as well. So a gateway knows what it used
//! itself, when they are away and when they have lost their memory.

mod books;
mod keeper;
mod terms;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tollgate_policy::limit::{Amounts, Counters, Lease, Limit, Limits, Moment, Refused, Standing};
use tollgate_store::{SharedAddress, SharedAnswer, SharedCounters, SharedError, Taken};

use crate::clock::Clock;
use crate::config::{Away, SharedStorage};
use books::Books;
use keeper::Keeper;
use terms::Truth;

/// How long the shared counters are looked for at the start.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);
/// How long the last bookings may take at the end.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// The counters of this gateway.
#[derive(Debug)]
pub struct Tally {
    /// Everything that this gateway let through.
    pub own: Arc<Counters>,
    clock: Clock,
    common: Option<Arc<Common>>,
}

/// Counters that several gateways share, as one of them sees them.
#[derive(Debug)]
struct Common {
    address: SharedAddress,
    away: Away,
    /// How long a call waits for them.
    patience: Duration,
    own: Arc<Counters>,
    clock: Clock,
    /// Names this process among all gateways.
    node: String,
    /// Calls so far.
    calls: AtomicU64,
    /// `None`: they are away.
    connection: ArcSwapOption<SharedCounters>,
    /// By how much their clock is ahead of the calendar here.
    ahead_ms: AtomicI64,
    books: Books,
    /// A call found them away.
    lost: Notify,
    /// Nothing is to be told any more.
    settled: Notify,
}

/// What a call holds of its limits until it is settled.
#[derive(Debug)]
pub struct Held {
    /// `None`: settled.
    lease: Option<Lease>,
    /// How the shared counters stood; else the lease knows.
    standings: Option<Vec<Standing>>,
    told: Option<Told>,
    clock: Clock,
}

/// What the shared counters know of a call. Dropped, they are told that there was none.
#[derive(Debug)]
struct Told {
    common: Arc<Common>,
    entry: u64,
    ended: bool,
}

/// Why a call is not let through.
#[derive(Clone, Copy, Debug)]
pub enum Denied<'l> {
    Full(Refused<'l>),
    /// Nobody can say how the limits stand.
    Unknown,
}

/// What the shared counters said to a call.
#[derive(Debug)]
enum Said {
    /// It was drawn.
    Passes(Told, Vec<SharedAnswer>),
    Full(Vec<SharedAnswer>),
}

/// The shared counters cannot be reached, and what to do then needs them.
#[derive(Debug, thiserror::Error)]
#[error(
    "`storage.shared`: the limits are kept in Redis at {address}, which cannot be used: {error}"
)]
pub struct NoCounters {
    address: String,
    error: SharedError,
}

impl Tally {
    /// In the memory of this process.
    #[must_use]
    pub fn own(clock: Clock) -> Self {
        Self { own: Arc::default(), clock, common: None }
    }

    /// Shared with other gateways; `node` names this process. The task keeps the connection.
    ///
    /// # Errors
    /// When they cannot be reached, and calls would be refused without them.
    pub async fn shared(
        clock: Clock,
        shared: &SharedStorage,
        node: String,
    ) -> Result<(Self, JoinHandle<()>), NoCounters> {
        let own = Arc::<Counters>::default();
        let common = Arc::new(Common {
            address: shared.address.clone(),
            away: shared.away,
            patience: shared.patience,
            own: own.clone(),
            clock,
            node,
            calls: AtomicU64::new(0),
            connection: ArcSwapOption::empty(),
            ahead_ms: AtomicI64::new(0),
            books: Books::default(),
            lost: Notify::new(),
            settled: Notify::new(),
        });
        let mut keeper = Keeper::new(common.clone());
        match (keeper.begin(FIRST_PATIENCE).await, shared.away) {
            (Ok(()), _) => {}
            (Err(error), Away::Refuse) => {
                return Err(NoCounters { address: shared.address.to_string(), error });
            }
            (Err(error), Away::Local { gateways }) => tracing::warn!(
                redis = %shared.address,
                %error,
                gateways,
                "the shared counters are away: this gateway holds calls to its share of every limit"
            ),
        }
        let task = tokio::spawn(keeper.keep());
        Ok((Self { own, clock, common: Some(common) }, task))
    }

    #[must_use]
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Draws on every limit, or on none.
    ///
    /// # Errors
    /// The limit that has no room, or that nobody knows.
    pub async fn draw<'l>(
        &self,
        limits: &'l Arc<Limits>,
        estimate: Amounts,
    ) -> Result<Held, Denied<'l>> {
        let Some(common) = &self.common else {
            let lease = limits.admit(estimate, self.clock.now()).map_err(Denied::Full)?;
            return Ok(Held::of(lease, self.clock));
        };
        match (common.ask(limits, estimate).await, common.away) {
            (Some(Said::Passes(told, said)), _) => {
                let draws = terms::draws(limits, estimate, 0);
                let answers = terms::answers(&draws, &said);
                let standings = Some(answers.map(|answer| answer.standing).collect());
                let lease = Some(limits.count(estimate, self.clock.now()));
                Ok(Held { lease, standings, told: Some(told), clock: self.clock })
            }
            (Some(Said::Full(said)), _) => {
                let draws = terms::draws(limits, estimate, 0);
                let refused = limits.refused(estimate, terms::answers(&draws, &said));
                Err(refused.map_or(Denied::Unknown, Denied::Full))
            }
            (None, Away::Refuse) => Err(Denied::Unknown),
            (None, Away::Local { gateways }) => {
                let lease = limits.admit_to_share(gateways, estimate, self.clock.now());
                let mut held = Held::of(lease.map_err(Denied::Full)?, self.clock);
                let (entry, lease) = common.next_lease();
                common.books.enter_untold(entry, lease, limits.clone(), estimate);
                held.told = Some(Told { common: common.clone(), entry, ended: false });
                Ok(held)
            }
        }
    }

    /// Whether the shared counters answer; `None` when there are none.
    #[must_use]
    pub fn is_shared(&self) -> Option<bool> {
        self.common.as_ref().map(|common| common.counters().is_some())
    }

    /// Waits until everything is told, within a bound.
    pub async fn close(&self) {
        let Some(common) = &self.common else { return };
        let settled = async {
            loop {
                let settled = common.settled.notified();
                if common.counters().is_none() || common.books.is_settled() {
                    return;
                }
                common.books.news.notify_one();
                settled.await;
            }
        };
        if timeout(LAST_PATIENCE, settled).await.is_err() || !common.books.is_settled() {
            tracing::warn!("the shared counters were not told everything that was used");
        }
    }
}

impl Common {
    fn counters(&self) -> Option<Arc<SharedCounters>> {
        self.connection.load_full()
    }

    fn find(&self, counters: Arc<SharedCounters>) {
        self.connection.store(Some(counters));
    }

    /// They do not answer. Calls that find so later do not wait.
    fn lose(&self, counters: &Arc<SharedCounters>, why: &SharedError) {
        let now = self.connection.load();
        if now.as_ref().is_some_and(|now| Arc::ptr_eq(now, counters)) {
            drop(now);
            if self.connection.swap(None).is_some() {
                self.lost.notify_waiters();
                tracing::warn!(redis = %self.address, error = %why, "the shared counters are away");
            }
        }
    }

    fn next_lease(&self) -> (u64, String) {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        (call, format!("{}-{call:x}", self.node))
    }

    /// What they say within the patience that a call has; `None`: they are away.
    async fn ask(self: &Arc<Self>, limits: &Arc<Limits>, estimate: Amounts) -> Option<Said> {
        let counters = self.counters()?;
        let (answer, answered) = oneshot::channel();
        let asking = {
            let (common, counters, limits) = (self.clone(), counters.clone(), limits.clone());
            async move {
                let said = common.take(&counters, &limits, estimate).await;
                // Nobody waits any more: what was drawn is given back when this is dropped.
                drop(answer.send(said));
            }
        };
        // A task of its own, so that a caller who leaves does not leave a draw behind that nobody
        // knows of.
        tokio::spawn(asking);
        let why = match timeout(self.patience, answered).await {
            Ok(Ok(Ok(said))) => return Some(said),
            Ok(Ok(Err(error))) => error,
            Ok(Err(_)) | Err(_) => SharedError::Silent,
        };
        self.lose(&counters, &why);
        None
    }

    async fn take(
        self: Arc<Self>,
        counters: &SharedCounters,
        limits: &Arc<Limits>,
        estimate: Amounts,
    ) -> Result<Said, SharedError> {
        let (entry, lease) = self.next_lease();
        // Once more where their calendar is another than thought.
        for _ in 0..2 {
            let wall_ms = self.clock.now().wall_ms;
            let theirs_ms = wall_ms.saturating_add_signed(self.ahead_ms.load(Ordering::Relaxed));
            let draws = terms::draws(limits, estimate, theirs_ms);
            let taken = counters.take(&lease, &draws, None).await?;
            let (Taken::Said { now_ms, .. } | Taken::Elsewhen { now_ms }) = &taken;
            let ahead_ms = now_ms.cast_signed().saturating_sub(wall_ms.cast_signed());
            self.ahead_ms.store(ahead_ms, Ordering::Relaxed);
            let Taken::Said { answers, .. } = taken else { continue };
            if answers.iter().any(|answer| !answer.has_room) {
                return Ok(Said::Full(answers));
            }
            let held = terms::held(&draws, &answers);
            self.books.enter(entry, lease, limits.clone(), held);
            return Ok(Said::Passes(Told { common: self, entry, ended: false }, answers));
        }
        Err(SharedError::Garbled)
    }
}

impl Told {
    fn end(&mut self, truth: Truth) {
        if !self.ended {
            self.ended = true;
            self.common.books.end(self.entry, truth, self.common.clock.now());
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.end(Truth::Nothing);
    }
}

impl Held {
    fn of(lease: Lease, clock: Clock) -> Self {
        Self { lease: Some(lease), standings: None, told: None, clock }
    }

    /// `None`: settled.
    #[must_use]
    pub fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    /// Each limit, and how it stood when the call was let through.
    pub fn standings(&self) -> impl Iterator<Item = (&Limit, Standing)> {
        let own = self.lease.iter().flat_map(Lease::standings).enumerate();
        own.map(|(at, (limit, standing))| {
            let shared = self.standings.as_ref().and_then(|shared| shared.get(at));
            (limit, shared.copied().unwrap_or(standing))
        })
    }

    /// A call that goes on and has used so much.
    pub fn top_up(&mut self, used: Amounts) {
        let Some(lease) = &mut self.lease else { return };
        if lease.top_up(used, self.clock.now())
            && let Some(told) = &self.told
        {
            told.common.books.top_up(told.entry, used);
        }
    }

    /// Books the truth.
    pub fn settle(&mut self, used: Amounts) {
        let Some(lease) = self.lease.take() else { return };
        lease.settle(used, self.clock.now());
        if let Some(told) = &mut self.told {
            told.end(Truth::Used(used));
        }
    }
}

/// Unsettled, what was leased counts as used.
impl Drop for Held {
    fn drop(&mut self) {
        if let Some(told) = &mut self.told {
            told.end(Truth::AsLeased);
        }
    }
}
