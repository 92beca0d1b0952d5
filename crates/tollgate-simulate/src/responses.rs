//! OpenAI's newer dialect: Responses, whole and streamed, what is stored of them, and conversations.
//! Refusals are worded as in Chat Completions. Tools that the vendor runs itself are taken and never called.

mod compact;
mod conversations;
mod media_rules;
mod read;
mod reply;
mod rules;
mod sealed;
mod stored;
mod stored_calls;
mod stream;
mod tables;
mod tools_rules;

use crate::answer;
use crate::dialect::{Call, Dialect, Headers, Operation, State, Vendor, always};
use crate::openai;
use crate::refusal::Refusal;
use crate::routes::NotACall;
use crate::script::{Frame, Part, Reply, Request, Script};
use bytes::Bytes;
use serde_json::{Value, json};

pub(crate) use stored::Stored;

#[derive(Debug)]
pub(crate) struct Responses;

const OPENAI: Dialect = &openai::OpenAi;

/// A path under each root that serves it: the vendor's own, without a version, and Azure's two.
macro_rules! at {
    ($path:literal) => {
        &[concat!("/v1", $path), $path, concat!("/openai/v1", $path), concat!("/openai", $path)]
    };
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "openai-responses",
        method: "POST",
        paths: at!("/responses"),
        when: always,
        answer: create,
    },
    Operation {
        name: "openai-responses-input-tokens",
        method: "POST",
        paths: at!("/responses/input_tokens"),
        when: always,
        answer: input_tokens,
    },
    Operation {
        name: "openai-responses-compact",
        method: "POST",
        paths: at!("/responses/compact"),
        when: always,
        answer: compact::compact,
    },
    Operation {
        name: "openai-responses-retrieve",
        method: "GET",
        paths: at!("/responses/{id}"),
        when: always,
        answer: stored_calls::retrieve,
    },
    Operation {
        name: "openai-responses-delete",
        method: "DELETE",
        paths: at!("/responses/{id}"),
        when: always,
        answer: stored_calls::delete,
    },
    Operation {
        name: "openai-responses-cancel",
        method: "POST",
        paths: at!("/responses/{id}/cancel"),
        when: always,
        answer: stored_calls::cancel,
    },
    Operation {
        name: "openai-responses-input-items",
        method: "GET",
        paths: at!("/responses/{id}/input_items"),
        when: always,
        answer: stored_calls::input_items,
    },
    Operation {
        name: "openai-conversations-create",
        method: "POST",
        paths: at!("/conversations"),
        when: always,
        answer: conversations::create,
    },
    Operation {
        name: "openai-conversations-retrieve",
        method: "GET",
        paths: at!("/conversations/{id}"),
        when: always,
        answer: conversations::retrieve,
    },
    Operation {
        name: "openai-conversations-update",
        method: "POST",
        paths: at!("/conversations/{id}"),
        when: always,
        answer: conversations::update,
    },
    Operation {
        name: "openai-conversations-delete",
        method: "DELETE",
        paths: at!("/conversations/{id}"),
        when: always,
        answer: conversations::delete,
    },
    Operation {
        name: "openai-conversations-items",
        method: "GET",
        paths: at!("/conversations/{id}/items"),
        when: always,
        answer: conversations::items,
    },
    Operation {
        name: "openai-conversations-add-items",
        method: "POST",
        paths: at!("/conversations/{id}/items"),
        when: always,
        answer: conversations::add_items,
    },
    Operation {
        name: "openai-conversations-item",
        method: "GET",
        paths: at!("/conversations/{id}/items/{item}"),
        when: always,
        answer: conversations::item,
    },
    Operation {
        name: "openai-conversations-delete-item",
        method: "DELETE",
        paths: at!("/conversations/{id}/items/{item}"),
        when: always,
        answer: conversations::delete_item,
    },
];

impl Vendor for Responses {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn refused(&self, refusal: &Refusal) -> (Headers, String) {
        OPENAI.refused(refusal)
    }

    fn trouble(&self, status: u16, quota: bool) -> Refusal {
        OPENAI.trouble(status, quota)
    }

    fn no_such_call(&self, request: &Request, wrong: NotACall) -> Script {
        OPENAI.no_such_call(request, wrong)
    }

    fn framed(&self, event: &str, data: &str) -> Bytes {
        format!("event: {event}\ndata: {data}\n\n").into()
    }

    fn error_inside(&self) -> String {
        OPENAI.error_inside()
    }

    /// An event of its own, and the response as it failed.
    fn error_event(&self) -> Bytes {
        let told: Value = serde_json::from_str(&self.error_inside()).unwrap_or_default();
        let mut error = told["error"].clone();
        error["code"] = json!("server_error");
        let first = json!({"type": "error", "sequence_number": 99, "error": error});
        let failed = json!({
            "type": "response.failed",
            "sequence_number": 100,
            "response": {
                "id": "resp_failed",
                "object": "response",
                "created_at": 1_735_689_600,
                "status": "failed",
                "error": {"code": "server_error", "message": error["message"]},
                "incomplete_details": null,
                "model": "failed",
                "output": [],
                "usage": null,
            },
        });
        let mut both = self.framed("error", &first.to_string()).to_vec();
        both.extend_from_slice(&self.framed("response.failed", &failed.to_string()));
        both.into()
    }

    fn delta(&self, text: &str) -> String {
        format!(
            "{{\"type\":\"response.output_text.delta\",\"sequence_number\":50,\"item_id\":\"msg_huge\",\"output_index\":0,\"content_index\":0,\"delta\":\"{text}\",\"logprobs\":[]}}"
        )
    }
}

/// Answers a request for a response, or says why not.
fn create(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let request = call.request;
    let mut body = openai::body(request)?;
    rules::create(&body)?;
    let history = stored::history(&state.responses, &body)?;
    rules::input(&body, &history)?;
    let asked = read::asked(&body, &history, &request.body);
    let answer = answer::answer(&asked);
    let cached = state.cache.unasked(&asked.prefixes).read;
    let facts = reply::Facts::of(&mut body, &asked, &answer, cached);
    let response = facts.finished();
    if body["store"] != false {
        state.responses.keep(&body, &history, &response, facts.seed);
    }
    let (content_type, frames) = if asked.stream {
        ("text/event-stream; charset=utf-8", stream::frames(&facts, &response))
    } else if body["background"] == true {
        ("application/json", vec![Frame::new(Part::Content, facts.queued().to_string())])
    } else {
        ("application/json", vec![Frame::new(Part::Content, response.to_string())])
    };
    Ok(Reply {
        headers: openai::head(request, content_type),
        frames,
        streamed: asked.stream,
        input_tokens: asked.input_tokens,
        output_tokens: answer.output_tokens,
    })
}

/// Counts what a response would read.
fn input_tokens(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let body = openai::body(call.request)?;
    rules::create(&body)?;
    let history = stored::history(&state.responses, &body)?;
    let counted = read::asked(&body, &history, &call.request.body).input_tokens;
    Ok(told(call, &json!({"object": "response.input_tokens", "input_tokens": counted})))
}

/// A small answer without tokens.
fn told(call: &Call<'_>, body: &Value) -> Reply {
    Reply {
        headers: openai::head(call.request, "application/json"),
        frames: vec![Frame::new(Part::Content, body.to_string())],
        streamed: false,
        input_tokens: 0,
        output_tokens: 0,
    }
}
