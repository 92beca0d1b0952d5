//! JSON Schemas that other dialects' callers wrote, made to fit what Anthropic and Bedrock take: the
//! root is an object; and where an answer is held to a schema, objects are closed and the keywords
//! that are not enforced become a remark in the description.

use serde_json::{Value, json};

/// Asks for JSON in words, where a model is not held to it.
pub(crate) const ASK_FOR_JSON: &str = "Answer with one valid JSON object and nothing else.";

/// Keywords that are refused in a schema to which an answer is held.
const NOT_ENFORCED: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
    "contains",
    "minContains",
    "maxContains",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
];

/// Keywords whose value is a schema.
const ONE: &[&str] = &["items", "additionalItems"];
/// Keywords whose value is a list of schemas.
const SOME: &[&str] = &["anyOf", "allOf", "oneOf", "prefixItems"];
/// Keywords whose value maps names to schemas.
const NAMED: &[&str] = &["properties", "$defs", "definitions"];

/// Schemas are looked into this deep; a body's own nesting is bounded before it comes here.
const DEEPEST: u32 = 100;

/// Arguments are an object; a schema that does not say so is completed.
pub(crate) fn make_object(schema: &mut Value) {
    if let Value::Object(fields) = schema {
        if fields.get("type").is_none_or(Value::is_null) {
            fields.insert("type".into(), json!("object"));
        }
        if fields["type"] == "object" && fields.len() == 1 {
            fields.insert("properties".into(), json!({}));
        }
    } else {
        *schema = json!({"type": "object", "properties": {}});
    }
}

/// Makes a schema one that an answer can be held to. `true` when it means less than before.
pub(crate) fn tidy(schema: &mut Value) -> bool {
    tidy_at(schema, DEEPEST)
}

fn tidy_at(schema: &mut Value, deeper: u32) -> bool {
    let Value::Object(fields) = schema else { return false };
    if deeper == 0 {
        return false;
    }
    let mut weaker = false;
    let mut remarks = Vec::new();
    for keyword in NOT_ENFORCED {
        if let Some(value) = fields.remove(*keyword) {
            remarks.push(format!("{keyword}: {value}"));
        }
    }
    // Only "some" or "none" of a list can be enforced.
    if fields.get("minItems").and_then(Value::as_u64).is_some_and(|least| least > 1)
        && let Some(least) = fields.remove("minItems")
    {
        remarks.push(format!("minItems: {least}"));
    }
    if !remarks.is_empty() {
        weaker = true;
        let said = fields.get("description").and_then(Value::as_str).unwrap_or_default();
        let gap = if said.is_empty() { "" } else { "\n\n" };
        let description = format!("{said}{gap}{{{}}}", remarks.join(", "));
        fields.insert("description".into(), json!(description));
    }
    let is_object =
        fields.contains_key("properties") || fields.get("type") == Some(&json!("object"));
    if is_object && fields.get("additionalProperties") != Some(&json!(false)) {
        weaker |= fields.contains_key("additionalProperties");
        fields.insert("additionalProperties".into(), json!(false));
    }
    for (keyword, value) in fields.iter_mut() {
        let name = keyword.as_str();
        if ONE.contains(&name) {
            weaker |= tidy_at(value, deeper - 1);
        } else if SOME.contains(&name) {
            for value in value.as_array_mut().into_iter().flatten() {
                weaker |= tidy_at(value, deeper - 1);
            }
        } else if NAMED.contains(&name) {
            for (_, value) in value.as_object_mut().into_iter().flatten() {
                weaker |= tidy_at(value, deeper - 1);
            }
        }
    }
    weaker
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_and_limits_become_remarks() {
        let mut schema = json!({
            "type": "object",
            "properties": {
                "age": {"type": "integer", "minimum": 0, "description": "in years"},
                "tags": {"type": "array", "items": {"type": "object", "properties": {}}},
            },
        });
        assert!(tidy(&mut schema));
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["properties"]["tags"]["items"]["additionalProperties"], json!(false));
        let age = &schema["properties"]["age"];
        assert_eq!(age.get("minimum"), None);
        assert_eq!(age["description"], json!("in years\n\n{minimum: 0}"));
        assert!(!tidy(&mut schema), "a tidy schema stays as it is");
    }

    #[test]
    fn arguments_are_an_object() {
        let mut none = json!({});
        make_object(&mut none);
        assert_eq!(none, json!({"type": "object", "properties": {}}));
        let mut bare = json!(true);
        make_object(&mut bare);
        assert_eq!(bare, json!({"type": "object", "properties": {}}));
    }
}
