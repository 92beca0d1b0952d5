//! Signatures over tool calls that another dialect made. Anthropic's `tool_use` has no place for
//! one, so it travels in a `redacted_thinking` block right before the call and is put back on
//! the way in.

use tollgate_model::{Part, PartKind, Signature};

use super::ID;
use crate::signature;

const OF_CALL: &str = ".call";

/// The data of the block that carries a call's signature.
pub(super) fn written(signature: &Signature) -> String {
    format!("{}{OF_CALL}", signature::written(signature, ID))
}

/// The call's signature inside such a block's data.
pub(super) fn of_call(data: &Signature) -> Option<Signature> {
    if data.origin == ID {
        return None;
    }
    let data_of_call = data.data.strip_suffix(OF_CALL)?;
    Some(Signature { origin: data.origin, data: data_of_call.to_owned() })
}

/// Puts each such block's signature on the call that follows it.
pub(super) fn attach(parts: &mut Vec<Part>) {
    let is_seal = |part: &Part| match &part.kind {
        PartKind::RedactedReasoning(data) => of_call(data),
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
