//! Keeps the connection to the shared counters: tells them what is to be told, one batch after the
//! other, renews the leases of calls that are being answered, notices that they are away, and makes
//! up for it when they are back.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tollgate_store::{Batch, Booking, SharedCounters, SharedError};

use super::Common;
use super::books::Effect;

/// A call whose gateway is gone is counted as being answered for so long.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// Three times within a lease.
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// How long everything beside calls may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two attempts to find them again.
const PAUSE: Duration = Duration::from_millis(250);
/// The most bookings of renewals and of what was lost in one batch.
const MOST_BOOKINGS: usize = 500;

/// Tells the shared counters what they are to know.
#[derive(Debug)]
pub(super) struct Keeper {
    common: Arc<Common>,
    /// Batches so far.
    batches: u64,
    /// A batch of which nobody knows whether it was booked.
    unsure: Option<(Batch, Vec<Effect>)>,
    /// What the counters' memory is called.
    memory: Option<String>,
}

impl Keeper {
    pub(super) fn new(common: Arc<Common>) -> Self {
        Self { common, batches: 0, unsure: None, memory: None }
    }

    /// Finds them for the first time.
    ///
    /// # Errors
    /// When they cannot be reached within `patience`.
    pub(super) async fn begin(&mut self, patience: Duration) -> Result<(), SharedError> {
        let until = Instant::now() + patience;
        loop {
            match self.reach().await {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() + PAUSE >= until => return Err(error),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Never ends by itself.
    pub(super) async fn keep(mut self) {
        loop {
            if let Some(counters) = self.common.counters() {
                let why = self.serve(&counters).await;
                self.common.lose(&counters, &why);
            }
            while self.reach().await.is_err() {
                sleep(PAUSE).await;
            }
            tracing::info!(
                redis = %self.common.address,
                "the shared counters are back: what was counted here has been told"
            );
        }
    }

    /// Connects, and brings the counters up to date before any call asks them.
    async fn reach(&mut self) -> Result<(), SharedError> {
        let counters = Arc::new(self.common.address.connect(PATIENCE, LEASE).await?);
        self.check_memory(&counters).await?;
        self.tell_news(&counters).await?;
        self.renew(&counters).await?;
        self.common.find(counters);
        Ok(())
    }

    /// Until they are away.
    async fn serve(&mut self, counters: &Arc<SharedCounters>) -> SharedError {
        let mut beat = interval(RENEW_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.reset();
        let common = self.common.clone();
        loop {
            let lost = common.lost.notified();
            if !common.counters().is_some_and(|now| Arc::ptr_eq(&now, counters)) {
                return SharedError::Silent;
            }
            let done = tokio::select! {
                biased;
                () = lost => return SharedError::Silent,
                _ = beat.tick() => self.beat(counters).await,
                () = common.books.news.notified() => self.tell_news(counters).await,
            };
            if let Err(error) = done {
                return error;
            }
        }
    }

    async fn beat(&mut self, counters: &SharedCounters) -> Result<(), SharedError> {
        self.check_memory(counters).await?;
        self.renew(counters).await
    }

    /// Tells everything there is to tell.
    async fn tell_news(&mut self, counters: &SharedCounters) -> Result<(), SharedError> {
        loop {
            if self.unsure.is_none() {
                let (bookings, effects) = self.common.books.next(self.common.clock.now());
                if bookings.is_empty() {
                    if self.common.books.is_settled() {
                        self.common.settled.notify_waiters();
                        return Ok(());
                    }
                    continue;
                }
                self.unsure = Some((self.batch(bookings), effects));
            }
            self.send(counters).await?;
        }
    }

    fn batch(&mut self, bookings: Vec<Booking>) -> Batch {
        self.batches += 1;
        Batch { booker: self.common.node.clone(), number: self.batches, bookings }
    }

    /// Sends the batch of which nobody is sure, until somebody is.
    async fn send(&mut self, counters: &SharedCounters) -> Result<(), SharedError> {
        let Some((batch, effects)) = &self.unsure else { return Ok(()) };
        let booked = timeout(PATIENCE, counters.book(batch, None)).await;
        let places = booked.unwrap_or(Err(SharedError::Silent))?;
        self.common.books.told(effects, &places);
        self.unsure = None;
        Ok(())
    }

    async fn send_all(
        &mut self,
        counters: &SharedCounters,
        bookings: &[Booking],
    ) -> Result<(), SharedError> {
        for some in bookings.chunks(MOST_BOOKINGS) {
            self.send(counters).await?;
            self.unsure = Some((self.batch(some.to_vec()), Vec::new()));
        }
        self.send(counters).await
    }

    async fn renew(&mut self, counters: &SharedCounters) -> Result<(), SharedError> {
        let renewals = self.common.books.renewals();
        self.send_all(counters, &renewals).await
    }

    /// Counters that have lost what they held are told what was counted here.
    async fn check_memory(&mut self, counters: &SharedCounters) -> Result<(), SharedError> {
        let fresh = uuid::Uuid::new_v4().to_string();
        let name = timeout(PATIENCE, counters.memory(&fresh)).await;
        let name = name.unwrap_or(Err(SharedError::Silent))?;
        if self.memory.as_ref().is_some_and(|known| *known != name) {
            tracing::warn!(
                redis = %self.common.address,
                "the shared counters have lost what they held: what was counted here is told again"
            );
            let now = self.common.clock.now();
            self.unsure = None;
            let all = self.common.books.tell_all(&self.common.own.counted(now), now);
            self.memory = Some(name);
            return self.send_all(counters, &all).await;
        }
        self.memory = Some(name);
        Ok(())
    }
}
