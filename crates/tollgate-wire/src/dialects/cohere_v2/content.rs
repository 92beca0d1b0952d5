//! The content of a message, read and written: a bare text, or a list of texts, images, thinking
//! and documents.

use serde_json::{Map, Value, json};
use tollgate_model::{Fault, Losses, Media, MediaKind, MediaSource, Part, PartKind, Shape};

use super::{
    ID, document,
    messages::{SIGNATURE, decode_signature},
};
use crate::{
    fields::{Fields, expected},
    signature,
};

/// The field of an image, and its type.
const IMAGE: &str = "image_url";
/// The form of an image that is a bare URL.
const BARE: &str = "bare string";

pub(super) fn decode(content: Option<Value>, path: &str) -> Result<(Vec<Part>, Shape), Fault> {
    match content {
        None => Ok((Vec::new(), Shape::Absent)),
        Some(Value::Null) => Ok((Vec::new(), Shape::Null)),
        Some(Value::String(text)) => Ok((vec![Part::text(text)], Shape::Text)),
        Some(Value::Array(list)) => {
            let parts = list.into_iter().enumerate();
            let parts = parts.map(|(at, part)| decode_part(part, &format!("{path}[{at}]")));
            Ok((parts.collect::<Result<_, _>>()?, Shape::List))
        }
        Some(other) => Err(expected(path, "a string or an array of parts", &other)),
    }
}

fn decode_part(part: Value, path: &str) -> Result<Part, Fault> {
    let kind = part.get("type").and_then(Value::as_str).map(str::to_owned);
    let known = matches!(kind.as_deref(), Some("text" | "thinking" | IMAGE | "document"));
    if kind.is_some() && !known {
        return Ok(PartKind::Native { dialect: ID, json: part }.into());
    }
    let mut fields = Fields::of(ID, part, path)?;
    fields.string("type")?.ok_or_else(|| fields.missing("type"))?;
    let kind = match kind.as_deref() {
        Some("thinking") => {
            let text = fields.string("thinking")?.unwrap_or_default();
            PartKind::Reasoning { text, signature: decode_signature(&mut fields)? }
        }
        Some(IMAGE) => decode_image(&mut fields)?,
        Some("document") => {
            let written = fields.take("document").ok_or_else(|| fields.missing("document"))?;
            let mut part = document::read(&written);
            // The part has no field of its own but the document.
            for (name, value) in fields.all().clone() {
                part.extras.keep(ID, name, value);
            }
            return Ok(part);
        }
        _ => PartKind::Text(fields.string("text")?.ok_or_else(|| fields.missing("text"))?),
    };
    Ok(Part { kind, cache: None, extras: fields.rest() })
}

fn decode_image(fields: &mut Fields) -> Result<PartKind, Fault> {
    let written = fields.take(IMAGE).ok_or_else(|| fields.missing(IMAGE))?;
    if let Value::String(url) = written {
        fields.extras().choose(ID, BARE);
        return Ok(PartKind::Media(image(source_of_url(&url), None)));
    }
    let mut inner = Fields::of(ID, written, &fields.at(IMAGE))?;
    let url = inner.string("url")?.ok_or_else(|| inner.missing("url"))?;
    let media = image(source_of_url(&url), inner.string("detail")?);
    if let Some(canonical) = written_url(&media) {
        inner.extras().spell(ID, "url", Some(canonical.into()), url.into());
    }
    inner.rest_in(fields, IMAGE);
    Ok(PartKind::Media(media))
}

fn image(source: MediaSource, detail: Option<String>) -> Media {
    Media { kind: MediaKind::Image, source, name: None, detail }
}

/// The data of a `data:` URL, or the URL.
fn source_of_url(url: &str) -> MediaSource {
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match data {
        Some((mime, data)) => MediaSource::Base64 { mime: mime.to_owned(), data: data.to_owned() },
        None => MediaSource::Url { url: url.to_owned(), mime: None },
    }
}

fn written_url(media: &Media) -> Option<String> {
    match &media.source {
        MediaSource::Url { url, .. } => Some(url.clone()),
        MediaSource::Base64 { mime, data } => Some(format!("data:{mime};base64,{data}")),
        MediaSource::File { .. } | MediaSource::Text { .. } => None,
    }
}

/// Writes a content; `None` where the caller wrote none.
pub(super) fn encode(
    parts: &[(&Part, String)],
    shape: Shape,
    own: bool,
    losses: &mut Losses,
) -> Option<Value> {
    match (parts, shape) {
        ([], Shape::Absent) => return None,
        ([], Shape::Null) => return Some(Value::Null),
        ([(Part { kind: PartKind::Text(text), extras, .. }, path)], shape)
            if shape == Shape::Text || !own =>
        {
            extras.restore(ID, &mut Map::new(), path, losses);
            return Some(text.as_str().into());
        }
        _ => {}
    }
    let list: Vec<Value> =
        parts.iter().filter_map(|(part, path)| encode_part(part, path, losses)).collect();
    if list.is_empty() && !own { Some("".into()) } else { Some(list.into()) }
}

fn encode_part(part: &Part, path: &str, losses: &mut Losses) -> Option<Value> {
    let mut out = Map::new();
    let mut put = |kind: &str, field: &str, value: Value| {
        out.insert("type".into(), kind.into());
        out.insert(field.into(), value);
    };
    match &part.kind {
        PartKind::Text(text) => put("text", "text", text.as_str().into()),
        PartKind::Refusal(text) => {
            losses.approximated(path, "refusal");
            put("text", "text", text.as_str().into());
        }
        PartKind::Reasoning { text, signature } => {
            put("thinking", "thinking", text.as_str().into());
            if let Some(signature) = signature {
                // Only its own maker could read it.
                match part.extras.is_of(ID) {
                    true => {
                        drop(out.insert(SIGNATURE.into(), signature::written(signature, ID).into()))
                    }
                    false => losses.dropped(path, "signature"),
                }
            }
        }
        PartKind::Media(media) if media.kind == MediaKind::Image => match written_url(media) {
            Some(url) if part.extras.chose(ID, BARE) => put(IMAGE, IMAGE, url.into()),
            Some(url) => {
                let mut image = json!({"url": url});
                if let Some(detail) = &media.detail {
                    image["detail"] = detail.as_str().into();
                }
                put(IMAGE, IMAGE, image);
            }
            None => return lost("image", part, path, losses),
        },
        PartKind::Media(media) => match document::write(part, path, losses) {
            Some(document) => {
                out.insert("type".into(), "document".into());
                out.insert("document".into(), document);
            }
            None => return lost(kind_word(media.kind), part, path, losses),
        },
        PartKind::Native { dialect: ID, json } => return Some(json.clone()),
        PartKind::Native { json, .. } => {
            let what = json["type"].as_str().unwrap_or("type");
            return lost(what, part, path, losses);
        }
        PartKind::RedactedReasoning(_) => return lost("reasoning", part, path, losses),
        PartKind::ToolCall { .. } | PartKind::ToolResult { .. } => return None,
    }
    part.extras.restore(ID, &mut out, path, losses);
    Some(out.into())
}

fn lost(what: &str, part: &Part, path: &str, losses: &mut Losses) -> Option<Value> {
    losses.dropped(path, what);
    part.extras.report(path, losses);
    None
}

fn kind_word(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Document => "document",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
    }
}
