//! What the gateway wrote into an answer for this dialect's callers and Anthropic would refuse:
//! signatures of other dialects and citations without Anthropic's proof. They come back when the
//! caller goes on, and a conversation that has moved to Anthropic must be written without them.

use memchr::memmem;

/// How all of them begin, as JSON strings.
const MARK: &[u8] = br#""tollgate."#;

/// A body holds something of the kind (or something that looks like it, which is harmless).
pub(super) fn is_in(body: &[u8]) -> bool {
    memmem::find(body, MARK).is_some()
}

#[cfg(test)]
mod tests {
    use tollgate_model::{Citation, DialectId, Signature};

    use super::*;
    use crate::dialects::anthropic_messages::{ID, citation};
    use crate::{sealed, signature};

    #[test]
    fn what_others_signed_is_found_and_what_anthropic_signed_is_not() {
        let data = "AbC=".to_owned();
        let other = Signature { origin: DialectId("gemini-generate"), data: data.clone() };
        let own = Signature { origin: ID, data };
        let cited = Citation { url: Some("https://example.com".into()), ..Citation::default() };
        let json = |text: String| serde_json::json!({"x": text}).to_string();
        assert!(is_in(json(signature::written(&other, ID)).as_bytes()));
        assert!(is_in(json(sealed::written(&other, ID)).as_bytes()));
        assert!(is_in(citation::written(&cited).unwrap().to_string().as_bytes()));
        assert!(!is_in(json(signature::written(&own, ID)).as_bytes()));
    }
}
