//! Thinking: `reasoningContent`, with its text and signature, or hidden and in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tollgate_model::{DialectId, Extras, Fault, PartKind, Signature};

use super::ID;
use crate::fields::Fields;
use crate::{sealed as seal, signature};

/// Claude signs alike wherever it is served.
const CLAUDE: DialectId = DialectId("anthropic-messages");

/// Whose signatures a model takes.
pub(super) fn signed(claude: bool) -> &'static [DialectId] {
    if claude { &[ID, CLAUDE] } else { &[ID] }
}

/// Reads a `reasoningContent`.
pub(super) fn read(value: Value, path: &str) -> Result<(PartKind, Extras), Fault> {
    let mut fields = Fields::of(ID, value, path)?;
    if let Some(data) = fields.string("redactedContent")? {
        return Ok((PartKind::RedactedReasoning(found(&data)), fields.rest()));
    }
    let mut inner =
        fields.object("reasoningText")?.ok_or_else(|| fields.missing("reasoningText"))?;
    let text = inner.string("text")?.ok_or_else(|| inner.missing("text"))?;
    let signature = inner.string("signature")?;
    // An empty one is no signature.
    if signature.as_deref() == Some("") {
        inner.extras().spell(ID, "signature", None, json!(""));
    }
    let signature = signature.filter(|data| !data.is_empty());
    let signature = signature.map(|data| signature::read(&data, ID));
    inner.nest_in(&mut fields, "reasoningText");
    Ok((PartKind::Reasoning { text, signature }, fields.rest()))
}

/// What the data of hidden thinking is.
pub(super) fn found(data: &str) -> Signature {
    let tagged = STANDARD.decode(data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let foreign = tagged.map(|tagged| signature::read(&tagged, ID));
    let foreign = foreign.filter(|signature| signature.origin != ID);
    foreign.unwrap_or_else(|| Signature { origin: ID, data: data.to_owned() })
}

/// Hidden thinking of any origin, as callers are given it.
pub(super) fn hidden(data: &Signature) -> String {
    if data.origin == ID {
        data.data.clone()
    } else {
        STANDARD.encode(signature::written(data, ID))
    }
}

/// A signature over a call, which Bedrock's calls have no place for, as callers are given it.
pub(super) fn sealed(signature: &Signature) -> String {
    STANDARD.encode(seal::written(signature, ID))
}

/// Hidden thinking for a model that takes the signatures of these; `None` for any other's.
pub(super) fn hidden_for(data: &Signature, signed: &[DialectId]) -> Option<String> {
    match data.origin {
        ID => Some(data.data.clone()),
        // Anthropic writes it as text, Bedrock as the bytes of that text.
        CLAUDE if signed.contains(&CLAUDE) => Some(STANDARD.encode(&data.data)),
        _ => None,
    }
}

/// `{"reasoningText": …}`.
pub(super) fn text(text: &str, signature: Option<&str>) -> Value {
    let mut inner = json!({"text": text});
    if let Some(signature) = signature {
        inner["signature"] = json!(signature);
    }
    json!({"reasoningText": inner})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_thinking_of_any_origin_comes_back() {
        for origin in [ID, CLAUDE, DialectId("gemini-generate")] {
            let data = Signature { origin, data: "RXRrRUNrZ0k=".to_owned() };
            assert_eq!(found(&hidden(&data)), data);
        }
        let call = Signature { origin: DialectId("gemini-generate"), data: "a.b".to_owned() };
        assert_eq!(seal::of_call(&found(&sealed(&call)), ID), Some(call));
    }
}
