//! Arguments of a call that are no JSON object, as after an answer was cut. Some dialects take an
//! object and nothing else, so their text travels inside one and is taken out on the way in.

use serde_json::{Value, json};

const FIELD: &str = "unparsed_arguments";

/// The input that carries such arguments.
fn written(arguments: &str) -> Value {
    json!({FIELD: arguments})
}

/// The JSON text of a call's input, or the text that was carried in it.
pub(crate) fn read(input: &Value) -> String {
    match input.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.get(FIELD))
    {
        Some(Value::String(text)) if !is_object(text) => text.clone(),
        _ => input.to_string(),
    }
}

/// The input for arguments that may be anything: none at all is an empty object.
pub(crate) fn object(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return Value::Object(serde_json::Map::new());
    }
    match serde_json::from_str(arguments) {
        Ok(input @ Value::Object(_)) => input,
        Ok(Value::Null) => Value::Object(serde_json::Map::new()),
        Ok(_) | Err(_) => written(arguments),
    }
}

/// Whether an input carries such arguments.
pub(crate) fn is_carried(input: &Value) -> bool {
    input.as_object().is_some_and(|fields| fields.len() == 1 && fields.contains_key(FIELD))
}

fn is_object(text: &str) -> bool {
    matches!(serde_json::from_str(text), Ok(Value::Object(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_comes_back_as_it_was() {
        for text in ["{\"a\": ", "4 + 4", "[1]"] {
            assert_eq!(read(&written(text)), text);
        }
        let honest = json!({FIELD: "{}"});
        assert_eq!(read(&honest), honest.to_string());
    }
}
