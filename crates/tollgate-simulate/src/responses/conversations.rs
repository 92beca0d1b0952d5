//! Conversations: items that responses add to, made and read by calls of their own.

use super::stored::{Conversation, normal};
use super::stored_calls::page;
use super::told;
use crate::dialect::{Call, State};
use crate::ids;
use crate::openai;
use crate::refusal::Refusal;
use crate::script::Reply;
use serde_json::{Value, json};

fn found<'s>(call: &Call<'_>, state: &'s mut State) -> Result<&'s mut Conversation, Refusal> {
    openai::credentials(call.request)?;
    let id = call.named.get("id").unwrap_or_default();
    state.responses.conversations.iter_mut().find(|c| c.id == id).ok_or_else(|| {
        Refusal::new(
            404,
            "invalid_request_error",
            format!("Conversation with id '{id}' not found."),
        )
    })
}

fn written(conversation: &Conversation) -> Value {
    json!({
        "id": conversation.id,
        "object": "conversation",
        "created_at": 1_735_689_600,
        "metadata": conversation.metadata,
    })
}

/// The seed of a call; the same call twice makes two conversations.
fn seed(call: &Call<'_>, state: &State) -> u64 {
    let count = state.responses.conversations.len();
    ids::mix(ids::hash(&call.request.body), &count.to_le_bytes())
}

pub(super) fn create(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let body = if call.request.body.is_empty() {
        openai::credentials(call.request)?;
        json!({})
    } else {
        openai::body(call.request)?
    };
    let seed = seed(call, state);
    let id = ids::id("conv_", seed, 0, 48).to_lowercase();
    let metadata = if body["metadata"].is_object() { body["metadata"].clone() } else { json!({}) };
    state.responses.converse(id, metadata, normal(&body["items"], seed));
    let made = state.responses.conversations.back().map(written);
    Ok(told(call, &made.unwrap_or_default()))
}

pub(super) fn retrieve(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let told_of = written(found(call, state)?);
    Ok(told(call, &told_of))
}

pub(super) fn update(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let body = openai::body(call.request)?;
    let conversation = found(call, state)?;
    if body["metadata"].is_object() {
        conversation.metadata = body["metadata"].clone();
    }
    let told_of = written(conversation);
    Ok(told(call, &told_of))
}

pub(super) fn delete(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let id = found(call, state)?.id.clone();
    state.responses.conversations.retain(|c| c.id != id);
    Ok(told(call, &json!({"id": id, "object": "conversation.deleted", "deleted": true})))
}

pub(super) fn items(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let items = found(call, state)?.items.clone();
    Ok(told(call, &page(call.request, &items)?))
}

pub(super) fn add_items(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let body = openai::body(call.request)?;
    let seed = seed(call, state);
    let conversation = found(call, state)?;
    let added = normal(&body["items"], ids::mix(seed, &conversation.items.len().to_le_bytes()));
    conversation.items.extend(added.iter().cloned());
    Ok(told(
        call,
        &json!({
            "object": "list",
            "data": added,
            "first_id": added.first().map(|i| &i["id"]),
            "last_id": added.last().map(|i| &i["id"]),
            "has_more": false,
        }),
    ))
}

pub(super) fn item(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let wanted = call.named.get("item").unwrap_or_default();
    let item = found(call, state)?.items.iter().find(|i| i["id"] == wanted).cloned();
    let item = item.ok_or_else(|| {
        Refusal::new(404, "invalid_request_error", format!("Item with id '{wanted}' not found."))
    })?;
    Ok(told(call, &item))
}

pub(super) fn delete_item(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let wanted = call.named.get("item").unwrap_or_default();
    let conversation = found(call, state)?;
    conversation.items.retain(|i| i["id"] != wanted);
    let told_of = written(conversation);
    Ok(told(call, &told_of))
}
