//! The ledger as the program keeps it: entries go into the journal where calls begin and end, and
//! from there to the database, in the background.
//!
//! A call waits for neither the disk's nor the database's good will: an entry is handed to the
//! kernel, which outlives the process, and made safe from a power loss within [`SYNC_EVERY`].

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

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
    pub fn open(directory: &Path, instance: u32, workers: usize) -> std::io::Result<Arc<Self>> {
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
        let shipping = Shipping { ledger: self.clone(), store, tail: Tail::new(directory) };
        let (end, ended) = tokio::sync::oneshot::channel();
        Keeping { safe, shipping: tokio::spawn(shipping.run(ended)), end }
    }
}

/// The tasks that keep the ledger.
#[derive(Debug)]
pub struct Keeping {
    safe: JoinHandle<()>,
    shipping: JoinHandle<()>,
    end: tokio::sync::oneshot::Sender<()>,
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
    tail: Tail,
}

impl Shipping {
    async fn run(mut self, mut ended: tokio::sync::oneshot::Receiver<()>) {
        let mut was_well = true;
        loop {
            // Asked before the last look, so that nothing is written after it.
            let last = ended.try_recv().is_ok();
            let (tail, shipped) = self.once().await;
            self.tail = tail;
            match &shipped {
                Ok(true) => continue,
                Ok(false) => {
                    if !was_well {
                        tracing::info!("the database takes the ledger again");
                    }
                }
                Err(error) => {
                    self.ledger.refused.fetch_add(1, Ordering::Relaxed);
                    if was_well {
                        tracing::error!(%error, "the ledger waits in its journal");
                    }
                }
            }
            was_well = shipped.is_ok();
            if last {
                return;
            }
            let pause = if was_well { SHIP_EVERY } else { SHIP_AGAIN };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = &mut ended => {
                    let (tail, _) = self.once().await;
                    self.tail = tail;
                    return;
                }
            }
        }
    }

    /// Ships what is there by now; whether there may be more.
    async fn once(&mut self) -> (Tail, Result<bool, StoreError>) {
        let placeholder = Tail::new(Path::new(""));
        let mut tail = std::mem::replace(&mut self.tail, placeholder);
        let read = spawn_blocking(move || {
            let read = tail.unshipped();
            (tail, read)
        });
        let Ok((mut tail, read)) = read.await else {
            return (Tail::new(Path::new("")), Ok(false));
        };
        let unshipped = match read {
            Ok(unshipped) => unshipped,
            Err(error) => {
                tracing::error!(%error, "the ledger's journal cannot be read");
                return (tail, Ok(false));
            }
        };
        let done = self.ship(&unshipped).await;
        let more = !unshipped.entries.is_empty();
        if done.is_ok() {
            self.ledger.damaged.fetch_add(unshipped.damaged, Ordering::Relaxed);
            if let Err(error) = tail.commit(unshipped) {
                tracing::warn!(%error, "a file of the journal cannot be removed");
                return (tail, Ok(false));
            }
        }
        (tail, done.map(|()| more))
    }

    async fn ship(&self, unshipped: &Unshipped) -> Result<(), StoreError> {
        for entries in unshipped.entries.chunks(TOGETHER) {
            match self.store.book(entries).await {
                Ok(new) => drop(self.ledger.shipped.fetch_add(new as u64, Ordering::Relaxed)),
                Err(error) if error.is_about_values() => self.one_by_one(entries).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One of them is such that the database will never take it: the others must not wait for it.
    async fn one_by_one(&self, entries: &[Entry<'_>]) -> Result<(), StoreError> {
        for entry in entries {
            match self.store.book(std::slice::from_ref(entry)).await {
                Ok(new) => drop(self.ledger.shipped.fetch_add(new as u64, Ordering::Relaxed)),
                Err(error) if error.is_about_values() => {
                    self.ledger.set_aside.fetch_add(1, Ordering::Relaxed);
                    let id = entry.id.to_string();
                    tracing::error!(%error, id, "an entry of the ledger is set aside");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
