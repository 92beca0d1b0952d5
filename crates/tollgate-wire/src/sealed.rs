//! Signatures over tool calls that another dialect made. Where a dialect's calls have no place for
//! one, it travels as hidden thinking right before the call and is put back on the way in.

use tollgate_model::{DialectId, Part, PartKind, Signature};

use crate::signature;

const OF_CALL: &str = ".call";

/// The data of the hidden thinking that carries a call's signature in `dialect`.
pub(crate) fn written(signature: &Signature, dialect: DialectId) -> String {
    format!("{}{OF_CALL}", signature::written(signature, dialect))
}

/// The call's signature inside such data, found in `dialect`.
pub(crate) fn of_call(data: &Signature, dialect: DialectId) -> Option<Signature> {
    if data.origin == dialect {
        return None;
    }
    let data_of_call = data.data.strip_suffix(OF_CALL)?;
    Some(Signature { origin: data.origin, data: data_of_call.to_owned() })
}

/// Puts each such signature on the call that follows it.
pub(crate) fn attach(parts: &mut Vec<Part>, dialect: DialectId) {
    let is_seal = |part: &Part| match &part.kind {
        PartKind::RedactedReasoning(data) => of_call(data, dialect),
        _ => None,
    };
    if parts.iter().all(|part| is_seal(part).is_none()) {
        return;
    }
    let mut out: Vec<Part> = Vec::with_capacity(parts.len());
    for mut part in parts.drain(..) {
        if let PartKind::ToolCall { signature: place @ None, .. } = &mut part.kind
            && let Some(found) = out.last().and_then(is_seal)
        {
            *place = Some(found);
            out.pop();
        }
        out.push(part);
    }
    *parts = out;
}
