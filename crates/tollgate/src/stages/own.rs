//! Whose is what a request names, and what its answer made? Objects that rest at a provider are
//! found by their owner only, before the call; what the call made or ended is entered before its
//! answer leaves.

mod batch;
mod lines;

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tollgate_model::Fault;
use tollgate_store::{ObjectKind, StoredObject};

use super::authorize::Grant;
use super::call::{Answer, Said};
use super::read::Ask;
use crate::errand::{self, Touches};
use crate::objects::{self, Objects};
use crate::worker::Worker;

pub use batch::writes_usage;
pub use lines::authorize as authorize_lines;
pub(super) use lines::is_for_batch;

/// How many of its own objects a list is compared with.
const MOST_LISTED: u32 = 200_000;

/// The object that a request is about, found for its owner; of several the first.
///
/// # Errors
/// `NotFound` for one that is not there, or somebody else's.
pub async fn find(
    worker: &Worker,
    grant: &Grant,
    ask: &Ask,
) -> Result<Option<Arc<StoredObject>>, Fault> {
    let objects = &worker.shared.objects;
    let Some(errand) = &ask.errand else {
        // Whoever names somebody's file would be told what it holds.
        if errand::names_a_file(&ask.body) {
            named(objects, grant, &ask.body, |kind| kind == ObjectKind::File).await?;
        }
        return Ok(None);
    };
    let mut found = None;
    if let Some(touches) = &errand.touches {
        if let Some(id) = &touches.id {
            let object = objects.find(grant.team(), touches.kind, id).await?;
            let there = |object: &Arc<StoredObject>| {
                errand.provider.as_ref().is_none_or(|named| *named == object.provider)
            };
            found = Some(object.filter(there).ok_or_else(|| touches.missing())?);
        } else if !touches.is_made(&ask.method) && !touches.is_listed(&ask.method) {
            return Err(errand::not_there(&errand.path));
        }
    }
    let also = named(objects, grant, &ask.body, |_| true).await?;
    Ok(found.or(also))
}

/// The first of the objects that a body names; all of them are the caller's own.
async fn named(
    objects: &Objects,
    grant: &Grant,
    body: &[u8],
    wanted: impl Fn(ObjectKind) -> bool,
) -> Result<Option<Arc<StoredObject>>, Fault> {
    let mut first = None;
    if body.is_empty() {
        return Ok(first);
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    for (kind, id) in errand::named_in(&body).into_iter().filter(|(kind, _)| wanted(*kind)) {
        let object = objects.find(grant.team(), kind, id).await?;
        let object = object.ok_or_else(|| errand::not_there(id))?;
        first.get_or_insert(object);
    }
    Ok(first)
}

/// Enters what an answer made, forgets what it ended, and leaves in a list only what is one's own.
///
/// # Errors
/// `Unavailable`, when the table cannot be written: what was made is then nobody's.
pub async fn keep(
    worker: &Worker,
    grant: &Grant,
    ask: &Ask,
    answer: &mut Answer,
) -> Result<(), Fault> {
    let Some(touches) = ask.errand.as_ref().and_then(|errand| errand.touches.as_ref()) else {
        return Ok(());
    };
    if let (Said::Passing(passing), Some(held)) = (&mut answer.said, &ask.held)
        && writes_usage(ask)
    {
        passing.books_by(batch::claim(worker, held));
    }
    let Said::Told { bytes, .. } = &mut answer.said else { return Ok(()) };
    let provider = answer.target.upstream.name.clone();
    let table = &worker.shared.objects;
    let Ok(mut said) = serde_json::from_slice::<Value>(bytes) else {
        return if touches.is_listed(&ask.method) { Err(unreadable()) } else { Ok(()) };
    };
    if touches.is_deleted(&ask.method) {
        let id = touches.id.as_deref().unwrap_or_default();
        table.forget(grant.team(), touches.kind, id).await?;
        return Ok(());
    }
    if touches.is_listed(&ask.method) {
        let page = (0, MOST_LISTED);
        let own = table.list(grant.team(), touches.kind, page).await?;
        let own = own.into_iter().filter(|object| object.provider == provider);
        only_own(&mut said, touches, &own.map(|object| object.id).collect());
        batch::tell_here(ask, &answer.target.upstream.root, &mut said);
        *bytes = Bytes::from(said.to_string());
        return Ok(());
    }
    if touches.is_made(&ask.method)
        && let Some(id) = id_of(&said)
    {
        let model = batch::model_of_made(ask, touches);
        let object = made(grant, (touches.kind, touches.kept(id)), &provider, model);
        table.enter(vec![object]).await?;
    }
    if touches.kind == ObjectKind::Batch {
        for file in batch::written((grant, ask), &provider, &said) {
            if table.find(grant.team(), file.kind, &file.id).await?.is_none() {
                table.enter(vec![file]).await?;
            }
        }
        if batch::tell_here(ask, &answer.target.upstream.root, &mut said) {
            *bytes = Bytes::from(said.to_string());
        }
    }
    Ok(())
}

/// An object that a call has made at a provider.
fn made(
    grant: &Grant,
    (kind, id): (ObjectKind, String),
    provider: &str,
    model: Option<&str>,
) -> StoredObject {
    StoredObject {
        kind,
        id,
        team: grant.team().to_owned(),
        made_by: grant.key().to_owned(),
        provider: provider.to_owned(),
        model: model.map(str::to_owned),
        created: objects::now(),
        expires: None,
    }
}

/// Leaves the entries that are among `own`, under whichever name the list has them.
fn only_own(said: &mut Value, touches: &Touches, own: &HashSet<String>) {
    let Value::Object(members) = said else {
        *said = Value::Null;
        return;
    };
    for (_, value) in members.iter_mut() {
        let Value::Array(entries) = value else { continue };
        entries.retain(|entry| id_of(entry).is_some_and(|id| own.contains(&touches.kept(id))));
    }
    for (name, at) in [("first_id", 0), ("last_id", usize::MAX)] {
        if !members.contains_key(name) {
            continue;
        }
        let data = members.get("data").and_then(Value::as_array);
        let entry = data.and_then(|data| if at == 0 { data.first() } else { data.last() });
        let id = entry.and_then(id_of).map_or(Value::Null, Value::from);
        members.insert(name.to_owned(), id);
    }
}

/// `id`, or what Google calls so.
fn id_of(object: &Value) -> Option<&str> {
    let named = |object: &Value| object.get("id").is_some() || object.get("name").is_some();
    let object = if named(object) { object } else { object.get("file")? };
    object.get("id").or_else(|| object.get("name"))?.as_str()
}

fn unreadable() -> Fault {
    Fault::bad_upstream("The provider's list cannot be read.")
}
