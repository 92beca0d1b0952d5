//! Calls on stored responses: retrieve, delete, cancel, and the items that went in.

use super::stored::Kept;
use super::told;
use crate::dialect::{Call, State};
use crate::openai;
use crate::openai::wording::invalid;
use crate::refusal::Refusal;
use crate::script::{Reply, Request};
use serde_json::{Value, json};

fn found<'s>(call: &Call<'_>, state: &'s mut State) -> Result<&'s mut Kept, Refusal> {
    openai::credentials(call.request)?;
    let id = call.named.get("id").unwrap_or_default();
    state.responses.responses.iter_mut().find(|k| k.id == id).ok_or_else(|| no_such(id))
}

fn no_such(id: &str) -> Refusal {
    Refusal::new(404, "invalid_request_error", format!("Response with id '{id}' not found."))
}

pub(super) fn retrieve(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let kept = found(call, state)?;
    Ok(told(call, &kept.response.clone()))
}

pub(super) fn delete(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let id = found(call, state)?.id.clone();
    state.responses.responses.retain(|k| k.id != id);
    Ok(told(call, &json!({"id": id, "object": "response", "deleted": true})))
}

/// Only what runs in the background can be cancelled.
pub(super) fn cancel(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let kept = found(call, state)?;
    if kept.response["background"] != true {
        return Err(invalid("Cannot cancel a synchronous response."));
    }
    kept.response["status"] = json!("cancelled");
    kept.response["output"] = json!([]);
    kept.response["usage"] = Value::Null;
    Ok(told(call, &kept.response.clone()))
}

pub(super) fn input_items(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let items = found(call, state)?.input.clone();
    Ok(told(call, &page(call.request, &items)?))
}

/// A page of a list, newest first unless asked otherwise.
pub(super) fn page(request: &Request, items: &[Value]) -> Result<Value, Refusal> {
    let limit = match request.query_value("limit") {
        None => 20,
        Some(text) => match text.parse::<usize>() {
            Ok(limit @ 1..=100) => limit,
            _ => {
                return Err(invalid(format!("Invalid 'limit': expected a whole number from 1 to 100, but got '{text}' instead."))
                    .code("invalid_value")
                    .param("limit"));
            }
        },
    };
    let mut listed: Vec<&Value> = items.iter().collect();
    if request.query_value("order") != Some("asc") {
        listed.reverse();
    }
    if let Some(after) = request.query_value("after") {
        let at = listed.iter().position(|i| i["id"] == after);
        listed = listed.split_off(at.map_or(listed.len(), |at| at + 1));
    }
    let has_more = listed.len() > limit;
    listed.truncate(limit);
    Ok(json!({
        "object": "list",
        "data": listed,
        "first_id": listed.first().map(|i| &i["id"]),
        "last_id": listed.last().map(|i| &i["id"]),
        "has_more": has_more,
    }))
}
