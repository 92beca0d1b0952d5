//! Documents that an answer is to rest on: texts with named fields, beside the conversation or in
//! a result of a tool.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use tollgate_model::{Losses, Media, MediaKind, MediaSource, Part, PartKind};

use super::ID;

/// The form of a document that stood beside the conversation.
pub(super) const BESIDE: &str = "documents";
/// The field of a part that holds a document.
pub(super) const FIELD: &str = "document";
/// The fields of a document that hold its text.
pub(super) const TEXTS: [&str; 3] = ["text", "snippet", "content"];

/// Reads a document as a part of a message. How it was written is remembered.
pub(super) fn read(document: &Value) -> Part {
    let data = document.get("data").unwrap_or(document);
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
    let content = data.as_str().map(str::to_owned);
    let content = content.or_else(|| TEXTS.iter().find_map(|name| text(data, name)));
    let source = MediaSource::Text {
        mime: "text/plain".into(),
        text: content.unwrap_or_else(|| data.to_string()),
    };
    let name = text(data, "title").or_else(|| text(document, "id"));
    let media = Media { kind: MediaKind::Document, source, name, detail: None };
    let canonical = written(&media);
    let mut part = Part::new(PartKind::Media(media));
    part.extras.spell(ID, FIELD, canonical, document.clone());
    part
}

/// Writes the document in a part; `None` for what is no text.
pub(super) fn write(part: &Part, path: &str, losses: &mut Losses) -> Option<Value> {
    let PartKind::Media(media) = &part.kind else { return None };
    let mut holder = Map::new();
    holder.insert(FIELD.into(), written(media)?);
    part.extras.restore(ID, &mut holder, path, losses);
    holder.remove(FIELD)
}

fn written(media: &Media) -> Option<Value> {
    let text = text_of(media)?;
    let mut data = Map::new();
    if let Some(name) = &media.name {
        data.insert("title".into(), name.as_str().into());
    }
    data.insert("text".into(), text.into());
    let mut out = Map::new();
    if let Some(name) = &media.name {
        out.insert("id".into(), name.as_str().into());
    }
    out.insert("data".into(), json!(data));
    Some(out.into())
}

fn text_of(media: &Media) -> Option<String> {
    match &media.source {
        _ if media.kind != MediaKind::Document => None,
        MediaSource::Text { text, .. } => Some(text.clone()),
        MediaSource::Base64 { mime, data } if mime.starts_with("text/") => {
            String::from_utf8(STANDARD.decode(data).ok()?).ok()
        }
        _ => None,
    }
}
