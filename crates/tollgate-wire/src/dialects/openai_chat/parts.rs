//! Parts of a message's content, read and written: text, images, files, audio, video, refusals,
//! and the thinking that some hosts put among them.

use serde_json::{Map, Value, json};
use tollgate_model::{
    CacheMark, Extras, Fault, Media, MediaKind, MediaSource, Part, PartKind, Shape,
};

use super::ID;
use crate::dialect::Writing;
use crate::fields::{Fields, expected};

/// The form of a content part whose media is a bare string instead of an object.
pub(super) const BARE: &str = "bare string";
/// The form of a cache mark that OpenAI calls a breakpoint.
pub(super) const BREAKPOINT: &str = "prompt_cache_breakpoint";
/// The form of thinking that stands among the content parts.
pub(super) const AMONG: &str = "thinking part";

/// Reads a `content`: `None` when the field was not there.
pub(super) fn decode_content(
    content: Option<Value>,
    path: &str,
) -> Result<(Vec<Part>, Shape), Fault> {
    match content {
        None => Ok((Vec::new(), Shape::Absent)),
        Some(Value::Null) => Ok((Vec::new(), Shape::Null)),
        Some(Value::String(text)) => Ok((vec![Part::text(text)], Shape::Text)),
        Some(Value::Array(list)) => {
            let parts = list.into_iter().enumerate();
            let parts = parts.map(|(at, part)| decode(part, &format!("{path}[{at}]")));
            Ok((parts.collect::<Result<_, _>>()?, Shape::List))
        }
        Some(other) => Err(expected(path, "a string or an array of parts", &other)),
    }
}

/// The types of parts that the hub has words for.
const KNOWN: [&str; 11] = [
    "text",
    "input_text",
    "output_text",
    "refusal",
    "image_url",
    "video_url",
    "audio_url",
    "document_url",
    "input_audio",
    "file",
    "thinking",
];

fn decode(part: Value, path: &str) -> Result<Part, Fault> {
    let kind = part.get("type").and_then(Value::as_str).map(str::to_owned);
    if let Some(kind) = &kind
        && !KNOWN.contains(&kind.as_str())
    {
        return Ok(PartKind::Native { dialect: ID, json: part }.into());
    }
    let mut part = Fields::of(ID, part, path)?;
    let kind = match (part.take_raw("type"), kind) {
        (Some(_), Some(kind)) => kind,
        (Some(other), None) => return Err(part.wrong("type", "a string", &other)),
        (None, _) => return Err(part.missing("type")),
    };
    let cache = decode_cache(&mut part)?;
    let understood = match kind.as_str() {
        "refusal" => {
            let text = part.string("refusal")?.ok_or_else(|| part.missing("refusal"))?;
            PartKind::Refusal(text)
        }
        "image_url" => decode_url(&mut part, "image_url", MediaKind::Image)?,
        "video_url" => decode_url(&mut part, "video_url", MediaKind::Video)?,
        "audio_url" => decode_url(&mut part, "audio_url", MediaKind::Audio)?,
        "document_url" => decode_url(&mut part, "document_url", MediaKind::Document)?,
        "input_audio" => decode_audio(&mut part)?,
        "file" => decode_file(&mut part)?,
        "thinking" => decode_thinking(&mut part)?,
        _ => {
            let text = part.string("text")?.ok_or_else(|| part.missing("text"))?;
            part.extras().spell(ID, "type", Some("text".into()), kind.into());
            PartKind::Text(text)
        }
    };
    Ok(Part { kind: understood, cache, extras: part.rest() })
}

/// Takes a cache mark from a part, a tool or a message.
pub(super) fn decode_cache(holder: &mut Fields) -> Result<Option<CacheMark>, Fault> {
    if let Some(written) = holder.take("cache_control") {
        let mut mark = Fields::of(ID, written, &holder.at("cache_control"))?;
        match mark.take_raw("type") {
            Some(kind) => mark.extras().spell(ID, "type", Some("ephemeral".into()), kind),
            None => mark.extras().omit(ID, "type", "ephemeral".into()),
        }
        let ttl = mark.string("ttl")?;
        return Ok(Some(CacheMark { ttl, extras: mark.rest() }));
    }
    if holder.all().contains_key(BREAKPOINT)
        && let Some(written) = holder.take(BREAKPOINT)
    {
        holder.extras().choose(ID, BREAKPOINT);
        holder.extras().spell(ID, BREAKPOINT, Some(json!({"mode": "explicit"})), written);
        return Ok(Some(CacheMark::default()));
    }
    Ok(None)
}

/// Writes a cache mark into its holder, whose extras are `of` and which stands at `path`.
pub(super) fn put_cache(
    mark: &CacheMark,
    of: &Extras,
    path: &str,
    to: &mut Writing<'_>,
    out: &mut Map<String, Value>,
) {
    if !to.own && !to.quirks.cache_control {
        to.losses.dropped(path, "cache_control");
    } else if of.chose(ID, BREAKPOINT) {
        out.insert(BREAKPOINT.into(), json!({"mode": "explicit"}));
    } else {
        let mut written = Map::new();
        written.insert("type".into(), "ephemeral".into());
        if let Some(ttl) = &mark.ttl {
            written.insert("ttl".into(), ttl.as_str().into());
        }
        let path = format!("{path}.cache_control");
        mark.extras.restore(ID, &mut written, &path, &mut to.losses);
        out.insert("cache_control".into(), written.into());
    }
}

/// `{"type": "image_url", "image_url": {"url": …}}`, or a bare string for the object.
fn decode_url(part: &mut Fields, field: &'static str, kind: MediaKind) -> Result<PartKind, Fault> {
    let written = match part.take_raw(field) {
        None => return Err(part.missing(field)),
        Some(Value::String(url)) if matches!(field, "image_url" | "document_url") => {
            let name = part.string("document_name")?;
            return Ok(decode_bare(part, field, kind, (url, name)));
        }
        Some(written @ Value::Object(_)) if field != "document_url" => written,
        Some(other) => return Err(part.wrong(field, "an object", &other)),
    };
    let mut object = Fields::of(ID, written, &part.at(field))?;
    let url = object.string("url")?.ok_or_else(|| object.missing("url"))?;
    let detail = object.string("detail")?;
    let media = Media { kind, source: source_of_url(&url), name: None, detail };
    spell_url(&mut object, "url", &media, url);
    object.rest_in(part, field);
    Ok(PartKind::Media(media))
}

/// A medium whose URL (or base64) stands for the whole object.
fn decode_bare(
    part: &mut Fields,
    field: &str,
    kind: MediaKind,
    (written, name): (String, Option<String>),
) -> PartKind {
    part.extras().choose(ID, BARE);
    let plain =
        kind == MediaKind::Audio && !written.starts_with("data:") && !written.contains("://");
    let source = if plain {
        MediaSource::Base64 { mime: "audio/mpeg".into(), data: written.clone() }
    } else {
        source_of_url(&written)
    };
    let media = Media { kind, source, name, detail: None };
    spell_url(part, field, &media, written);
    PartKind::Media(media)
}

/// Remembers a URL that the encoder would write differently.
fn spell_url(holder: &mut Fields, field: &str, media: &Media, written: String) {
    let canonical = written_url(media);
    if canonical.as_ref() != Some(&written) {
        holder.extras().spell(ID, field, canonical.map(Value::from), written.into());
    }
}

fn decode_audio(part: &mut Fields) -> Result<PartKind, Fault> {
    let field = "input_audio";
    let written = match part.take_raw(field) {
        None => return Err(part.missing(field)),
        // Mistral takes a URL or bare base64.
        Some(Value::String(text)) => {
            return Ok(decode_bare(part, field, MediaKind::Audio, (text, None)));
        }
        Some(written @ Value::Object(_)) => written,
        Some(other) => return Err(part.wrong(field, "an object", &other)),
    };
    let mut object = Fields::of(ID, written, &part.at(field))?;
    let data = object.string("data")?.ok_or_else(|| object.missing("data"))?;
    let format = object.string("format")?.ok_or_else(|| object.missing("format"))?;
    let mime = audio_mime(&format);
    object.extras().spell(ID, "format", Some(audio_format(&mime).into()), format.into());
    let source = MediaSource::Base64 { mime, data };
    object.rest_in(part, field);
    Ok(PartKind::Media(Media { kind: MediaKind::Audio, source, name: None, detail: None }))
}

fn decode_file(part: &mut Fields) -> Result<PartKind, Fault> {
    let Some(written) = part.take_raw("file") else { return Err(part.missing("file")) };
    let mut object = Fields::of(ID, written, &part.at("file"))?;
    let name = object.string("filename")?;
    let mut media =
        Media { kind: MediaKind::Document, source: source_of_url(""), name, detail: None };
    if let Some(id) = object.string("file_id")? {
        media.source = MediaSource::File { id, mime: None };
    } else if let Some(data) = object.string("file_data")? {
        media.source = match source_of_url(&data) {
            MediaSource::Url { url, .. } if !url.contains("://") => {
                // Bare base64: the name tells the type.
                let mime = mime_of_name(media.name.as_deref());
                MediaSource::Base64 { mime: mime.into(), data: url }
            }
            source => source,
        };
        spell_url(&mut object, "file_data", &media, data);
    } else {
        return Err(object.missing("file_data"));
    }
    object.rest_in(part, "file");
    Ok(PartKind::Media(media))
}

/// Mistral: `{"type": "thinking", "thinking": [{"type": "text", "text": …}]}`, or a bare string.
fn decode_thinking(part: &mut Fields) -> Result<PartKind, Fault> {
    let Some(written) = part.take_raw("thinking") else { return Err(part.missing("thinking")) };
    let Some(text) = thinking_text(&written) else {
        return Err(part.wrong("thinking", "a string or an array of parts", &written));
    };
    part.extras().choose(ID, AMONG);
    part.extras().spell(ID, "thinking", Some(thinking_list(&text)), written);
    Ok(PartKind::Reasoning { text, signature: None })
}

/// The text of a Mistral `thinking`.
pub(super) fn thinking_text(thinking: &Value) -> Option<String> {
    match thinking {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => {
            Some(list.iter().filter_map(|piece| piece.get("text")?.as_str()).collect())
        }
        _ => None,
    }
}

/// A thought as a part of a content list.
pub(super) fn thinking_part(text: &str) -> Value {
    json!({"type": "thinking", "thinking": thinking_list(text)})
}

pub(super) fn text_part(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn thinking_list(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}

/// What a URL names: the bytes themselves when it is a `data:` URL in base64.
pub(in crate::dialects) fn source_of_url(url: &str) -> MediaSource {
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(','));
    if let Some((head, data)) = data
        && let Some(mime) = head.strip_suffix(";base64")
    {
        return MediaSource::Base64 { mime: mime.to_owned(), data: data.to_owned() };
    }
    MediaSource::Url { url: url.to_owned(), mime: None }
}

/// A source as a URL; `None` for a provider's own file.
pub(in crate::dialects) fn written_url(media: &Media) -> Option<String> {
    match &media.source {
        MediaSource::Base64 { mime, data } => Some(format!("data:{mime};base64,{data}")),
        MediaSource::Url { url, .. } => Some(url.clone()),
        MediaSource::File { .. } | MediaSource::Text { .. } => None,
    }
}

fn url_object(media: &Media) -> Value {
    let mut object = Map::new();
    if let Some(url) = written_url(media) {
        object.insert("url".into(), url.into());
    }
    if let Some(detail) = &media.detail {
        object.insert("detail".into(), detail.as_str().into());
    }
    Value::Object(object)
}

fn audio_object(media: &Media) -> Option<Value> {
    let MediaSource::Base64 { mime, data } = &media.source else { return None };
    let mut object = Map::new();
    object.insert("data".into(), data.as_str().into());
    object.insert("format".into(), audio_format(mime).into());
    Some(Value::Object(object))
}

fn file_object(media: &Media) -> Option<Value> {
    let mut object = Map::new();
    match &media.source {
        MediaSource::File { id, .. } => object.insert("file_id".into(), id.as_str().into()),
        _ => object.insert("file_data".into(), written_url(media)?.into()),
    };
    if let Some(name) = &media.name {
        object.insert("filename".into(), name.as_str().into());
    }
    Some(Value::Object(object))
}

pub(in crate::dialects) fn audio_mime(format: &str) -> String {
    match format {
        "mp3" => "audio/mpeg".into(),
        other => format!("audio/{other}"),
    }
}

pub(in crate::dialects) fn audio_format(mime: &str) -> &str {
    match mime.split(';').next().unwrap_or_default() {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
        other => other.strip_prefix("audio/").unwrap_or(other),
    }
}

pub(in crate::dialects) fn mime_of_name(name: Option<&str>) -> &'static str {
    let ending = name.and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending);
    match ending.unwrap_or_default().to_ascii_lowercase().as_str() {
        "txt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        _ => "application/pdf",
    }
}

/// Writes one part for the content of a message; `None`, and a loss, when the dialect has no such
/// part. Extras are restored or reported under `path`.
pub(super) fn encode(part: &Part, path: &str, to: &mut Writing<'_>) -> Option<Value> {
    let mut out = Map::new();
    match &part.kind {
        PartKind::Text(text) => {
            out.insert("type".into(), "text".into());
            out.insert("text".into(), text.as_str().into());
        }
        PartKind::Refusal(text) => {
            out.insert("type".into(), "refusal".into());
            out.insert("refusal".into(), text.as_str().into());
        }
        PartKind::Media(media) => encode_media(media, &part.extras, path, to, &mut out)?,
        PartKind::Reasoning { text, .. } => {
            out.insert("type".into(), "thinking".into());
            out.insert("thinking".into(), thinking_list(text));
        }
        PartKind::Native { dialect, json } if *dialect == ID => return Some(json.clone()),
        PartKind::Native { json, .. } => {
            let kind = json.get("type").and_then(Value::as_str).unwrap_or("part");
            to.losses.dropped(path, kind);
            return None;
        }
        PartKind::RedactedReasoning(_)
        | PartKind::ToolCall { .. }
        | PartKind::ToolResult { .. } => return None,
    }
    if let Some(mark) = &part.cache {
        put_cache(mark, &part.extras, path, to, &mut out);
    }
    part.extras.restore(ID, &mut out, path, &mut to.losses);
    Some(Value::Object(out))
}

/// Writes the fields of a media part; `None`, and a loss, when there is no way to write it.
fn encode_media(
    media: &Media,
    of: &Extras,
    path: &str,
    to: &mut Writing<'_>,
    out: &mut Map<String, Value>,
) -> Option<()> {
    let bare = of.chose(ID, BARE);
    let (kind, value) = match (media.kind, &media.source) {
        // A file's id means nothing to another provider.
        (_, MediaSource::File { .. }) if !to.own => (None, None),
        (MediaKind::Image, _) if bare => (Some("image_url"), bare_url(media)),
        (MediaKind::Image, _) => (Some("image_url"), Some(url_object(media))),
        (MediaKind::Video, _) => (Some("video_url"), Some(url_object(media))),
        (MediaKind::Audio, _) if bare => (Some("input_audio"), bare_url(media)),
        (MediaKind::Audio, MediaSource::Base64 { .. }) => {
            (Some("input_audio"), audio_object(media))
        }
        (MediaKind::Audio, _) => (Some("audio_url"), Some(url_object(media))),
        (MediaKind::Document, MediaSource::Text { text, .. }) => {
            // The dialect's files are PDF: a document in plain text is a text.
            to.losses.approximated(path, "source");
            out.insert("type".into(), "text".into());
            out.insert("text".into(), with_title(media.name.as_deref(), text).into());
            return Some(());
        }
        (MediaKind::Document, _) if bare || (!to.own && to.quirks.document_url) => {
            if let Some(name) = &media.name {
                out.insert("document_name".into(), name.as_str().into());
            }
            (Some("document_url"), bare_url(media))
        }
        (MediaKind::Document, MediaSource::Url { .. }) if !to.own && !to.quirks.file_url => {
            (None, None)
        }
        (MediaKind::Document, _) => (Some("file"), file_object(media)),
    };
    let (Some(kind), Some(value)) = (kind, value) else {
        to.losses.dropped(path, media_word(media.kind));
        return None;
    };
    out.insert("type".into(), kind.into());
    out.insert(kind.into(), value);
    Some(())
}

fn bare_url(media: &Media) -> Option<Value> {
    written_url(media).map(Value::String)
}

pub(in crate::dialects) fn with_title(title: Option<&str>, text: &str) -> String {
    match title {
        Some(title) => format!("{title}\n\n{text}"),
        None => text.to_owned(),
    }
}

pub(in crate::dialects) fn media_word(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Document => "document",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
    }
}
