//! Signatures and ciphertexts of thinking, on their way through a foreign dialect and back.
//!
//! Inside its own dialect a signature travels as it is. Through another it travels tagged with
//! its origin, so that it is recognised when the caller sends the answer back.

use tollgate_model::{DialectId, Signature};

use crate::DIALECTS;

const TAG: &str = "tollgate.";

/// How a signature is written in `dialect`.
#[must_use]
pub fn written(signature: &Signature, dialect: DialectId) -> String {
    if signature.origin == dialect {
        signature.data.clone()
    } else {
        format!("{TAG}{}.{}", signature.origin, signature.data)
    }
}

/// What a signature found in `dialect` is.
#[must_use]
pub fn read(data: &str, dialect: DialectId) -> Signature {
    let tagged = data.strip_prefix(TAG).and_then(|rest| rest.split_once('.'));
    if let Some((origin, data)) = tagged
        && let Some(origin) = DIALECTS.iter().map(|d| d.id()).find(|id| id.as_str() == origin)
    {
        return Signature { origin, data: data.to_owned() };
    }
    Signature { origin: dialect, data: data.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_survives_a_foreign_dialect() {
        let own = Signature { origin: DialectId("gemini-generate"), data: "a.b=".into() };
        for through in DIALECTS {
            assert_eq!(read(&written(&own, through.id()), through.id()), own);
        }
    }
}
