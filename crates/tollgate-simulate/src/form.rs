//! A `multipart/form-data` body taken apart, whole. It knows no vendor.

use crate::script::Request;
use bytes::Bytes;

/// One part of a form.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) filename: Option<String>,
    pub(crate) data: Bytes,
}

/// Every part, in the order of the body; `None` when it is no form.
pub(crate) fn parts(request: &Request) -> Option<Vec<Part>> {
    let content_type = request.header("content-type")?;
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = rest.split_once("boundary=")?.1.trim().trim_matches('"');
    let opening = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    let body = &request.body;
    if !body.starts_with(opening.as_bytes()) {
        return None;
    }
    let mut at = opening.len();
    let mut found = Vec::new();
    loop {
        match body.get(at..at + 2)? {
            b"--" => return Some(found),
            b"\r\n" => at += 2,
            _ => return None,
        }
        let head = find(body, at, b"\r\n\r\n")?;
        let data = head + 4;
        let end = find(body, data, between.as_bytes())?;
        let lines = String::from_utf8_lossy(body.get(at..head)?).into_owned();
        let disposition =
            lines.lines().find(|line| line.to_lowercase().starts_with("content-disposition:"))?;
        found.push(Part {
            name: parameter(disposition, "name")?,
            filename: parameter(disposition, "filename"),
            data: body.slice(data..end),
        });
        at = end + between.len();
    }
}

/// The text of a field.
pub(crate) fn field(request: &Request, name: &str) -> Option<String> {
    let part = parts(request)?.into_iter().find(|part| part.name == name)?;
    String::from_utf8(part.data.to_vec()).ok()
}

fn find(body: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let rest = body.get(from..)?;
    rest.windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

fn parameter(line: &str, name: &str) -> Option<String> {
    line.split(';').skip(1).find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_taken_apart() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\na\r\n--\r\n\r\n--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--B--\r\n";
        let request = Request {
            method: "POST".into(),
            path: "/x".into(),
            query: String::new(),
            headers: vec![("content-type".into(), "multipart/form-data; boundary=B".into())],
            body: Bytes::from_static(body.as_bytes()),
        };
        let parts = parts(&request).unwrap();
        assert_eq!(&parts[0].data[..], b"a\r\n--\r\n");
        assert_eq!(parts[0].filename.as_deref(), Some("a.wav"));
        assert_eq!(field(&request, "model").as_deref(), Some("whisper-1"));
        assert_eq!(field(&request, "language"), None);
    }
}
