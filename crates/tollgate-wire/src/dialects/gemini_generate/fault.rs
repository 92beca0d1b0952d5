//! Errors, both ways.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use tollgate_model::{Fault, FaultKind, Source, UpstreamError};

use crate::EncodedFault;

/// Google's canonical words, the status each goes with, and what it means here.
const STATUSES: &[(&str, u16, FaultKind)] = &[
    ("INVALID_ARGUMENT", 400, FaultKind::InvalidRequest),
    ("FAILED_PRECONDITION", 400, FaultKind::InvalidRequest),
    ("OUT_OF_RANGE", 400, FaultKind::InvalidRequest),
    ("UNAUTHENTICATED", 401, FaultKind::Unauthenticated),
    ("PERMISSION_DENIED", 403, FaultKind::Forbidden),
    ("NOT_FOUND", 404, FaultKind::NotFound),
    ("ALREADY_EXISTS", 409, FaultKind::InvalidRequest),
    ("ABORTED", 409, FaultKind::Unavailable),
    ("RESOURCE_EXHAUSTED", 429, FaultKind::RateLimited),
    ("CANCELLED", 499, FaultKind::BadUpstream),
    ("INTERNAL", 500, FaultKind::Internal),
    ("UNKNOWN", 500, FaultKind::Internal),
    ("DATA_LOSS", 500, FaultKind::Internal),
    ("UNIMPLEMENTED", 501, FaultKind::Unsupported),
    ("UNAVAILABLE", 503, FaultKind::Unavailable),
    ("DEADLINE_EXCEEDED", 504, FaultKind::Timeout),
];

pub(super) fn decode(status: u16, headers: &HeaderMap, body: &[u8]) -> Fault {
    let request_id = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    let mut fault = match serde_json::from_slice::<Value>(body).ok().as_ref().and_then(error_of) {
        Some(error) => read(error, status),
        None => {
            let message = format!("The provider answered with HTTP {status} and no readable error");
            Fault::new(FaultKind::of_status(status), Source::Upstream, message)
        }
    };
    if let (Some(said), Some(id)) = (&mut fault.upstream, request_id) {
        said.request_id = Some(id.to_owned());
    }
    let after = headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    if let Some(seconds) = after.and_then(|value| value.trim().parse().ok()) {
        fault.retry_after_s = Some(seconds);
    }
    fault
}

/// The error inside a body: Google's object, also in a list of one, or what hosts that imitate it
/// answer.
pub(super) fn error_of(body: &Value) -> Option<&Value> {
    let body = match body {
        Value::Array(list) => list.first()?,
        other => other,
    };
    match body {
        Value::Object(fields) => {
            let error = fields.get("error").filter(|error| error.is_object() || error.is_string());
            error.or_else(|| {
                fields.get("detail").or(fields.get("message")).filter(|e| e.is_string())
            })
        }
        _ => None,
    }
}

/// What an error object (or a bare message) says. `status`: HTTP's; 0 inside a stream.
pub(super) fn read(error: &Value, status: u16) -> Fault {
    let text = |field: &str| error[field].as_str().map(str::to_owned);
    let code = match &error["code"] {
        Value::Number(number) => Some(number.to_string()),
        Value::String(word) => Some(word.clone()),
        _ => None,
    };
    let stated = code.as_deref().and_then(|code| code.parse::<u16>().ok());
    let status = match status {
        // Inside a stream, or under a 200, the error's own number is all there is.
        0..=399 => stated.filter(|code| (400..600).contains(code)).unwrap_or(0),
        status => status,
    };
    let word = text("status");
    let message = error.as_str().map(str::to_owned).or_else(|| text("message"));
    let details = error["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    let kind = kind(word.as_deref(), status, message.as_deref(), details);
    let said = message.clone().unwrap_or_else(|| "The provider reported an error".to_owned());
    let mut fault = Fault::new(kind, Source::Upstream, said);
    fault.retry_after_s = details.iter().find_map(|detail| seconds(detail["retryDelay"].as_str()?));
    let violation =
        details.iter().find_map(|detail| detail["fieldViolations"][0]["field"].as_str());
    fault.param = violation.map(str::to_owned);
    fault.upstream = Some(Box::new(UpstreamError {
        status,
        kind: word,
        code,
        message,
        param: violation.map(str::to_owned),
        ..UpstreamError::default()
    }));
    fault
}

fn kind(word: Option<&str>, status: u16, message: Option<&str>, details: &[Value]) -> FaultKind {
    let reason = |wanted: &str| details.iter().any(|detail| detail["reason"] == wanted);
    if reason("API_KEY_INVALID") {
        // Under a 400, with the word of a malformed request.
        return FaultKind::Unauthenticated;
    }
    let of_status = || match status {
        0 => FaultKind::BadUpstream,
        status => FaultKind::of_status(status),
    };
    let known = STATUSES.iter().find(|(known, ..)| Some(*known) == word);
    let kind = known.map_or_else(of_status, |(_, _, kind)| *kind);
    let says = |words: &str| message.is_some_and(|message| message.contains(words));
    match kind {
        FaultKind::RateLimited if is_daily(details) => FaultKind::QuotaExhausted,
        FaultKind::Unavailable if says("overloaded") => FaultKind::Overloaded,
        kind => kind,
    }
}

/// A quota of the day is used up: another try within the hour does not help.
fn is_daily(details: &[Value]) -> bool {
    let violations = details.iter().filter_map(|detail| detail["violations"].as_array()).flatten();
    violations.filter_map(|violation| violation["quotaId"].as_str()).any(|id| id.contains("PerDay"))
}

/// `48s` or `48.9s`, rounded up.
fn seconds(delay: &str) -> Option<u64> {
    let (whole, part) = match delay.strip_suffix('s')?.split_once('.') {
        Some((whole, part)) => (whole, part.bytes().any(|digit| digit != b'0')),
        None => (delay.strip_suffix('s')?, false),
    };
    Some(whole.parse::<u64>().ok()?.saturating_add(part.into()))
}

pub(super) fn encode(fault: &Fault, request_id: &str) -> EncodedFault {
    let status = status(fault);
    let body = json!({"error": object(fault, Some(request_id))});
    EncodedFault { status, headers: Vec::new(), body: Bytes::from(body.to_string()) }
}

/// Google's statuses: it has none for "overloaded" of its own.
fn status(fault: &Fault) -> u16 {
    match fault.status() {
        529 => 503,
        status => status,
    }
}

/// The `error` object, in an answer or inside a stream.
pub(super) fn object(fault: &Fault, request_id: Option<&str>) -> Value {
    let status = status(fault);
    let said = fault.upstream.as_deref();
    let own = said.and_then(|said| said.kind.as_deref()).filter(|word| is_status(word));
    let word = own.unwrap_or_else(|| word_of(status));
    let message = said.and_then(|said| said.message.as_deref()).unwrap_or(&fault.message);
    let mut metadata = Map::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            metadata.insert(name.to_owned(), value.into());
        }
    };
    put("requestId", request_id.filter(|id| !id.is_empty()));
    // Google's `status` is a closed list: another provider's words stand here.
    if own.is_none() {
        put("type", said.and_then(|said| said.kind.as_deref()));
        put("code", said.and_then(|said| said.code.as_deref()));
    }
    let mut details = vec![json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": fault.code().to_ascii_uppercase(),
        "domain": "tollgate",
        "metadata": metadata,
    })];
    if let Some(seconds) = fault.retry_after_s {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{seconds}s"),
        }));
    }
    let param = said.and_then(|said| said.param.as_deref()).or(fault.param.as_deref());
    if let Some(param) = param {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": param, "description": message}],
        }));
    }
    json!({"code": status, "message": message, "status": word, "details": details})
}

fn is_status(word: &str) -> bool {
    STATUSES.iter().any(|(known, ..)| *known == word)
}

fn word_of(status: u16) -> &'static str {
    let known = STATUSES.iter().find(|(_, of, _)| *of == status);
    known.map_or(
        match status {
            400..=499 => "INVALID_ARGUMENT",
            502 | 503 => "UNAVAILABLE",
            _ => "INTERNAL",
        },
        |(word, ..)| *word,
    )
}
