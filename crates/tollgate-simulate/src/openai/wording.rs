//! OpenAI's words for a flaw in the shape of a request, and for the rules beyond it.

use crate::refusal::Refusal;
use crate::shape::{Expected, Flaw, FlawKind, Seg};

/// A 400 without code or parameter.
pub(crate) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "invalid_request_error", message)
}

/// `messages[0].content`.
pub(crate) fn path(segs: &[Seg]) -> String {
    let mut out = String::new();
    for seg in segs {
        match seg {
            Seg::Key(name) if out.is_empty() => out.push_str(name),
            Seg::Key(name) => out.push_str(&format!(".{name}")),
            Seg::Index(at) => out.push_str(&format!("[{at}]")),
            Seg::Variant(_) => {}
        }
    }
    out
}

/// The flaw as OpenAI says it of a chat completion: in older words at the top.
pub(super) fn flawed(flaw: &Flaw) -> Refusal {
    match (&flaw.kind, flaw.path.as_slice()) {
        (FlawKind::Missing, [Seg::Key(name)]) if name == "model" => {
            invalid("you must provide a model parameter")
        }
        (FlawKind::Unknown, [Seg::Key(name)]) => {
            invalid(format!("Unrecognized request argument supplied: {name}"))
        }
        _ => flawed_under(&[], flaw),
    }
}

/// The flaw as OpenAI says it, of a value that stands at `before`.
pub(crate) fn flawed_under(before: &[Seg], flaw: &Flaw) -> Refusal {
    let whole: Vec<Seg> = before.iter().chain(&flaw.path).cloned().collect();
    let at = path(&whole);
    match &flaw.kind {
        FlawKind::Missing => invalid(format!("Missing required parameter: '{at}'."))
            .code("missing_required_parameter")
            .param(at),
        FlawKind::Unknown => {
            invalid(format!("Unknown parameter: '{at}'.")).code("unknown_parameter").param(at)
        }
        FlawKind::Type { expected, got, .. } => {
            let expected = wanted(*expected);
            let article = if got.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
            let got = if *got == "null" { "null".to_owned() } else { format!("{article} {got}") };
            invalid(format!("Invalid type for '{at}': expected {expected}, but got {got} instead."))
                .code("invalid_type")
                .param(at)
        }
        FlawKind::Word { allowed, got } => {
            let allowed = listed(allowed);
            invalid(format!("Invalid value: '{got}'. Supported values are: {allowed}."))
                .code("invalid_value")
                .param(at)
        }
    }
}

fn wanted(expected: Expected) -> &'static str {
    match expected {
        Expected::Bool => "a boolean",
        Expected::Int => "an integer",
        Expected::Num => "a decimal",
        Expected::Str => "a string",
        Expected::List => "an array",
        Expected::Object => "an object",
        Expected::StrOrList => "one of a string or array of objects",
    }
}

fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("'{w}'")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first, second] => format!("{first} and {second}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    }
}
