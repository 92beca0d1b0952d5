//! What Anthropic refuses about JSON Schemas of tools.

use super::wording::invalid;
use crate::refusal::Refusal;
use serde_json::Value;
use std::collections::HashSet;

/// An object at the root; under `strict`, no circles.
pub(super) fn input_schema(at: usize, tool: &Value) -> Result<(), Refusal> {
    let schema = &tool["input_schema"];
    match schema.get("type") {
        None => {
            return Err(invalid(format!("tools.{at}.custom.input_schema.type: Field required")));
        }
        Some(kind) if kind == "object" => {}
        Some(_) => {
            return Err(invalid(format!(
                "tools.{at}.custom.input_schema.type: Input should be 'object'"
            )));
        }
    }
    let draft = |why: &str| {
        invalid(format!("tools.{at}.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12). {why}").trim().to_owned())
    };
    sound(schema, 0).map_err(|()| draft(""))?;
    if tool["strict"] == true
        && let Some(circle) = circle(schema)
    {
        return Err(invalid(format!(
            "tools.{at}.custom: Invalid schema: Circular reference detected in schema definitions: {circle}. Self-referencing or mutually-referencing definitions are not supported."
        )));
    }
    Ok(())
}

const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];

fn sound(schema: &Value, depth: usize) -> Result<(), ()> {
    let Some(map) = schema.as_object() else {
        return if schema.is_boolean() { Ok(()) } else { Err(()) };
    };
    if depth > 64 {
        return Err(());
    }
    let known = |t: &Value| t.as_str().is_some_and(|t| TYPES.contains(&t));
    let types_sound = match map.get("type") {
        None => true,
        Some(Value::Array(many)) => !many.is_empty() && many.iter().all(known),
        Some(one) => known(one),
    };
    let required_sound = map
        .get("required")
        .is_none_or(|r| r.as_array().is_some_and(|r| r.iter().all(Value::is_string)));
    let enum_sound = map.get("enum").is_none_or(Value::is_array);
    if !(types_sound && required_sound && enum_sound) {
        return Err(());
    }
    for word in ["properties", "$defs", "definitions"] {
        let Some(members) = map.get(word) else {
            continue;
        };
        for child in members.as_object().ok_or(())?.values() {
            sound(child, depth + 1)?;
        }
    }
    for word in ["anyOf", "oneOf", "allOf"] {
        let Some(members) = map.get(word) else {
            continue;
        };
        for child in members.as_array().ok_or(())? {
            sound(child, depth + 1)?;
        }
    }
    map.get("items").map_or(Ok(()), |items| sound(items, depth + 1))
}

/// `Node -> Node`, when a definition leads back to itself.
fn circle(schema: &Value) -> Option<String> {
    let definitions = schema.get("$defs").or_else(|| schema.get("definitions"))?.as_object()?;
    definitions.keys().find_map(|start| {
        let mut walk = Walk { definitions, path: vec![start], seen: HashSet::new() };
        walk.back_to(start)
    })
}

struct Walk<'a> {
    definitions: &'a serde_json::Map<String, Value>,
    path: Vec<&'a str>,
    /// Definitions from which no way leads back.
    seen: HashSet<&'a str>,
}

impl Walk<'_> {
    fn back_to(&mut self, start: &str) -> Option<String> {
        let here = self.path.last().and_then(|name| self.definitions.get(*name))?;
        let mut named = Vec::new();
        references(here, &mut named);
        for name in named {
            if name == start {
                return Some(format!("{} -> {start}", self.path.join(" -> ")));
            }
            if self.seen.insert(name) {
                self.path.push(name);
                let found = self.back_to(start);
                self.path.pop();
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }
}

fn references<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
    match schema {
        Value::Object(map) => {
            if let Some(name) =
                map.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next())
            {
                found.push(name);
            }
            map.values().for_each(|v| references(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| references(v, found)),
        _ => {}
    }
}
