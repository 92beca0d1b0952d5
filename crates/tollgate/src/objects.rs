//! Whose is what rests at a provider, and which target holds it: the table of objects and owners
//! as calls use it. A write is on disk when it returns; writes of many calls at once share one
//! trip to the disk. What was lately written or found is answered from memory.
//!
//! Deliberately not here: the objects themselves, which stay with their providers, and any
//! difference between an id that is another team's and one that never was.

mod recent;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tollgate_model::{Fault, FaultKind, Source};
use tollgate_store::{ObjectKind, Store, StoreError, StoredObject};

use recent::Recent;

/// Asks that wait for the table; further ones wait for their place.
const MOST_WAITING: usize = 4096;
/// Asks that are answered together.
const TOGETHER: usize = 256;
/// A table that does not answer for so long is taken for gone.
const PATIENCE: Duration = Duration::from_secs(10);
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// Objects of one kind that a team may have; the oldest beyond are forgotten.
const MOST_OWNED: u32 = 200_000;

/// The table of objects and owners.
#[derive(Debug)]
pub struct Objects {
    asks: mpsc::Sender<Ask>,
    recent: Mutex<Recent>,
}

/// An object by its owner, kind and id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Named {
    pub team: String,
    pub kind: ObjectKind,
    pub id: String,
}

#[derive(Debug)]
enum Ask {
    Enter(Vec<StoredObject>, oneshot::Sender<Result<(), StoreError>>),
    Find(Named, oneshot::Sender<Result<Option<StoredObject>, StoreError>>),
    Turn(Named, Turn, oneshot::Sender<Result<bool, StoreError>>),
    Forget(Named, oneshot::Sender<Result<bool, StoreError>>),
    List((String, ObjectKind), (u32, u32), oneshot::Sender<Result<Vec<StoredObject>, StoreError>>),
}

/// What an object's model is, and what it is to be.
type Turn = (&'static str, &'static str);

impl Objects {
    /// The table of `store`, and the task that keeps it on the runtime of the caller.
    #[must_use]
    pub fn start(store: Store) -> (Self, JoinHandle<()>) {
        let (asks, asked) = mpsc::channel(MOST_WAITING);
        let keeper = tokio::spawn(keep(store, asked));
        (Self { asks, recent: Mutex::default() }, keeper)
    }

    /// Enters objects with their owners, all or none. They are on disk when this returns.
    ///
    /// # Errors
    /// `Unavailable`, when the table cannot take them.
    pub async fn enter(&self, objects: Vec<StoredObject>) -> Result<(), Fault> {
        self.asked(|answer| Ask::Enter(objects.clone(), answer)).await?;
        self.doubt(&objects);
        Ok(())
    }

    /// Enters objects without waiting. Whoever asks for them later finds them, since questions wait
    /// behind them; what the disk has of them is not known.
    pub fn enter_soon(&self, objects: Vec<StoredObject>) {
        self.doubt(&objects);
        let (answer, _) = oneshot::channel();
        if self.asks.try_send(Ask::Enter(objects, answer)).is_err() {
            tracing::error!("objects have no owner: their table takes no more");
        }
    }

    /// Read back when first asked for: the ids may have been another provider's before.
    fn doubt(&self, objects: &[StoredObject]) {
        let mut recent = self.recent();
        objects.iter().for_each(|object| recent.forget(&Named::of(object)));
    }

    /// The team's object of that id; `None` for one that is not there or another team's.
    ///
    /// # Errors
    /// `Unavailable`, when the table cannot be read.
    pub async fn find(
        &self,
        team: &str,
        kind: ObjectKind,
        id: &str,
    ) -> Result<Option<Arc<StoredObject>>, Fault> {
        let named = Named { team: team.to_owned(), kind, id: id.to_owned() };
        if let Some(object) = self.recent().find(&named, now()) {
            return Ok(Some(object));
        }
        let found = self.asked(|answer| Ask::Find(named.clone(), answer)).await?.map(Arc::new);
        if let Some(object) = &found {
            self.recent().keep(named, object.clone());
        }
        Ok(found)
    }

    /// Turns an object's model into another, where it is what it is thought to be. Of many who try
    /// at once, in however many processes, one is told that it did.
    ///
    /// # Errors
    /// `Unavailable`, when the table cannot be written.
    pub async fn turn(&self, named: Named, turn: Turn) -> Result<bool, Fault> {
        let turned = self.asked(|answer| Ask::Turn(named.clone(), turn, answer)).await?;
        self.recent().forget(&named);
        Ok(turned)
    }

    /// Forgets an object, as its provider did. Whether there was one.
    ///
    /// # Errors
    /// `Unavailable`, when the table cannot be written.
    pub async fn forget(&self, team: &str, kind: ObjectKind, id: &str) -> Result<bool, Fault> {
        let named = Named { team: team.to_owned(), kind, id: id.to_owned() };
        let forgotten = self.asked(|answer| Ask::Forget(named.clone(), answer)).await?;
        self.recent().forget(&named);
        Ok(forgotten)
    }

    /// A page (offset, length) of the team's objects of a kind, newest first.
    ///
    /// # Errors
    /// `Unavailable`, when the table cannot be read.
    pub async fn list(
        &self,
        team: &str,
        kind: ObjectKind,
        page: (u32, u32),
    ) -> Result<Vec<StoredObject>, Fault> {
        self.asked(|answer| Ask::List((team.to_owned(), kind), page, answer)).await
    }

    async fn asked<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Ask,
    ) -> Result<T, Fault> {
        let (answer, answered) = oneshot::channel();
        let asked = async {
            self.asks.send(ask(answer)).await.ok()?;
            answered.await.ok()
        };
        match timeout(PATIENCE, asked).await {
            Ok(Some(Ok(answer))) => Ok(answer),
            Ok(Some(Err(error))) => Err(unavailable(&error.to_string())),
            Ok(None) => Err(unavailable("its keeper is gone")),
            Err(_) => Err(unavailable("it does not answer in time")),
        }
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Named {
    #[must_use]
    pub fn of(object: &StoredObject) -> Self {
        Self { team: object.team.clone(), kind: object.kind, id: object.id.clone() }
    }
}

/// The refusal of an id that this caller has no object for, whoever else may have one. `noun` is
/// the dialect's word for the object.
#[must_use]
pub fn missing(noun: &str, id: &str) -> Fault {
    let id: String = id.chars().filter(|c| !c.is_control()).take(80).collect();
    let message = format!("{noun} with id '{id}' not found.");
    Fault::new(FaultKind::NotFound, Source::Downstream, message)
}

/// Unix seconds.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn unavailable(note: &str) -> Fault {
    let message = "The gateway cannot look up or enter the owner of an object right now.";
    Fault::new(FaultKind::Unavailable, Source::Internal, message)
        .with_code("objects_unavailable")
        .with_note(note)
}

/// Answers asks, many together, until nobody can ask any more.
async fn keep(store: Store, mut asked: mpsc::Receiver<Ask>) {
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut batch = Vec::with_capacity(TOGETHER);
    loop {
        tokio::select! {
            count = asked.recv_many(&mut batch, TOGETHER) => {
                if count == 0 {
                    return;
                }
                answer(&store, &mut batch).await;
            }
            _ = sweep.tick() => match store.sweep_objects(now(), MOST_OWNED).await {
                Ok(0) => {}
                Ok(forgotten) => tracing::info!(forgotten, "objects whose time is over"),
                Err(error) => tracing::warn!(%error, "objects cannot be swept"),
            },
        }
    }
}

/// What is entered comes first, in one trip. Whoever no longer waits for an answer is not told.
async fn answer(store: &Store, batch: &mut Vec<Ask>) {
    let mut entering = Vec::new();
    let mut others = Vec::new();
    for ask in batch.drain(..) {
        match ask {
            Ask::Enter(objects, answer) => entering.push((objects, answer)),
            other => others.push(other),
        }
    }
    enter_all(store, entering).await;
    for ask in others {
        match ask {
            Ask::Enter(..) => {}
            Ask::Find(Named { team, kind, id }, answer) => {
                let _ = answer.send(store.object(&team, kind, &id, now()).await);
            }
            Ask::Turn(Named { team, kind, id }, (from, to), answer) => {
                let _ = answer.send(store.turn_object((&team, kind, &id), from, to).await);
            }
            Ask::Forget(Named { team, kind, id }, answer) => {
                let _ = answer.send(store.delete_object(&team, kind, &id).await);
            }
            Ask::List((team, kind), page, answer) => {
                let _ = answer.send(store.objects(&team, kind, now(), page).await);
            }
        }
    }
}

/// Objects that are to be kept together, and who waits to hear that they are.
type Entering = (Vec<StoredObject>, oneshot::Sender<Result<(), StoreError>>);

async fn enter_all(store: &Store, entering: Vec<Entering>) {
    let all: Vec<StoredObject> =
        entering.iter().flat_map(|(objects, _)| objects).cloned().collect();
    if all.is_empty() {
        return;
    }
    let together = store.insert_objects(&all).await;
    for (objects, answer) in entering {
        let entered = match &together {
            Ok(()) => Ok(()),
            // One that cannot be kept does not spoil the others.
            Err(_) => store.insert_objects(&objects).await,
        };
        let _ = answer.send(entered);
    }
}
