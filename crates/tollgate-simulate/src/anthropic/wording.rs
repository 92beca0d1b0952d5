//! Anthropic's words for a flaw in the shape of a request.

use crate::refusal::Refusal;
use crate::shape::{Expected, Flaw, FlawKind, Seg};

/// A 400.
pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "invalid_request_error", message)
}

/// `messages.0.content.0.image.source`: the tag that picked the fields is part of the path.
pub(super) fn path(segs: &[Seg]) -> String {
    let parts: Vec<String> = segs
        .iter()
        .map(|seg| match seg {
            Seg::Key(name) | Seg::Variant(name) => name.clone(),
            Seg::Index(at) => at.to_string(),
        })
        .collect();
    parts.join(".")
}

/// The flaw as Anthropic says it. `before` is the path to where the check began.
pub(super) fn flawed(flaw: &Flaw, before: &str) -> Refusal {
    let mut at = path(&flaw.path);
    if !before.is_empty() {
        at = if at.is_empty() { before.to_owned() } else { format!("{before}.{at}") };
    }
    let what = match &flaw.kind {
        FlawKind::Missing => "Field required".to_owned(),
        FlawKind::Unknown => "Extra inputs are not permitted".to_owned(),
        FlawKind::Type { expected: Expected::Object, .. } => match flaw.path.as_slice() {
            [Seg::Key(list), Seg::Index(_)] if list == "messages" => {
                "Input does not match the expected shape.".to_owned()
            }
            _ => "Input should be a valid dictionary".to_owned(),
        },
        FlawKind::Type { expected, .. } => format!("Input should be a valid {}", wanted(*expected)),
        FlawKind::Word { allowed, got } => match flaw.path.last() {
            Some(Seg::Key(tag)) if tag == "type" && allowed.len() > 1 => {
                let tags: Vec<String> = allowed.iter().map(|w| format!("'{w}'")).collect();
                at = at.strip_suffix(".type").unwrap_or(&at).to_owned();
                format!(
                    "Input tag '{got}' found using 'type' does not match any of the expected tags: {}",
                    tags.join(", ")
                )
            }
            _ => format!("Input should be {}", either(allowed)),
        },
    };
    invalid(if at.is_empty() { what } else { format!("{at}: {what}") })
}

fn wanted(expected: Expected) -> &'static str {
    match expected {
        Expected::Bool => "boolean",
        Expected::Int => "integer",
        Expected::Num => "number",
        Expected::Str => "string",
        Expected::List | Expected::StrOrList => "list",
        Expected::Object => "dictionary",
    }
}

fn either(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("'{w}'")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
