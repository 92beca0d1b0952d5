//! Citations of an answer: `citationMetadata` (recited sources) and `groundingMetadata` (what the
//! provider's own search found), both ways.

use serde_json::{Map, Value, json};
use tollgate_model::{Citation, Event};

use super::ID;

/// Fields of a candidate that are kept whole for this dialect, besides what is read of them.
pub(super) const KEPT: [&str; 2] = ["groundingMetadata", "urlContextMetadata"];

pub(super) fn read(choice: u32, candidate: &Value, out: &mut Vec<Event>) {
    let metadata = &candidate["citationMetadata"];
    for list in ["citationSources", "citations"] {
        for source in metadata[list].as_array().into_iter().flatten() {
            out.push(Event::Citation { choice, citation: recited(source) });
        }
    }
    let grounding = &candidate["groundingMetadata"];
    for support in grounding["groundingSupports"].as_array().into_iter().flatten() {
        for index in support["groundingChunkIndices"].as_array().into_iter().flatten() {
            let at = index.as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or(usize::MAX);
            let chunk = &grounding["groundingChunks"][at];
            out.push(Event::Citation { choice, citation: grounded(support, chunk) });
        }
    }
    let kept: Map<String, Value> = KEPT
        .into_iter()
        .filter_map(|field| Some((field, candidate.get(field)?.as_object()?)))
        .filter(|(_, object)| !object.is_empty())
        .map(|(field, object)| (field.to_owned(), object.clone().into()))
        .collect();
    if !kept.is_empty() {
        out.push(Event::Native { choice, dialect: ID, json: kept.into() });
    }
}

fn recited(source: &Value) -> Citation {
    let text = |field: &str| source[field].as_str().map(str::to_owned);
    Citation {
        url: text("uri"),
        title: text("title"),
        start: source["startIndex"].as_u64(),
        end: source["endIndex"].as_u64(),
        native: Some((ID, source.clone())),
        ..Citation::default()
    }
}

fn grounded(support: &Value, chunk: &Value) -> Citation {
    let place = ["web", "maps", "retrievedContext"].into_iter().find_map(|kind| chunk.get(kind));
    let text = |field: &str| place.and_then(|place| place[field].as_str()).map(str::to_owned);
    let segment = &support["segment"];
    Citation {
        url: text("uri"),
        title: text("title"),
        cited_text: text("text"),
        // Indexes count from 0, and a 0 is not written.
        start: Some(segment["startIndex"].as_u64().unwrap_or(0)),
        end: segment["endIndex"].as_u64(),
        native: Some((ID, support.clone())),
        ..Citation::default()
    }
}

/// The citation as an element of `citationSources`; `None` for one that stands in the grounding
/// that is written whole, or that names no place.
pub(super) fn written(citation: &Citation) -> Option<Value> {
    if let Some((dialect, native)) = &citation.native
        && *dialect == ID
    {
        return native.get("segment").is_none().then(|| native.clone());
    }
    let mut source = json!({});
    let texts = [("uri", &citation.url), ("title", &citation.title)];
    for (field, text) in texts {
        if let Some(text) = text {
            source[field] = text.as_str().into();
        }
    }
    for (field, index) in [("startIndex", citation.start), ("endIndex", citation.end)] {
        if let Some(index) = index {
            source[field] = index.into();
        }
    }
    Some(source)
}
