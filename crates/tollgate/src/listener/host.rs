//! The `host` header: an authority and nothing else. Nothing here is decided by it, but a value that
//! another reader could take for more is not let in.

use http::HeaderMap;
use http::header::HOST;
use tollgate_model::Fault;

/// # Errors
/// `InvalidRequest`, for what is no host with a port, or more than one.
pub fn check(headers: &HeaderMap) -> Result<(), Fault> {
    let mut hosts = headers.get_all(HOST).iter();
    let one = hosts.next().is_none_or(|host| is_authority(host.as_bytes()));
    if one && hosts.next().is_none() {
        return Ok(());
    }
    Err(Fault::invalid("The `host` header is not a host.").with_code("invalid_host"))
}

/// A name or address, and a port. Empty is allowed by the letter.
fn is_authority(host: &[u8]) -> bool {
    let (name, port) = match host.iter().rposition(|byte| *byte == b':') {
        Some(at) if !host.ends_with(b"]") => (&host[..at], &host[at + 1..]),
        _ => (host, &[][..]),
    };
    let port = std::str::from_utf8(port).unwrap_or("?");
    let inside = name.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let sound = match inside {
        Some(address) => address.iter().all(|b| b.is_ascii_hexdigit() || b":.".contains(b)),
        None => name.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(b)),
    };
    sound && (port.is_empty() || port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_what_only_begins_like_one() {
        for host in ["", "gw", "gw:8080", "a-b.c_d.example:1", "127.0.0.1:80", "[::1]", "[::1]:80"]
        {
            assert!(is_authority(host.as_bytes()), "{host}");
        }
        for host in [
            "gw/?x=", "gw#@E", "a b", "a,b", "u@h", "gw:99999", "gw:8o", "::1", "[x]", "g\\w",
            "g%2fw",
        ] {
            assert!(!is_authority(host.as_bytes()), "{host}");
        }
    }
}
