//! What the gateway wrote into an answer for this dialect's callers and Bedrock would refuse:
//! signatures of other dialects. They come back when the caller goes on, and a conversation that has
//! moved to Bedrock must be written without them.

use memchr::memmem;

/// How a signature of another dialect begins, as a JSON string.
const SIGNED: &[u8] = br#""tollgate."#;
/// The same in base64, as hidden thinking is.
const HIDDEN: &[u8] = br#""dG9sbGdhdGUu"#;

/// A body holds something of the kind (or something that looks like it, which is harmless).
pub(super) fn is_in(body: &[u8]) -> bool {
    memmem::find(body, SIGNED).is_some() || memmem::find(body, HIDDEN).is_some()
}

#[cfg(test)]
mod tests {
    use tollgate_model::{DialectId, Signature};

    use super::*;
    use crate::dialects::bedrock_converse::{ID, thought};
    use crate::signature;

    #[test]
    fn what_others_signed_is_found_and_what_bedrock_signed_is_not() {
        let other = Signature { origin: DialectId("gemini-generate"), data: "AbC=".to_owned() };
        let own = Signature { origin: ID, data: "RXRr".to_owned() };
        let json = |text: String| serde_json::json!({"x": text}).to_string();
        assert!(is_in(json(signature::written(&other, ID)).as_bytes()));
        assert!(is_in(json(thought::hidden(&other)).as_bytes()));
        assert!(is_in(json(thought::sealed(&other)).as_bytes()));
        assert!(!is_in(json(signature::written(&own, ID)).as_bytes()));
        assert!(!is_in(json(thought::hidden(&own)).as_bytes()));
    }
}
