//! Thinking as an item: its summary or text, and a ciphertext that only its provider reads. The
//! ciphertext is bound to the item's id, so both together are the hub's signature.

use serde_json::{Map, Value, json};
use tollgate_model::{Extras, Fault, Part, PartKind, Signature};

use super::ID;
use crate::{fields::Fields, signature};

/// Between the id and the ciphertext.
const BETWEEN: char = ':';

/// The signature of an item of this dialect, or the one of another that it carries.
pub(super) fn read(id: &str, sealed: &str) -> Signature {
    let found = signature::read(sealed, ID);
    if found.origin == ID {
        return Signature { origin: ID, data: format!("{id}{BETWEEN}{sealed}") };
    }
    found
}

/// The id, where one belongs to it, and the ciphertext.
pub(super) fn written(signature: &Signature) -> (Option<&str>, String) {
    if signature.origin == ID
        && let Some((id, sealed)) = signature.data.split_once(BETWEEN)
    {
        return (Some(id).filter(|id| !id.is_empty()), sealed.to_owned());
    }
    (None, signature::written(signature, ID))
}

/// All that can be read of an item: its summary, then its text.
pub(super) fn text(item: &Map<String, Value>) -> String {
    let lists = ["summary", "content"].into_iter().filter_map(|field| item.get(field)?.as_array());
    lists.flatten().filter_map(|piece| piece.get("text")?.as_str()).collect()
}

/// Something stands where it could be read, though it may be empty.
pub(super) fn is_open(item: &Map<String, Value>) -> bool {
    ["summary", "content"].iter().any(|field| {
        item.get(*field).and_then(Value::as_array).is_some_and(|list| !list.is_empty())
    })
}

/// What an item of an answer holds; `None` for one that says nothing.
pub(super) fn kind_of(item: &Map<String, Value>) -> Option<PartKind> {
    let word = |field: &str| item.get(field).and_then(Value::as_str).unwrap_or_default();
    let sealed = Some(word("encrypted_content")).filter(|sealed| !sealed.is_empty());
    let seal = sealed.map(|sealed| read(word("id"), sealed));
    let text = text(item);
    match seal {
        Some(seal) if text.is_empty() && !is_open(item) => Some(PartKind::RedactedReasoning(seal)),
        None if text.is_empty() => None,
        signature => Some(PartKind::Reasoning { text, signature }),
    }
}

/// Reads an item of a request.
pub(super) fn decode(item: Value, path: &str) -> Result<Part, Fault> {
    let mut fields = Fields::of(ID, item.clone(), path)?;
    for list in ["summary", "content"] {
        fields.list(list)?;
    }
    for word in ["id", "encrypted_content", "status"] {
        fields.string(word)?;
    }
    let Some(kind) = item.as_object().and_then(kind_of) else {
        // It stands for what its provider remembers.
        return Ok(PartKind::Native { dialect: ID, json: item }.into());
    };
    fields.take_raw("type");
    let mut extras = Extras::left_over(ID, fields.all().clone());
    respell(&mut extras, &encode(&kind).unwrap_or_default(), &item);
    Ok(Part { kind, cache: None, extras })
}

/// Remembers how the caller wrote what the encoder would write as `canonical`.
fn respell(extras: &mut Extras, canonical: &Map<String, Value>, written: &Value) {
    for field in ["id", "summary", "content", "encrypted_content", "status"] {
        match (canonical.get(field), written.get(field)) {
            (canonical, Some(written)) => {
                extras.spell(ID, field, canonical.cloned(), written.clone());
            }
            (Some(canonical), None) => extras.omit(ID, field, canonical.clone()),
            (None, None) => {}
        }
    }
}

/// Thinking as an item; `None` for anything else.
pub(super) fn encode(kind: &PartKind) -> Option<Map<String, Value>> {
    let (summary, seal) = match kind {
        PartKind::Reasoning { text, signature } => {
            (json!([{"type": "summary_text", "text": text}]), signature.as_ref())
        }
        PartKind::RedactedReasoning(seal) => (json!([]), Some(seal)),
        _ => return None,
    };
    let mut out = Map::new();
    out.insert("type".into(), "reasoning".into());
    let seal = seal.map(written);
    if let Some((Some(id), _)) = &seal {
        out.insert("id".into(), (*id).into());
    }
    out.insert("summary".into(), summary);
    if let Some((_, sealed)) = seal {
        out.insert("encrypted_content".into(), sealed.into());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DIALECTS;

    #[test]
    fn a_seal_comes_back_with_its_id_through_every_dialect() {
        let seal = read("rs_1", "gAAAAA==");
        assert_eq!(written(&seal), (Some("rs_1"), "gAAAAA==".to_owned()));
        for through in DIALECTS {
            let there = signature::written(&seal, through.id());
            let back = signature::read(&there, through.id());
            assert_eq!(written(&back), (Some("rs_1"), "gAAAAA==".to_owned()), "{}", through.id());
        }
    }

    #[test]
    fn what_another_dialect_signed_is_told_apart() {
        let theirs = Signature {
            origin: tollgate_model::DialectId("anthropic-messages"),
            data: "x:y".into(),
        };
        let (id, sealed) = written(&theirs);
        assert_eq!(id, None);
        assert_eq!(read("rs_tg_1", &sealed), theirs);
    }
}
