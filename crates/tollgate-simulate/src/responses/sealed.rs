//! Reasoning that only the vendor can read: sealed here, checked when it comes back. Not cryptography.
//! What has the vendor's make and is not ours cannot be opened and is let through.

use crate::ids;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

/// The first byte of what the vendor seals.
const VERSION: u8 = 0x80;
const OURS: &[u8] = b"\0\0\0\0simulated:";

/// The text under a seal.
pub(super) fn seal(text: &str) -> String {
    let mut all = vec![VERSION];
    all.extend_from_slice(OURS);
    all.extend_from_slice(&ids::hash(text.as_bytes()).to_be_bytes());
    all.extend_from_slice(text.as_bytes());
    URL_SAFE.encode(all)
}

/// Whether the seal is of the vendor's make, and unbroken where it is ours.
pub(super) fn holds(sealed: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || "-_=".contains(c);
    if !sealed.starts_with("gAAAA") || !sealed.chars().all(letters) {
        return false;
    }
    let Ok(bytes) = URL_SAFE.decode(sealed) else { return !sealed.starts_with(&ours()) };
    let Some(rest) = bytes.get(1..).and_then(|b| b.strip_prefix(OURS)) else { return true };
    rest.split_at_checked(8).is_some_and(|(sum, text)| sum == ids::hash(text).to_be_bytes())
}

/// How ours begin, as far as whole letters tell.
fn ours() -> String {
    let mut begin = vec![VERSION];
    begin.extend_from_slice(OURS);
    URL_SAFE.encode(&begin[..begin.len() / 3 * 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_seal_is_seen() {
        let sealed = seal("a thought");
        assert!(holds(&sealed));
        assert!(sealed.starts_with("gAAAA"));
        assert!(holds("gAAAAABother"), "the vendor's own");
        let last = sealed.trim_end_matches('=').len() - 2;
        let broken: String =
            sealed.chars().enumerate().map(|(at, c)| if at == last { 'A' } else { c }).collect();
        assert!(!holds(&broken));
        for forged in ["", "EgRtYWRl", "no base64!"] {
            assert!(!holds(forged), "{forged}");
        }
    }
}
