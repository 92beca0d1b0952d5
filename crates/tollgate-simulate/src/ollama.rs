//! Ollama's own dialect: chats whole or as lines, embeddings and the list of models. It asks for no
//! key, and overlooks what it does not know, as the vendor's reader does.

mod read;
mod reply;
mod rules;

use crate::answer;
use crate::cache::Cache;
use crate::dialect::{Headers, Operation, Vendor, always};
use crate::openai::vector;
use crate::refusal::Refusal;
use crate::routes::NotACall;
use crate::script::{Frame, Part, Reply, Request, Script};
use crate::simulator::refused;
use crate::{ids, tokens};
use bytes::Bytes;
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct Ollama;

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "ollama-chat",
        method: "POST",
        paths: &["/api/chat"],
        when: always,
        answer: |call, state| chat(call.request, &mut state.cache),
    },
    Operation {
        name: "ollama-embed",
        method: "POST",
        paths: &["/api/embed"],
        when: always,
        answer: |call, _| embed(call.request),
    },
    Operation {
        name: "ollama-tags",
        method: "GET",
        paths: &["/api/tags"],
        when: always,
        answer: |_, _| Ok(whole(&json!({"models": [reply::model("simulated")]}))),
    },
];

impl Vendor for Ollama {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn refused(&self, refusal: &Refusal) -> (Headers, String) {
        (head("application/json; charset=utf-8"), json!({"error": refusal.message}).to_string())
    }

    fn trouble(&self, status: u16, _: bool) -> Refusal {
        let message = match status {
            400 => "the simulated model does not support thinking",
            401 | 403 => "unauthorized",
            404 => "model 'simulated' not found",
            429 => "too many requests",
            503 => "server busy, please try again.  maximum pending requests exceeded",
            _ => "llama runner process has terminated: exit status 2",
        };
        Refusal::new(status, "", message)
    }

    fn no_such_call(&self, _: &Request, wrong: NotACall) -> Script {
        match wrong {
            NotACall::UnknownPath => Script::whole(404, head("text/plain"), "404 page not found"),
            NotACall::WrongMethod => {
                refused(&Self, &Refusal::new(405, "", "405 method not allowed"))
            }
        }
    }

    fn framed(&self, _event: &str, data: &str) -> Bytes {
        format!("{data}\n").into()
    }

    fn delta(&self, text: &str) -> String {
        json!({"model": "fault-huge-line", "created_at": reply::CREATED,
            "message": {"role": "assistant", "content": text}, "done": false})
        .to_string()
    }
}

fn chat(request: &Request, cache: &mut Cache) -> Result<Reply, Refusal> {
    let body = body(request)?;
    rules::chat(&body)?;
    let asked = read::asked(&body, &request.body);
    let answer = answer::answer(&asked);
    // What is still in memory is not evaluated again, and not counted.
    let kept = cache.unasked(&asked.prefixes).read.min(asked.input_tokens.saturating_sub(1));
    let input = asked.input_tokens - kept;
    let frames = if asked.stream {
        reply::lines(&asked, &answer, input)
    } else {
        vec![Frame::new(Part::Content, reply::whole(&asked, &answer, input).to_string())]
    };
    let content_type =
        if asked.stream { "application/x-ndjson" } else { "application/json; charset=utf-8" };
    Ok(Reply {
        headers: head(content_type),
        frames,
        streamed: asked.stream,
        input_tokens: input,
        output_tokens: answer.output_tokens,
    })
}

fn embed(request: &Request) -> Result<Reply, Refusal> {
    let body = body(request)?;
    rules::embed(&body)?;
    let texts: Vec<&str> = match &body["input"] {
        Value::String(one) => vec![one],
        many => many.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    };
    let size = usize::try_from(body["dimensions"].as_u64().unwrap_or(384)).unwrap_or(384);
    let vectors: Vec<Vec<f32>> =
        texts.iter().map(|text| vector(ids::hash(text.as_bytes()), size)).collect();
    let counted: u64 = texts.iter().map(|text| tokens::count(text)).sum();
    let told = json!({
        "model": body["model"], "embeddings": vectors, "total_duration": 1_000_000,
        "load_duration": 1_000, "prompt_eval_count": counted,
    });
    Ok(Reply { input_tokens: counted, ..whole(&told) })
}

fn whole(body: &Value) -> Reply {
    Reply {
        headers: head("application/json; charset=utf-8"),
        frames: vec![Frame::new(Part::Content, body.to_string())],
        streamed: false,
        input_tokens: 0,
        output_tokens: 0,
    }
}

fn head(content_type: &str) -> Headers {
    crate::dialect::headers([("content-type", content_type)])
}

fn body(request: &Request) -> Result<Value, Refusal> {
    if request.body.is_empty() {
        return Err(rules::wrong("missing request body"));
    }
    match serde_json::from_slice(&request.body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(rules::wrong("json: cannot unmarshal into Go value of type api.ChatRequest")),
        Err(_) => Err(rules::wrong("invalid character in the body: it is not JSON")),
    }
}
