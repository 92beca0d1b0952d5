//! Errors, read and written: the type in the header `x-amzn-errortype`, the rest as `{"message"}`;
//! inside a stream, exceptions of their own names.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use tollgate_model::{Fault, FaultKind, Source, UpstreamError};

use crate::EncodedFault;

/// Amazon's error types: the kind that each stands for and the status it comes with. The first of
/// a kind is the one that is written.
const TYPES: &[(&str, FaultKind, u16)] = &[
    ("ValidationException", FaultKind::InvalidRequest, 400),
    ("UnrecognizedClientException", FaultKind::Unauthenticated, 403),
    ("MissingAuthenticationTokenException", FaultKind::Unauthenticated, 403),
    ("InvalidSignatureException", FaultKind::Unauthenticated, 403),
    ("IncompleteSignatureException", FaultKind::Unauthenticated, 403),
    ("ExpiredTokenException", FaultKind::Unauthenticated, 403),
    ("AccessDeniedException", FaultKind::Forbidden, 403),
    ("ResourceNotFoundException", FaultKind::NotFound, 404),
    ("UnknownOperationException", FaultKind::NotFound, 404),
    ("RequestEntityTooLargeException", FaultKind::TooLarge, 413),
    ("UnsupportedMediaTypeException", FaultKind::UnsupportedMedia, 415),
    ("ThrottlingException", FaultKind::RateLimited, 429),
    ("ServiceQuotaExceededException", FaultKind::QuotaExhausted, 400),
    ("ModelTimeoutException", FaultKind::Timeout, 408),
    ("ServiceUnavailableException", FaultKind::Overloaded, 503),
    ("ServiceUnavailableException", FaultKind::Unavailable, 503),
    ("ModelNotReadyException", FaultKind::Unavailable, 429),
    ("ModelErrorException", FaultKind::BadUpstream, 424),
    ("ModelStreamErrorException", FaultKind::BadUpstream, 424),
    ("InternalServerException", FaultKind::Internal, 500),
];

/// The types of an error that is the gateway's own, where its code says more than its kind.
const CODES: &[(&str, &str)] = &[
    ("bad_signature", "InvalidSignatureException"),
    ("incomplete_signature", "IncompleteSignatureException"),
    ("missing_key", "MissingAuthenticationTokenException"),
];

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// Longest text that is taken over from an error, in bytes.
const MOST_TEXT: usize = 8 << 10;

/// Reads an error answer. What is no well-formed error gives nothing of itself away.
pub(super) fn decode(status: u16, headers: &HeaderMap, body: &[u8]) -> Fault {
    let body = serde_json::from_slice(body).ok();
    let body: Option<Map<String, Value>> = match body {
        Some(Value::Object(body)) => Some(body),
        _ => None,
    };
    let header = headers.get(&ERROR_TYPE).and_then(|value| value.to_str().ok());
    let said = body.and_then(|body| of_object(status, header, &body));
    said.unwrap_or_else(|| {
        let word = header.map(bare).filter(|word| is_type(word));
        let kind = kind(status, word);
        let message = format!("The provider answered with status {status}.");
        let fault = Fault::new(kind, Source::Upstream, message);
        let said = word.map(|word| {
            let kind = Some(word.to_owned());
            Box::new(UpstreamError { status, kind, ..UpstreamError::default() })
        });
        Fault { upstream: said, ..fault }
    })
}

/// Reads an exception inside a stream; its data may say nothing.
pub(super) fn of_exception(name: &[u8], data: &[u8]) -> Fault {
    let name = String::from_utf8_lossy(name);
    let mut letters = name.chars();
    let word: String =
        letters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(letters).collect();
    let said = serde_json::from_slice::<Map<String, Value>>(data).unwrap_or_default();
    let stated = said.get("originalStatusCode").and_then(Value::as_u64);
    let status = stated.and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
    of_object(status, Some(&word), &said).unwrap_or_else(|| {
        let word = Some(word.as_str()).filter(|word| is_type(word));
        let message = "The provider's stream ended with an error that says nothing.";
        let said = UpstreamError { kind: word.map(str::to_owned), ..UpstreamError::default() };
        let fault = Fault::new(kind(0, word), Source::Upstream, message);
        Fault { upstream: Some(Box::new(said)), ..fault }
    })
}

/// `None` when the body says nothing that could be understood.
fn of_object(status: u16, header: Option<&str>, body: &Map<String, Value>) -> Option<Fault> {
    let inner = body.get("error").and_then(Value::as_object).unwrap_or(body);
    let text = |name: &str| inner.get(name).and_then(Value::as_str);
    let message =
        text("message").or_else(|| text("Message")).or_else(|| text("originalMessage"))?;
    let message = bounded(message);
    let word = header.or_else(|| text("__type")).or_else(|| text("code")).map(bare);
    let word = word.filter(|word| is_type(word));
    let kind = kind(status, word);
    let said = UpstreamError {
        status,
        kind: word.map(str::to_owned),
        message: Some(message.clone()),
        ..UpstreamError::default()
    };
    Some(Fault { upstream: Some(Box::new(said)), ..Fault::new(kind, Source::Upstream, message) })
}

/// `ThrottlingException` of `com.amazon#ThrottlingException:http://internal…`.
fn bare(word: &str) -> &str {
    let word = word.split(':').next().unwrap_or_default();
    word.rsplit('#').next().unwrap_or_default()
}

fn is_type(word: &str) -> bool {
    let letters = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    letters && word.len() <= 80 && (word.ends_with("Exception") || word.ends_with("Error"))
}

fn kind(status: u16, word: Option<&str>) -> FaultKind {
    let known = word.and_then(|word| TYPES.iter().find(|(of, ..)| *of == word));
    match known {
        Some((_, kind, _)) => *kind,
        None if status == 0 => FaultKind::BadUpstream,
        None => FaultKind::of_status(status),
    }
}

fn bounded(text: &str) -> String {
    text.chars()
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes <= MOST_TEXT).then_some(c)
        })
        .collect()
}

/// Writes an error answer.
pub(super) fn encode(fault: &Fault, request_id: &str) -> EncodedFault {
    let (word, status) = named(fault);
    let mut body = Map::new();
    body.insert("message".into(), json!(message(fault)));
    if fault.upstream.is_none() {
        body.insert("code".into(), json!(fault.code()));
        if let Some(param) = &fault.param {
            body.insert("param".into(), json!(param));
        }
    }
    let mut headers = Vec::new();
    for (name, value) in [(ERROR_TYPE, word.as_str()), (REQUEST_ID, request_id)] {
        headers.extend(HeaderValue::from_str(value).map(|value| (name, value)));
    }
    EncodedFault { status, headers, body: Bytes::from(Value::Object(body).to_string()) }
}

/// The exception that ends a stream: its name there and its payload.
pub(super) fn exception(fault: &Fault) -> (&'static str, Vec<u8>) {
    let name = match fault.kind {
        FaultKind::RateLimited | FaultKind::QuotaExhausted => "throttlingException",
        FaultKind::Overloaded | FaultKind::Unavailable => "serviceUnavailableException",
        FaultKind::BadUpstream | FaultKind::Timeout => "modelStreamErrorException",
        FaultKind::Internal | FaultKind::Loop => "internalServerException",
        FaultKind::InvalidRequest
        | FaultKind::Unauthenticated
        | FaultKind::Forbidden
        | FaultKind::NotFound
        | FaultKind::TooLarge
        | FaultKind::UnsupportedMedia
        | FaultKind::Unsupported
        | FaultKind::ContentBlocked => "validationException",
    };
    (name, json!({"message": message(fault)}).to_string().into_bytes())
}

fn message(fault: &Fault) -> &str {
    let said = fault.upstream.as_ref().and_then(|said| said.message.as_deref());
    said.unwrap_or(&fault.message)
}

/// The type and status: the provider's own where they are Amazon's, else what the SDKs turn into
/// the exception that says the same.
fn named(fault: &Fault) -> (String, u16) {
    let said = fault.upstream.as_ref();
    let own = said.and_then(|said| said.kind.as_deref()).filter(|word| is_own(word));
    if let Some(own) = own {
        let usual = TYPES.iter().find(|(word, ..)| *word == own).map(|(.., status)| *status);
        let stated = said.map_or(0, |said| said.status);
        let stated = Some(stated).filter(|status| (400..600).contains(status));
        return (own.to_owned(), stated.or(usual).unwrap_or(fault.kind.status()));
    }
    let of_code = CODES.iter().find(|(code, _)| *code == fault.code()).map(|(_, word)| *word);
    let of_kind = TYPES.iter().find(|(_, kind, _)| *kind == fault.kind);
    let word = of_code.or(of_kind.map(|(word, ..)| *word)).unwrap_or("ValidationException");
    let usual = of_kind.map_or(fault.kind.status(), |(.., status)| *status);
    // A status that the provider stated is passed on: the SDKs raise by the type.
    let status = if said.is_some_and(|said| said.status != 0) { fault.status() } else { usual };
    (word.to_owned(), status)
}

fn is_own(word: &str) -> bool {
    is_type(word) && word.ends_with("Exception")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header<'f>(written: &'f EncodedFault, name: &HeaderName) -> &'f str {
        let found = written.headers.iter().find(|(of, _)| of == name);
        found.map_or("", |(_, value)| value.to_str().unwrap())
    }

    #[test]
    fn every_type_keeps_its_word_and_status() {
        for (word, kind, status) in TYPES {
            let mut headers = HeaderMap::new();
            let value = format!("{word}:http://internal.amazon.com/coral/com.amazon.bedrock/");
            headers.insert(ERROR_TYPE, value.parse().unwrap());
            let fault = decode(*status, &headers, br#"{"message":"no"}"#);
            let first = TYPES.iter().find(|(of, ..)| of == word).unwrap().1;
            assert_eq!(fault.kind, first, "{word} {kind:?}");
            let written = encode(&fault, "r-1");
            assert_eq!(written.status, *status);
            assert_eq!(header(&written, &ERROR_TYPE), *word);
            assert_eq!(header(&written, &REQUEST_ID), "r-1");
            assert_eq!(written.body, r#"{"message":"no"}"#);
        }
    }

    #[test]
    fn every_kind_has_a_type_and_every_exception_comes_back() {
        for kind in FaultKind::ALL {
            let fault = Fault::new(kind, Source::Internal, "no");
            let written = encode(&fault, "r");
            assert!(is_own(header(&written, &ERROR_TYPE)), "{kind:?}");
            assert!((400..600).contains(&written.status), "{kind:?}");
            let (name, payload) = exception(&fault);
            let again = of_exception(name.as_bytes(), &payload);
            assert_eq!((exception(&again).0, again.message.as_str()), (name, "no"), "{kind:?}");
        }
    }

    #[test]
    fn near_variants_are_understood_and_the_rest_gives_nothing_away() {
        for body in [
            json!({"Message": "no"}),
            json!({"message": "no", "__type": "com.amazon.coral#AccessDeniedException"}),
            json!({"error": {"message": "no"}}),
        ] {
            let fault = decode(403, &HeaderMap::new(), body.to_string().as_bytes());
            assert_eq!(
                (fault.message.as_str(), fault.kind),
                ("no", FaultKind::Forbidden),
                "{body}"
            );
        }
        for body in ["<html>secret</html>", "", "{}", "[1]", "{\"error\":{\"x\":\"secret\"}}"] {
            let fault = decode(502, &HeaderMap::new(), body.as_bytes());
            assert_eq!(fault.kind, FaultKind::BadUpstream);
            assert!(fault.upstream.is_none() && !fault.message.contains("secret"), "{body}");
        }
    }

    #[test]
    fn errors_of_others_become_the_exception_that_says_the_same() {
        let said = UpstreamError {
            status: 529,
            kind: Some("overloaded_error".into()),
            ..UpstreamError::default()
        };
        let fault = Fault::new(FaultKind::Overloaded, Source::Upstream, "busy");
        let written = encode(&Fault { upstream: Some(Box::new(said)), ..fault }, "r");
        assert_eq!(written.status, 529);
        assert_eq!(header(&written, &ERROR_TYPE), "ServiceUnavailableException");
        let fault = Fault::new(FaultKind::Unauthenticated, Source::Downstream, "no")
            .with_code("bad_signature");
        let written = encode(&fault, "r");
        assert_eq!(
            (written.status, header(&written, &ERROR_TYPE)),
            (403, "InvalidSignatureException")
        );
    }
}
