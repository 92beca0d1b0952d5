//! Signatures of thought as Gemini's SDKs carry them: bytes, so base64 in JSON.
//!
//! Google's own go through as they are. One of another provider is tagged with its origin (see
//! `crate::signature`) and put in base64, so that an SDK that decodes the field can give it back;
//! it may come back in the other alphabet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tollgate_model::Signature;

use super::{ID, media::standard};

/// Base64 of the tag that every foreign signature begins with.
const TAGGED: &str = "dG9sbGdhdGUu";
/// Ends a foreign signature that is a whole block of hidden thinking, not the proof of a visible.
const REDACTED: &str = ".redacted";

pub(super) fn written(signature: &Signature) -> String {
    if signature.origin == ID {
        signature.data.clone()
    } else {
        STANDARD.encode(crate::signature::written(signature, ID))
    }
}

pub(super) fn written_redacted(data: &Signature) -> String {
    STANDARD.encode(crate::signature::written(data, ID) + REDACTED)
}

/// The signature, and whether it is a block of hidden thinking.
pub(super) fn read(text: String) -> (Signature, bool) {
    if text.starts_with(TAGGED)
        && let Some(plain) = standard(&text)
        && let Ok(bytes) = STANDARD.decode(plain.as_bytes())
        && let Ok(tagged) = String::from_utf8(bytes)
    {
        let (tagged, redacted) = match tagged.strip_suffix(REDACTED) {
            Some(tagged) => (tagged, true),
            None => (tagged.as_str(), false),
        };
        let signature = crate::signature::read(tagged, ID);
        if signature.origin != ID {
            return (signature, redacted);
        }
    }
    (Signature { origin: ID, data: text }, false)
}

#[cfg(test)]
mod tests {
    use tollgate_model::DialectId;

    use super::*;

    #[test]
    fn a_foreign_signature_survives_an_sdk_that_changes_the_alphabet() {
        let origin = DialectId("anthropic-messages");
        let signature = Signature { origin, data: "??>>Erv\u{ff}".into() };
        let safe = |text: String| text.replace('+', "-").replace('/', "_").replace('=', "");
        assert_eq!(read(safe(written(&signature))), (signature.clone(), false));
        assert_eq!(read(written_redacted(&signature)), (signature, true));
    }

    #[test]
    fn an_own_signature_is_never_touched() {
        for data in ["EvIBCu8=", "a-b_c", "", "dG9sbGdhdGUu", "dG9sbGdhdGUu??"] {
            let own = Signature { origin: ID, data: data.into() };
            assert_eq!(read(data.into()), (own.clone(), false));
            assert_eq!(written(&own), data);
        }
    }
}
