//! Google's dialect: generateContent and its stream, countTokens, embeddings and the model list,
//! under AI Studio's paths and under Vertex's. Files, caches and live sessions are not spoken here.

mod embed;
mod parts_rules;
mod read;
mod reply;
mod rules;
mod stream;
mod tables;
mod tools_rules;
mod trouble;
mod wording;

use crate::answer;
use crate::cache::Cache;
use crate::dialect::{Call, Headers, Named, Operation, State, Vendor};
use crate::ids;
use crate::refusal::Refusal;
use crate::routes::NotACall;
use crate::script::{Frame, Part, Reply, Request, Script};
use crate::simulator::percent_decoded;
use bytes::Bytes;
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct Gemini;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Generate,
    Stream,
    CountTokens,
    Embed,
    BatchEmbed,
}

/// The paths of a method on a model: AI Studio's and Vertex's.
macro_rules! on_a_model {
    ($method:literal) => {
        &[
            concat!("/{version}/models/{model+}:", $method),
            concat!("/{version}/tunedModels/{model+}:", $method),
            concat!("/{version}/{place+}/publishers/google/models/{model+}:", $method),
            concat!("/{version}/publishers/google/models/{model+}:", $method),
        ]
    };
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "gemini-generate",
        method: "POST",
        paths: on_a_model!("generateContent"),
        when: of_a_version,
        answer: |c, state| call(c, Method::Generate, state),
    },
    Operation {
        name: "gemini-stream",
        method: "POST",
        paths: on_a_model!("streamGenerateContent"),
        when: of_a_version,
        answer: |c, state| call(c, Method::Stream, state),
    },
    Operation {
        name: "gemini-count-tokens",
        method: "POST",
        paths: on_a_model!("countTokens"),
        when: of_a_version,
        answer: |c, state| call(c, Method::CountTokens, state),
    },
    Operation {
        name: "gemini-embed",
        method: "POST",
        paths: on_a_model!("embedContent"),
        when: of_a_version,
        answer: |c, state| call(c, Method::Embed, state),
    },
    Operation {
        name: "gemini-embed",
        method: "POST",
        paths: on_a_model!("batchEmbedContents"),
        when: of_a_version,
        answer: |c, state| call(c, Method::BatchEmbed, state),
    },
    Operation {
        name: "gemini-models",
        method: "GET",
        paths: &["/{version}/models", "/{version}/models/{model+}"],
        when: |request, named| match named.get("version") {
            Some("v1beta" | "v1alpha") => true,
            Some("v1") => request.header("x-goog-api-key").is_some(),
            _ => false,
        },
        answer: |c, _| models(c.request, &c.named),
    },
];

fn of_a_version(_: &Request, named: &Named) -> bool {
    matches!(named.get("version"), Some("v1" | "v1beta" | "v1beta1" | "v1alpha"))
}

impl Vendor for Gemini {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn refused(&self, refusal: &Refusal) -> (Headers, String) {
        let mut error =
            json!({"code": refusal.status, "message": refusal.message, "status": refusal.kind});
        if let Some(details) = &refusal.details {
            error["details"] = Value::clone(details);
        }
        (head("application/json; charset=UTF-8"), json!({"error": error}).to_string())
    }

    fn trouble(&self, status: u16, quota: bool) -> Refusal {
        trouble::trouble(status, quota)
    }

    /// Google answers an unknown path with an HTML page.
    fn no_such_call(&self, _request: &Request, _wrong: NotACall) -> Script {
        Script::whole(
            404,
            crate::dialect::headers([("content-type", "text/html; charset=UTF-8")]),
            "<!DOCTYPE html>\n<html lang=en>\n  <title>Error 404 (Not Found)!!1</title>\n  <p><b>404.</b> <ins>That\u{2019}s an error.</ins>\n",
        )
    }

    fn framed(&self, _event: &str, data: &str) -> Bytes {
        format!("data: {data}\r\n\r\n").into()
    }

    fn delta(&self, text: &str) -> String {
        format!(
            "{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{text}\"}}],\"role\":\"model\"}},\"index\":0}}]}}"
        )
    }
}

/// Answers a call on a model, or says why not.
fn call(call: &Call<'_>, method: Method, state: &mut State) -> Result<Reply, Refusal> {
    let (request, cache) = (call.request, &mut state.cache);
    credentials(request)?;
    let model = percent_decoded(call.named.get("model").unwrap_or_default());
    let vertex = request.path.contains("/publishers/");
    let body = body(request)?;
    match method {
        Method::Generate | Method::Stream => generate(request, &body, &model, method, cache),
        Method::CountTokens => {
            let asked = rules::count_tokens(&body, vertex, &request.body, &model)?;
            let counted = asked.input_tokens;
            Ok(told(
                &json!({"totalTokens": counted, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": counted}]}),
                counted,
            ))
        }
        Method::Embed => embed::one(&body, &model),
        Method::BatchEmbed => embed::batch(&body, &model),
    }
}

fn generate(
    request: &Request,
    body: &Value,
    model: &str,
    method: Method,
    cache: &mut Cache,
) -> Result<Reply, Refusal> {
    let body = rules::generate(body, model)?;
    let mut asked = read::asked(&body, &request.body, model);
    asked.stream = method == Method::Stream;
    let answer = answer::answer(&asked);
    let facts = reply::Facts::of(&body, &asked, cache.unasked(&asked.prefixes).read);
    let sse = request.query_value("alt") == Some("sse");
    let (content_type, frames) = match (asked.stream, sse) {
        (true, true) => ("text/event-stream", stream::events(&facts, &answer)),
        (true, false) => ("application/json; charset=UTF-8", stream::array(&facts, &answer)),
        (false, _) => (
            "application/json; charset=UTF-8",
            vec![Frame::new(Part::Content, pretty(&reply::whole(&facts, &answer)))],
        ),
    };
    Ok(Reply {
        headers: head(content_type),
        frames,
        streamed: asked.stream && sse,
        input_tokens: asked.input_tokens,
        output_tokens: answer.output_tokens * asked.choices,
    })
}

/// The model list, or one model.
fn models(request: &Request, named: &Named) -> Result<Reply, Refusal> {
    credentials(request)?;
    let model = |id: &str| {
        json!({
            "name": format!("models/{id}"),
            "version": "001",
            "displayName": "Simulated",
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent"],
        })
    };
    let body = match named.get("model") {
        Some(id) => model(&percent_decoded(id)),
        None => json!({"models": [model("simulated"), model("simulated-embedding")]}),
    };
    Ok(told(&body, 0))
}

fn told(body: &Value, input_tokens: u64) -> Reply {
    Reply {
        headers: head("application/json; charset=UTF-8"),
        frames: vec![Frame::new(Part::Content, pretty(body))],
        streamed: false,
        input_tokens,
        output_tokens: 0,
    }
}

/// Google indents what it answers.
fn pretty(body: &Value) -> String {
    format!("{body:#}\n")
}

fn head(content_type: &str) -> Vec<(String, String)> {
    [
        ("content-type", content_type),
        ("vary", "Origin"),
        ("server-timing", "gfet4t7; dur=5"),
        ("x-content-type-options", "nosniff"),
    ]
    .map(|(n, v)| (n.to_owned(), v.to_owned()))
    .to_vec()
}

fn credentials(request: &Request) -> Result<(), Refusal> {
    let header = request.header("x-goog-api-key").is_some_and(|k| !k.trim().is_empty());
    let query = request.query_value("key").is_some_and(|k| !k.is_empty());
    let bearer = request
        .header("authorization")
        .and_then(|v| v.split_once(' '))
        .is_some_and(|(_, t)| !t.trim().is_empty());
    if header || query || bearer {
        return Ok(());
    }
    Err(Refusal::new(
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
    ))
}

fn body(request: &Request) -> Result<Value, Refusal> {
    match serde_json::from_slice(&request.body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => {
            Err(wording::invalid("Invalid JSON payload received. Root element must be a message."))
        }
        Err(e) => Err(wording::invalid(format!(
            "Invalid JSON payload received. Unexpected token.\nline {}, column {}",
            e.line(),
            e.column()
        ))),
    }
}

/// A response id that depends on the request alone.
fn response_id(seed: u64) -> String {
    ids::id("", seed, 0, 22)
}
