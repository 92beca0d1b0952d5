//! Citations: a span of the answer, and the documents or results of tools that support it.

use serde_json::{Map, Value, json};
use tollgate_model::Citation;

use super::{ID, document};

pub(super) fn read(citation: &Value) -> Citation {
    let count = |name: &str| citation.get(name).and_then(Value::as_u64);
    let source = citation.get("sources").and_then(|sources| sources.get(0));
    let cited = source.and_then(|source| source.get("document").or(source.get("tool_output")));
    let text = |name: &str| {
        let text = cited.and_then(|cited| cited.get(name)).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let id = || source?.get("id")?.as_str().map(str::to_owned);
    Citation {
        url: text("url"),
        title: text("title").or_else(id),
        cited_text: document::TEXTS.iter().find_map(|name| text(name)),
        document: None,
        start: count("start"),
        end: count("end"),
        native: Some((ID, citation.clone())),
    }
}

/// Writes a citation of any dialect. `said` is the answer so far, of which it supports a span.
pub(super) fn write(citation: &Citation, said: &str) -> Value {
    if let Some((ID, native)) = &citation.native {
        return native.clone();
    }
    let length = said.chars().count() as u64;
    let end = citation.end.unwrap_or(length).min(length);
    let start = citation.start.unwrap_or_default().min(end);
    let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
    let span: String = said.chars().skip(at(start)).take(at(end - start)).collect();
    let mut cited = Map::new();
    let number = citation.document.map(|number| format!("doc:{number}"));
    let id = number.or(citation.url.clone()).or(citation.title.clone());
    let id = id.unwrap_or_else(|| "doc:0".to_owned());
    cited.insert("id".into(), id.as_str().into());
    let fields =
        [("title", &citation.title), ("url", &citation.url), ("text", &citation.cited_text)];
    for (name, value) in fields {
        if let Some(value) = value {
            cited.insert(name.into(), value.as_str().into());
        }
    }
    json!({
        "start": start,
        "end": end,
        "text": span,
        "sources": [{"type": "document", "id": id, "document": cited}],
        "type": "TEXT_CONTENT",
    })
}
