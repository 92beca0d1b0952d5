//! Errors, read and written: `{"error": "text"}`, before an answer and as the last line of one.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use tollgate_model::{Fault, FaultKind, Source, UpstreamError};

use crate::{EncodedFault, answer_body};

pub(super) fn decode(status: u16, _: &HeaderMap, body: &[u8]) -> Fault {
    let said = serde_json::from_slice::<Value>(body).ok();
    let message = said.as_ref().and_then(Value::as_object).and_then(said_in);
    match message {
        Some(message) => of(status, message),
        None => answer_body::unexplained(status),
    }
}

/// An error where an answer or a line of one was expected.
pub(super) fn inside(body: &Map<String, Value>) -> Option<Fault> {
    said_in(body).map(|message| of(0, message))
}

fn said_in(body: &Map<String, Value>) -> Option<String> {
    let error = body.get("error")?;
    // Ollama's cloud answers as its OpenAI dialect does.
    let text = error.as_str().or_else(|| error.get("message")?.as_str());
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn of(status: u16, message: String) -> Fault {
    let mut fault = Fault::new(kind_of(status, &message), Source::Upstream, message.clone());
    let said = UpstreamError { status, message: Some(message), ..UpstreamError::default() };
    fault.upstream = Some(Box::new(said));
    fault
}

fn kind_of(status: u16, message: &str) -> FaultKind {
    let has = |words: &str| message.contains(words);
    if has("context length") || has("context window") {
        FaultKind::InvalidRequest
    } else if has("server busy") || has("maximum pending requests exceeded") {
        FaultKind::Overloaded
    } else if status == 0 {
        FaultKind::BadUpstream
    } else {
        FaultKind::of_status(status)
    }
}

pub(super) fn encode(fault: &Fault) -> EncodedFault {
    let body = Bytes::from(object(fault).to_string());
    EncodedFault { status: fault.status(), headers: Vec::new(), body }
}

/// The error, in a body or as a line of a stream.
pub(super) fn object(fault: &Fault) -> Value {
    let said = fault.upstream.as_deref().and_then(|said| said.message.as_deref());
    json!({"error": said.unwrap_or(&fault.message)})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_follows_from_status_and_words() {
        let kind = |status, body: &str| decode(status, &HeaderMap::new(), body.as_bytes()).kind;
        let missing = r#"{"error":"model 'x' not found"}"#;
        assert_eq!(kind(404, missing), FaultKind::NotFound);
        let busy =
            r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#;
        assert_eq!(kind(503, busy), FaultKind::Overloaded);
        assert_eq!(
            kind(401, r#"{"error":{"message":"unauthorized"}}"#),
            FaultKind::Unauthenticated
        );
        let html = decode(502, &HeaderMap::new(), b"<html>secret</html>");
        assert_eq!((html.kind, html.upstream), (FaultKind::BadUpstream, None));
        assert!(!html.message.contains("secret"));
    }
}
