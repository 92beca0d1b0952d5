//! Errors: read from every shape hosts give them, written so that SDKs raise the right exception.

use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tollgate_model::{Fault, FaultKind, Source};

use crate::{chat, quirks};

fn read(status: u16, body: &Value) -> Fault {
    chat().decode_fault(status, &HeaderMap::new(), body.to_string().as_bytes())
}

#[test]
fn the_kind_follows_from_what_was_said() {
    use FaultKind as K;
    let error = |kind: Value, code: Value, message: &str| json!({"error": {"message": message, "type": kind, "param": null, "code": code}});
    for (status, body, kind) in [
        (
            429,
            error("insufficient_quota".into(), "insufficient_quota".into(), "quota"),
            K::QuotaExhausted,
        ),
        (429, error("tokens".into(), "rate_limit_exceeded".into(), "slow"), K::RateLimited),
        (
            400,
            error("invalid_request_error".into(), "context_length_exceeded".into(), "long"),
            K::InvalidRequest,
        ),
        (400, error(Value::Null, "content_filter".into(), "filtered"), K::ContentBlocked),
        (
            401,
            error("invalid_request_error".into(), "invalid_api_key".into(), "key"),
            K::Unauthenticated,
        ),
        (403, error("x".into(), "forbidden".into(), "no"), K::Forbidden),
        (404, error("invalid_request_error".into(), "model_not_found".into(), "none"), K::NotFound),
        (413, error(Value::Null, Value::Null, "big"), K::TooLarge),
        (500, error("server_error".into(), 500.into(), "bug"), K::Internal),
        (503, error("server_error".into(), Value::Null, "The model is overloaded"), K::Overloaded),
        (529, json!({"error": {"message": "x", "type": "overloaded_error"}}), K::Overloaded),
        (
            402,
            json!({"error": {"message": "Insufficient credits", "code": 402}}),
            K::QuotaExhausted,
        ),
        (
            422,
            json!({"detail": [{"loc": ["body", "x"], "msg": "Field required"}]}),
            K::InvalidRequest,
        ),
        (401, json!({"detail": "Unauthorized"}), K::Unauthenticated),
        (
            422,
            json!({"object": "error", "message": {"detail": [{"msg": "Extra inputs"}]}}),
            K::InvalidRequest,
        ),
        (404, json!({"error": "model not found"}), K::NotFound),
        (
            400,
            json!([{"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}}]),
            K::InvalidRequest,
        ),
        (429, json!({"message": "Requests rate limit exceeded"}), K::RateLimited),
    ] {
        let fault = read(status, &body);
        assert_eq!(fault.kind, kind, "{status} {body}");
        assert_eq!(fault.source, Source::Upstream);
        let said = fault.upstream.as_ref().expect("well formed");
        assert_eq!(said.status, status);
        assert_eq!(said.message.as_deref(), Some(fault.message.as_str()));
        // Same dialect: what was said is passed on.
        let again = chat().encode_fault(&fault, "r");
        assert_eq!(again.status, status);
        let again = chat().decode_fault(again.status, &HeaderMap::new(), &again.body);
        assert_eq!(again.kind, kind, "{status} {body}");
        assert_eq!(again.message, fault.message);
    }
}

#[test]
fn a_body_that_is_no_error_is_never_repeated() {
    for body in [
        &b"<html>secret</html>"[..],
        b"",
        b"\xff\xfe",
        b"\"secret\"",
        b"[]",
        b"{\"secret\": 1}",
        b"{\"error\": {}}",
        b"{\"error\": {\"secret\": {}}}",
        b"{\"error\": 17}",
    ] {
        let fault = chat().decode_fault(502, &HeaderMap::new(), body);
        assert!(fault.upstream.is_none());
        assert_eq!(fault.kind, FaultKind::BadUpstream);
        let shown = format!("{fault:?}");
        assert!(!shown.contains("secret") && !shown.contains("html"), "{shown}");
    }
}

#[test]
fn the_wait_and_the_request_id_are_read_from_the_head() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("17"));
    headers.insert("x-request-id", HeaderValue::from_static("req_1"));
    let body =
        json!({"error": {"message": "slow", "type": "requests", "code": "rate_limit_exceeded"}});
    let fault = chat().decode_fault(429, &headers, body.to_string().as_bytes());
    assert_eq!(fault.retry_after_s, Some(17));
    assert_eq!(fault.upstream.unwrap().request_id.as_deref(), Some("req_1"));
    headers.insert("retry-after-ms", HeaderValue::from_static("1200"));
    assert_eq!(chat().decode_fault(429, &headers, b"").retry_after_s, Some(2));
}

#[test]
fn every_kind_has_the_status_and_type_of_an_exception() {
    for kind in FaultKind::ALL {
        let fault = Fault::new(kind, Source::Internal, "what happened");
        let written = chat().encode_fault(&fault, "r");
        assert_eq!(written.status, kind.status());
        let body: Value = serde_json::from_slice(&written.body).unwrap();
        let error = &body["error"];
        assert_eq!(error["message"], "what happened");
        assert!(error["type"].is_string() && error["code"].is_string() && error["param"].is_null());
        // A provider of this dialect that says so is understood alike.
        let again = chat().decode_fault(written.status, &HeaderMap::new(), &written.body);
        assert_eq!(again.kind.status(), kind.status(), "{kind:?}");
        assert_eq!(again.kind.retryable(), kind.retryable(), "{kind:?}");
    }
}

#[test]
fn an_answer_that_is_none_is_a_fault() {
    for body in
        ["", "null", "[]", "<html>", "{}", r#"{"choices": 3}"#, r#"{"choices": null, "id": "x"}"#]
    {
        for result in [
            chat().decode_reply(body.as_bytes(), quirks("openai")),
            chat().skim_reply(body.as_bytes(), quirks("openai")),
        ] {
            assert_eq!(result.unwrap_err().kind, FaultKind::BadUpstream, "{body}");
        }
    }
    let error = r#"{"error": {"message": "busy", "code": 503}, "choices": []}"#;
    for result in [
        chat().decode_reply(error.as_bytes(), quirks("openai")),
        chat().skim_reply(error.as_bytes(), quirks("openai")),
    ] {
        let fault = result.unwrap_err();
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Unavailable, "busy"));
    }
}
