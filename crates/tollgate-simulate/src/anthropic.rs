//! Anthropic's dialect: Messages, token counts, batches and the model list. Files are not spoken here.

mod batches;
mod read;
mod reply;
mod rules;
mod schema_rules;
mod stream;
mod tables;
mod thinking_rules;
mod tools_rules;
mod trouble;
pub(crate) mod vertex;
mod wording;

pub(crate) use batches::Batches;

use crate::answer;
use crate::cache::Cache;
use crate::dialect::{Headers, Named, Operation, Vendor, always};
use crate::ids;
use crate::refusal::Refusal;
use crate::routes::NotACall;
use crate::script::{Frame, Part, Reply, Request, Script};
use crate::simulator::refused;
use bytes::Bytes;
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct Anthropic;

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "anthropic-messages",
        method: "POST",
        paths: &["/v1/messages"],
        when: always,
        answer: |call, state| messages(call.request, &mut state.cache),
    },
    Operation {
        name: "anthropic-count-tokens",
        method: "POST",
        paths: &["/v1/messages/count_tokens"],
        when: always,
        answer: |call, _| count_tokens(call.request),
    },
    Operation {
        name: "anthropic-make-batch",
        method: "POST",
        paths: &["/v1/messages/batches"],
        when: always,
        answer: batches::create,
    },
    Operation {
        name: "anthropic-batches",
        method: "GET",
        paths: &["/v1/messages/batches"],
        when: always,
        answer: batches::list,
    },
    Operation {
        name: "anthropic-batch",
        method: "GET",
        paths: &["/v1/messages/batches/{id}"],
        when: always,
        answer: batches::one,
    },
    Operation {
        name: "anthropic-cancel-batch",
        method: "POST",
        paths: &["/v1/messages/batches/{id}/cancel"],
        when: always,
        answer: batches::cancel,
    },
    Operation {
        name: "anthropic-delete-batch",
        method: "DELETE",
        paths: &["/v1/messages/batches/{id}"],
        when: always,
        answer: batches::delete,
    },
    Operation {
        name: "anthropic-batch-results",
        method: "GET",
        paths: &["/v1/messages/batches/{id}/results"],
        when: always,
        answer: batches::results,
    },
    Operation {
        name: "vertex-anthropic",
        method: "POST",
        paths: &[
            "/{version}/{place+}/publishers/anthropic/models/{model}:rawPredict",
            "/{version}/{place+}/publishers/anthropic/models/{model}:streamRawPredict",
        ],
        when: |_, named| named.get("model") != Some("count-tokens"),
        answer: vertex::message,
    },
    Operation {
        name: "vertex-anthropic-count-tokens",
        method: "POST",
        paths: &["/{version}/{place+}/publishers/anthropic/models/count-tokens:rawPredict"],
        when: always,
        answer: vertex::count,
    },
    Operation {
        name: "anthropic-models",
        method: "GET",
        paths: &["/v1/models", "/v1/models/{model+}"],
        when: |request, _| request.header("anthropic-version").is_some(),
        answer: |call, _| models(call.request, &call.named),
    },
];

impl Vendor for Anthropic {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn refused(&self, refusal: &Refusal) -> (Headers, String) {
        let id = ids::id("req_011", ids::hash(refusal.message.as_bytes()), 0, 21);
        let body = json!({
            "type": "error",
            "error": {"type": refusal.kind, "message": refusal.message},
            "request_id": id,
        });
        let retry = if matches!(refusal.status, 429 | 500..|408| 409) { "true" } else { "false" };
        let headers = [
            ("content-type", "application/json"),
            ("request-id", id.as_str()),
            ("x-should-retry", retry),
        ];
        (crate::dialect::headers(headers), body.to_string())
    }

    fn trouble(&self, status: u16, quota: bool) -> Refusal {
        trouble::trouble(status, quota)
    }

    fn no_such_call(&self, _request: &Request, wrong: NotACall) -> Script {
        let refusal = match wrong {
            NotACall::UnknownPath => Refusal::new(404, "not_found_error", "Not Found"),
            NotACall::WrongMethod => {
                Refusal::new(405, "invalid_request_error", "Method Not Allowed")
            }
        };
        refused(&Self, &refusal)
    }

    fn framed(&self, event: &str, data: &str) -> Bytes {
        format!("event: {event}\ndata: {data}\n\n").into()
    }

    /// Inside a stream Anthropic names no request id.
    fn error_inside(&self) -> String {
        let refusal = self.trouble(529, false);
        json!({"type": "error", "error": {"type": refusal.kind, "message": refusal.message}})
            .to_string()
    }

    fn delta(&self, text: &str) -> String {
        format!(
            "{{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}"
        )
    }
}

/// Answers a message, or says why not.
pub(crate) fn messages(request: &Request, cache: &mut Cache) -> Result<Reply, Refusal> {
    let body = body(request)?;
    rules::messages(&body, takes_system_turns(request))?;
    let asked = read::asked(&body, &request.body);
    let answer = answer::answer(&asked);
    let usage = reply::Usage::of(&asked, &answer, cache.marked(&asked.prefixes));
    let facts = reply::Facts::of(&body, &asked);
    let (content_type, frames) = if asked.stream {
        ("text/event-stream; charset=utf-8", stream::frames(&facts, &answer, &usage))
    } else {
        let whole = reply::whole(&facts, &answer, &usage);
        ("application/json", vec![Frame::new(Part::Content, whole.to_string())])
    };
    Ok(Reply {
        headers: head(request, content_type),
        frames,
        streamed: asked.stream,
        input_tokens: asked.input_tokens,
        output_tokens: answer.output_tokens,
    })
}

/// Counts what a message would read.
fn count_tokens(request: &Request) -> Result<Reply, Refusal> {
    let body = body(request)?;
    rules::count_tokens(&body, takes_system_turns(request))?;
    let asked = read::asked(&body, &request.body);
    Ok(told(request, &json!({"input_tokens": asked.input_tokens}), asked.input_tokens))
}

/// The model list, or one model.
fn models(request: &Request, named: &Named) -> Result<Reply, Refusal> {
    credentials(request)?;
    let model = |id: &str| json!({"type": "model", "id": id, "display_name": "Simulated", "created_at": "2025-01-01T00:00:00Z"});
    let body = match named.get("model") {
        Some(id) => model(&crate::simulator::percent_decoded(id)),
        None => {
            json!({"data": [model("simulated")], "has_more": false, "first_id": "simulated", "last_id": "simulated"})
        }
    };
    Ok(told(request, &body, 0))
}

fn told(request: &Request, body: &Value, input_tokens: u64) -> Reply {
    Reply {
        headers: head(request, "application/json"),
        frames: vec![Frame::new(Part::Content, body.to_string())],
        streamed: false,
        input_tokens,
        output_tokens: 0,
    }
}

fn head(request: &Request, content_type: &str) -> Vec<(String, String)> {
    let id = ids::id("req_011", ids::hash(&request.body), 1, 21);
    [
        ("content-type", content_type),
        ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000"),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "49"),
        ("anthropic-ratelimit-requests-reset", "2030-01-01T00:00:00Z"),
        ("request-id", &id),
    ]
    .map(|(n, v)| (n.to_owned(), v.to_owned()))
    .to_vec()
}

/// The versions of the API, oldest first. The newest SDKs ask for the newest.
const VERSIONS: &[&str] = &["2023-01-01", "2023-06-01", "2026-10-21"];

fn credentials(request: &Request) -> Result<(), Refusal> {
    let key = request.header("x-api-key").is_some_and(|k| !k.trim().is_empty());
    let bearer = request
        .header("authorization")
        .and_then(|v| v.split_once(' '))
        .is_some_and(|(_, t)| !t.trim().is_empty());
    if !key && !bearer {
        return Err(Refusal::new(401, "authentication_error", "x-api-key header is required"));
    }
    match request.header("anthropic-version") {
        Some(version) if VERSIONS.contains(&version) => Ok(()),
        Some(other) => Err(wording::invalid(format!(
            "anthropic-version: \"{other}\" is not a valid version; expected one of {}",
            VERSIONS.join(", ")
        ))),
        None => Err(wording::invalid("anthropic-version: header is required")),
    }
}

/// Versions of the API after the first take system turns between the others.
fn takes_system_turns(request: &Request) -> bool {
    request.header("anthropic-version").is_some_and(|v| !v.starts_with("2023"))
}

fn body(request: &Request) -> Result<Value, Refusal> {
    credentials(request)?;
    match serde_json::from_slice(&request.body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(wording::invalid(
            "Input should be a valid dictionary or object to extract fields from",
        )),
        Err(_) => Err(wording::invalid("The request body is not valid JSON")),
    }
}
