//! Errors, read and written: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

use bytes::Bytes;
use http::{HeaderMap, header::RETRY_AFTER};
use serde_json::{Map, Value, json};
use tollgate_model::{Fault, FaultKind, Source, UpstreamError};

use crate::EncodedFault;

/// Anthropic's error types: the kind that each stands for and the status it comes with.
const TYPES: &[(&str, FaultKind, u16)] = &[
    ("invalid_request_error", FaultKind::InvalidRequest, 400),
    ("authentication_error", FaultKind::Unauthenticated, 401),
    ("billing_error", FaultKind::QuotaExhausted, 402),
    ("permission_error", FaultKind::Forbidden, 403),
    ("not_found_error", FaultKind::NotFound, 404),
    ("request_too_large", FaultKind::TooLarge, 413),
    ("rate_limit_error", FaultKind::RateLimited, 429),
    ("api_error", FaultKind::Internal, 500),
    ("timeout_error", FaultKind::Timeout, 504),
    ("overloaded_error", FaultKind::Overloaded, 529),
];

/// Longest text that is taken over from an error, in bytes.
const MOST_TEXT: usize = 8 << 10;

/// Reads an error answer. What is no well-formed error gives nothing of itself away.
pub(super) fn decode(status: u16, headers: &HeaderMap, body: &[u8]) -> Fault {
    let said = match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => of_object(status, &body),
        // Some hosts wrap the error in a list, some send a bare string.
        Ok(Value::Array(list)) => match list.first() {
            Some(Value::Object(body)) => of_object(status, body),
            _ => None,
        },
        Ok(Value::String(text)) => Some(of_text(status, &text)),
        _ => None,
    };
    let mut fault = said.unwrap_or_else(|| {
        let kind = FaultKind::of_status(status);
        Fault::new(kind, Source::Upstream, format!("The provider answered with status {status}."))
    });
    fault.retry_after_s = retry_after(headers);
    if let Some(said) = &mut fault.upstream
        && said.request_id.is_none()
    {
        said.request_id = header(headers, "request-id").map(str::to_owned);
    }
    fault
}

/// Reads an error object of Anthropic or of a host that is compatible with it. `status` is 0 for
/// an error inside a stream. `None` when it says nothing that could be understood.
pub(super) fn of_object(status: u16, body: &Map<String, Value>) -> Option<Fault> {
    let error = match body.get("error") {
        Some(Value::Object(error)) => error,
        Some(Value::String(text)) => return Some(of_text(status, text)),
        _ => body,
    };
    let text = |name: &str| error.get(name).and_then(Value::as_str).map(bounded);
    let message = text("message").or_else(|| text("detail"))?;
    let word = text("type").filter(|word| word != "error");
    let code = match error.get("code") {
        Some(Value::String(code)) => Some(bounded(code)),
        Some(Value::Number(code)) => Some(code.to_string()),
        _ => None,
    };
    let request_id = body.get("request_id").and_then(Value::as_str).map(bounded);
    let kind = kind(status, word.as_deref(), code.as_deref(), &message);
    let said = UpstreamError {
        status,
        kind: word,
        code,
        message: Some(message.clone()),
        param: text("param"),
        request_id,
        inner: None,
    };
    Some(Fault { upstream: Some(Box::new(said)), ..Fault::new(kind, Source::Upstream, message) })
}

fn of_text(status: u16, text: &str) -> Fault {
    let message = bounded(text);
    let kind = kind(status, None, None, &message);
    let said = UpstreamError { status, message: Some(message.clone()), ..UpstreamError::default() };
    Fault { upstream: Some(Box::new(said)), ..Fault::new(kind, Source::Upstream, message) }
}

fn bounded(text: &str) -> String {
    let mut end = text.len().min(MOST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

fn kind(status: u16, word: Option<&str>, code: Option<&str>, message: &str) -> FaultKind {
    let by_word = word.and_then(|word| TYPES.iter().find(|(of, ..)| *of == word));
    let by_word = by_word.map(|(_, kind, _)| *kind);
    match by_word {
        // Anthropic has no type of its own for either.
        Some(FaultKind::InvalidRequest) if no_credit(message) => FaultKind::QuotaExhausted,
        Some(FaultKind::InvalidRequest | FaultKind::Forbidden) if blocked(message) => {
            FaultKind::ContentBlocked
        }
        // The status is finer: 502 and 503 come as `api_error` too.
        Some(FaultKind::Internal) if status > 500 => FaultKind::of_status(status),
        Some(kind) => kind,
        None if code == Some("insufficient_quota") || word == Some("insufficient_quota") => {
            FaultKind::QuotaExhausted
        }
        None if status == 0 => FaultKind::BadUpstream,
        None => FaultKind::of_status(status),
    }
}

fn no_credit(message: &str) -> bool {
    message.contains("credit balance is too low") || message.contains("API usage limits")
}

fn blocked(message: &str) -> bool {
    message.contains("content filtering policy")
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Whole seconds, rounded up. A date would need a clock and is left alone.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    if let Some(ms) = header(headers, "retry-after-ms").and_then(|ms| ms.trim().parse::<u64>().ok())
    {
        return Some(ms.div_ceil(1000));
    }
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
    let whole: u64 = whole.parse().ok()?;
    Some(whole + u64::from(part.bytes().any(|digit| digit != b'0')))
}

/// Writes an error answer.
pub(super) fn encode(fault: &Fault, request_id: &str) -> EncodedFault {
    let status = fault.status();
    let mut body = object(fault, status);
    body["request_id"] = json!(request_id);
    EncodedFault { status, headers: Vec::new(), body: Bytes::from(body.to_string()) }
}

/// The error object; inside a stream it has no `request_id`.
pub(super) fn object(fault: &Fault, status: u16) -> Value {
    let said = fault.upstream.as_deref();
    let own = said.and_then(|said| said.kind.as_deref());
    let fits = |own: &str| TYPES.iter().any(|(word, _, with)| *word == own && *with == status);
    let word = own.filter(|own| fits(own));
    let message = said.and_then(|said| said.message.as_deref()).unwrap_or(&fault.message);
    let mut error = json!({
        "type": word.unwrap_or_else(|| type_of(fault.kind, status)),
        "message": message,
    });
    // Beyond Anthropic's own fields: the gateway's code, or the provider's words.
    let code = said.and_then(|said| said.code.as_deref());
    if said.is_none() {
        error["code"] = json!(fault.code());
    } else if let Some(code) = code {
        error["code"] = json!(code);
    }
    if word.is_none()
        && let Some(own) = own
    {
        error["provider_type"] = json!(own);
    }
    let param = said.and_then(|said| said.param.as_deref()).or(fault.param.as_deref());
    if let Some(param) = param {
        error["param"] = json!(param);
    }
    json!({"type": "error", "error": error})
}

/// The type that goes with the status, which decides the SDKs' exception; else with the kind.
fn type_of(kind: FaultKind, status: u16) -> &'static str {
    if let Some((word, ..)) = TYPES.iter().find(|(_, _, with)| *with == status) {
        return word;
    }
    match kind {
        FaultKind::Timeout => "timeout_error",
        FaultKind::Overloaded => "overloaded_error",
        _ if status >= 500 => "api_error",
        FaultKind::RateLimited | FaultKind::QuotaExhausted => "rate_limit_error",
        FaultKind::InvalidRequest
        | FaultKind::UnsupportedMedia
        | FaultKind::Unsupported
        | FaultKind::ContentBlocked
        | FaultKind::Loop => "invalid_request_error",
        FaultKind::Unauthenticated => "authentication_error",
        FaultKind::Forbidden => "permission_error",
        FaultKind::NotFound => "not_found_error",
        FaultKind::TooLarge => "request_too_large",
        FaultKind::Unavailable | FaultKind::BadUpstream | FaultKind::Internal => "api_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &Value) -> Fault {
        decode(400, &HeaderMap::new(), body.to_string().as_bytes())
    }

    #[test]
    fn every_type_keeps_its_word_and_status() {
        for (word, kind, status) in TYPES {
            let body = json!({"type": "error", "error": {"type": word, "message": "no"},
                "request_id": "req_1"});
            let fault = decode(*status, &HeaderMap::new(), body.to_string().as_bytes());
            assert_eq!(fault.kind, *kind, "{word}");
            let written = encode(&fault, "req_2");
            assert_eq!(written.status, *status);
            let mut body = body;
            body["request_id"] = json!("req_2");
            assert_eq!(serde_json::from_slice::<Value>(&written.body).unwrap(), body);
        }
    }

    #[test]
    fn a_used_up_credit_is_no_mistake_of_the_caller() {
        let fault = said(&json!({"type": "error", "error": {"type": "invalid_request_error",
            "message": "Your credit balance is too low to access the Anthropic API."}}));
        assert_eq!(fault.kind, FaultKind::QuotaExhausted);
        assert_eq!(fault.status(), 400);
    }

    #[test]
    fn near_variants_are_understood_and_the_rest_gives_nothing_away() {
        for body in [
            json!([{"error": {"message": "no"}}]),
            json!({"error": "no"}),
            json!({"message": "no"}),
            json!({"detail": "no"}),
            json!("no"),
        ] {
            assert_eq!(said(&body).message, "no", "{body}");
        }
        for body in ["<html>secret</html>", "", "{}", "[1]", "{\"error\":{\"x\":\"secret\"}}"] {
            let fault = decode(502, &HeaderMap::new(), body.as_bytes());
            assert_eq!(fault.kind, FaultKind::BadUpstream);
            assert!(fault.upstream.is_none() && !fault.message.contains("secret"), "{body}");
        }
    }

    #[test]
    fn waits_are_read() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "1.5".parse().unwrap());
        assert_eq!(decode(429, &headers, b"").retry_after_s, Some(2));
        headers.insert("retry-after-ms", "1500".parse().unwrap());
        assert_eq!(decode(429, &headers, b"").retry_after_s, Some(2));
        headers.clear();
        headers.insert(RETRY_AFTER, "Wed, 21 Oct 2026 07:28:00 GMT".parse().unwrap());
        assert_eq!(decode(429, &headers, b"").retry_after_s, None);
    }

    #[test]
    fn faults_of_the_gateway_bear_their_code() {
        let fault = Fault::invalid_field("model", "Unknown model.").with_code("unknown_model");
        let written = encode(&fault, "r");
        assert_eq!(written.status, 400);
        assert_eq!(
            serde_json::from_slice::<Value>(&written.body).unwrap(),
            json!({"type": "error", "request_id": "r", "error": {"type": "invalid_request_error",
                "message": "Unknown model.", "code": "unknown_model", "param": "model"}})
        );
    }
}
