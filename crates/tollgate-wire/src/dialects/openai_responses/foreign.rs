//! What the gateway wrote into an answer for this dialect's callers and OpenAI would refuse:
//! thinking that other dialects signed. It comes back when the caller goes on, and a conversation
//! that has moved to OpenAI must be written without it.

use memchr::memmem;

/// How all of it begins, as a JSON string.
const MARK: &[u8] = br#""tollgate."#;

/// A body holds something of the kind (or something that looks like it, which is harmless).
pub(super) fn is_in(body: &[u8]) -> bool {
    memmem::find(body, MARK).is_some()
}
