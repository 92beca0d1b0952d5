//! Batches: the lines of a file, answered when the batch is asked about for the second time.

use super::files::Files;
use super::wording::invalid;
use crate::dialect::{Named, State};
use crate::ids;
use crate::refusal::Refusal;
use crate::script::{Reply, Request};
use bytes::Bytes;
use serde_json::{Value, json};

const MOST_BATCHES: usize = 1_000;
const CREATED: u64 = 1_735_689_600;
const ENDPOINTS: &[&str] = &["/v1/chat/completions", "/v1/embeddings", "/v1/moderations"];

/// The batches of a provider.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    kept: Vec<Batch>,
}

#[derive(Debug, Clone)]
struct Batch {
    id: String,
    endpoint: String,
    input: String,
    status: &'static str,
    output: Option<String>,
    errors: Option<String>,
    /// All, answered, failed.
    counts: [u64; 3],
    metadata: Value,
}

impl Batch {
    fn told(&self) -> Value {
        let [total, completed, failed] = self.counts;
        let at = |status: &str| (self.status == status).then_some(CREATED);
        json!({
            "id": self.id, "object": "batch", "endpoint": self.endpoint, "errors": null,
            "input_file_id": self.input, "completion_window": "24h", "status": self.status,
            "output_file_id": self.output, "error_file_id": self.errors, "created_at": CREATED,
            "in_progress_at": CREATED, "expires_at": CREATED + 86_400,
            "completed_at": at("completed"), "cancelled_at": at("cancelled"),
            "request_counts": {"total": total, "completed": completed, "failed": failed},
            "metadata": self.metadata,
        })
    }
}

/// `POST /v1/batches`.
pub(super) fn create(request: &Request, state: &mut State) -> Result<Reply, Refusal> {
    let body = super::body(request)?;
    let text = |name: &str| {
        body[name].as_str().map(str::to_owned).ok_or_else(|| {
            invalid(format!("Missing required parameter: '{name}'."))
                .code("missing_required_parameter")
                .param(name)
        })
    };
    let (input, endpoint) = (text("input_file_id")?, text("endpoint")?);
    if text("completion_window")? != "24h" {
        return Err(invalid("Invalid value for 'completion_window': only '24h' is known.")
            .param("completion_window"));
    }
    if !ENDPOINTS.contains(&endpoint.as_str()) {
        return Err(invalid(format!("Invalid value: '{endpoint}'."))
            .code("invalid_value")
            .param("endpoint"));
    }
    match state.files.find(&input) {
        Some(file) if file.purpose == "batch" => {}
        _ => {
            let message = format!("Invalid input_file_id: no file '{input}' for batches.");
            return Err(invalid(message).param("input_file_id"));
        }
    }
    let made = state.batches.kept.len() as u64;
    let batch = Batch {
        id: ids::id("batch_", ids::hash(input.as_bytes()), made, 32).to_lowercase(),
        endpoint,
        input,
        status: "validating",
        output: None,
        errors: None,
        counts: [0; 3],
        metadata: body["metadata"].clone(),
    };
    if state.batches.kept.len() >= MOST_BATCHES {
        state.batches.kept.remove(0);
    }
    state.batches.kept.push(batch.clone());
    Ok(super::whole(request, &batch.told()))
}

/// `GET /v1/batches`.
pub(super) fn list(request: &Request, batches: &Batches) -> Result<Reply, Refusal> {
    super::credentials(request)?;
    let data: Vec<Value> = batches.kept.iter().rev().map(Batch::told).collect();
    Ok(super::whole(request, &json!({"object": "list", "data": data, "has_more": false})))
}

/// `GET /v1/batches/{id}`: one step further each time.
pub(super) fn one(request: &Request, named: &Named, state: &mut State) -> Result<Reply, Refusal> {
    super::credentials(request)?;
    let at = place(named, &state.batches)?;
    let mut batch = state.batches.kept[at].clone();
    match batch.status {
        "validating" => batch.status = "in_progress",
        "in_progress" => finish(&mut batch, request, state),
        "cancelling" => batch.status = "cancelled",
        _ => {}
    }
    state.batches.kept[at] = batch.clone();
    Ok(super::whole(request, &batch.told()))
}

/// `POST /v1/batches/{id}/cancel`.
pub(super) fn cancel(
    request: &Request,
    named: &Named,
    state: &mut State,
) -> Result<Reply, Refusal> {
    super::credentials(request)?;
    let at = place(named, &state.batches)?;
    let batch = &mut state.batches.kept[at];
    if !matches!(batch.status, "validating" | "in_progress") {
        let message = format!("Cannot cancel a batch with status '{}'.", batch.status);
        return Err(Refusal::new(409, "invalid_request_error", message));
    }
    batch.status = "cancelling";
    Ok(super::whole(request, &batch.told()))
}

fn place(named: &Named, batches: &Batches) -> Result<usize, Refusal> {
    let id = named.get("id").unwrap_or_default();
    batches.kept.iter().position(|batch| batch.id == id).ok_or_else(|| {
        let message = format!("No batch found with id '{id}'.");
        Refusal::new(404, "invalid_request_error", message)
    })
}

/// Answers every line.
fn finish(batch: &mut Batch, request: &Request, state: &mut State) {
    let data = state.files.find(&batch.input).map(|file| file.data.clone()).unwrap_or_default();
    let (mut output, mut errors) = (String::new(), String::new());
    for (at, line) in data.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let asked: Value = serde_json::from_slice(line).unwrap_or_default();
        let call = Request {
            method: "POST".into(),
            path: batch.endpoint.clone(),
            query: String::new(),
            headers: request.headers.clone(),
            body: Bytes::from(asked["body"].to_string()),
        };
        let answered = match batch.endpoint.as_str() {
            "/v1/embeddings" => super::embeddings::embeddings(&call),
            "/v1/moderations" => super::moderations::moderate(&call),
            _ => super::chat(&call, &mut state.cache),
        };
        let (status, body) = match answered {
            Ok(reply) => {
                (200, reply.frames.iter().flat_map(|f| f.bytes.to_vec()).collect::<Vec<u8>>())
            }
            Err(refusal) => (refusal.status, super::refusal(&refusal).to_string().into_bytes()),
        };
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let id = ids::id("batch_req_", ids::hash(line), at as u64, 24);
        let told = json!({"id": id, "custom_id": asked["custom_id"], "error": null,
            "response": {"status_code": status, "request_id": id, "body": body}});
        let to = if status == 200 { &mut output } else { &mut errors };
        to.push_str(&told.to_string());
        to.push('\n');
        batch.counts[0] += 1;
        batch.counts[if status == 200 { 1 } else { 2 }] += 1;
    }
    batch.status = "completed";
    batch.output = written(&mut state.files, batch, "output", output);
    batch.errors = written(&mut state.files, batch, "error", errors);
}

fn written(files: &mut Files, batch: &Batch, what: &str, lines: String) -> Option<String> {
    let name = format!("{}_{what}.jsonl", batch.id);
    (!lines.is_empty()).then(|| files.keep(&name, "batch_output", lines.into()).id)
}
