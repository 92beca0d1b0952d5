//! Images, documents, audio and video as `inlineData` and `fileData`.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use tollgate_model::{Fault, Media, MediaKind, MediaSource};

use super::{ID, fields::Fields};

/// Reads an `inlineData`; what it leaves is nested in the part's extras.
pub(super) fn read_inline(part: &mut Fields, value: Value) -> Result<Media, Fault> {
    let mut inner = Fields::open(value, part.path("inlineData"))?;
    let mime = inner.required_text("mimeType")?;
    let written = inner.required_text("data")?;
    let path = inner.path("data");
    let data = match standard(&written) {
        None => return Err(Fault::invalid_field(&path, format!("'{path}' is not base64"))),
        Some(Cow::Borrowed(_)) => written,
        Some(Cow::Owned(data)) => {
            inner.extras.spell(ID, "data", Some(Value::from(data.as_str())), written.into());
            data
        }
    };
    let name = inner.text("displayName")?;
    part.extras.nest(ID, "inlineData", inner.into_extras());
    let source = MediaSource::Base64 { mime, data };
    Ok(Media { kind: kind_of(&source), source, name, detail: None })
}

/// Reads a `fileData`; what it leaves is nested in the part's extras.
pub(super) fn read_file(part: &mut Fields, value: Value) -> Result<Media, Fault> {
    let mut inner = Fields::open(value, part.path("fileData"))?;
    let uri = inner.required_text("fileUri")?;
    let mime = inner.text("mimeType")?;
    let name = inner.text("displayName")?;
    let source = by_uri(uri, mime);
    if let MediaSource::Url { url, mime: None } = &source
        && let Some(guess) = mime_of_extension(url)
    {
        inner.extras.omit(ID, "mimeType", guess.into());
    }
    part.extras.nest(ID, "fileData", inner.into_extras());
    Ok(Media { kind: kind_of(&source), source, name, detail: None })
}

/// Media in an answer; what cannot be read is no media.
pub(super) fn answered(part: &Map<String, Value>) -> Option<Media> {
    let text = |object: &Value, field: &str| object[field].as_str().map(str::to_owned);
    let source = if let Some(inline) = part.get("inlineData") {
        let data = standard(inline["data"].as_str()?)?.into_owned();
        MediaSource::Base64 { mime: text(inline, "mimeType").unwrap_or_default(), data }
    } else {
        let file = part.get("fileData")?;
        by_uri(text(file, "fileUri")?, text(file, "mimeType"))
    };
    Some(Media { kind: kind_of(&source), source, name: None, detail: None })
}

/// The part for `media`; `None` when Gemini has no way to be given it.
pub(super) fn written(media: &Media) -> Option<Map<String, Value>> {
    let (field, mut inner) = match &media.source {
        MediaSource::Base64 { mime, data } => {
            ("inlineData", json!({"mimeType": mime, "data": data}))
        }
        MediaSource::Text { mime, text } => {
            use base64::Engine as _;
            let data = base64::engine::general_purpose::STANDARD.encode(text);
            ("inlineData", json!({"mimeType": mime, "data": data}))
        }
        MediaSource::Url { url, mime } => {
            let mime = mime.as_deref().or_else(|| mime_of_extension(url));
            ("fileData", file(url, mime))
        }
        MediaSource::File { id, mime } if is_google(id) => ("fileData", file(id, mime.as_deref())),
        MediaSource::File { .. } => return None,
    };
    if let (Some(name), Some(inner)) = (&media.name, inner.as_object_mut()) {
        inner.insert("displayName".into(), name.as_str().into());
    }
    Some(Map::from_iter([(field.to_owned(), inner)]))
}

fn file(uri: &str, mime: Option<&str>) -> Value {
    let mut file = json!({"fileUri": uri});
    if let Some(mime) = mime {
        file["mimeType"] = mime.into();
    }
    file
}

/// A file that Google holds is of use to Google alone; any other address is as good elsewhere.
fn by_uri(uri: String, mime: Option<String>) -> MediaSource {
    if is_google(&uri) {
        MediaSource::File { id: uri, mime }
    } else {
        MediaSource::Url { url: uri, mime }
    }
}

fn is_google(uri: &str) -> bool {
    uri.starts_with("gs://")
        || uri.starts_with("files/")
        || uri.starts_with("https://generativelanguage.googleapis.com/")
}

fn kind_of(source: &MediaSource) -> MediaKind {
    let mime = match source {
        MediaSource::Base64 { mime, .. } | MediaSource::Text { mime, .. } => mime,
        MediaSource::Url { url, mime: None }
            if url.contains("youtube.com/") || url.contains("youtu.be/") =>
        {
            return MediaKind::Video;
        }
        MediaSource::Url { url: uri, mime } | MediaSource::File { id: uri, mime } => {
            mime.as_deref().or_else(|| mime_of_extension(uri)).unwrap_or_default()
        }
    };
    match mime.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::Document,
    }
}

/// Google wants a media type with every address, and other dialects do not state one.
fn mime_of_extension(uri: &str) -> Option<&'static str> {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let (_, extension) = path.rsplit_once('/')?.1.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "ogg" => "audio/ogg",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        _ => return None,
    })
}

/// Base64 in the standard alphabet with padding, from either alphabet with or without; `None`
/// for what is no base64. Borrowed when it was written so.
pub(super) fn standard(data: &str) -> Option<Cow<'_, str>> {
    let body = data.trim_end_matches('=');
    let padding = data.len() - body.len();
    let mut safe = false;
    for byte in body.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {}
            b'-' | b'_' => safe = true,
            _ => return None,
        }
    }
    let want = match body.len() % 4 {
        0 => 0,
        2 => 2,
        3 => 1,
        _ => return None,
    };
    if padding > 2 {
        return None;
    }
    if !safe && padding == want {
        return Some(Cow::Borrowed(data));
    }
    let mut out = body.replace('-', "+").replace('_', "/");
    out.extend(std::iter::repeat_n('=', want));
    Some(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_alphabet_is_read_and_nonsense_is_not() {
        assert!(matches!(standard("+/8="), Some(Cow::Borrowed("+/8="))));
        assert_eq!(standard("-_8").as_deref(), Some("+/8="));
        assert_eq!(standard("").as_deref(), Some(""));
        for broken in ["a", "ab c", "a===", "=a", "ü"] {
            assert_eq!(standard(broken), None, "{broken}");
        }
    }

    #[test]
    fn addresses_are_told_from_files_that_google_holds() {
        let kind = |uri: &str| kind_of(&by_uri(uri.into(), None));
        assert_eq!(kind("https://youtu.be/abc"), MediaKind::Video);
        assert_eq!(kind("https://example.com/a.PNG?x=1"), MediaKind::Image);
        assert_eq!(kind("https://example.com"), MediaKind::Document);
        let google = "https://generativelanguage.googleapis.com/v1beta/files/abc";
        assert!(matches!(by_uri(google.into(), None), MediaSource::File { .. }));
        assert!(matches!(by_uri("gs://bucket/a.pdf".into(), None), MediaSource::File { .. }));
        let file = MediaSource::File { id: "file-abc".into(), mime: None };
        let media = Media { kind: MediaKind::Image, source: file, name: None, detail: None };
        assert_eq!(written(&media), None, "another vendor's file");
    }
}
