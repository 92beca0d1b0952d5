//! Vectors and rankings by InvokeModel: each maker's models take a body of their own, with the model
//! in the path alone.

use super::head;
use super::wording::{flawed, invalid};
use crate::openai::vector;
use crate::refusal::Refusal;
use crate::script::{Frame, Part, Reply, Request};
use crate::shape::{self, Reading, Shape, may, must};
use crate::{cohere, ids, tokens};
use serde_json::{Value, json};

/// From a body and a model: the answer, and the tokens of the input.
type Answerer = fn(&Value, &str) -> Result<(Value, u64), Refusal>;

/// What answers for a model, where it makes vectors or rankings.
pub(super) fn answerer(model: &str) -> Option<Answerer> {
    let made_by = |name: &str| model.contains(name);
    if made_by("titan-embed-text") {
        Some(titan)
    } else if made_by("cohere.embed") {
        Some(cohere_vectors)
    } else if made_by("cohere.rerank") || made_by("amazon.rerank") {
        Some(ranking)
    } else {
        None
    }
}

pub(super) fn whole(request: &Request, told: &Value, input_tokens: u64) -> Reply {
    let mut headers = head(&request.body, "application/json");
    headers.push(("x-amzn-bedrock-input-token-count".to_owned(), input_tokens.to_string()));
    Reply {
        headers,
        frames: vec![Frame::new(Part::Content, told.to_string())],
        streamed: false,
        input_tokens,
        output_tokens: 0,
    }
}

const TITAN_1: Shape = Shape::Object(&[must("inputText", Shape::Str)]);
const TITAN_2: Shape = Shape::Object(&[
    must("inputText", Shape::Str),
    may("dimensions", Shape::Int),
    may("normalize", Shape::Bool),
    may("embeddingTypes", Shape::List(&Shape::Word(&["float", "binary"]))),
]);
const COHERE: Shape = Shape::Object(&[
    must("texts", Shape::List(&Shape::Str)),
    must(
        "input_type",
        Shape::Word(&["search_document", "search_query", "classification", "clustering"]),
    ),
    may("truncate", Shape::Word(&["NONE", "START", "END"])),
    may("embedding_types", Shape::List(&Shape::Word(&["float", "int8", "uint8", "binary"]))),
    may("output_dimension", Shape::Int),
]);
const COHERE_RANKING: Shape = Shape::Object(&[
    must("query", Shape::Str),
    must("documents", Shape::List(&Shape::Str)),
    may("top_n", Shape::Int),
    must("api_version", Shape::Int),
]);
const AMAZON_RANKING: Shape = Shape::Object(&[
    must("query", Shape::Str),
    must("documents", Shape::List(&Shape::Str)),
    may("top_n", Shape::Int),
]);

fn shaped(table: &Shape, body: &Value) -> Result<(), Refusal> {
    shape::check(table, body, Reading { loose: false }).map_err(|flaw| flawed(&flaw))
}

fn titan(body: &Value, model: &str) -> Result<(Value, u64), Refusal> {
    let first = model.contains("titan-embed-text-v1");
    shaped(if first { &TITAN_1 } else { &TITAN_2 }, body)?;
    let text = body["inputText"].as_str().unwrap_or_default();
    if text.is_empty() {
        return Err(invalid("Malformed input request: expected minLength: 1, actual: 0."));
    }
    let size = match body["dimensions"].as_u64() {
        None if first => 1536,
        None => 1024,
        Some(size @ (256 | 512 | 1024)) => size,
        Some(_) => {
            return Err(invalid("Malformed input request: dimensions is not a valid enum value."));
        }
    };
    let made = vector(ids::hash(text.as_bytes()), usize::try_from(size).unwrap_or(1024));
    let count = tokens::count(text);
    let mut told = json!({"embedding": made, "inputTextTokenCount": count});
    if !first {
        told["embeddingsByType"] = json!({"float": made});
    }
    Ok((told, count))
}

fn cohere_vectors(body: &Value, _: &str) -> Result<(Value, u64), Refusal> {
    shaped(&COHERE, body)?;
    unversioned(cohere::embedded(body))
}

fn ranking(body: &Value, model: &str) -> Result<(Value, u64), Refusal> {
    let coheres = model.contains("cohere");
    shaped(if coheres { &COHERE_RANKING } else { &AMAZON_RANKING }, body)?;
    if coheres && body["api_version"].as_u64() != Some(2) {
        return Err(invalid("Malformed input request: api_version must be 2."));
    }
    unversioned(cohere::reranked(body))
}

/// The host's answers tell nothing of what is billed, and its refusals have a word of their own.
fn unversioned(told: Result<(Value, u64), Refusal>) -> Result<(Value, u64), Refusal> {
    let (mut told, count) = told.map_err(|refusal| invalid(refusal.message))?;
    if let Some(told) = told.as_object_mut() {
        told.remove("meta");
    }
    Ok((told, count))
}
