//! Tools whose input is free text. The hub's arguments are JSON, so the text stands in them as the
//! only field of an object.

use serde_json::{Value, json};

/// The form of a call, and of a result, of such a tool.
pub(super) const CUSTOM: &str = "custom";
pub(super) const OPENING: &str = "{\"input\":\"";
pub(super) const CLOSING: &str = "\"}";

/// The arguments that hold `input`.
pub(super) fn arguments(input: &str) -> String {
    format!("{OPENING}{}{CLOSING}", escaped(input))
}

/// A piece of the text as it stands inside the arguments.
pub(super) fn escaped(piece: &str) -> String {
    let quoted = Value::from(piece).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// The text inside such arguments; others are taken as they are.
pub(super) fn input(arguments: &str) -> String {
    match serde_json::from_str::<Value>(arguments) {
        Ok(value) => match value.get("input").and_then(Value::as_str) {
            Some(input) if value == json!({"input": input}) => input.to_owned(),
            _ => arguments.to_owned(),
        },
        Err(_) => arguments.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_from_its_arguments_however_it_was_cut() {
        let text = "*** Begin\n\t\"quoted\" \\ größe \u{1}";
        assert_eq!(input(&arguments(text)), text);
        let pieces: String = text.chars().map(|c| escaped(&c.to_string())).collect();
        assert_eq!(format!("{OPENING}{pieces}{CLOSING}"), arguments(text));
        assert_eq!(input("no json"), "no json");
    }
}
