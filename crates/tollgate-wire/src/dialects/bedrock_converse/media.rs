//! Images, documents, audio and video: `{"format", "source"}`, a document with a name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tollgate_model::{Extras, Fault, Media, MediaKind, MediaSource};

use super::ID;
use crate::fields::Fields;

/// A format's name and its media type.
type Format = (&'static str, &'static str);

/// The block that holds media of a kind, and the formats it is given in: Bedrock's word and the
/// media type. The first of a type is the one that is written.
const KINDS: &[(MediaKind, &str, &[Format])] = &[
    (MediaKind::Image, "image", IMAGES),
    (MediaKind::Document, "document", DOCUMENTS),
    (MediaKind::Audio, "audio", AUDIO),
    (MediaKind::Video, "video", VIDEO),
];

const IMAGES: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpeg", "image/jpeg"),
    ("jpeg", "image/jpg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
];

const DOCUMENTS: &[(&str, &str)] = &[
    ("pdf", "application/pdf"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("html", "text/html"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("txt", "application/json"),
];

const AUDIO: &[(&str, &str)] = &[
    ("mp3", "audio/mpeg"),
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("wav", "audio/x-wav"),
    ("wav", "audio/wave"),
    ("opus", "audio/opus"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("mp4", "audio/mp4"),
    ("m4a", "audio/x-m4a"),
    ("ogg", "audio/ogg"),
    ("mkv", "audio/x-matroska"),
    ("webm", "audio/webm"),
    ("pcm", "audio/pcm"),
];

const VIDEO: &[(&str, &str)] = &[
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("mkv", "video/x-matroska"),
    ("webm", "video/webm"),
    ("flv", "video/x-flv"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpg"),
    ("wmv", "video/x-ms-wmv"),
    ("three_gp", "video/3gpp"),
];

/// The kind of media that a block of this name holds.
pub(super) fn kind_of(block: &str) -> Option<MediaKind> {
    KINDS.iter().find(|(_, name, _)| *name == block).map(|(kind, ..)| *kind)
}

/// The name of the block that holds media of a kind.
pub(super) fn block_of(kind: MediaKind) -> &'static str {
    KINDS.iter().find(|(of, ..)| *of == kind).map_or("image", |(_, name, _)| name)
}

fn formats(kind: MediaKind) -> &'static [(&'static str, &'static str)] {
    KINDS.iter().find(|(of, ..)| *of == kind).map_or(&[], |(.., formats)| formats)
}

/// The media type that a format stands for.
fn mime_of(kind: MediaKind, format: &str) -> String {
    let known = formats(kind).iter().find(|(word, _)| *word == format);
    match (known, kind) {
        (Some((_, mime)), _) => (*mime).to_owned(),
        // Some callers write the media type itself.
        (None, _) if format.contains('/') => format.to_owned(),
        (None, MediaKind::Document) => format!("application/{format}"),
        (None, _) => format!("{}/{format}", block_of(kind)),
    }
}

/// Bedrock's word for a media type.
fn format_of(kind: MediaKind, mime: &str) -> String {
    let essence = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = formats(kind).iter().find(|(_, of)| *of == essence);
    match known {
        Some((word, _)) => (*word).to_owned(),
        None if kind == MediaKind::Document && essence.starts_with("text/") => "txt".to_owned(),
        None => essence.rsplit('/').next().unwrap_or_default().to_owned(),
    }
}

/// Whether a block's media is given in a way that is understood; parts of a document are not
/// looked into.
pub(super) fn is_plain(block: &Value) -> bool {
    let Some(source) = block.get("source") else { return true };
    ["bytes", "s3Location", "text"].iter().any(|way| source.get(way).is_some_and(|v| !v.is_null()))
}

/// Reads the inside of a block.
pub(super) fn read(kind: MediaKind, value: Value, path: &str) -> Result<(Media, Extras), Fault> {
    let mut fields = Fields::of(ID, value, path)?;
    let format = fields.string("format")?.ok_or_else(|| fields.missing("format"))?;
    let mime = mime_of(kind, &format);
    let canonical = json!(format_of(kind, &mime));
    fields.extras().spell(ID, "format", Some(canonical), json!(format));
    let name = if kind == MediaKind::Document { fields.string("name")? } else { None };
    let mut source = fields.object("source")?.ok_or_else(|| fields.missing("source"))?;
    let found = if let Some(data) = source.string("bytes")? {
        MediaSource::Base64 { mime, data }
    } else if let Some(text) = source.string("text")? {
        MediaSource::Text { mime, text }
    } else if let Some(mut place) = source.object("s3Location")? {
        let id = place.string("uri")?.ok_or_else(|| place.missing("uri"))?;
        place.nest_in(&mut source, "s3Location");
        MediaSource::File { id, mime: Some(mime) }
    } else {
        return Err(source.missing("bytes"));
    };
    source.nest_in(&mut fields, "source");
    Ok((Media { kind, source: found, name, detail: None }, fields.rest()))
}

/// The inside of a block; `None` for media that Bedrock cannot be given so.
pub(super) fn written(media: &Media, own: bool) -> Option<Map<String, Value>> {
    let kind = media.kind;
    let (mime, source) = match &media.source {
        MediaSource::Base64 { mime, data } => (mime.as_str(), json!({"bytes": data})),
        MediaSource::Text { mime, text } if own => (mime.as_str(), json!({"text": text})),
        // Older models take no text.
        MediaSource::Text { mime, text } => {
            (mime.as_str(), json!({"bytes": STANDARD.encode(text)}))
        }
        MediaSource::File { id, mime } | MediaSource::Url { url: id, mime }
            if id.starts_with("s3://") =>
        {
            let mime = mime.as_deref().unwrap_or_else(|| mime_of_name(kind, id));
            (mime, json!({"s3Location": {"uri": id}}))
        }
        MediaSource::File { .. } | MediaSource::Url { .. } => return None,
    };
    let mut out = Map::new();
    out.insert("format".into(), json!(format_of(kind, mime)));
    out.insert("source".into(), source);
    Some(out)
}

/// The media type of a file by the end of its name.
fn mime_of_name(kind: MediaKind, name: &str) -> &'static str {
    let end = name.rsplit('.').next().unwrap_or_default();
    let end = if end == "jpg" { "jpeg" } else { end };
    formats(kind).iter().find(|(word, _)| *word == end).map_or("", |(_, mime)| mime)
}

/// Names of documents: Bedrock demands one for each, of few characters and none twice.
#[derive(Debug, Default)]
pub(super) struct Names {
    given: Vec<String>,
}

impl Names {
    /// The name for a document that another dialect's caller called so.
    pub(super) fn of(&mut self, wanted: Option<&str>) -> String {
        let plain = plain(wanted.unwrap_or_default());
        let plain = if plain.is_empty() { "document".to_owned() } else { plain };
        let mut name = plain.clone();
        let mut number = 1;
        while self.given.contains(&name) {
            number += 1;
            name = format!("{plain}-{number}");
        }
        self.given.push(name.clone());
        name
    }
}

/// Letters, digits, single spaces, hyphens, parentheses and square brackets.
fn plain(name: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-()[]".contains(letter);
    let spaced: String = name.chars().map(|c| if fits(c) { c } else { ' ' }).take(180).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_media_types_stand_for_each_other() {
        for (kind, _, formats) in KINDS {
            for (word, mime) in *formats {
                assert_eq!(format_of(*kind, mime), *word, "{mime}");
                assert_eq!(format_of(*kind, &mime_of(*kind, word)), *word);
            }
        }
        assert_eq!(mime_of(MediaKind::Video, "video/mp4"), "video/mp4");
        assert_eq!(format_of(MediaKind::Document, "text/x-rust"), "txt");
    }

    #[test]
    fn names_are_made_plain_and_never_twice() {
        let mut names = Names::default();
        assert_eq!(names.of(Some("Q3 report_final.pdf")), "Q3 report final pdf");
        assert_eq!(names.of(None), "document");
        assert_eq!(names.of(None), "document-2");
        assert_eq!(names.of(Some("日本")), "document-3");
    }
}
