//! Citations: where a statement comes from, as Bedrock writes it.

use serde_json::{Map, Value, json};
use tollgate_model::Citation;

use super::ID;

/// Reads a citation that supports the characters `start..end` of the answer.
pub(super) fn read(json: Value, start: u64, end: u64) -> Citation {
    let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    let location = json.get("location").and_then(Value::as_object);
    let place = location.and_then(|location| location.values().next());
    let url = place.and_then(|place| place.get("url")).and_then(Value::as_str).map(str::to_owned);
    let is_url = |text: &String| text.starts_with("https://") || text.starts_with("http://");
    let document = place.and_then(|place| place.get("documentIndex")).and_then(Value::as_u64);
    let (start, end) = if start < end { (Some(start), Some(end)) } else { (None, None) };
    Citation {
        url: url.or_else(|| text("source").filter(is_url)),
        title: text("title"),
        cited_text: passage(&json),
        document: document.and_then(|index| u32::try_from(index).ok()),
        start,
        end,
        native: Some((ID, json)),
    }
}

fn passage(json: &Value) -> Option<String> {
    let pieces = json.get("sourceContent")?.as_array()?;
    let text: String =
        pieces.iter().filter_map(|piece| piece.get("text").and_then(Value::as_str)).collect();
    (!text.is_empty()).then_some(text)
}

/// Writes a citation; `None` when Bedrock has no form for it.
pub(super) fn written(citation: &Citation) -> Option<Value> {
    if let Some((ID, json)) = &citation.native {
        return Some(json.clone());
    }
    let url = citation.url.as_ref()?;
    let mut out = Map::new();
    if let Some(title) = &citation.title {
        out.insert("title".into(), json!(title));
    }
    if let Some(text) = &citation.cited_text {
        out.insert("sourceContent".into(), json!([{"text": text}]));
    }
    out.insert("location".into(), json!({"web": {"url": url}}));
    Some(Value::Object(out))
}
