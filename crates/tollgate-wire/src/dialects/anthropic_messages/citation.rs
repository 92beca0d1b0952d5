//! Citations: where a statement comes from, as Anthropic writes it.

use serde_json::{Value, json};
use tollgate_model::Citation;

use super::ID;

/// Marks a citation that another dialect made, in the place of Anthropic's own proof.
pub(super) const FOREIGN: &str = "tollgate.";

/// Reads a citation that supports the characters `start..end` of the answer.
pub(super) fn read(json: Value, start: u64, end: u64) -> Citation {
    let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    let document = json.get("document_index").and_then(Value::as_u64);
    Citation {
        url: text("url"),
        title: text("title").or_else(|| text("document_title")),
        cited_text: text("cited_text"),
        document: document.and_then(|index| u32::try_from(index).ok()),
        start: Some(start),
        end: Some(end),
        native: Some((ID, json)),
    }
}

/// Writes a citation; `None` when Anthropic has no form for it.
pub(super) fn written(citation: &Citation) -> Option<Value> {
    if let Some((ID, json)) = &citation.native {
        return Some(json.clone());
    }
    let url = citation.url.as_ref()?;
    Some(json!({
        "type": "web_search_result_location",
        "cited_text": citation.cited_text.as_deref().unwrap_or_default(),
        "url": url,
        "title": citation.title,
        "encrypted_index": FOREIGN,
    }))
}

/// Anthropic did not make this citation and would refuse it.
pub(super) fn is_foreign(json: &Value) -> bool {
    json.get("encrypted_index").and_then(Value::as_str) == Some(FOREIGN)
}
