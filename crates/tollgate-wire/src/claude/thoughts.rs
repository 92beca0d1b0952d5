//! Thinking that comes back in pieces. A client of Gemini's dialect keeps the parts of a stream as
//! they came, with the signature on the last of them; Claude's signature stands over the whole.
//! Callers of a dialect that has whole blocks give those back, and nothing here touches theirs.

use tollgate_model::{DialectId, Message, Part, PartKind};

/// The messages with such pieces joined; `None` when there are none.
/// `signs`: the dialect whose signatures the model will be shown.
pub(crate) fn gathered(messages: &[Message], signs: DialectId) -> Option<Vec<Message>> {
    let has_pieces = |message: &Message| message.parts.windows(2).any(|pair| goes_on(pair, signs));
    if !messages.iter().any(has_pieces) {
        return None;
    }
    let joined =
        |message: &Message| Message { parts: join(&message.parts, signs), ..message.clone() };
    Some(messages.iter().map(joined).collect())
}

/// The second part goes on with the thought of the first.
fn goes_on(pair: &[Part], signs: DialectId) -> bool {
    let [first, second] = pair else { return false };
    is_unsigned(first) && thought(second).is_some() && is_signed_by(second, signs)
}

fn join(parts: &[Part], signs: DialectId) -> Vec<Part> {
    let mut out: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        match (out.last_mut(), thought(part)) {
            (Some(open), Some(more)) if is_unsigned(open) && is_signed_by(part, signs) => {
                let text = [thought(open).unwrap_or_default(), more].concat();
                let mut whole = part.clone();
                if let PartKind::Reasoning { text: place, .. } = &mut whole.kind {
                    *place = text;
                }
                *open = whole;
            }
            _ => out.push(part.clone()),
        }
    }
    out
}

fn thought(part: &Part) -> Option<&str> {
    match &part.kind {
        PartKind::Reasoning { text, .. } => Some(text),
        _ => None,
    }
}

fn is_unsigned(part: &Part) -> bool {
    matches!(part.kind, PartKind::Reasoning { signature: None, .. })
}

/// Unsigned, or signed by that dialect: pieces are not joined to the proof of another provider's thought.
fn is_signed_by(part: &Part, signs: DialectId) -> bool {
    match &part.kind {
        PartKind::Reasoning { signature, .. } => {
            signature.as_ref().is_none_or(|signature| signature.origin == signs)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use tollgate_model::{Role, Signature};

    use super::*;

    const ID: DialectId = DialectId("anthropic-messages");

    fn piece(text: &str, signed: bool) -> Part {
        let signature = signed.then(|| Signature { origin: ID, data: "c2ln".to_owned() });
        Part::new(PartKind::Reasoning { text: text.to_owned(), signature })
    }

    #[test]
    fn pieces_become_the_thought_that_was_signed() {
        let parts = vec![
            piece("The user ", false),
            piece("asks.", false),
            piece("", true),
            Part::text("Yes."),
            piece("More", false),
        ];
        let joined = gathered(&[Message::new(Role::Assistant, parts)], ID).unwrap();
        assert_eq!(
            joined[0].parts,
            [piece("The user asks.", true), Part::text("Yes."), piece("More", false)]
        );
    }

    #[test]
    fn two_signed_thoughts_stay_two() {
        let parts = vec![piece("One.", true), piece("Two.", true)];
        assert_eq!(gathered(&[Message::new(Role::Assistant, parts)], ID), None);
    }
}
