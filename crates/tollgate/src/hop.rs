//! Marks calls that leave, so that a gateway that would call itself in a circle notices.

use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_model::{Fault, FaultKind, Source};

const HOPS: HeaderName = HeaderName::from_static("x-tollgate-hops");

/// More gateways in a row than anybody needs.
const MOST: usize = 4;

/// Writes the marker of a call that leaves: those it came with, and this process.
pub fn mark(instance: &str, incoming: &HeaderMap, outgoing: &mut HeaderMap) {
    let Some(before) = incoming.get(HOPS) else {
        outgoing.extend(HeaderValue::from_str(instance).ok().map(|value| (HOPS, value)));
        return;
    };
    let before = before.to_str().unwrap_or_default();
    let mut hops: Vec<&str> = before.split(',').map(str::trim).filter(|hop| is_name(hop)).collect();
    hops.push(instance);
    let hops = hops.join(",");
    if let Ok(value) = HeaderValue::from_str(&hops) {
        outgoing.insert(HOPS, value);
    }
}

/// What a process may be called. Anything else that a caller writes there goes no further.
fn is_name(hop: &str) -> bool {
    (1..=32).contains(&hop.len()) && hop.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// # Errors
/// `Loop`, when the call was here before or has passed too many gateways.
pub fn check(instance: &str, incoming: &HeaderMap) -> Result<(), Fault> {
    let Some(hops) = incoming.get(HOPS) else { return Ok(()) };
    let hops = hops.to_str().unwrap_or_default();
    if hops.split(',').any(|hop| hop.trim() == instance) || hops.split(',').count() > MOST {
        let message = "The call goes in a circle: a provider's address leads back to this gateway.";
        return Err(Fault::new(FaultKind::Loop, Source::Internal, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_marker_goes_no_further() {
        let mut incoming = HeaderMap::new();
        incoming.insert(HOPS, HeaderValue::from_static("a, b;x=<script>,sk-secret"));
        let mut outgoing = HeaderMap::new();
        mark("c", &incoming, &mut outgoing);
        assert_eq!(outgoing[HOPS], "a,c");
    }

    #[test]
    fn a_call_that_comes_back_is_noticed() {
        let (mut first, mut second) = (HeaderMap::new(), HeaderMap::new());
        mark("a", &HeaderMap::new(), &mut first);
        assert!(check("b", &first).is_ok());
        mark("b", &first, &mut second);
        assert!(check("c", &second).is_ok());
        assert_eq!(check("a", &second).unwrap_err().kind, FaultKind::Loop);
    }
}
