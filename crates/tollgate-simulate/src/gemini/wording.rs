//! Google's words for a flaw in the shape of a request.

use crate::refusal::Refusal;
use crate::shape::{Expected, Flaw, FlawKind, Seg, snake};
use serde_json::json;

/// A 400.
pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "INVALID_ARGUMENT", message)
}

/// A 400 about a field, as Google's validators word it.
pub(super) fn field(request: &str, path: &str, what: &str) -> Refusal {
    invalid(format!("* {request}.{path}: {what}\n"))
}

/// `generation_config.stop_sequences[0]`.
pub(super) fn path(segs: &[Seg]) -> String {
    let mut out = String::new();
    for seg in segs {
        match seg {
            Seg::Key(name) if out.is_empty() => out.push_str(&snake(name)),
            Seg::Key(name) => out.push_str(&format!(".{}", snake(name))),
            Seg::Index(at) => out.push_str(&format!("[{at}]")),
            Seg::Variant(_) => {}
        }
    }
    out
}

/// The flaw as Google says it.
pub(super) fn flawed(flaw: &Flaw) -> Refusal {
    let at = path(&flaw.path);
    let (place, name) = match flaw.path.split_last() {
        Some((Seg::Key(name), before)) => (path(before), name.clone()),
        _ => (String::new(), at.clone()),
    };
    let message = match &flaw.kind {
        FlawKind::Missing => format!("* {at}: {} is required", snake(&name)),
        FlawKind::Unknown if place.is_empty() => {
            format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.")
        }
        FlawKind::Unknown => format!(
            "Invalid JSON payload received. Unknown name \"{name}\" at '{place}': Cannot find field."
        ),
        FlawKind::Type { expected, value, .. } => match expected {
            Expected::Object | Expected::List | Expected::StrOrList => format!(
                "Invalid value at '{at}' (type.googleapis.com/google.ai.generativelanguage), {value}"
            ),
            Expected::Bool => format!("Invalid value at '{at}' (TYPE_BOOL), {value}"),
            Expected::Int => format!("Invalid value at '{at}' (TYPE_INT32), {value}"),
            Expected::Num => format!("Invalid value at '{at}' (TYPE_FLOAT), {value}"),
            Expected::Str => format!("Invalid value at '{at}' (TYPE_STRING), {value}"),
        },
        FlawKind::Word { got, .. } => format!("Invalid value at '{at}' (TYPE_ENUM), \"{got}\""),
    };
    let details = json!([{
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": place, "description": message}],
    }]);
    invalid(message).details(details)
}
