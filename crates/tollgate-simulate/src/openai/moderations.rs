//! Moderations: a text is harmful when it says so.

use super::tables;
use super::wording::{flawed, invalid};
use crate::ids;
use crate::refusal::Refusal;
use crate::script::{Reply, Request};
use crate::shape::{self, Reading};
use serde_json::{Map, Value, json};

const CATEGORIES: &[&str] = &[
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

/// Answers a moderation, or says why not.
pub(super) fn moderate(request: &Request) -> Result<Reply, Refusal> {
    let body = super::body(request)?;
    shape::check(&tables::MODERATION, &body, Reading { loose: false }).map_err(|f| flawed(&f))?;
    let results: Vec<Value> = match &body["input"] {
        Value::String(text) => vec![result(text)],
        Value::Array(list) if list.is_empty() => {
            return Err(invalid("Invalid 'input': empty array.").param("input"));
        }
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).map(result).collect()
        }
        Value::Array(parts) => vec![result(&json!(parts).to_string())],
        _ => return Err(invalid("Invalid type for 'input'.").param("input")),
    };
    let body = json!({
        "id": ids::id("modr-", ids::hash(&request.body), 0, 29),
        "model": body["model"].as_str().unwrap_or("omni-moderation-latest"),
        "results": results,
    });
    Ok(super::whole(request, &body))
}

fn result(text: &str) -> Value {
    let violent = text.to_lowercase().contains("harm");
    let categories: Map<String, Value> = CATEGORIES
        .iter()
        .map(|name| ((*name).to_owned(), json!(violent && *name == "violence")))
        .collect();
    let scores: Map<String, Value> = categories
        .iter()
        .map(|(name, hit)| (name.clone(), json!(if *hit == json!(true) { 0.9 } else { 0.01 })))
        .collect();
    json!({"flagged": violent, "categories": categories, "category_scores": scores})
}
