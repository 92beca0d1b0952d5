//! Arguments and results of functions. Gemini carries both as JSON objects; the hub carries
//! arguments as the JSON text that a model wrote, and results as what a caller said.

use serde_json::{Map, Value};

/// Holds arguments that are no JSON object: cut off, or never JSON. An answer of another provider
/// may hold such, and `args` may not.
const RAW: &str = "_raw";

/// `args` as text.
pub(super) fn arguments(args: &Map<String, Value>) -> String {
    match args.get(RAW) {
        // Nothing but what `args` below has wrapped looks so: text that is no object.
        Some(Value::String(raw)) if args.len() == 1 && parsed(raw).is_none() => raw.clone(),
        _ => serde_json::to_string(args).unwrap_or_default(),
    }
}

/// The text as `args`, and whether it had to be wrapped.
pub(super) fn args(arguments: &str) -> (Map<String, Value>, bool) {
    match parsed(arguments) {
        Some(args) => (args, false),
        None => (Map::from_iter([(RAW.to_owned(), arguments.into())]), true),
    }
}

/// No text, or the `null` that some hosts write, stands for no arguments.
fn parsed(arguments: &str) -> Option<Map<String, Value>> {
    match arguments.trim() {
        "" | "null" => Some(Map::new()),
        text => serde_json::from_str(text).ok(),
    }
}

/// What a `response` says, and whether it says that the function failed. Google reserves
/// `output` and `error` for the two; any other object is the output as a whole.
pub(super) fn result(response: &Map<String, Value>) -> (String, Option<bool>) {
    let only = |key: &str| response.get(key).filter(|_| response.len() == 1);
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match (only("output"), only("error")) {
        (Some(output), _) => (text(output), None),
        (_, Some(error)) => (text(error), Some(true)),
        _ => (serde_json::to_string(response).unwrap_or_default(), None),
    }
}

/// The text as a `response`: an object as itself, anything else as the output. So is an object
/// with numbers that Google would round: inside a `response` it knows floats alone.
pub(super) fn response(text: &str, failed: bool) -> Map<String, Value> {
    if failed {
        return Map::from_iter([("error".to_owned(), text.into())]);
    }
    match serde_json::from_str::<Map<String, Value>>(text) {
        Ok(object)
            if !object.contains_key("output")
                && !object.contains_key("error")
                && object.values().all(is_exact) =>
        {
            object
        }
        _ => Map::from_iter([("output".to_owned(), text.into())]),
    }
}

/// Every number is the same as a 64-bit float. Depth is bounded by the parser.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|number| number.abs() < 9e15),
        Value::Array(list) => list.iter().all(is_exact),
        Value::Object(fields) => fields.values().all(is_exact),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn arguments_that_are_no_object_come_back_as_they_were() {
        for text in ["{\"city\": \"Par", "[1]", "12", "plain"] {
            let (wrapped, is_wrapped) = args(text);
            assert!(is_wrapped, "{text}");
            assert_eq!(arguments(&wrapped), text);
        }
        for empty in ["", " ", "null", "{}"] {
            assert_eq!(args(empty), (Map::new(), false), "{empty}");
        }
        let honest = object(json!({"_raw": "{\"a\":1}"}));
        assert_eq!(arguments(&honest), r#"{"_raw":"{\"a\":1}"}"#, "text that parses is its own");
    }

    #[test]
    fn results_keep_what_they_say() {
        for text in [
            "sunny",
            "[1,2]",
            r#"{"error":"x","code":3}"#,
            r#"{"temperature":20}"#,
            r#"{"id": 1234567890123456789}"#,
            r#"{"list": [12345678901234567890123]}"#,
        ] {
            let (said, failed) = result(&response(text, false));
            assert_eq!((said.as_str(), failed), (text, None));
        }
        assert_eq!(result(&response("no such city", true)), ("no such city".into(), Some(true)));
        assert_eq!(result(&object(json!({"output": [1]}))), ("[1]".into(), None));
    }
}
