//! Amazon's words for a flaw in the shape of a request.

use crate::refusal::Refusal;
use crate::shape::{Expected, Flaw, FlawKind, Seg};

/// A 400.
pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ValidationException", message)
}

/// A member that does not satisfy what its model says; counted from one, as the vendor does.
pub(super) fn constraint(value: &str, at: &str, what: &str) -> Refusal {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: Member must {what}"
    ))
}

/// `messages.1.member.content`.
fn path(segs: &[Seg]) -> String {
    let parts: Vec<String> = segs
        .iter()
        .filter_map(|seg| match seg {
            Seg::Key(name) => Some(name.clone()),
            Seg::Index(at) => Some(format!("{}.member", at + 1)),
            Seg::Variant(_) => None,
        })
        .collect();
    parts.join(".")
}

/// The flaw as Amazon says it.
pub(super) fn flawed(flaw: &Flaw) -> Refusal {
    let at = path(&flaw.path);
    match &flaw.kind {
        FlawKind::Missing => invalid(format!(
            "1 validation error detected: Value at '{at}' failed to satisfy constraint: Member must not be null"
        )),
        FlawKind::Unknown => {
            let (within, name) = at.rsplit_once('.').unwrap_or(("", &at));
            let within = within.replace(".member", "").replace('.', "/");
            invalid(format!(
                "Malformed input request: #/{within}: extraneous key [{name}] is not permitted, please reformat your input and try again."
            ))
        }
        FlawKind::Type { expected, got, .. } => {
            let wanted = match expected {
                Expected::Bool => "Boolean",
                Expected::Int => "Integer",
                Expected::Num => "Float",
                Expected::Str => "String",
                Expected::List | Expected::StrOrList => "list",
                Expected::Object => "structure",
            };
            Refusal::new(
                400,
                "SerializationException",
                format!("{} can not be converted to {wanted}", got.to_ascii_uppercase()),
            )
        }
        FlawKind::Word { allowed, got } => {
            constraint(got, &at, &format!("satisfy enum value set: [{}]", allowed.join(", ")))
        }
    }
}
