//! Vectors and rankings, made from the texts alone.

use super::{body, head, rules, tables, uuid};
use crate::openai::vector;
use crate::refusal::Refusal;
use crate::script::{Frame, Part, Reply, Request};
use crate::{ids, tokens};
use base64::Engine as _;
use serde_json::{Value, json};

pub(super) fn embed(request: &Request) -> Result<Reply, Refusal> {
    let body = body(request)?;
    rules::shaped(&tables::EMBED, &body)?;
    embedded(&body).map(|(told, counted)| whole(&told, counted))
}

/// Vectors for a body of the right shape, and the tokens of its texts.
pub(crate) fn embedded(body: &Value) -> Result<(Value, u64), Refusal> {
    let texts = strings(&body["texts"]);
    if texts.is_empty() || texts.len() > 96 {
        return Err(Refusal::new(
            400,
            "",
            "invalid request: texts must hold at least one and at most 96 texts.",
        ));
    }
    let size = body["output_dimension"].as_u64().unwrap_or(1536);
    if ![256, 512, 1024, 1536].contains(&size) {
        let message = "invalid request: output_dimension must be one of 256, 512, 1024, 1536.";
        return Err(Refusal::new(400, "", message));
    }
    let size = usize::try_from(size).unwrap_or(1536);
    let of = |text: &String| vector(ids::hash(text.as_bytes()), size);
    let types = strings(&body["embedding_types"]);
    let types = if types.is_empty() { vec!["float".to_owned()] } else { types };
    let embeddings = types.iter().map(|kind| {
        let vectors = texts.iter().map(|text| written(kind, &of(text)));
        (kind.clone(), vectors.collect::<Value>())
    });
    let counted: u64 = texts.iter().map(|text| tokens::count(text)).sum();
    let told = json!({
        "id": uuid(ids::hash(body.to_string().as_bytes())),
        "embeddings": embeddings.collect::<serde_json::Map<_, _>>(),
        "texts": texts,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": counted}},
        "response_type": "embeddings_by_type",
    });
    Ok((told, counted))
}

fn written(kind: &str, vector: &[f32]) -> Value {
    match kind {
        "base64" => {
            let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            json!(base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        "float" => json!(vector),
        _ => vector.iter().map(|x| if *x > 0.0 { 1 } else { 0 }).collect(),
    }
}

pub(super) fn rerank(request: &Request) -> Result<Reply, Refusal> {
    let body = body(request)?;
    rules::shaped(&tables::RERANK, &body)?;
    reranked(&body).map(|(told, counted)| whole(&told, counted))
}

/// A ranking for a body of the right shape.
pub(crate) fn reranked(body: &Value) -> Result<(Value, u64), Refusal> {
    let documents = strings(&body["documents"]);
    if documents.is_empty() {
        let message = "invalid request: list of documents must not be empty";
        return Err(Refusal::new(400, "", message));
    }
    if body["top_n"].as_u64() == Some(0) {
        return Err(Refusal::new(400, "", "invalid request: top_n must be greater than 0"));
    }
    let ranked = ranked(body["query"].as_str().unwrap_or_default(), &documents);
    let most = body["top_n"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    let results = ranked.into_iter().take(most);
    let results = results.map(|(index, score)| json!({"index": index, "relevance_score": score}));
    let told = json!({
        "id": uuid(ids::hash(body.to_string().as_bytes())),
        "results": results.collect::<Vec<_>>(),
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    });
    Ok((told, 0))
}

/// Documents by how many words of the query they hold, best first.
pub(crate) fn ranked(query: &str, documents: &[String]) -> Vec<(usize, f64)> {
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let score = |document: &String| {
        let document = document.to_lowercase();
        let held = words.iter().filter(|word| document.contains(word.as_str())).count();
        let share = u32::try_from(held).unwrap_or(0);
        f64::from(share) / f64::from(u32::try_from(words.len().max(1)).unwrap_or(1))
    };
    let mut all: Vec<(usize, f64)> = documents.iter().map(score).enumerate().collect();
    all.sort_by(|one, other| other.1.total_cmp(&one.1));
    all
}

pub(crate) fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn whole(told: &Value, input_tokens: u64) -> Reply {
    Reply {
        headers: head("application/json"),
        frames: vec![Frame::new(Part::Content, told.to_string())],
        streamed: false,
        input_tokens,
        output_tokens: 0,
    }
}
