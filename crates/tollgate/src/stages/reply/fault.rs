//! A fault becomes an answer, in one place: the body in the caller's dialect, the status of its
//! SDK's exception, and when to come again.

use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use tollgate_model::{Fault, FaultKind, Source};
use tollgate_wire::Dialect;

use super::{JSON, ReplyBody, heads, rates};
use crate::stages::settle::Settling;

/// Where neither the provider nor a limit says when.
const USUAL_WAIT_S: u64 = 1;

#[must_use]
pub fn fault(dialect: &Dialect, fault: Fault, mut settling: Settling) -> Response<ReplyBody> {
    let encoded = dialect.encode_fault(&fault, &settling.record.request_id);
    let status = StatusCode::from_u16(encoded.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = heads::of_call(&settling);
    headers.insert(CONTENT_TYPE, JSON);
    headers.extend(encoded.headers);
    if let Some(target) = &settling.record.target
        && let Ok(target) = HeaderValue::from_str(target)
    {
        headers.insert("x-tollgate-target", target);
        headers.insert("x-tollgate-attempts", HeaderValue::from(settling.record.attempts));
    }
    rates::put(dialect, &settling, &mut headers);
    // What will never pass is not to be tried again.
    let in_vain = fault.kind == FaultKind::QuotaExhausted && fault.source == Source::Downstream;
    if matches!(status.as_u16(), 429 | 503 | 529) && !in_vain {
        let seconds = fault.retry_after_s.unwrap_or(USUAL_WAIT_S);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if fault.kind == FaultKind::QuotaExhausted {
        headers.insert("x-should-retry", HeaderValue::from_static("false"));
    }
    if matches!(fault.kind, FaultKind::TooLarge) {
        // The rest of the body may be more than is taken.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    settling.record.status = status.as_u16();
    settling.record.response_bytes = encoded.body.len() as u64;
    settling.record.fault = Some(fault);
    settling.settle();
    let mut response = Response::new(ReplyBody::whole(encoded.body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
