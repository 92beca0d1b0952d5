//! What batches wrote: whose it is, where it is read, and that what its lines used is booked once.

use std::sync::Arc;

use http::Uri;
use serde_json::Value;
use tollgate_store::{ObjectKind, StoredObject};
use tollgate_wire::batches::{self, Lines};

use super::made;
use crate::errand::Touches;
use crate::objects::Named;
use crate::passing::Claim;
use crate::stages::authorize::Grant;
use crate::stages::read::Ask;
use crate::worker::Worker;

/// The model of what a batch wrote, and of what of it is booked.
const OUTPUT: &str = "batch-output";
const BOOKED: &str = "batch-output-booked";
/// Below a file, what it holds.
const CONTENT: &str = "content";

fn lines(ask: &Ask) -> Option<Lines> {
    batches::of(ask.dialect.id()).map(|batches| batches.lines)
}

/// The answer is what a batch wrote, and its lines were not booked yet.
#[must_use]
pub fn writes_usage(ask: &Ask) -> bool {
    let touches = ask.errand.as_ref().and_then(|errand| errand.touches.as_ref());
    let (Some(touches), Some(held), Some(lines)) = (touches, &ask.held, lines(ask)) else {
        return false;
    };
    let below = match lines {
        Lines::InFiles { .. } => CONTENT,
        Lines::InBatch { results, .. } => results,
    };
    touches.rest == below && held.model.as_deref() == Some(OUTPUT)
}

/// Granted to one of those who read it to its end.
pub(super) fn claim(worker: &Worker, held: &Arc<StoredObject>) -> Claim {
    let (shared, named) = (worker.shared.clone(), Named::of(held));
    Claim::new(async move { shared.objects.turn(named, (OUTPUT, BOOKED)).await })
}

/// The model of what a call made: a batch in which its answered lines are read has not been booked.
pub(super) fn model_of_made(ask: &Ask, touches: &Touches) -> Option<&'static str> {
    let holds = matches!(lines(ask), Some(Lines::InBatch { .. }));
    (holds && touches.kind == ObjectKind::Batch).then_some(OUTPUT)
}

/// Files that a batch names as what it wrote belong to who made the batch.
pub(super) fn written(
    (grant, ask): (&Grant, &Ask),
    provider: &str,
    said: &Value,
) -> Vec<StoredObject> {
    let Some(Lines::InFiles { written, .. }) = lines(ask) else { return Vec::new() };
    let named = written.iter().filter_map(|name| said.get(*name)?.as_str());
    let file = |id: &str| {
        let model = Some(OUTPUT);
        made(grant, (ObjectKind::File, id.to_owned()), provider, model)
    };
    named.map(file).collect()
}

/// Where answered lines are read is told as a path of this host: what a provider tells is its own
/// address, where a caller's key would be shown to somebody else. Whether there was any to tell.
pub(super) fn tell_here(ask: &Ask, root: &str, said: &mut Value) -> bool {
    let Some(Lines::InBatch { told, .. }) = lines(ask) else { return false };
    let mut changed = false;
    let mut tell = |batch: &mut Value| {
        let Some(place) = batch.get_mut(told).filter(|place| place.is_string()) else { return };
        let there = place.as_str().and_then(|there| there.parse::<Uri>().ok());
        let path =
            there.as_ref().map(|there| there.path().strip_prefix(root).unwrap_or(there.path()));
        *place = path.map_or(Value::Null, Value::from);
        changed = true;
    };
    match said.get_mut("data").and_then(Value::as_array_mut) {
        Some(list) => list.iter_mut().for_each(tell),
        None => tell(said),
    }
    changed
}
