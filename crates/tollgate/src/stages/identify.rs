//! Stage 1: whose key is this? Finds the key where each SDK puts it and compares digests; or finds
//! who says to have signed, which AWS's SDKs do instead.
//!
//! A signature stands over the body too, so a [`Claim`] is all there is until that was read. The key
//! goes no further than this stage: what is sent on is an allow-list of headers.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use secrecy::ExposeSecret as _;
use tollgate_model::{Fault, FaultKind, Record, Source};
use tollgate_wire::auth::sigv4::arriving::{Arriving, Refusal};

use crate::gateway::{Caller, Gateway, Signer};

/// Longer than any key of ours; longer ones are refused unhashed.
const LONGEST_KEY: usize = 512;

/// Headers in which SDKs send a key, in the order in which they are believed.
static KEY_HEADERS: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

/// Who says to be calling. The caller comes out of it only by [`proven`](Self::proven).
#[derive(Debug)]
pub struct Claim(Proof);

#[derive(Debug)]
enum Proof {
    /// By the key itself.
    Key(Arc<Caller>),
    /// By a signature that waits for the body it stands over.
    Signature(Box<Arriving>, Signer),
}

impl Claim {
    /// The caller, whose request had this body; `None`: it travels on while it arrives, so that
    /// nothing can stand over it.
    ///
    /// # Errors
    /// `Unauthenticated`, when the request was not signed as it is.
    pub fn proven(self, body: Option<&Bytes>, record: &mut Record) -> Result<Arc<Caller>, Fault> {
        match self.0 {
            Proof::Key(caller) => Ok(caller),
            Proof::Signature(signed, signer) => {
                let Some(body) = body else {
                    let message = "An upload cannot be signed here: send the key itself as `Authorization: Bearer …`.";
                    return Err(refused(message).with_code("incomplete_signature"));
                };
                if !signed.is_of(signer.secret.expose_secret(), body) {
                    let message = "The signature is not that of this request: it was changed on its way, or signed with another secret.";
                    return Err(refused(message).with_code("bad_signature"));
                }
                note(&signer.caller, record);
                Ok(signer.caller)
            }
        }
    }
}

/// Books the call on who is known to make it.
fn note(caller: &Caller, record: &mut Record) {
    record.key = Some(caller.key.clone());
    record.team = Some(caller.team.name.clone());
}

/// # Errors
/// `Unauthenticated`, in one shape whatever was wrong with the key.
pub fn identify(gateway: &Gateway, head: &Parts, record: &mut Record) -> Result<Claim, Fault> {
    if Arriving::is_in(&head.headers) {
        return signer(gateway, head, record);
    }
    let mut seen = false;
    for name in &KEY_HEADERS {
        let Some(key) = key_in(&head.headers, name)? else { continue };
        seen = true;
        if let Some(caller) = gateway.caller(key) {
            note(&caller, record);
            return Ok(Claim(Proof::Key(caller)));
        }
    }
    if seen {
        return Err(refused("The key is not known here.").with_code("unknown_key"));
    }
    if in_query(head.uri.query()) {
        return Err(refused(
            "A key in the URL is not accepted, since URLs end up in logs. Send it in a header.",
        )
        .with_code("key_in_url"));
    }
    if !gateway.has_keys() {
        return Err(refused("This gateway has no keys yet; make one with `tollgate keys create`.")
            .with_code("no_keys"));
    }
    Err(refused("A key is needed: send it as `Authorization: Bearer …`, `x-api-key`, `api-key` or `x-goog-api-key`.")
        .with_code("missing_key"))
}

/// Who says to have signed.
fn signer(gateway: &Gateway, head: &Parts, record: &Record) -> Result<Claim, Fault> {
    let signed = Arriving::read(head, record.started_us / 1_000_000).map_err(|refusal| {
        let code = match refusal {
            Refusal::Incomplete(_) => "incomplete_signature",
            _ => "bad_signature",
        };
        refused(&refusal.to_string()).with_code(code)
    })?;
    if head.headers.contains_key(CONTENT_ENCODING) {
        let message = "A signed body must come as it is: send it without a content encoding.";
        return Err(refused(message).with_code("incomplete_signature"));
    }
    match gateway.signer(signed.access_key_id()) {
        Some(signer) => Ok(Claim(Proof::Signature(Box::new(signed), signer))),
        None => Err(refused("The access key is not known here.").with_code("unknown_key")),
    }
}

/// The key in one header. Two of the same header are refused: nobody can say which is meant.
fn key_in<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Fault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(refused("The key is sent twice in the same header.").with_code("ambiguous_key"));
    }
    let Ok(text) = value.to_str() else {
        return Err(refused("The key is not known here.").with_code("unknown_key"));
    };
    let key = if *name == AUTHORIZATION {
        match text.split_once(' ') {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
            _ => return Ok(None),
        }
    } else {
        text.trim()
    };
    Ok((!key.is_empty() && key.len() <= LONGEST_KEY).then_some(key))
}

/// Google's older clients put the key there.
fn in_query(query: Option<&str>) -> bool {
    query.is_some_and(|query| {
        query.split('&').any(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            ["key", "api_key", "api-key", "access_token"].contains(&name)
        })
    })
}

fn refused(message: &str) -> Fault {
    Fault::new(FaultKind::Unauthenticated, Source::Downstream, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_key_is_found_where_each_sdk_puts_it() {
        for (name, value) in [
            ("authorization", "Bearer tg_x"),
            ("authorization", "bearer  tg_x "),
            ("x-api-key", "tg_x"),
            ("api-key", "tg_x"),
            ("x-goog-api-key", "tg_x"),
        ] {
            let mut headers = HeaderMap::new();
            let name = HeaderName::from_static(name);
            headers.insert(&name, HeaderValue::from_static(value));
            assert_eq!(key_in(&headers, &name).unwrap(), Some("tg_x"), "{name}: {value}");
        }
    }

    #[test]
    fn a_key_sent_twice_in_one_header_is_refused() {
        let mut headers = HeaderMap::new();
        headers.append("authorization", HeaderValue::from_static("Bearer a"));
        headers.append("authorization", HeaderValue::from_static("Bearer b"));
        assert_eq!(key_in(&headers, &AUTHORIZATION).unwrap_err().code(), "ambiguous_key");
    }

    #[test]
    fn a_key_in_the_query_is_noticed() {
        assert!(in_query(Some("alt=sse&key=x")));
        assert!(!in_query(Some("alt=sse&monkey=x")));
    }
}
