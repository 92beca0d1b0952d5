//! Reading and writing errors: OpenAI's shape and its near variants among compatible hosts.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use tollgate_model::{Fault, FaultKind, Source, UpstreamError};

use crate::EncodedFault;
use crate::stream::Sink;

/// The response header with the provider's own id of a call.
pub(in crate::dialects) const REQUEST_ID: &str = "x-request-id";

/// Longest inner error that is kept, in bytes.
const MOST_INNER: usize = 4096;

pub(in crate::dialects) fn decode(status: u16, headers: &HeaderMap, body: &[u8]) -> Fault {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let said = value.as_ref().and_then(said);
    let mut fault = match said {
        Some(said) => of(status, said),
        None => unexplained(status),
    };
    fault.retry_after_s = retry_after(headers);
    if let Some(upstream) = &mut fault.upstream {
        let id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        upstream.request_id = id.map(str::to_owned);
    }
    fault
}

/// An error object where an answer or a frame was expected.
pub(in crate::dialects) fn inside(body: &Map<String, Value>) -> Option<Fault> {
    let error = body.get("error").filter(|error| !error.is_null())?;
    let empty = error.as_object().is_some_and(Map::is_empty);
    if empty || error == &Value::Bool(false) {
        return None;
    }
    let said = said_in(error).unwrap_or_default();
    let stated = ["status", "status_code", "code"].iter().find_map(|field| {
        let status = error.get(*field)?.as_u64().and_then(|status| u16::try_from(status).ok())?;
        (400..600).contains(&status).then_some(status)
    });
    let mut fault = of(stated.unwrap_or_default(), said);
    if let Some(upstream) = &mut fault.upstream {
        // The answer's own status was 200: what the object states is its word alone.
        upstream.status = stated.unwrap_or_default();
    }
    Some(fault)
}

/// The error in a body: `{"error": {…}}`, `[{"error": {…}}]`, `{"error": "…"}`, `{"message": …}`,
/// `{"detail": …}`.
fn said(body: &Value) -> Option<UpstreamError> {
    let body = match body {
        Value::Array(list) => list.first()?,
        other => other,
    };
    match body.get("error") {
        Some(error) if !error.is_null() => {
            let mut said = said_in(error)?;
            if said.message.is_none() {
                said.message = text(body, "message");
            }
            Some(said)
        }
        _ if body.is_object() => said_in(body),
        _ => None,
    }
}

fn said_in(error: &Value) -> Option<UpstreamError> {
    if let Value::String(message) = error {
        return Some(UpstreamError { message: Some(message.clone()), ..UpstreamError::default() });
    }
    let code = match error.get("code") {
        Some(Value::String(code)) => Some(code.clone()),
        Some(Value::Number(code)) => Some(code.to_string()),
        _ => None,
    };
    // Mistral describes a refused body with an object in `message`.
    let within = error.get("message").filter(|message| message.is_object()).unwrap_or(error);
    let message = text(error, "message").or_else(|| match within.get("detail")? {
        Value::String(detail) => Some(detail.clone()),
        Value::Array(details) => text(details.first()?, "msg"),
        _ => None,
    });
    if message.is_none() && code.is_none() {
        return None;
    }
    Some(UpstreamError {
        status: 0,
        kind: text(error, "type"),
        code,
        message,
        param: text(error, "param"),
        request_id: None,
        inner: inner(error),
    })
}

/// What Azure's content filter found, within reason.
fn inner(error: &Value) -> Option<String> {
    let inner = error.get("innererror").filter(|inner| inner.is_object())?.to_string();
    (inner.len() <= MOST_INNER).then_some(inner)
}

fn text(of: &Value, field: &str) -> Option<String> {
    of.get(field).and_then(Value::as_str).map(str::to_owned)
}

/// The fault for what a provider said.
fn of(status: u16, mut said: UpstreamError) -> Fault {
    let kind = kind_of(status, &said);
    said.status = status;
    let message = said.message.clone().unwrap_or_else(|| default_message(kind).to_owned());
    let mut fault = Fault::new(kind, Source::Upstream, message);
    fault.param.clone_from(&said.param);
    fault.upstream = Some(Box::new(said));
    fault
}

fn unexplained(status: u16) -> Fault {
    let kind = FaultKind::of_status(status);
    Fault::new(kind, Source::Upstream, default_message(kind))
        .with_note(format!("status {status} without a well-formed error"))
}

fn default_message(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::RateLimited => "The provider asks to slow down.",
        FaultKind::Unauthenticated => "The provider refused the gateway's credential.",
        FaultKind::Overloaded => "The provider is overloaded.",
        FaultKind::NotFound => "The provider does not know this model or path.",
        _ => "The provider answered with an error.",
    }
}

fn kind_of(status: u16, said: &UpstreamError) -> FaultKind {
    let lower = |text: &Option<String>| text.as_deref().unwrap_or_default().to_ascii_lowercase();
    let (kind, code, message) = (lower(&said.kind), lower(&said.code), lower(&said.message));
    let is = |word: &str| kind == word || code == word;
    if is("insufficient_quota") || is("billing_hard_limit_reached") || is("billing_not_active") {
        return FaultKind::QuotaExhausted;
    }
    if is("content_filter")
        || is("content_policy_violation")
        || is("responsibleaipolicyviolation")
        || is("moderation_blocked")
    {
        return FaultKind::ContentBlocked;
    }
    if is("context_length_exceeded")
        || is("string_above_max_length")
        || message.contains("maximum context length")
    {
        return FaultKind::InvalidRequest;
    }
    if is("rate_limit_exceeded") || is("rate_limit_error") || is("ratelimitreached") {
        return FaultKind::RateLimited;
    }
    if is("overloaded_error") || is("engine_overloaded") || is("overloaded") {
        return FaultKind::Overloaded;
    }
    if status == 0 {
        return kind_of_word(&kind, &code);
    }
    if status == 503 && message.contains("overloaded") {
        return FaultKind::Overloaded;
    }
    FaultKind::of_status(status)
}

/// The kind of an error that states no status.
fn kind_of_word(kind: &str, code: &str) -> FaultKind {
    let is = |word: &str| kind == word || code == word;
    if is("invalid_api_key") || is("authentication_error") {
        FaultKind::Unauthenticated
    } else if is("permission_error") || is("permission_denied") {
        FaultKind::Forbidden
    } else if is("model_not_found") || is("not_found_error") {
        FaultKind::NotFound
    } else if is("invalid_request_error") {
        FaultKind::InvalidRequest
    } else {
        FaultKind::BadUpstream
    }
}

/// `retry-after` in whole seconds, or OpenAI's `retry-after-ms`. Dates are not read here: there
/// is no clock on this floor.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let millis = text("retry-after-ms").and_then(|text| text.trim().parse::<u64>().ok());
    let seconds = || text("retry-after")?.trim().parse::<u64>().ok();
    millis.map(|millis| millis.div_ceil(1_000)).or_else(seconds)
}

pub(in crate::dialects) fn encode(fault: &Fault, _request_id: &str) -> EncodedFault {
    let body = json!({"error": object(fault)}).to_string();
    EncodedFault { status: fault.status(), headers: Vec::new(), body: Bytes::from(body) }
}

/// The frame that breaks a stream off.
pub(in crate::dialects) fn put(fault: &Fault, out: &mut Sink) {
    let error = json!({"error": object(fault)});
    out.put(format!("data: {error}\n\n").as_bytes());
}

/// The error object, in a body or in a frame of a stream.
pub(in crate::dialects) fn object(fault: &Fault) -> Value {
    let said = fault.upstream.as_deref();
    let kind = said.and_then(|said| said.kind.as_deref()).unwrap_or_else(|| type_of(fault.kind));
    let code = said.and_then(|said| said.code.as_deref()).unwrap_or_else(|| code_of(fault));
    let message = said.and_then(|said| said.message.as_deref()).unwrap_or(&fault.message);
    let param = said.and_then(|said| said.param.as_deref()).or(fault.param.as_deref());
    let mut object = json!({"message": message, "type": kind, "param": param, "code": code});
    let inner = said.and_then(|said| serde_json::from_str(said.inner.as_deref()?).ok());
    if let Some(inner) = inner {
        object["innererror"] = inner;
    }
    object
}

/// The word that OpenAI's own errors have for a kind.
fn type_of(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::InvalidRequest
        | FaultKind::Unauthenticated
        | FaultKind::NotFound
        | FaultKind::TooLarge
        | FaultKind::UnsupportedMedia
        | FaultKind::Unsupported
        | FaultKind::ContentBlocked => "invalid_request_error",
        FaultKind::Forbidden => "permission_error",
        FaultKind::RateLimited => "rate_limit_error",
        FaultKind::QuotaExhausted => "insufficient_quota",
        FaultKind::Timeout => "timeout_error",
        FaultKind::Overloaded => "overloaded_error",
        FaultKind::Unavailable => "service_unavailable_error",
        FaultKind::BadUpstream | FaultKind::Internal | FaultKind::Loop => "server_error",
    }
}

/// The code that OpenAI has for a kind, where SDKs and applications look for it.
fn code_of(fault: &Fault) -> &'static str {
    if fault.code.is_some() {
        return fault.code();
    }
    match fault.kind {
        FaultKind::Unauthenticated => "invalid_api_key",
        FaultKind::RateLimited => "rate_limit_exceeded",
        FaultKind::QuotaExhausted => "insufficient_quota",
        FaultKind::ContentBlocked => "content_filter",
        _ => fault.code(),
    }
}
