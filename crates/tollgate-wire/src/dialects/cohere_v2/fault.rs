//! Errors, read and written: `{"id": …, "message": "text"}`.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use tollgate_model::{Fault, FaultKind, Source, UpstreamError};

use crate::{EncodedFault, answer_body};

pub(super) fn decode(status: u16, _: &HeaderMap, body: &[u8]) -> Fault {
    let body = serde_json::from_slice::<Value>(body).ok();
    match body.as_ref().and_then(Value::as_object).and_then(said_in) {
        Some(said) => of(status, said),
        None => answer_body::unexplained(status),
    }
}

/// An error where an answer or an event of one was expected: no answer has a text for a message.
pub(super) fn inside(body: &Map<String, Value>) -> Option<Fault> {
    body.get("message").filter(|message| message.is_string())?;
    said_in(body).map(|said| of(0, said))
}

/// An error that ends a stream, told in its last event.
pub(super) fn at_end(delta: &Map<String, Value>) -> Option<Fault> {
    let message = delta.get("error").and_then(Value::as_str)?;
    Some(of(0, UpstreamError { message: Some(message.to_owned()), ..UpstreamError::default() }))
}

fn said_in(body: &Map<String, Value>) -> Option<UpstreamError> {
    let text = |of: &Map<String, Value>, name: &str| {
        of.get(name).and_then(Value::as_str).map(str::to_owned)
    };
    let message = text(body, "message").or_else(|| match body.get("error")? {
        Value::String(text) => Some(text.clone()),
        Value::Object(error) => text(error, "message"),
        _ => None,
    })?;
    let request_id = text(body, "id");
    Some(UpstreamError { message: Some(message), request_id, ..UpstreamError::default() })
}

fn of(status: u16, mut said: UpstreamError) -> Fault {
    said.status = status;
    let message = said.message.clone().unwrap_or_default();
    let mut fault = Fault::new(kind_of(status, &message), Source::Upstream, message);
    fault.upstream = Some(Box::new(said));
    fault
}

fn kind_of(status: u16, message: &str) -> FaultKind {
    let message = message.to_ascii_lowercase();
    match status {
        0 => FaultKind::BadUpstream,
        // Its own statuses: a token that is blocked, and a request that was taken back.
        498 => FaultKind::Unauthenticated,
        499 => FaultKind::Timeout,
        402 => FaultKind::QuotaExhausted,
        429 if message.contains("calls / month") || message.contains("monthly") => {
            FaultKind::QuotaExhausted
        }
        400..=499 if message.contains("blocked output") || message.contains("blocked input") => {
            FaultKind::ContentBlocked
        }
        503 if message.contains("overloaded") => FaultKind::Overloaded,
        status => FaultKind::of_status(status),
    }
}

pub(super) fn encode(fault: &Fault, request_id: &str) -> EncodedFault {
    let said = fault.upstream.as_deref();
    let id = said.and_then(|said| said.request_id.as_deref()).unwrap_or(request_id);
    let body = Bytes::from(json!({"id": id, "message": text(fault)}).to_string());
    // The SDK knows no 529.
    let status = if fault.status() == 529 { 503 } else { fault.status() };
    EncodedFault { status, headers: Vec::new(), body }
}

/// What the caller is told.
pub(super) fn text(fault: &Fault) -> &str {
    let said = fault.upstream.as_deref().and_then(|said| said.message.as_deref());
    said.unwrap_or(&fault.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_follows_from_status_and_words() {
        let kind = |status, message: &str| {
            decode(status, &HeaderMap::new(), json!({"message": message}).to_string().as_bytes())
                .kind
        };
        assert_eq!(kind(401, "no api key supplied"), FaultKind::Unauthenticated);
        assert_eq!(kind(498, "blocked"), FaultKind::Unauthenticated);
        assert_eq!(kind(429, "limited to 40 API calls / minute"), FaultKind::RateLimited);
        assert_eq!(kind(429, "limited to 1000 API calls / month"), FaultKind::QuotaExhausted);
        assert_eq!(kind(400, "too many tokens"), FaultKind::InvalidRequest);
        let html = decode(502, &HeaderMap::new(), b"<html>secret</html>");
        assert_eq!((html.kind, html.upstream), (FaultKind::BadUpstream, None));
    }
}
