//! OpenAI's dialect: Chat Completions, embeddings and the model list. Responses has a folder of its own.

mod audio;
mod batches;
mod completions;
mod embeddings;
mod files;
mod images;
mod moderations;
mod read;
mod reply;
mod rules;
mod schema_rules;
mod stream;
mod tables;
mod tools_rules;
mod trouble;
pub(crate) mod wording;

use crate::answer;
use crate::cache::Cache;
use crate::dialect::{Call, Headers, Named, Operation, State, Vendor, always};
use crate::ids;
use crate::refusal::Refusal;
use crate::routes::NotACall;
use crate::script::{Frame, Part, Reply, Request, Script};
use crate::simulator::refused;
use bytes::Bytes;
use serde_json::{Value, json};

pub(crate) use batches::Batches;
pub(crate) use embeddings::{embeddings, vector};
pub(crate) use files::Files;
pub(crate) use reply::token_logprobs;
pub(crate) use rules::{image_url, in_range};
pub(crate) use schema_rules::{function as function_schema, output_schema};
pub(crate) use tools_rules::name as tool_name;

#[derive(Debug)]
pub(crate) struct OpenAi;

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "openai-chat",
        method: "POST",
        paths: &["/v1/chat/completions", "/chat/completions"],
        when: always,
        answer: |call, state| chat(call.request, &mut state.cache),
    },
    Operation {
        name: "openai-embeddings",
        method: "POST",
        paths: &["/v1/embeddings", "/embeddings"],
        when: always,
        answer: |call, _| embeddings(call.request),
    },
    Operation {
        name: "openai-completions",
        method: "POST",
        paths: &["/v1/completions", "/completions"],
        when: always,
        answer: |call, _| completions::completions(call.request),
    },
    Operation {
        name: "openai-rerank",
        method: "POST",
        paths: &["/v1/rerank", "/rerank"],
        when: always,
        answer: |call, _| completions::rerank(call.request),
    },
    Operation {
        name: "openai-models",
        method: "GET",
        paths: &["/v1/models", "/models", "/v1/models/{model+}", "/models/{model+}"],
        when: always,
        answer: |call, _| models(call.request, &call.named),
    },
    row("openai-moderations", "POST", &["/v1/moderations"], |call, _| {
        moderations::moderate(call.request)
    }),
    row("openai-images", "POST", &["/v1/images/generations"], |call, _| images::make(call.request)),
    row("openai-image-edits", "POST", &["/v1/images/edits"], |call, _| images::edit(call.request)),
    row("openai-image-variations", "POST", &["/v1/images/variations"], |call, _| {
        images::vary(call.request)
    }),
    row("openai-speech", "POST", &["/v1/audio/speech"], |call, _| audio::speak(call.request)),
    row("openai-transcriptions", "POST", &["/v1/audio/transcriptions"], |call, _| {
        audio::transcribe(call.request)
    }),
    row("openai-translations", "POST", &["/v1/audio/translations"], |call, _| {
        audio::translate(call.request)
    }),
    row("openai-upload", "POST", &["/v1/files"], |call, state| {
        files::upload(call.request, &mut state.files)
    }),
    row("openai-files", "GET", &["/v1/files"], |call, state| {
        files::list(call.request, &state.files)
    }),
    row("openai-file", "GET", &["/v1/files/{id}"], |call, state| {
        files::one(call.request, &call.named, &state.files)
    }),
    row("openai-file-content", "GET", &["/v1/files/{id}/content"], |call, state| {
        files::content(call.request, &call.named, &state.files)
    }),
    row("openai-delete-file", "DELETE", &["/v1/files/{id}"], |call, state| {
        files::delete(call.request, &call.named, &mut state.files)
    }),
    row("openai-batch", "POST", &["/v1/batches"], |call, state| {
        batches::create(call.request, state)
    }),
    row("openai-batches", "GET", &["/v1/batches"], |call, state| {
        batches::list(call.request, &state.batches)
    }),
    row("openai-one-batch", "GET", &["/v1/batches/{id}"], |call, state| {
        batches::one(call.request, &call.named, state)
    }),
    row("openai-cancel-batch", "POST", &["/v1/batches/{id}/cancel"], |call, state| {
        batches::cancel(call.request, &call.named, state)
    }),
];

const fn row(
    name: &'static str,
    method: &'static str,
    paths: &'static [&'static str],
    answer: fn(&Call<'_>, &mut State) -> Result<Reply, Refusal>,
) -> Operation {
    Operation { name, method, paths, when: always, answer }
}

impl Vendor for OpenAi {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn refused(&self, refusal: &Refusal) -> (Headers, String) {
        let body = self::refusal(refusal);
        let id = ids::id("req_", ids::hash(refusal.message.as_bytes()), 0, 32).to_lowercase();
        let headers = [
            ("content-type", "application/json"),
            ("openai-version", "2020-10-01"),
            ("x-request-id", id.as_str()),
        ];
        (crate::dialect::headers(headers), body.to_string())
    }

    fn trouble(&self, status: u16, quota: bool) -> Refusal {
        trouble::trouble(status, quota)
    }

    fn no_such_call(&self, request: &Request, wrong: NotACall) -> Script {
        let (method, path) = (&request.method, &request.path);
        let refusal = |status, message| Refusal::new(status, "invalid_request_error", message);
        refused(
            &Self,
            &match wrong {
                NotACall::UnknownPath => refusal(404, format!("Invalid URL ({method} {path})")),
                NotACall::WrongMethod => refusal(405, format!("Not allowed to {method} on {path}. (HINT: Perhaps you meant to use a different HTTP method?)"))
                    .code("method_not_supported"),
            },
        )
    }

    fn framed(&self, _event: &str, data: &str) -> Bytes {
        format!("data: {data}\n\n").into()
    }

    fn error_inside(&self) -> String {
        let message =
            "The server had an error while processing your request. Sorry about that!".to_owned();
        let refusal = Refusal { kind: "server_error", message, ..self.trouble(503, false) };
        self.refused(&refusal).1
    }

    fn delta(&self, text: &str) -> String {
        format!(
            "{{\"id\":\"chatcmpl-huge\",\"object\":\"chat.completion.chunk\",\"created\":1735689600,\"model\":\"fault-huge-line\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}"
        )
    }
}

/// The body of a refusal.
fn refusal(refusal: &Refusal) -> Value {
    json!({"error": {
        "message": refusal.message,
        "type": refusal.kind,
        "param": refusal.param,
        "code": refusal.code,
    }})
}

/// A buffered JSON answer that counts no tokens.
fn whole(request: &Request, body: &Value) -> Reply {
    Reply {
        headers: head(request, "application/json"),
        frames: vec![Frame::new(Part::Content, body.to_string())],
        streamed: false,
        input_tokens: 0,
        output_tokens: 0,
    }
}

/// Answers a chat completion, or says why not.
pub(crate) fn chat(request: &Request, cache: &mut Cache) -> Result<Reply, Refusal> {
    let body = body(request)?;
    rules::chat(&body)?;
    let asked = read::asked(&body, &request.body);
    let answer = answer::answer(&asked);
    let usage = reply::Usage::of(&asked, &answer, cache.unasked(&asked.prefixes).read);
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
        output_tokens: answer.output_tokens * asked.choices,
    })
}

/// The model list, or one model.
fn models(request: &Request, named: &Named) -> Result<Reply, Refusal> {
    credentials(request)?;
    let model = |id: &str| json!({"id": id, "object": "model", "created": 1_735_689_600, "owned_by": "tollgate-simulated"});
    let body = match named.get("model") {
        Some(id) => model(&crate::simulator::percent_decoded(id)),
        None => {
            json!({"object": "list", "data": [model("simulated"), model("simulated-embedding")]})
        }
    };
    Ok(Reply {
        headers: head(request, "application/json"),
        frames: vec![Frame::new(Part::Content, body.to_string())],
        streamed: false,
        input_tokens: 0,
        output_tokens: 0,
    })
}

/// The head of every answer.
pub(crate) fn head(request: &Request, content_type: &str) -> Vec<(String, String)> {
    let id = ids::id("req_", ids::hash(&request.body), 1, 32).to_lowercase();
    [
        ("content-type", content_type),
        ("openai-organization", "org-simulated"),
        ("openai-processing-ms", "5"),
        ("openai-version", "2020-10-01"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-request-id", &id),
    ]
    .map(|(n, v)| (n.to_owned(), v.to_owned()))
    .to_vec()
}

/// Whether any key came along.
pub(crate) fn credentials(request: &Request) -> Result<(), Refusal> {
    let bearer = request.header("authorization").and_then(|v| v.split_once(' '));
    let given = bearer.is_some_and(|(scheme, key)| {
        scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty()
    });
    let azure = request.header("api-key").is_some_and(|k| !k.is_empty());
    if given || azure {
        return Ok(());
    }
    Err(Refusal::new(
        401,
        "invalid_request_error",
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API from your browser and are prompted for a username and password. You can obtain an API key from https://platform.openai.com/account/api-keys.",
    ))
}

/// The body of a call with a key.
pub(crate) fn body(request: &Request) -> Result<Value, Refusal> {
    credentials(request)?;
    let unparsed = || {
        Refusal::new(
            400,
            "invalid_request_error",
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)",
        )
    };
    match serde_json::from_slice(&request.body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(unparsed()),
    }
}
