//! Who asks: a bearer key, or a signature of version 4, verified with the one key that is known here.
//! There is no clock: how old a signature is, is not judged.

use crate::refusal::Refusal;
use crate::script::Request;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The key whose signatures are verified. It opens nothing anywhere.
pub const ACCESS_KEY_ID: &str = "AKIDTOLLGATESIMULATE";
/// Its secret, which is none.
pub const SECRET_ACCESS_KEY: &str = "not-a-secret/of-the-simulated-bedrock";

const SCHEME: &str = "AWS4-HMAC-SHA256";

/// Refuses calls without a key, and those whose signature does not hold.
pub(super) fn verify(request: &Request) -> Result<(), Refusal> {
    let Some(given) = request.header("authorization") else {
        return Err(denied("MissingAuthenticationTokenException", "Missing Authentication Token"));
    };
    let Some(signed) = given.strip_prefix(SCHEME) else {
        let bearer = given.split_once(' ').is_some_and(|(scheme, key)| {
            scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty()
        });
        return if bearer {
            Ok(())
        } else {
            Err(denied(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            ))
        };
    };
    let part = |name: &str| {
        let parts = signed.split(',').map(str::trim);
        parts.filter_map(|p| p.split_once('=')).find(|(n, _)| *n == name).map(|(_, value)| value)
    };
    let (Some(credential), Some(headers), Some(signature)) =
        (part("Credential"), part("SignedHeaders"), part("Signature"))
    else {
        return Err(denied(
            "IncompleteSignatureException",
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.",
        ));
    };
    let scope: Vec<&str> = credential.split('/').collect();
    let [id, date, region, service, "aws4_request"] = scope.as_slice() else {
        return Err(denied(
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
        ));
    };
    if *id != ACCESS_KEY_ID {
        return Ok(());
    }
    if *service != "bedrock" {
        let message =
            format!("Credential should be scoped to correct service: 'bedrock', not '{service}'.");
        return Err(denied("InvalidSignatureException", &message));
    }
    let moment = request.header("x-amz-date").unwrap_or_default();
    if !moment.starts_with(date) {
        return Err(denied(
            "InvalidSignatureException",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP",
        ));
    }
    if !headers.split(';').any(|name| name == "host") {
        return Err(denied(
            "InvalidSignatureException",
            "'host' must be a 'SignedHeader' in the AWS Authorization.",
        ));
    }
    let scope = format!("{date}/{region}/{service}/aws4_request");
    let canonical = hex(&Sha256::digest(canonical(request, headers).as_bytes()));
    let to_sign = format!("{SCHEME}\n{moment}\n{scope}\n{canonical}");
    let mut key = format!("AWS4{SECRET_ACCESS_KEY}").into_bytes();
    for step in [date, region, service, "aws4_request"] {
        key = keyed(&key, step.as_bytes());
    }
    if hex(&keyed(&key, to_sign.as_bytes())) == signature {
        return Ok(());
    }
    Err(denied(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    ))
}

fn denied(kind: &'static str, message: &str) -> Refusal {
    Refusal::new(403, kind, message)
}

/// The request as it is signed.
fn canonical(request: &Request, signed: &str) -> String {
    let mut out = format!("{}\n", request.method);
    // Every service but one encodes the path once more.
    out.push_str(&request.path.split('/').map(encoded).collect::<Vec<_>>().join("/"));
    let mut query: Vec<(&str, &str)> = request
        .query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    query.sort_unstable();
    let query: Vec<String> = query.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let _ = write!(out, "\n{}\n", query.join("&"));
    for name in signed.split(';') {
        let values: Vec<String> = request
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let _ = writeln!(out, "{name}:{}", values.join(","));
    }
    let _ = write!(out, "\n{signed}\n{}", hex(&Sha256::digest(&request.body)));
    out
}

fn encoded(segment: &str) -> String {
    segment.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

fn keyed(key: &[u8], message: &[u8]) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        }
        Err(_) => Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn request(authorization: &str) -> Request {
        let headers = [
            ("host", "bedrock-runtime.us-east-1.amazonaws.com"),
            ("x-amz-date", "20300101T000000Z"),
            ("content-type", "application/json"),
            ("authorization", authorization),
        ];
        Request {
            method: "POST".into(),
            path: "/model/a.b%3A0/converse".into(),
            query: String::new(),
            headers: crate::dialect::headers(headers),
            body: Bytes::from_static(b"{}"),
        }
    }

    #[test]
    fn a_signature_is_verified_with_the_known_key() {
        let scope = "20300101/us-east-1/bedrock/aws4_request";
        let signed = "content-type;host;x-amz-date";
        let mut key = format!("AWS4{SECRET_ACCESS_KEY}").into_bytes();
        for step in scope.split('/') {
            key = keyed(&key, step.as_bytes());
        }
        let canonical = canonical(&request(""), signed);
        assert!(canonical.starts_with(
            "POST\n/model/a.b%253A0/converse\n\ncontent-type:application/json\nhost:"
        ));
        let digest = hex(&Sha256::digest(canonical.as_bytes()));
        let signature =
            hex(&keyed(&key, format!("{SCHEME}\n20300101T000000Z\n{scope}\n{digest}").as_bytes()));
        let good = format!(
            "{SCHEME} Credential={ACCESS_KEY_ID}/{scope}, SignedHeaders={signed}, Signature={signature}"
        );
        assert!(verify(&request(&good)).is_ok());
        let mut other = request(&good);
        other.body = Bytes::from_static(b"{ }");
        assert_eq!(verify(&other).unwrap_err().kind, "InvalidSignatureException");
        let unknown = good.replace(ACCESS_KEY_ID, "AKIDANYBODY");
        assert!(verify(&request(&unknown)).is_ok(), "another key is not known here");
        assert!(verify(&request("Bearer key")).is_ok());
        assert!(verify(&request("Basic key")).is_err());
        assert!(verify(&request(&format!("{SCHEME} Credential=x"))).is_err());
    }

    /// The worked example of the vendor's documentation, for the derivation of the key.
    #[test]
    fn keys_are_derived_as_documented() {
        let mut key = b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_vec();
        for step in ["20120215", "us-east-1", "iam", "aws4_request"] {
            key = keyed(&key, step.as_bytes());
        }
        assert_eq!(hex(&key), "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
    }
}
