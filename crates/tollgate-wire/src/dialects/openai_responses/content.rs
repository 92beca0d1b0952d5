//! Parts of a message's content and of a tool's output, read and written: text, refusals, images,
//! files, audio.

use serde_json::{Map, Value, json};
use tollgate_model::{Fault, Media, MediaKind, MediaSource, Part, PartKind, Role, Shape};

use super::ID;
use crate::dialect::Writing;
use crate::dialects::openai_chat::parts::{
    audio_format, audio_mime, media_word, mime_of_name, source_of_url, with_title, written_url,
};
use crate::fields::{Fields, expected};

/// Reads a `content` or an `output`: `None` when the field was not there.
pub(super) fn decode_content(
    content: Option<Value>,
    path: &str,
    role: Role,
) -> Result<(Vec<Part>, Shape), Fault> {
    match content {
        None => Ok((Vec::new(), Shape::Absent)),
        Some(Value::Null) => Ok((Vec::new(), Shape::Null)),
        Some(Value::String(text)) => Ok((vec![Part::text(text)], Shape::Text)),
        Some(Value::Array(list)) => {
            let parts = list.into_iter().enumerate();
            let parts = parts.map(|(at, part)| decode(part, &format!("{path}[{at}]"), role));
            Ok((parts.collect::<Result<_, _>>()?, Shape::List))
        }
        Some(other) => Err(expected(path, "a string or an array of parts", &other)),
    }
}

/// The types of parts that the hub has words for.
const KNOWN: [&str; 7] =
    ["text", "input_text", "output_text", "refusal", "input_image", "input_file", "input_audio"];

fn decode(part: Value, path: &str, role: Role) -> Result<Part, Fault> {
    let mut fields = Fields::of(ID, part, path)?;
    let kind = match fields.take_raw("type") {
        Some(Value::String(kind)) => kind,
        Some(other) => return Err(fields.wrong("type", "a string", &other)),
        None => return Err(fields.missing("type")),
    };
    if !KNOWN.contains(&kind.as_str()) || is_misplaced(&fields) {
        fields.leave("type", kind.into());
        let json = Value::Object(fields.all().clone());
        return Ok(PartKind::Native { dialect: ID, json }.into());
    }
    let understood = match kind.as_str() {
        "refusal" => {
            let text = fields.string("refusal")?.ok_or_else(|| fields.missing("refusal"))?;
            PartKind::Refusal(text)
        }
        "input_image" => decode_image(&mut fields)?,
        "input_file" => decode_file(&mut fields)?,
        "input_audio" => decode_audio(&mut fields)?,
        _ => {
            let text = fields.string("text")?.ok_or_else(|| fields.missing("text"))?;
            fields.extras().spell(ID, "type", Some(text_type(role).into()), kind.into());
            PartKind::Text(text)
        }
    };
    for list in ["annotations", "logprobs"] {
        let empty = fields.all().get(list).and_then(Value::as_array).is_some_and(Vec::is_empty);
        // How sure the model was says nothing to a model.
        if (empty || list == "logprobs")
            && let Some(written) = fields.take(list)
        {
            fields.extras().spell(ID, list, None, written);
        }
    }
    Ok(Part { kind: understood, cache: None, extras: fields.rest() })
}

/// Data where an address belongs, or the other way: only the own dialect may know what to make of
/// it.
fn is_misplaced(part: &Fields) -> bool {
    let said = |field| part.all().get(field).and_then(Value::as_str).unwrap_or_default();
    let data = said("file_data");
    said("file_url").starts_with("data:") || (!data.starts_with("data:") && data.contains("://"))
}

fn text_type(role: Role) -> &'static str {
    if role == Role::Assistant { "output_text" } else { "input_text" }
}

fn decode_image(part: &mut Fields) -> Result<PartKind, Fault> {
    let detail = part.string("detail")?;
    // A second source stays where it is, as an extra.
    let source = if let Some(url) = part.string("image_url")? {
        let media = media(MediaKind::Image, source_of_url(&url), None);
        respell(part, "image_url", &media, url);
        media.source
    } else if let Some(id) = part.string("file_id")? {
        MediaSource::File { id, mime: None }
    } else {
        return Err(part.missing("image_url"));
    };
    Ok(PartKind::Media(Media { detail, ..media(MediaKind::Image, source, None) }))
}

fn decode_file(part: &mut Fields) -> Result<PartKind, Fault> {
    let name = part.string("filename")?;
    let source = if let Some(id) = part.string("file_id")? {
        MediaSource::File { id, mime: None }
    } else if let Some(url) = part.string("file_url")? {
        MediaSource::Url { url, mime: None }
    } else if let Some(data) = part.string("file_data")? {
        let source = match source_of_url(&data) {
            MediaSource::Url { url, .. } if !url.contains("://") => {
                // Bare base64: the name tells the type.
                let mime = mime_of_name(name.as_deref()).to_owned();
                MediaSource::Base64 { mime, data: url }
            }
            source => source,
        };
        let media = media(MediaKind::Document, source, None);
        respell(part, "file_data", &media, data);
        media.source
    } else {
        return Err(part.missing("file_data"));
    };
    Ok(PartKind::Media(media(MediaKind::Document, source, name)))
}

fn decode_audio(part: &mut Fields) -> Result<PartKind, Fault> {
    let field = "input_audio";
    let Some(written) = part.take_raw(field) else { return Err(part.missing(field)) };
    let mut object = Fields::of(ID, written, &part.at(field))?;
    let data = object.string("data")?.ok_or_else(|| object.missing("data"))?;
    let format = object.string("format")?.ok_or_else(|| object.missing("format"))?;
    let mime = audio_mime(&format);
    object.extras().spell(ID, "format", Some(audio_format(&mime).into()), format.into());
    object.rest_in(part, field);
    let source = MediaSource::Base64 { mime, data };
    Ok(PartKind::Media(media(MediaKind::Audio, source, None)))
}

fn media(kind: MediaKind, source: MediaSource, name: Option<String>) -> Media {
    Media { kind, source, name, detail: None }
}

/// Remembers a URL that the encoder would write differently.
fn respell(part: &mut Fields, field: &str, media: &Media, written: String) {
    let canonical = written_url(media).map(Value::from);
    part.extras().spell(ID, field, canonical, written.into());
}

/// Writes one part; `None`, and a loss, when the dialect has no such part. Extras are restored or
/// reported under `path`.
pub(super) fn encode(
    part: &Part,
    path: &str,
    role: Role,
    to: &mut Writing<'_>,
) -> Option<Map<String, Value>> {
    let mut out = match &part.kind {
        PartKind::Text(text) => object(text_type(role), "text", text),
        PartKind::Refusal(text) => object("refusal", "refusal", text),
        // A model's own media do not come back in this dialect: what its caller sent all the same
        // is for the provider to judge.
        PartKind::Media(media) if role == Role::Assistant && !to.own => {
            to.losses.dropped(path, media_word(media.kind));
            return None;
        }
        PartKind::Media(media) => match encode_media(media) {
            Some(out) => out,
            None => {
                to.losses.dropped(path, media_word(media.kind));
                return None;
            }
        },
        PartKind::Native { dialect, json } if *dialect == ID => return json.as_object().cloned(),
        PartKind::Native { json, .. } => {
            let kind = json.get("type").and_then(Value::as_str).unwrap_or("part");
            to.losses.dropped(path, kind);
            return None;
        }
        PartKind::Reasoning { .. }
        | PartKind::RedactedReasoning(_)
        | PartKind::ToolCall { .. }
        | PartKind::ToolResult { .. } => return None,
    };
    if !to.own && out.contains_key("file_data") && !out.contains_key("filename") {
        // The dialect demands a name.
        out.insert("filename".into(), "document".into());
    }
    if part.cache.is_some() {
        to.losses.dropped(path, "cache_control");
    }
    part.extras.restore(ID, &mut out, path, &mut to.losses);
    Some(out)
}

/// A part of one type with one field.
fn object(kind: &str, field: &str, value: &str) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("type".into(), kind.into());
    out.insert(field.into(), value.into());
    out
}

fn encode_media(media: &Media) -> Option<Map<String, Value>> {
    let mut out = match (media.kind, &media.source) {
        (MediaKind::Image, MediaSource::File { id, .. }) => object("input_image", "file_id", id),
        (MediaKind::Image, _) => object("input_image", "image_url", &written_url(media)?),
        (MediaKind::Document, MediaSource::Text { text, .. }) => {
            let text = with_title(media.name.as_deref(), text);
            return Some(object("input_text", "text", &text));
        }
        (MediaKind::Document, MediaSource::File { id, .. }) => object("input_file", "file_id", id),
        (MediaKind::Document, MediaSource::Url { url, .. }) if !url.starts_with("data:") => {
            object("input_file", "file_url", url)
        }
        (MediaKind::Document, _) => object("input_file", "file_data", &written_url(media)?),
        (MediaKind::Audio, MediaSource::Base64 { mime, data }) => {
            let audio = json!({"data": data, "format": audio_format(mime)});
            let mut out = Map::new();
            out.insert("type".into(), "input_audio".into());
            out.insert("input_audio".into(), audio);
            out
        }
        (MediaKind::Audio | MediaKind::Video, _) => return None,
    };
    if let Some(detail) = &media.detail {
        out.insert("detail".into(), detail.as_str().into());
    }
    if let Some(name) = &media.name {
        out.insert("filename".into(), name.as_str().into());
    }
    Some(out)
}
