//! Message batches: the requests stand in the call that makes one, and are answered when the batch is
//! asked about for the second time.

use super::wording::invalid;
use crate::dialect::{Call, Named, State};
use crate::ids;
use crate::refusal::Refusal;
use crate::script::{Frame, Part, Reply, Request};
use bytes::Bytes;
use serde_json::{Value, json};

const MOST_BATCHES: usize = 1_000;
const MOST_REQUESTS: usize = 100_000;
const CREATED: &str = "2025-01-01T00:00:00Z";
const EXPIRES: &str = "2025-01-02T00:00:00Z";
/// Where this provider says that its batches' results are: an address of its own.
const HOST: &str = "https://api.anthropic.test";

/// The batches of a provider.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    kept: Vec<Batch>,
    made: u64,
}

#[derive(Debug, Clone)]
struct Batch {
    id: String,
    requests: Vec<Value>,
    /// How often it was asked about.
    asked: u32,
    cancelled: bool,
    /// A line for each request, once it has ended.
    results: Option<String>,
    /// Answered, refused, cancelled.
    counts: [u64; 3],
}

impl Batch {
    fn told(&self) -> Value {
        let status = match (&self.results, self.cancelled) {
            (Some(_), _) => "ended",
            (None, true) => "canceling",
            (None, false) => "in_progress",
        };
        let [succeeded, errored, canceled] = self.counts;
        let processing = self.requests.len() as u64 - succeeded - errored - canceled;
        let ended = self.results.as_ref().map(|_| CREATED);
        let url = ended.map(|_| format!("{HOST}/v1/messages/batches/{}/results", self.id));
        json!({
            "id": self.id, "type": "message_batch", "processing_status": status,
            "request_counts": {"processing": processing, "succeeded": succeeded,
                "errored": errored, "canceled": canceled, "expired": 0},
            "created_at": CREATED, "expires_at": EXPIRES, "ended_at": ended, "archived_at": null,
            "cancel_initiated_at": self.cancelled.then_some(CREATED), "results_url": url,
        })
    }

    /// Answers every request, or none of a batch that was cancelled.
    fn end(&mut self, call: &Request, state: &mut State) {
        let mut lines = String::new();
        for asked in &self.requests {
            let result = if self.cancelled {
                json!({"type": "canceled"})
            } else {
                answered(asked, call, state)
            };
            let counted = match result["type"].as_str() {
                Some("succeeded") => 0,
                Some("errored") => 1,
                _ => 2,
            };
            self.counts[counted] += 1;
            lines.push_str(&json!({"custom_id": asked["custom_id"], "result": result}).to_string());
            lines.push('\n');
        }
        self.results = Some(lines);
    }
}

fn answered(asked: &Value, call: &Request, state: &mut State) -> Value {
    let one = Request {
        method: "POST".into(),
        path: "/v1/messages".into(),
        query: String::new(),
        headers: call.headers.clone(),
        body: Bytes::from(asked["params"].to_string()),
    };
    match super::messages(&one, &mut state.cache) {
        Ok(reply) => {
            let whole: Vec<u8> =
                reply.frames.iter().flat_map(|frame| frame.bytes.to_vec()).collect();
            let message: Value = serde_json::from_slice(&whole).unwrap_or_default();
            json!({"type": "succeeded", "message": message})
        }
        Err(refusal) => {
            let error = json!({"type": refusal.kind, "message": refusal.message});
            json!({"type": "errored", "error": {"type": "error", "error": error}})
        }
    }
}

/// `POST /v1/messages/batches`.
pub(super) fn create(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let body = super::body(call.request)?;
    let Some(requests) = body["requests"].as_array().filter(|list| !list.is_empty()) else {
        return Err(invalid("requests: Field required"));
    };
    if requests.len() > MOST_REQUESTS {
        return Err(invalid("requests: List should have at most 100000 items"));
    }
    for (at, request) in requests.iter().enumerate() {
        let plain = |id: &str| {
            (1..=64).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let Some(id) = request["custom_id"].as_str().filter(|id| plain(id)) else {
            return Err(invalid(format!(
                "requests.{at}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
            )));
        };
        if requests[..at].iter().any(|other| other["custom_id"] == id) {
            return Err(invalid(format!("requests.{at}.custom_id: duplicate custom_id '{id}'")));
        }
        if !request["params"].is_object() {
            return Err(invalid(format!("requests.{at}.params: Field required")));
        }
        if request["params"]["stream"] == true {
            return Err(invalid(format!("requests.{at}.params.stream: not supported in a batch")));
        }
    }
    let batches = &mut state.message_batches;
    batches.made += 1;
    let batch = Batch {
        id: ids::id("msgbatch_01", ids::hash(&call.request.body), batches.made, 22),
        requests: requests.clone(),
        asked: 0,
        cancelled: false,
        results: None,
        counts: [0; 3],
    };
    if batches.kept.len() >= MOST_BATCHES {
        batches.kept.remove(0);
    }
    batches.kept.push(batch.clone());
    Ok(super::told(call.request, &batch.told(), 0))
}

/// `GET /v1/messages/batches`.
pub(super) fn list(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    super::credentials(call.request)?;
    let data: Vec<Value> = state.message_batches.kept.iter().rev().map(Batch::told).collect();
    let id = |batch: Option<&Value>| batch.map_or(Value::Null, |batch| batch["id"].clone());
    let (first, last) = (id(data.first()), id(data.last()));
    let list = json!({"data": data, "has_more": false, "first_id": first, "last_id": last});
    Ok(super::told(call.request, &list, 0))
}

/// `GET /v1/messages/batches/{id}`: one step further each time.
pub(super) fn one(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    super::credentials(call.request)?;
    let at = place(&call.named, &state.message_batches)?;
    let mut batch = state.message_batches.kept[at].clone();
    batch.asked += 1;
    if batch.results.is_none() && (batch.asked > 1 || batch.cancelled) {
        batch.end(call.request, state);
    }
    state.message_batches.kept[at] = batch.clone();
    Ok(super::told(call.request, &batch.told(), 0))
}

/// `POST /v1/messages/batches/{id}/cancel`.
pub(super) fn cancel(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    super::credentials(call.request)?;
    let at = place(&call.named, &state.message_batches)?;
    let batch = &mut state.message_batches.kept[at];
    if batch.results.is_some() {
        return Err(invalid("Batch has already ended and cannot be canceled."));
    }
    batch.cancelled = true;
    Ok(super::told(call.request, &batch.told(), 0))
}

/// `DELETE /v1/messages/batches/{id}`.
pub(super) fn delete(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    super::credentials(call.request)?;
    let at = place(&call.named, &state.message_batches)?;
    if state.message_batches.kept[at].results.is_none() {
        return Err(invalid("Batch cannot be deleted while it is processing."));
    }
    let batch = state.message_batches.kept.remove(at);
    let told = json!({"id": batch.id, "type": "message_batch_deleted"});
    Ok(super::told(call.request, &told, 0))
}

/// `GET /v1/messages/batches/{id}/results`.
pub(super) fn results(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    super::credentials(call.request)?;
    let at = place(&call.named, &state.message_batches)?;
    let batch = &state.message_batches.kept[at];
    let Some(lines) = &batch.results else {
        let message = format!("Batch {} has no results yet.", batch.id);
        return Err(Refusal::new(404, "not_found_error", message));
    };
    Ok(Reply {
        headers: super::head(call.request, "application/binary"),
        frames: vec![Frame::new(Part::Content, lines.clone())],
        streamed: false,
        input_tokens: 0,
        output_tokens: 0,
    })
}

fn place(named: &Named, batches: &Batches) -> Result<usize, Refusal> {
    let id = named.get("id").unwrap_or_default();
    batches.kept.iter().position(|batch| batch.id == id).ok_or_else(|| {
        let message = format!("Batch {id} not found.");
        Refusal::new(404, "not_found_error", message)
    })
}
