//! AWS Signature Version 4: signs a request as it will leave, byte for byte, and reads the signature
//! of one that arrives. The keys and the time are arguments; where keys come from, the program knows.

pub mod arriving;

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{self, SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

/// Keys of an AWS account, for good or for an hour.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsKeys {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

impl fmt::Debug for AwsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id is no secret, but says whose keys these are.
        f.debug_struct("AwsKeys").finish_non_exhaustive()
    }
}

/// What a signature is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    pub region: &'a str,
    pub service: &'a str,
}

/// Why a request cannot be signed. It says nothing of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request cannot be signed")]
pub struct SignError;

/// A request as it will leave.
#[derive(Clone, Copy, Debug)]
pub struct Leaving<'a> {
    pub method: &'a Method,
    /// Path and query.
    pub uri: &'a Uri,
    pub body: &'a [u8],
}

/// Puts the signature and what belongs to it into the headers, which hold the host already. `now`
/// is the time since the beginning of 1970, by which a signature is good for minutes. Other headers than the host and the type of the content are not signed, so they may still change.
///
/// # Errors
/// When there is no host, or the keys hold a character that no header may.
pub fn sign(
    keys: &AwsKeys,
    scope: Scope<'_>,
    now: Duration,
    leaving: Leaving<'_>,
    headers: &mut HeaderMap,
) -> Result<(), SignError> {
    let identity = Credentials::new(
        keys.access_key_id.as_str(),
        keys.secret_access_key.as_str(),
        keys.session_token.clone(),
        None,
        "tollgate",
    )
    .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(UNIX_EPOCH + now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|_| SignError)?
        .into();
    let written = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = written(HOST).ok_or(SignError)?;
    let signed = [("host", Some(host)), ("content-type", written(CONTENT_TYPE))];
    let signed = signed.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let uri = format!("https://{host}{}", leaving.uri);
    let body = SignableBody::Bytes(leaving.body);
    let request = SignableRequest::new(leaving.method.as_str(), uri, signed, body);
    let signed = http_request::sign(request.map_err(|_| SignError)?, &params);
    let (instructions, _) = signed.map_err(|_| SignError)?.into_parts();
    for (name, value) in instructions.headers() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| SignError)?;
        let mut value = HeaderValue::from_str(value).map_err(|_| SignError)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of AWS's own published examples: keys, time (2015-08-30T12:36:00Z) and scope.
    fn signature(
        session: Option<&str>,
        request: (&Method, &str, &str),
        kind: Option<&str>,
    ) -> String {
        let keys = AwsKeys {
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: session.map(str::to_owned),
        };
        let scope = Scope { region: "us-east-1", service: "service" };
        let now = Duration::from_secs(1_440_938_160);
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("example.amazonaws.com"));
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        }
        let (method, uri, body) = request;
        let uri = uri.parse().unwrap();
        let leaving = Leaving { method, uri: &uri, body: body.as_bytes() };
        sign(&keys, scope, now, leaving, &mut headers).unwrap();
        assert_eq!(headers["x-amz-date"], "20150830T123600Z");
        assert_eq!(
            headers.get("x-amz-security-token").map(HeaderValue::as_bytes),
            session.map(str::as_bytes)
        );
        let shown = headers["authorization"].to_str().unwrap();
        assert!(headers["authorization"].is_sensitive());
        shown.rsplit_once("Signature=").unwrap().1.to_owned()
    }

    #[test]
    fn signatures_are_those_of_the_published_examples() {
        let vanilla = signature(None, (&Method::GET, "/", ""), None);
        assert_eq!(vanilla, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        let session = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
        let with_session = signature(Some(session), (&Method::GET, "/", ""), None);
        assert_eq!(
            with_session,
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"
        );
        let kind = "application/x-www-form-urlencoded";
        let form = signature(None, (&Method::POST, "/", "Param1=value1"), Some(kind));
        assert_eq!(form, "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
    }

    /// Computed apart from this code: the canonical path is `/model/anthropic.claude-v1%253A0/invoke`.
    #[test]
    fn what_is_escaped_in_a_path_is_escaped_once_more_to_be_signed() {
        let request = (&Method::POST, "/model/anthropic.claude-v1%3A0/invoke", "{}");
        let signed = signature(None, request, Some("application/json"));
        assert_eq!(signed, "25e111d2828673b872dd900a4cd79f1a64001b745eba7d0b7c45f9d980435b04");
    }

    #[test]
    fn keys_are_never_printed() {
        let keys = AwsKeys {
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: "not-a-secret".into(),
            session_token: Some("not-a-token".into()),
        };
        let shown = format!("{keys:?}");
        assert!(!shown.contains("AKID") && !shown.contains("not-a"), "{shown}");
    }
}
