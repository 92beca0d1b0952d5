//! Counting tokens: a run of letters, digits or underscores is one token, every other visible
//! character is one, and white space belongs to the token after it. Deliberately not any vendor's
//! tokenizer: the same text always gives the same figure, and a person can check it by hand.

/// The tokens of the text, in order; joined they are the text again.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut in_word = false;
    let mut only_space = true;
    for (at, c) in text.char_indices() {
        let word = c.is_alphanumeric() || c == '_';
        let starts_anew =
            if c.is_whitespace() { !only_space } else { !(only_space || word && in_word) };
        if starts_anew {
            tokens.push(&text[start..at]);
            start = at;
        }
        only_space = c.is_whitespace() && (starts_anew || only_space);
        in_word = word;
    }
    if start < text.len() {
        tokens.push(&text[start..]);
    }
    tokens
}

/// How many tokens the text has.
pub(crate) fn count(text: &str) -> u64 {
    split(text).len() as u64
}

/// The tokens of every string and number inside a JSON value, names included.
pub(crate) fn count_json(value: &serde_json::Value) -> u64 {
    use serde_json::Value;
    match value {
        Value::Null => 0,
        Value::Bool(_) | Value::Number(_) => 1,
        Value::String(s) => count(s),
        Value::Array(items) => items.iter().map(count_json).sum(),
        Value::Object(map) => map.iter().map(|(k, v)| count(k) + count_json(v)).sum(),
    }
}

/// What a picture, document or recording costs, whatever it holds.
pub(crate) const MEDIA: u64 = 85;
/// What a turn costs beside its content.
pub(crate) const TURN: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_join_to_the_text() {
        for text in [
            "",
            " ",
            "a",
            "Hello, wide  world!\n",
            "  lead",
            "trail  ",
            "über-straße 日本",
            "{\"a_b\":1}",
        ] {
            assert_eq!(split(text).concat(), text);
        }
    }

    #[test]
    fn words_and_marks_count_once() {
        assert_eq!(count("Hello, wide world!"), 5);
        assert_eq!(split("Hello, wide"), ["Hello", ",", " wide"]);
        assert_eq!(count(""), 0);
        assert_eq!(count_json(&serde_json::json!({"a": ["b c", 1]})), 4);
    }
}
