//! Signatures on reasoning: made from the text they sign, checked when they come back.
//! Not cryptography. A signature of the right vendor's make that is not ours cannot be checked and
//! is let through; one of ours over another text, or anything of another make, is forged.

use crate::ids;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

const OURS: &[u8] = b"simulated";

/// A signature over `text` in the envelope that `tag` opens (each vendor's first byte).
pub(crate) fn sign(tag: u8, text: &str) -> String {
    STANDARD.encode(envelope(tag, text))
}

fn envelope(tag: u8, text: &str) -> Vec<u8> {
    let mut inner = OURS.to_vec();
    inner.extend_from_slice(&ids::hash(text.as_bytes()).to_be_bytes());
    inner.extend_from_slice(&ids::mix(7, text.as_bytes()).to_be_bytes());
    let mut all = vec![tag, u8::try_from(inner.len()).unwrap_or(u8::MAX)];
    all.extend_from_slice(&inner);
    all
}

/// Whether the decoded signature says that it was made here.
pub(crate) fn ours(bytes: &[u8]) -> bool {
    bytes.get(2..).is_some_and(|inner| inner.starts_with(OURS))
}

/// Whether `signature` may stand over `text`.
pub(crate) fn holds(tag: u8, text: &str, signature: &str) -> bool {
    let Some(bytes) = decode_either(signature) else { return false };
    bytes.first() == Some(&tag) && (!ours(&bytes) || bytes == envelope(tag, text))
}

/// Base64 of either alphabet, as Google reads it: its SDK for Python writes the URL's.
pub(crate) fn decode_either(text: &str) -> Option<Vec<u8>> {
    decode(text)
        .or_else(|| URL_SAFE.decode(text).ok())
        .or_else(|| URL_SAFE_NO_PAD.decode(text).ok())
}

/// Standard base64 with or without padding.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_over_its_own_text_only() {
        let made = sign(0x12, "thought");
        assert!(holds(0x12, "thought", &made));
        let other_alphabet = made.replace('+', "-").replace('/', "_");
        assert!(holds(0x12, "thought", &other_alphabet));
        assert!(!holds(0x12, "another", &made));
        assert!(!holds(0x0a, "thought", &made));
        assert!(!holds(0x12, "thought", "not base64!"));
        assert!(!holds(0x12, "thought", ""));
    }
}
