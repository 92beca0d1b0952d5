//! Cohere's dialect of the second version: chats whole or as typed events, embeddings, rankings.

mod ranking;
mod read;
mod reply;
mod rules;
mod tables;

use crate::answer;
use crate::dialect::{Headers, Operation, Vendor, always};
use crate::ids;
use crate::refusal::Refusal;
use crate::routes::NotACall;
use crate::script::{Frame, Part, Reply, Request, Script};
use crate::simulator::refused;
use bytes::Bytes;
use serde_json::{Value, json};

pub(crate) use ranking::{embedded, ranked, reranked, strings};

#[derive(Debug)]
pub(crate) struct Cohere;

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "cohere-chat",
        method: "POST",
        paths: &["/v2/chat"],
        when: always,
        answer: |call, _| chat(call.request),
    },
    Operation {
        name: "cohere-embed",
        method: "POST",
        paths: &["/v2/embed"],
        when: always,
        answer: |call, _| ranking::embed(call.request),
    },
    Operation {
        name: "cohere-rerank",
        method: "POST",
        paths: &["/v2/rerank"],
        when: always,
        answer: |call, _| ranking::rerank(call.request),
    },
];

impl Vendor for Cohere {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn refused(&self, refusal: &Refusal) -> (Headers, String) {
        let id = uuid(ids::hash(refusal.message.as_bytes()));
        (head("application/json"), json!({"id": id, "message": refusal.message}).to_string())
    }

    fn trouble(&self, status: u16, quota: bool) -> Refusal {
        let message = match status {
            400 => "invalid request: the simulated model does not support this.",
            401 => "invalid api token",
            403 => "this key may not call the simulated model",
            404 => {
                "model 'simulated' not found, make sure the correct model ID was used and that you have access to the model."
            }
            429 if quota => {
                "You are using a Trial key, which is limited to 1000 API calls / month."
            }
            429 => "You are using a Trial key, which is limited to 40 API calls / minute.",
            503 => "the model is overloaded, please try again later",
            _ => "internal server error, this has been reported to our developers",
        };
        Refusal::new(status, "", message)
    }

    fn no_such_call(&self, _: &Request, wrong: NotACall) -> Script {
        let (status, message) = match wrong {
            NotACall::UnknownPath => (404, "not found"),
            NotACall::WrongMethod => (405, "method not allowed"),
        };
        refused(&Self, &Refusal::new(status, "", message))
    }

    fn framed(&self, event: &str, data: &str) -> Bytes {
        format!("event: {event}\ndata: {data}\n\n").into()
    }

    /// An error ends the message.
    fn error_event(&self) -> Bytes {
        let delta = json!({"finish_reason": "ERROR", "usage": {}, "error": self.trouble(500, false).message});
        self.framed("message-end", &json!({"type": "message-end", "delta": delta}).to_string())
    }

    fn delta(&self, text: &str) -> String {
        let delta = json!({"message": {"content": {"text": text}}});
        json!({"type": "content-delta", "index": 0, "delta": delta}).to_string()
    }
}

fn chat(request: &Request) -> Result<Reply, Refusal> {
    let body = body(request)?;
    rules::chat(&body)?;
    let asked = read::asked(&body, &request.body);
    let answer = answer::answer(&asked);
    let id = uuid(asked.seed);
    let (content_type, frames) = if asked.stream {
        ("text/event-stream", reply::events(&id, &asked, &answer))
    } else {
        let whole = reply::whole(&id, &asked, &answer);
        ("application/json", vec![Frame::new(Part::Content, whole.to_string())])
    };
    Ok(Reply {
        headers: head(content_type),
        frames,
        streamed: asked.stream,
        input_tokens: asked.input_tokens,
        output_tokens: answer.output_tokens,
    })
}

fn head(content_type: &str) -> Headers {
    crate::dialect::headers([
        ("content-type", content_type),
        ("num_chars", "10"),
        ("num_tokens", "5"),
        ("x-debug-trace-id", "simulated"),
    ])
}

/// An id in the vendor's manner.
fn uuid(seed: u64) -> String {
    let letters = ids::id("", seed, 0, 64).to_lowercase();
    let hex: Vec<char> =
        letters.chars().map(|c| if c.is_ascii_hexdigit() { c } else { 'a' }).collect();
    let part = |from: usize, to: usize| hex[from..to].iter().collect::<String>();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// The body of a call with a key.
fn body(request: &Request) -> Result<Value, Refusal> {
    let bearer = request.header("authorization").and_then(|value| value.split_once(' '));
    if bearer.is_none_or(|(_, key)| key.trim().is_empty()) {
        return Err(Refusal::new(401, "", "no api key supplied"));
    }
    match serde_json::from_slice(&request.body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(Refusal::new(400, "", "invalid request: the body is not a valid JSON object.")),
    }
}
