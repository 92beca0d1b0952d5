//! Embeddings as Google asks for them, one or a batch.

use super::rules::canonical;
use super::tables;
use super::wording::{field, invalid};
use crate::openai::vector;
use crate::refusal::Refusal;
use crate::script::Reply;
use crate::{ids, tokens};
use serde_json::{Value, json};

/// Answers embedContent.
pub(super) fn one(body: &Value, model: &str) -> Result<Reply, Refusal> {
    let body = canonical(&tables::EMBED, body)?;
    let (values, counted) = embedding(&body, model, "EmbedContentRequest", "")?;
    Ok(super::told(&json!({"embedding": {"values": values}}), counted))
}

/// Answers batchEmbedContents.
pub(super) fn batch(body: &Value, model: &str) -> Result<Reply, Refusal> {
    let body = canonical(&tables::BATCH, body)?;
    let requests = body["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    if requests.is_empty() {
        return Err(field("BatchEmbedContentsRequest", "requests", "requests is not specified"));
    }
    if requests.len() > 100 {
        return Err(field(
            "BatchEmbedContentsRequest",
            "requests",
            "at most 100 requests can be in one batch",
        ));
    }
    let mut embeddings = Vec::new();
    let mut total = 0;
    for (at, request) in requests.iter().enumerate() {
        if request["model"].is_null() {
            return Err(field(
                "BatchEmbedContentsRequest",
                &format!("requests[{at}].model"),
                "model is not specified",
            ));
        }
        let (values, counted) =
            embedding(request, model, "BatchEmbedContentsRequest", &format!("requests[{at}]."))?;
        total += counted;
        embeddings.push(json!({"values": values}));
    }
    Ok(super::told(&json!({"embeddings": embeddings}), total))
}

fn embedding(
    request: &Value,
    model: &str,
    kind: &str,
    before: &str,
) -> Result<(Vec<f32>, u64), Refusal> {
    if let Some(named) = request["model"].as_str()
        && named.rsplit("models/").next() != Some(model)
    {
        return Err(field(
            kind,
            &format!("{before}model"),
            &format!("unexpected model name {named}, expected models/{model}"),
        ));
    }
    let parts = request["content"]["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    if parts.is_empty() {
        return Err(field(kind, &format!("{before}content"), "content is not specified"));
    }
    let text: Vec<&str> = parts.iter().filter_map(|p| p["text"].as_str()).collect();
    let text = text.join("\n");
    if text.is_empty() && parts.iter().all(|p| p["inlineData"].is_null()) {
        return Err(invalid("Content must not be empty."));
    }
    let size = request["outputDimensionality"]
        .as_i64()
        .unwrap_or(if model.contains("embedding-00") { 3072 } else { 768 });
    match usize::try_from(size) {
        Ok(size @ 1..=3072) => {
            let seed = ids::hash(json!(parts).to_string().as_bytes());
            Ok((vector(seed, size), tokens::count(&text)))
        }
        _ => Err(field(
            kind,
            &format!("{before}output_dimensionality"),
            "output_dimensionality must be in the range [1, 3072].",
        )),
    }
}
