//! Google's own subset of OpenAPI schemas, read as JSON Schema.
//!
//! Deliberately one way: requests are written with the fields that take JSON Schema as it is.

use serde_json::{Map, Value};

/// `parameters` or `responseSchema` as JSON Schema. Depth is bounded by the parser of the body.
pub(super) fn as_json_schema(schema: &Value) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut out = Map::new();
    for (name, value) in schema {
        match name.as_str() {
            "type" => {}
            "nullable" | "propertyOrdering" | "property_ordering" => {}
            "properties" => {
                out.insert(name.clone(), each(value));
            }
            "items" => {
                out.insert(name.clone(), as_json_schema(value));
            }
            "anyOf" | "any_of" => {
                let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
                out.insert("anyOf".into(), list.iter().map(as_json_schema).collect());
            }
            "example" => {
                out.insert("examples".into(), vec![value.clone()].into());
            }
            // It only repeats that there is an `enum`.
            "format" if value == "enum" => {}
            "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties"
            | "maxProperties" => {
                out.insert(name.clone(), number(value));
            }
            _ => {
                out.insert(name.clone(), value.clone());
            }
        }
    }
    add_type(schema, &mut out);
    out.into()
}

fn each(properties: &Value) -> Value {
    let Value::Object(properties) = properties else { return properties.clone() };
    properties.iter().map(|(name, schema)| (name.clone(), as_json_schema(schema))).collect()
}

fn add_type(schema: &Map<String, Value>, out: &mut Map<String, Value>) {
    let nullable = schema.get("nullable") == Some(&Value::Bool(true));
    let Some(kind) = schema.get("type") else { return };
    let word = match kind {
        Value::String(word) if word == "TYPE_UNSPECIFIED" => return,
        Value::String(word) => word.to_ascii_lowercase(),
        Value::Number(number) => match number.as_u64() {
            Some(1) => "string".into(),
            Some(2) => "number".into(),
            Some(3) => "integer".into(),
            Some(4) => "boolean".into(),
            Some(5) => "array".into(),
            Some(6) => "object".into(),
            _ => return,
        },
        // A list of types is JSON Schema already.
        other => {
            out.insert("type".into(), other.clone());
            return;
        }
    };
    let kind = if nullable { vec![word, "null".into()].into() } else { Value::from(word) };
    out.insert("type".into(), kind);
    if nullable && let Some(Value::Array(list)) = out.get_mut("enum") {
        list.push(Value::Null);
    }
}

/// Google writes 64-bit numbers as text.
fn number(value: &Value) -> Value {
    let parsed = value.as_str().and_then(|text| text.parse::<u64>().ok());
    parsed.map_or_else(|| value.clone(), Value::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_departure_of_googles_subset_is_translated() {
        let google = json!({
            "type": "OBJECT",
            "properties": {
                "type": {"type": "STRING", "format": "enum", "enum": ["a"], "nullable": true},
                "list": {"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": "1"},
                "either": {"anyOf": [{"type": "NUMBER"}, {"type": 4}], "example": 1},
            },
            "propertyOrdering": ["type"],
            "required": ["type"],
        });
        let json_schema = json!({
            "type": "object",
            "properties": {
                "type": {"type": ["string", "null"], "enum": ["a", null]},
                "list": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
                "either": {"anyOf": [{"type": "number"}, {"type": "boolean"}], "examples": [1]},
            },
            "required": ["type"],
        });
        assert_eq!(as_json_schema(&google), json_schema);
        assert_eq!(as_json_schema(&json_schema), json_schema, "JSON Schema stays as it is");
    }
}
