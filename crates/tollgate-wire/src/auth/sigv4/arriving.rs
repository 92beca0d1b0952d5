//! A request that came with an AWS signature: what its signer says, and whether that is true. The
//! secret and the time are arguments; whose secret it is, the program knows.
//!
//! The payload is always part of the signature here: one that leaves it out is refused, since only
//! TLS would guard it then, and whether there was TLS all the way nobody can tell.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};

use crate::moment;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The service that Bedrock's SDKs sign for.
const SERVICE: &str = "bedrock";
/// How far the signer's clock may be from ours, in seconds: so long a signature can be used again.
const SKEW: u64 = 300;
/// Headers that must be signed where they are there: what they say is acted upon.
const ACTED_UPON: &[&str] = &["x-amz-", "x-tollgate-"];
const MOST_SIGNED_HEADERS: usize = 64;
const MOST_ID: usize = 128;

/// Why a signature is not even looked into. Says nothing of the request's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("The signature is incomplete: {0}.")]
    Incomplete(&'static str),
    #[error("The signature is made for another service than `bedrock`.")]
    OtherService,
    #[error("The signature's time is more than five minutes from the gateway's own.")]
    OutOfTime,
    #[error("A header that the gateway acts upon is not signed.")]
    Unsigned,
    #[error("The signature leaves out the payload, which must be signed.")]
    UnsignedPayload,
}

/// What a signature states, before it is proven.
pub struct Arriving {
    access_key_id: String,
    /// `20150830/us-east-1/bedrock/aws4_request`.
    scope: String,
    /// `20150830T123600Z`.
    stamp: String,
    /// The canonical request, up to the hash of the payload.
    head: String,
    /// The hash of the payload as a header states it.
    stated: Option<String>,
    signature: [u8; 32],
}

impl fmt::Debug for Arriving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arriving").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Arriving {
    /// The request bears such a signature, whatever it is worth.
    #[must_use]
    pub fn is_in(headers: &HeaderMap) -> bool {
        let value = headers.get(AUTHORIZATION).map(http::HeaderValue::as_bytes);
        value.is_some_and(|value| value.starts_with(ALGORITHM.as_bytes()))
    }

    /// Reads the signature of a request. `now`: Unix seconds.
    ///
    /// # Errors
    /// When it cannot hold, whoever made it.
    pub fn read(request: &Parts, now: u64) -> Result<Self, Refusal> {
        let headers = &request.headers;
        let stated = sole(headers, &HeaderName::from_static("x-amz-content-sha256"))?;
        let written = sole(headers, &AUTHORIZATION)?.unwrap_or_default();
        let fields = written.strip_prefix(ALGORITHM).unwrap_or_default();
        let field = |name: &str, missing| {
            let pairs = fields.split(',').filter_map(|field| field.trim().split_once('='));
            let mut values = pairs.filter(|(of, _)| *of == name).map(|(_, value)| value);
            match (values.next(), values.next()) {
                (Some(value), None) => Ok(value),
                _ => Err(Refusal::Incomplete(missing)),
            }
        };
        let credential = field("Credential", "`Credential` is missing")?;
        let signed = field("SignedHeaders", "`SignedHeaders` is missing")?;
        let signature = field("Signature", "`Signature` is missing")?;
        let (access_key_id, scope) =
            credential.split_once('/').ok_or(Refusal::Incomplete("`Credential` has no scope"))?;
        let parts: Vec<&str> = scope.split('/').collect();
        let [day, region, service, "aws4_request"] = parts[..] else {
            return Err(Refusal::Incomplete("the scope of `Credential` is malformed"));
        };
        if region.is_empty() || access_key_id.is_empty() || access_key_id.len() > MOST_ID {
            return Err(Refusal::Incomplete("`Credential` is malformed"));
        }
        if service != SERVICE {
            return Err(Refusal::OtherService);
        }
        let stamp = sole(headers, &HeaderName::from_static("x-amz-date"))?;
        let stamp = stamp.ok_or(Refusal::Incomplete("the header `x-amz-date` is missing"))?;
        check_time(stamp, day, now)?;
        if let Some(stated) = stated
            && (stated.len() != 64 || !stated.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            return Err(Refusal::UnsignedPayload);
        }
        let signature =
            bytes_of(signature).ok_or(Refusal::Incomplete("`Signature` is malformed"))?;
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            scope: scope.to_owned(),
            stamp: stamp.to_owned(),
            head: head(request, signed)?,
            stated: stated.map(str::to_ascii_lowercase),
            signature,
        })
    }

    /// Who says to have signed.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Whether the holder of that secret signed this very request with this very body. Takes the
    /// same time for every wrong signature.
    #[must_use]
    pub fn is_of(&self, secret: &str, body: &[u8]) -> bool {
        let payload = hex(&Sha256::digest(body));
        if self.stated.as_ref().is_some_and(|stated| *stated != payload) {
            return false;
        }
        let request = hex(&Sha256::digest(format!("{}{payload}", self.head)));
        let Self { stamp, scope, .. } = self;
        let to_sign = format!("{ALGORITHM}\n{stamp}\n{scope}\n{request}");
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in scope.split('/') {
            let Some(next) = keyed(&key, part) else { return false };
            key = next.finalize().into_bytes().to_vec();
        }
        keyed(&key, &to_sign).is_some_and(|mac| mac.verify_slice(&self.signature).is_ok())
    }
}

fn keyed(key: &[u8], text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

/// The one value of a header; several are nobody's.
fn sole<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(value), None) => Ok(Some(value.trim())),
        _ => Err(Refusal::Incomplete("a header of it is ambiguous")),
    }
}

/// The stamp is of the scope's day, and near enough.
fn check_time(stamp: &str, day: &str, now: u64) -> Result<(), Refusal> {
    const MALFORMED: Refusal = Refusal::Incomplete("its date is malformed");
    let digits = |range: std::ops::Range<usize>| stamp.get(range).ok_or(MALFORMED);
    let shape =
        stamp.len() == 16 && stamp.is_ascii() && digits(8..9)? == "T" && digits(15..16)? == "Z";
    if !shape || digits(0..8)? != day {
        return Err(MALFORMED);
    }
    let (year, month, date) = (digits(0..4)?, digits(4..6)?, digits(6..8)?);
    let (hour, minute, second) = (digits(9..11)?, digits(11..13)?, digits(13..15)?);
    let time = moment::read(&format!("{year}-{month}-{date}T{hour}:{minute}:{second}Z"));
    let time = time.ok_or(MALFORMED)?;
    if now.abs_diff(time) > SKEW { Err(Refusal::OutOfTime) } else { Ok(()) }
}

/// The canonical request up to the hash of the payload, with the line's end before that.
fn head(request: &Parts, signed: &str) -> Result<String, Refusal> {
    let names: Vec<&str> = signed.split(';').collect();
    let lower = names.iter().all(|name| {
        !name.is_empty() && name.bytes().all(|byte| !byte.is_ascii_uppercase() && byte > b' ')
    });
    if !lower || names.len() > MOST_SIGNED_HEADERS || names.windows(2).any(|two| two[0] >= two[1]) {
        return Err(Refusal::Incomplete("`SignedHeaders` is malformed"));
    }
    if !names.contains(&"host") || !names.contains(&"x-amz-date") {
        return Err(Refusal::Incomplete("`host` and `x-amz-date` must be signed"));
    }
    let acted_upon = |name: &HeaderName| {
        let begins = ACTED_UPON.iter().any(|prefix| name.as_str().starts_with(prefix));
        // Its truth is checked against the body itself.
        begins && name.as_str() != "x-amz-content-sha256"
    };
    let mut unsigned = request.headers.keys().filter(|name| !names.contains(&name.as_str()));
    if unsigned.any(acted_upon) {
        return Err(Refusal::Unsigned);
    }
    let mut out = format!("{}\n", request.method);
    path(request.uri.path(), &mut out);
    out.push('\n');
    query(request.uri.query().unwrap_or_default(), &mut out);
    out.push('\n');
    for name in names {
        out.push_str(name);
        out.push(':');
        header(request, name, &mut out)?;
        out.push('\n');
    }
    out.push('\n');
    out.push_str(signed);
    out.push('\n');
    Ok(out)
}

/// What is escaped in the path is escaped once more.
fn path(path: &str, out: &mut String) {
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// The pairs in order, each with its `=`.
fn query(query: &str, out: &mut String) {
    let mut pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    out.push_str(&pairs.join("&"));
}

/// The values of a header, with single spaces; the host may stand in the request line.
fn header(request: &Parts, name: &str, out: &mut String) -> Result<(), Refusal> {
    const MISSING: Refusal = Refusal::Incomplete("a signed header is missing");
    let mut values = request.headers.get_all(name).iter().peekable();
    if values.peek().is_none() {
        let authority = request.uri.authority().filter(|_| name == HOST.as_str());
        out.push_str(authority.ok_or(MISSING)?.as_str());
        return Ok(());
    }
    for (at, value) in values.enumerate() {
        let value = value.to_str().map_err(|_| MISSING)?;
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        if at > 0 {
            out.push(',');
        }
        out.push_str(&words.join(" "));
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes of 64 letters.
fn bytes_of(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut out = [0; 32];
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderValue, Method, Request};

    use super::super::{AwsKeys, Leaving, Scope, sign};
    use super::*;

    const NOW: u64 = 1_440_938_160;
    const SECRET: &str = "not-a-secret-but-long-enough";
    const PATH: &str = "/model/arn%3Aaws%3Abedrock%3A%3A0%3Ax%2Fy/converse?b=2&a=1";

    /// A request signed by AWS's own library.
    fn signed(service: &str, body: &str) -> Parts {
        let mut request = Request::builder().method(Method::POST).uri(PATH);
        request =
            request.header("host", "127.0.0.1:8080").header("content-type", "application/json");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let keys = AwsKeys {
            access_key_id: "TGAKEXAMPLE".into(),
            secret_access_key: SECRET.into(),
            session_token: None,
        };
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let leaving = Leaving { method: &method, uri: &uri, body: body.as_bytes() };
        let time = Duration::from_secs(NOW);
        let scope = Scope { region: "eu-central-1", service };
        sign(&keys, scope, time, leaving, &mut parts.headers).unwrap();
        parts
    }

    fn holds(parts: &Parts, secret: &str, body: &str) -> bool {
        Arriving::read(parts, NOW).is_ok_and(|signed| signed.is_of(secret, body.as_bytes()))
    }

    /// The same request with its authorization changed.
    fn with(from: &str, to: &str) -> Parts {
        let mut parts = signed("bedrock", "{}");
        let value = parts.headers["authorization"].to_str().unwrap();
        assert!(value.contains(from), "{value}");
        let value = HeaderValue::from_str(&value.replacen(from, to, 1)).unwrap();
        parts.headers.insert("authorization", value);
        parts
    }

    #[test]
    fn what_amazons_library_signs_holds_and_names_its_signer() {
        let parts = signed("bedrock", "{}");
        assert!(Arriving::is_in(&parts.headers));
        assert_eq!(Arriving::read(&parts, NOW).unwrap().access_key_id(), "TGAKEXAMPLE");
        assert!(holds(&parts, SECRET, "{}"));
        for apart in [NOW - SKEW, NOW + SKEW] {
            assert!(Arriving::read(&parts, apart).unwrap().is_of(SECRET, b"{}"));
        }
    }

    #[test]
    fn whatever_is_changed_after_signing_shows() {
        let parts = signed("bedrock", "{}");
        assert!(!holds(&parts, "another secret", "{}"), "the secret");
        assert!(!holds(&parts, SECRET, "{} "), "the body");
        let mut changed = signed("bedrock", "{}");
        changed.uri = "/model/other/converse?a=1&b=2".parse().unwrap();
        assert!(!holds(&changed, SECRET, "{}"), "the path");
        let mut changed = signed("bedrock", "{}");
        changed.uri = PATH.replace("a=1", "a=2").parse().unwrap();
        assert!(!holds(&changed, SECRET, "{}"), "the query");
        let mut changed = signed("bedrock", "{}");
        changed.method = Method::PUT;
        assert!(!holds(&changed, SECRET, "{}"), "the method");
        for (name, value) in [("host", "evil.example"), ("content-type", "text/plain")] {
            let mut changed = signed("bedrock", "{}");
            changed.headers.insert(name, HeaderValue::from_static(value));
            assert!(!holds(&changed, SECRET, "{}"), "{name}");
        }
        assert!(!holds(&with("eu-central-1", "us-east-1"), SECRET, "{}"), "the region");
        assert!(!holds(&with("content-type;", ""), SECRET, "{}"), "the list of what is signed");
    }

    #[test]
    fn what_cannot_hold_is_refused_at_once() {
        let refused = |parts: &Parts| Arriving::read(parts, NOW).unwrap_err();
        assert_eq!(refused(&signed("s3", "{}")), Refusal::OtherService);
        let parts = signed("bedrock", "{}");
        for far in [NOW - SKEW - 1, NOW + SKEW + 1, 0, u64::MAX] {
            assert_eq!(Arriving::read(&parts, far).unwrap_err(), Refusal::OutOfTime);
        }
        for name in ["x-tollgate-user", "x-amz-security-token"] {
            let mut added = signed("bedrock", "{}");
            added.headers.insert(name, HeaderValue::from_static("x"));
            assert_eq!(refused(&added), Refusal::Unsigned, "{name}");
        }
        for payload in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"] {
            let mut open = signed("bedrock", "{}");
            open.headers.insert("x-amz-content-sha256", HeaderValue::from_static(payload));
            assert_eq!(refused(&open), Refusal::UnsignedPayload);
        }
        let mut dated = signed("bedrock", "{}");
        dated.headers.insert("x-amz-date", HeaderValue::from_static("20150831T123600Z"));
        for parts in [
            dated,
            with("host;", ""),
            with(";x-amz-date", ""),
            with("content-type;host", "host;content-type"),
            with("Signature=", "Signature=zz"),
            with("Credential=", "Credential=a/b"),
            with("SignedHeaders=", "Signed="),
            with("SignedHeaders=", "SignedHeaders=a,SignedHeaders="),
            with("aws4_request", "aws4"),
        ] {
            assert!(matches!(refused(&parts), Refusal::Incomplete(_)), "{:?}", parts.headers);
        }
        let mut twice = signed("bedrock", "{}");
        twice.headers.append("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
        assert!(matches!(refused(&twice), Refusal::Incomplete(_)));
    }

    #[test]
    fn a_stated_hash_must_be_the_bodys_own() {
        let mut parts = signed("bedrock", "{}");
        let own = hex(&Sha256::digest(b"{}"));
        parts.headers.insert("x-amz-content-sha256", HeaderValue::from_str(&own).unwrap());
        assert!(holds(&parts, SECRET, "{}"));
        let other = hex(&Sha256::digest(b"{ }"));
        parts.headers.insert("x-amz-content-sha256", HeaderValue::from_str(&other).unwrap());
        assert!(!holds(&parts, SECRET, "{}"));
    }

    #[test]
    fn a_secret_is_never_printed() {
        let shown = format!("{:?}", Arriving::read(&signed("bedrock", "{}"), NOW).unwrap());
        assert!(!shown.contains("TGAK") && !shown.contains("host"), "{shown}");
    }
}
