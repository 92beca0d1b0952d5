//! What rests at a provider between two calls. A request that refers to it is bound to the provider
//! that holds it, and only its owner may refer to it: whose it is stands in the table of objects.
//! What an answer leaves at its provider is entered there before its id leaves the gateway.
//!
//! Deliberately absent: any difference between an id that is another team's and one that never was.

use std::sync::Arc;

use tollgate_model::{DialectId, Event, Fault, FaultKind, Lane, Source};
use tollgate_store::{ObjectKind, StoredObject};
use tollgate_wire::Operation;
use tollgate_wire::resting::{self, Kind, Reference};

use super::call::{Answer, Said};
use super::plan::Target;
use super::read::Ask;
use crate::gateway::Caller;
use crate::objects;
use crate::worker::{Shared, Worker};

/// How long OpenAI keeps a response.
const RESPONSE_SECONDS: i64 = 30 * 24 * 3600;

/// What a request has to do with what rests.
#[derive(Debug, Default)]
pub struct Held {
    /// The object that holds the call to its provider.
    pub at: Option<Arc<StoredObject>>,
    /// The field that only a provider of the caller's own dialect can honour.
    binds: Option<&'static str>,
    /// Such a provider keeps the answer.
    kept: bool,
}

/// Finds what the request refers to.
///
/// # Errors
/// `NotFound` for what is not the caller's, `InvalidRequest` for a reference of a wrong type, or
/// one to things that rest at different providers.
pub async fn find(worker: &Worker, caller: &Caller, ask: &Ask) -> Result<Held, Fault> {
    if let Some(about) = ask.about() {
        let at = match about.id {
            Some(id) => {
                let (kind, id) = (about.kind, id.to_owned());
                Some(owned(worker, caller, &Reference { kind, id, param: "" }).await?)
            }
            None => None,
        };
        return Ok(Held { at, ..Held::default() });
    }
    let Some(scan) = ask.scan.as_ref().filter(|_| asks_model(ask.operation())) else {
        return Ok(Held::default());
    };
    let rests = resting::rests(ask.dialect.id(), &ask.body, scan)?;
    let mut held = Held { at: None, binds: rests.binds, kept: rests.kept };
    for reference in &rests.refers {
        let object = owned(worker, caller, reference).await?;
        if held.at.as_ref().is_some_and(|at| at.provider != object.provider) {
            let message = "What the request refers to rests at different providers.";
            return Err(Fault::invalid_field(reference.param, message));
        }
        held.at.get_or_insert(object);
    }
    Ok(held)
}

fn asks_model(operation: Operation) -> bool {
    matches!(operation, Operation::Chat | Operation::CountTokens | Operation::Compact)
}

async fn owned(
    worker: &Worker,
    caller: &Caller,
    of: &Reference,
) -> Result<Arc<StoredObject>, Fault> {
    let found = worker.shared.objects.find(&caller.team.name, stored(of.kind), &of.id).await?;
    found.ok_or_else(|| match (of.kind, of.param) {
        (Kind::Response, param) if !param.is_empty() => {
            let mut fault = objects::missing("Previous response", &of.id);
            fault.param = Some(param.to_owned());
            fault.with_code("previous_response_not_found")
        }
        (kind, param) => {
            let param = Some(param).filter(|param| !param.is_empty()).map(str::to_owned);
            Fault { param, ..objects::missing(kind.noun(), &of.id) }
        }
    })
}

fn stored(kind: Kind) -> ObjectKind {
    match kind {
        Kind::Response => ObjectKind::Response,
        Kind::Conversation => ObjectKind::Conversation,
        Kind::Item => ObjectKind::Item,
    }
}

impl Held {
    /// Leaves the targets that can honour what the request refers to.
    ///
    /// # Errors
    /// `Unsupported` when none speaks the dialect that it is said in, `InvalidRequest` when none is
    /// the provider that holds it.
    pub fn narrow(&self, targets: &mut Vec<Target>, ask: &Ask) -> Result<(), Fault> {
        let own = ask.dialect.id();
        if let Some(param) = self.binds {
            let speaks = |target: &Target| target.spoken(ask).map(|spoken| spoken.dialect.id());
            targets.retain(|target| speaks(target) == Some(own));
            if targets.is_empty() {
                return Err(no_dialect(param, ask.model.as_str(), own));
            }
        }
        if let Some(at) = &self.at {
            targets.retain(|target| target.upstream.name == at.provider);
            if targets.is_empty() {
                let message = format!(
                    "What the request refers to rests at the provider `{}`, to which the model \
                     `{}` does not lead.",
                    at.provider, ask.model
                );
                let param = self.binds.unwrap_or("model");
                return Err(Fault::invalid_field(param, message).with_code("rests_elsewhere"));
            }
        }
        Ok(())
    }
}

fn no_dialect(param: &str, model: &str, dialect: DialectId) -> Fault {
    let message = format!(
        "`{param}` needs a provider that speaks {dialect} and keeps what it is told; the model \
         `{model}` leads to none. Send the whole conversation in `input` instead."
    );
    let fault = Fault::new(FaultKind::Unsupported, Source::Downstream, message);
    Fault { param: Some(param.to_owned()), ..fault }.with_code("stateless_target")
}

/// What is left to enter at the end of a stream.
#[derive(Debug)]
pub struct Keep {
    shared: Arc<Shared>,
    dialect: DialectId,
    response: StoredObject,
}

/// What an answer leaves at its provider, or ended there.
#[derive(Debug, Default)]
pub struct Leaves {
    entries: Vec<StoredObject>,
    /// Nothing but their ids was asked for.
    made: bool,
    ended: Option<StoredObject>,
    keep: Option<Keep>,
}

/// Finds it in an answer.
#[must_use]
pub fn leaves(
    worker: &Worker,
    caller: &Caller,
    (ask, held): (&Ask, &Held),
    answer: &Answer,
) -> Leaves {
    let entry = |kind: ObjectKind, id: String, model: Option<&str>| StoredObject {
        kind,
        id,
        team: caller.team.name.clone(),
        made_by: caller.key.clone(),
        provider: answer.target.upstream.name.clone(),
        model: model.filter(|model| !model.is_empty()).map(str::to_owned),
        created: objects::now(),
        expires: (kind != ObjectKind::Conversation).then(|| objects::now() + RESPONSE_SECONDS),
    };
    if let Some(about) = ask.about() {
        let kind = stored(about.kind);
        let made = match (about.id, &answer.said) {
            (None, Said::Object(bytes)) => resting::made(bytes),
            _ => None,
        };
        let entries: Vec<_> = made.into_iter().map(|id| entry(kind, id, None)).collect();
        let ended = about.id.filter(|_| about.ends).map(|id| entry(kind, id.to_owned(), None));
        return Leaves { entries, made: true, ended, keep: None };
    }
    let dialect = ask.dialect.id();
    let kept = held.kept && answer.target.upstream.keeps();
    if !kept || answer.dialect.id() != dialect || ask.operation() != Operation::Chat {
        return Leaves::default();
    }
    let (events, bytes) = match &answer.said {
        Said::Chat { events, bytes } => (events.as_slice(), Some(bytes)),
        Said::Stream(source) => (source.begun(), None),
        _ => return Leaves::default(),
    };
    let Some(Event::Start { id: Some(id), .. }) = events.first() else { return Leaves::default() };
    let response = entry(ObjectKind::Response, id.clone(), Some(&answer.target.model));
    let verbatim = answer.lane == Lane::Verbatim;
    let mut entries = vec![response.clone()];
    if let Some(bytes) = bytes.filter(|_| verbatim) {
        entries.extend(items_of(&response, resting::items(dialect, bytes)));
    }
    let shared = worker.shared.clone();
    let keep = (bytes.is_none() && verbatim).then_some(Keep { shared, dialect, response });
    Leaves { entries, keep, ..Leaves::default() }
}

impl Leaves {
    /// Enters what is left with its owner, and forgets what is no more. Gives what is yet to be
    /// entered when the stream ends.
    ///
    /// # Errors
    /// `Unavailable`, when nothing but an id was asked for and its owner cannot be entered.
    pub async fn enter(self, worker: &Worker) -> Result<Option<Keep>, Fault> {
        let objects = &worker.shared.objects;
        if let Some(StoredObject { team, kind, id, .. }) = &self.ended {
            objects.forget(team, *kind, id).await?;
        }
        if self.entries.is_empty() {
            return Ok(self.keep);
        }
        match objects.enter(self.entries).await {
            Ok(()) => Ok(self.keep),
            Err(fault) if self.made => Err(fault),
            Err(fault) => {
                // The answer is there and paid for: it is not withheld for a table that does not
                // answer.
                tracing::error!(%fault, note = fault.note, "a stored response has no owner");
                Ok(None)
            }
        }
    }
}

fn items_of(response: &StoredObject, ids: Vec<String>) -> impl Iterator<Item = StoredObject> {
    let kind = ObjectKind::Item;
    ids.into_iter().map(move |id| StoredObject { kind, id, ..response.clone() })
}

impl Keep {
    /// The stream ends with these frames: the items in it are entered before any later question
    /// about them is answered.
    pub fn end(&self, frames: &[u8]) {
        let ids = resting::items_at_end(self.dialect, frames);
        let entries: Vec<StoredObject> = items_of(&self.response, ids).collect();
        if !entries.is_empty() {
            self.shared.objects.enter_soon(entries);
        }
    }
}
