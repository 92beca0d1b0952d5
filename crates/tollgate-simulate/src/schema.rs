//! The smallest instance of a JSON Schema, and nothing random. Patterns are not solved.

use serde_json::{Map, Number, Value, json};
use std::cell::Cell;

/// An instance of `schema` as small as its rules allow.
pub(crate) fn instance(schema: &Value) -> Value {
    of(schema, Place { root: schema, depth: 0, left: &Cell::new(MOST_VALUES) })
}

const DEEPEST: usize = 24;
/// A schema that refers to itself twice would grow without end.
const MOST_VALUES: usize = 10_000;

/// Where in the schema the making is.
#[derive(Clone, Copy)]
struct Place<'a> {
    root: &'a Value,
    depth: usize,
    /// How many more values may be made.
    left: &'a Cell<usize>,
}

impl Place<'_> {
    fn deeper(self) -> Self {
        self.left.set(self.left.get().saturating_sub(1));
        Self { depth: self.depth + 1, ..self }
    }
}

fn of(schema: &Value, place: Place<'_>) -> Value {
    let Some(map) = schema.as_object() else {
        return Value::String("text".into());
    };
    if place.depth > DEEPEST || place.left.get() == 0 {
        return Value::Null;
    }
    if let Some(target) =
        map.get("$ref").and_then(Value::as_str).and_then(|r| follow(place.root, r))
    {
        return of(target, place.deeper());
    }
    if let Some(value) = map.get("const") {
        return value.clone();
    }
    if let Some(first) = map.get("enum").and_then(Value::as_array).and_then(|e| e.first()) {
        return first.clone();
    }
    for word in ["anyOf", "oneOf", "any_of"] {
        if let Some(choice) =
            map.get(word).and_then(Value::as_array).and_then(|c| choose(c, place.depth))
        {
            return of(choice, place.deeper());
        }
    }
    if let Some(parts) = map.get("allOf").and_then(Value::as_array) {
        return all_of(map, parts, place);
    }
    match kind(map).as_str() {
        "object" => object(map, place),
        "array" => array(map, place),
        "integer" => json!(number(map).ceil() as i64),
        "number" => real(number(map)),
        "boolean" => Value::Bool(true),
        "null" => Value::Null,
        _ => Value::String(string(map)),
    }
}

fn follow<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}

/// The first alternative; deep inside a recursion, the one that ends it.
fn choose(alternatives: &[Value], depth: usize) -> Option<&Value> {
    let null = alternatives.iter().find(|a| a.get("type") == Some(&json!("null")));
    let some = alternatives.iter().find(|a| a.get("type") != Some(&json!("null")));
    if depth > DEEPEST / 3 { null.or(some) } else { some.or(null) }
}

fn all_of(map: &Map<String, Value>, parts: &[Value], place: Place<'_>) -> Value {
    let mut own = map.clone();
    own.remove("allOf");
    let mut merged = Map::new();
    let mut last = Value::Null;
    let whole = (!own.is_empty()).then_some(Value::Object(own));
    for part in parts.iter().chain(whole.as_ref()) {
        match of(part, place.deeper()) {
            Value::Object(members) => merged.extend(members),
            other => last = other,
        }
    }
    if merged.is_empty() && !last.is_null() { last } else { Value::Object(merged) }
}

/// The type, in lower case (Gemini writes it in capitals), guessed when it is not written.
fn kind(map: &Map<String, Value>) -> String {
    let written = match map.get("type") {
        Some(Value::String(one)) => Some(one.as_str()),
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).find(|t| *t != "null"),
        _ => None,
    };
    match written {
        Some(word) => word.to_ascii_lowercase(),
        None if map.contains_key("properties") => "object".into(),
        None if map.contains_key("items") => "array".into(),
        None => "string".into(),
    }
}

fn object(map: &Map<String, Value>, place: Place<'_>) -> Value {
    let mut made = Map::new();
    let properties = map.get("properties").and_then(Value::as_object);
    for name in map.get("required").and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = name.as_str() else { continue };
        let schema = properties.and_then(|p| p.get(name)).unwrap_or(&Value::Null);
        made.insert(name.to_owned(), of(schema, place.deeper()));
    }
    Value::Object(made)
}

fn array(map: &Map<String, Value>, place: Place<'_>) -> Value {
    let least = map.get("minItems").or_else(|| map.get("min_items"));
    let least = least.and_then(whole_number).unwrap_or(0).min(64);
    let items = map.get("items").unwrap_or(&Value::Null);
    Value::Array((0..least).map(|_| of(items, place.deeper())).collect())
}

/// Gemini writes such figures as strings too.
fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn number(map: &Map<String, Value>) -> f64 {
    let get = |name: &str| map.get(name).and_then(Value::as_f64);
    let step = get("multipleOf").unwrap_or(1.0);
    if let Some(least) = get("minimum") {
        return (least / step).ceil() * step;
    }
    if let Some(below) = get("exclusiveMinimum") {
        return ((below / step).floor() + 1.0) * step;
    }
    match (get("maximum"), get("exclusiveMaximum")) {
        (Some(most), _) if most < step => (most / step).floor() * step,
        (_, Some(above)) if above <= step => ((above / step).ceil() - 1.0) * step,
        _ => step,
    }
}

fn real(figure: f64) -> Value {
    Number::from_f64(figure).map_or(Value::Null, Value::Number)
}

fn string(map: &Map<String, Value>) -> String {
    let given = match map.get("format").and_then(Value::as_str) {
        Some("date") => "2025-01-01",
        Some("date-time") => "2025-01-01T00:00:00Z",
        Some("time") => "00:00:00Z",
        Some("duration") => "P1D",
        Some("email") => "someone@example.com",
        Some("uri" | "url") => "https://example.com/",
        Some("hostname") => "example.com",
        Some("ipv4") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => "text",
    };
    let mut out = given.to_owned();
    let bound = |name: &str| map.get(name).and_then(whole_number);
    while (out.chars().count() as u64) < bound("minLength").unwrap_or(0).min(10_000) {
        out.push('x');
    }
    match bound("maxLength").and_then(|n| usize::try_from(n).ok()) {
        Some(most) => out.chars().take(most).collect(),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: Value, expected: Value) {
        assert_eq!(instance(&schema), expected, "{schema}");
    }

    #[test]
    fn instances_are_minimal_and_fit() {
        check(
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a"]}),
            json!({"a": "text"}),
        );
        check(
            json!({"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 2}),
            json!(["x", "x"]),
        );
        check(json!({"type": "integer", "minimum": 3, "multipleOf": 2}), json!(4));
        check(json!({"type": "integer", "exclusiveMinimum": 3}), json!(4));
        check(json!({"type": "number", "maximum": -2}), json!(-2.0));
        check(json!({"type": ["null", "boolean"]}), json!(true));
        check(json!({"type": "STRING", "minLength": 6}), json!("textxx"));
        check(json!({"type": "string", "maxLength": 2}), json!("te"));
        check(json!({"const": 7}), json!(7));
        check(
            json!({"allOf": [{"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}], "properties": {"b": {"const": 1}}, "required": ["b"]}),
            json!({"a": true, "b": 1}),
        );
        check(json!({"$ref": "#/$defs/A", "$defs": {"A": {"type": "boolean"}}}), json!(true));
    }

    #[test]
    fn a_recursion_ends() {
        let schema = json!({"$defs": {"N": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/N"}, {"type": "null"}]}}, "required": ["next"]}}, "$ref": "#/$defs/N"});
        assert!(instance(&schema).is_object());
        assert!(instance(&json!({"$ref": "#"})).is_null());
        let twice = json!({"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}, "required": ["a", "b"]});
        assert!(instance(&twice).to_string().len() < 1 << 20);
    }
}
