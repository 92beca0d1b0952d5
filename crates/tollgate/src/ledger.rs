//! The ledger as the program keeps it: entries go into the journal where calls begin and end, and
//! from there to the database, in the background.
//!
//! A call waits for neither the disk's nor the database's good will: an entry is handed to the
//! kernel, which outlives the process, and made safe from a power loss within [`SYNC_EVERY`].

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use tollgate_model::Record;
use tollgate_store::{Entry, Journal, Store, StoreError, Tail, Unshipped};

/// The longest that what was written is in danger from a power loss.
const SYNC_EVERY: Duration = Duration::from_millis(100);
/// The database is given entries this often.
const SHIP_EVERY: Duration = Duration::from_millis(200);
/// After trouble with it.
const SHIP_AGAIN: Duration = Duration::from_secs(1);
/// Entries of one transaction.
const TOGETHER: usize = 1_000;
/// How long the end of the process waits for the database; what is not shipped then is shipped at
/// the next start.
const LAST_SHIPMENT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Ledger {
    journal: Arc<Journal>,
    lanes: AtomicUsize,
    pub shipped: AtomicU64,
    /// Times that the database did not take entries.
    pub refused: AtomicU64,
    /// Lines of the journal that are not as they were written.
    pub damaged: AtomicU64,
    /// Entries that the database will never take: they are named in the log.
    pub set_aside: AtomicU64,
}

impl Ledger {
    /// # Errors
    /// When the journal cannot be opened in `directory`.
    pub fn open(directory: &Path, instance: u32, workers: usize) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            journal: Arc::new(Journal::open(directory, instance, workers)?),
            lanes: AtomicUsize::new(0),
            shipped: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            set_aside: AtomicU64::new(0),
        }))
    }

    /// A lane of the journal for one more thread.
    #[must_use]
    pub fn lane(&self) -> usize {
        self.lanes.fetch_add(1, Ordering::Relaxed)
    }

    /// The call is about to leave; `entry` is what stands of it if nothing follows.
    pub fn leaves(&self, lane: usize, entry: &Entry<'_>) {
        self.journal.intent(lane, entry);
    }

    /// The call is over. Only those are entered that left for a provider, or that were refused to a
    /// known caller: who has no key cannot fill the ledger.
    pub fn ended(&self, lane: usize, record: &Record) {
        if record.attempts > 0 || (record.key.is_some() && record.fault.is_some()) {
            self.journal.outcome(lane, &Entry::of(record));
        }
    }

    /// Outcomes that are lost for ever, and those that wait for the disk.
    #[must_use]
    pub fn trouble(&self) -> (u64, u64) {
        (self.journal.lost(), self.journal.waiting() as u64)
    }

    /// Keeps the journal safe, and ships it, until the process ends.
    #[must_use]
    pub fn keep(self: &Arc<Self>, directory: &Path, store: Store) -> Keeping {
        let ledger = self.clone();
        let safe = tokio::spawn(async move {
            let mut was_well = true;
            loop {
                tokio::time::sleep(SYNC_EVERY).await;
                let journal = ledger.journal.clone();
                let synced = spawn_blocking(move || journal.sync()).await;
                let is_well = matches!(synced, Ok(Ok(())));
                if was_well && !is_well {
                    tracing::error!(
                        "the ledger's journal cannot be written: entries wait in memory"
                    );
                }
                was_well = is_well;
            }
        });
        let tail = Arc::new(Mutex::new(Tail::new(directory)));
        let shipping = Shipping { ledger: self.clone(), store, tail };
        let (end, ended) = oneshot::channel();
        Keeping { safe, shipping: tokio::spawn(shipping.run(ended)), end }
    }
}

/// The tasks that keep the ledger.
#[derive(Debug)]
pub struct Keeping {
    safe: JoinHandle<()>,
    shipping: JoinHandle<()>,
    end: oneshot::Sender<()>,
}

impl Keeping {
    /// Every call is over: ships what is left, within a bound.
    pub async fn close(self) {
        self.safe.abort();
        let _ = self.end.send(());
        if tokio::time::timeout(LAST_SHIPMENT, self.shipping).await.is_err() {
            tracing::warn!("the rest of the ledger stays in its journal until the next start");
        }
    }
}

struct Shipping {
    ledger: Arc<Ledger>,
    store: Store,
    tail: Arc<Mutex<Tail>>,
}

impl Shipping {
    async fn run(self, mut ended: oneshot::Receiver<()>) {
        let (mut was_well, mut last) = (true, false);
        loop {
            if last {
                // Nothing is written any more.
                let journal = self.ledger.journal.clone();
                let _ = spawn_blocking(move || journal.sync()).await;
            }
            let shipped = self.all().await;
            match &shipped {
                Ok(()) if !was_well => tracing::info!("the ledger is shipped again"),
                Err(error) if was_well => {
                    tracing::error!(%error, "the ledger waits in its journal")
                }
                _ => {}
            }
            was_well = shipped.is_ok();
            if last {
                return;
            }
            let pause = if was_well { SHIP_EVERY } else { SHIP_AGAIN };
            last = tokio::time::timeout(pause, &mut ended).await.is_ok();
        }
    }

    /// Ships what is there by now, a batch after the other.
    async fn all(&self) -> Result<(), Unshippable> {
        loop {
            let unshipped = self.with_tail(Tail::unshipped).await?;
            self.ship(&unshipped).await.inspect_err(|_| {
                self.ledger.refused.fetch_add(1, Ordering::Relaxed);
            })?;
            self.ledger.damaged.fetch_add(unshipped.damaged, Ordering::Relaxed);
            // What came meanwhile can wait: small batches cost the database as much as large ones.
            let more = unshipped.entries.len() >= TOGETHER;
            self.with_tail(|tail| tail.commit(unshipped)).await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Files are read and removed beside the runtime.
    async fn with_tail<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Tail) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let tail = self.tail.clone();
        let asked = move || ask(&mut tail.lock().unwrap_or_else(PoisonError::into_inner));
        spawn_blocking(asked).await.map_err(io::Error::other)?
    }

    async fn ship(&self, unshipped: &Unshipped) -> Result<(), StoreError> {
        for entries in unshipped.entries.chunks(TOGETHER) {
            match self.store.book(entries).await {
                Err(error) if error.is_about_values() => self.one_by_one(entries).await?,
                booked => self.count(booked?),
            }
        }
        Ok(())
    }

    /// One of them is such that the database will never take it: the others must not wait for it.
    async fn one_by_one(&self, entries: &[Entry<'_>]) -> Result<(), StoreError> {
        for entry in entries {
            match self.store.book(std::slice::from_ref(entry)).await {
                Err(error) if error.is_about_values() => {
                    self.ledger.set_aside.fetch_add(1, Ordering::Relaxed);
                    let id = entry.id.to_string();
                    tracing::error!(%error, id, "an entry of the ledger is set aside");
                }
                booked => self.count(booked?),
            }
        }
        Ok(())
    }

    fn count(&self, new: usize) {
        self.ledger.shipped.fetch_add(new as u64, Ordering::Relaxed);
    }
}

/// Why the ledger stays in its journal.
#[derive(Debug, thiserror::Error)]
enum Unshippable {
    #[error("the journal cannot be read or cleared: {0}")]
    Journal(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}
