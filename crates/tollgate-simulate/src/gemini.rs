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
mod wording;

use crate::answer;
use crate::cache::Cache;
use crate::ids;
use crate::refusal::Refusal;
use crate::routes::GeminiMethod;
use crate::script::{Frame, Part, Reply, Request};
use crate::simulator::percent_decoded;
use serde_json::{Value, json};

/// Answers a call on a model, or says why not.
pub(crate) fn call(
    request: &Request,
    model: &str,
    method: GeminiMethod,
    cache: &mut Cache,
) -> Result<Reply, Refusal> {
    credentials(request)?;
    let model = percent_decoded(model);
    let vertex = request.path.contains("/publishers/");
    let body = body(request)?;
    match method {
        GeminiMethod::Generate | GeminiMethod::Stream => {
            generate(request, &body, &model, method, cache)
        }
        GeminiMethod::CountTokens => {
            let asked = rules::count_tokens(&body, vertex, &request.body, &model)?;
            let counted = asked.input_tokens;
            Ok(told(
                &json!({"totalTokens": counted, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": counted}]}),
                counted,
            ))
        }
        GeminiMethod::Embed => embed::one(&body, &model),
        GeminiMethod::BatchEmbed => embed::batch(&body, &model),
    }
}

fn generate(
    request: &Request,
    body: &Value,
    model: &str,
    method: GeminiMethod,
    cache: &mut Cache,
) -> Result<Reply, Refusal> {
    let body = rules::generate(body, model)?;
    let mut asked = read::asked(&body, &request.body, model);
    asked.stream = method == GeminiMethod::Stream;
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
pub(crate) fn models(request: &Request, one: Option<&str>) -> Result<Reply, Refusal> {
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
    let body = match one {
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

/// The refusal in Google's shape.
pub(crate) fn refused(refusal: &Refusal) -> (Vec<(String, String)>, Value) {
    let mut error =
        json!({"code": refusal.status, "message": refusal.message, "status": refusal.kind});
    if let Some(details) = &refusal.details {
        error["details"] = Value::clone(details);
    }
    (head("application/json; charset=UTF-8"), json!({"error": error}))
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
