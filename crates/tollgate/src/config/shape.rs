//! Checks the shape of a file against its JSON Schema and reports every departure at once: unknown,
//! repeated, missing and empty keys, and values of the wrong type. What the values mean is not its
//! concern.

use std::collections::BTreeMap;

use super::later;
use super::nearest::suggestion;
use super::place::{Path, Place};
use super::refusal::Refusal;
use super::yaml::{Entry, Node, Value};

type Schema = serde_json::Value;

/// Every departure of `node` from `schema`.
#[must_use]
pub(super) fn departures(node: &Node, schema: &Schema) -> Vec<Refusal> {
    let mut walk = Walk { root: schema, refusals: Vec::new() };
    walk.value(node, schema, &Path::top());
    walk.refusals
}

struct Walk<'a> {
    root: &'a Schema,
    refusals: Vec<Refusal>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, node: &Node, schema: &'a Schema, path: &Path) {
        let definition = self.definition(schema);
        let choices = choices(definition).or_else(|| choices(schema));
        match (&node.value, definition["type"].as_str()) {
            (Value::Null, _) if path.steps().is_empty() => {
                self.refuse(node.at, path, "it is empty", "a file needs at least `providers`");
            }
            (Value::Null, _) => {
                self.refuse(node.at, path, "it has no value", "write one, or remove the key");
            }
            (Value::Text(text), _) if choices.is_some() => {
                self.choice(node.at, path, text, &choices.unwrap_or_default());
            }
            (Value::Map(entries), Some("object")) => self.map(node.at, entries, definition, path),
            (Value::List(items), Some("array")) => self.list(node.at, items, definition, path),
            (Value::Integer(number), Some("integer")) => {
                let least = definition["minimum"].as_i64().unwrap_or(i64::MIN);
                let most =
                    if definition["format"] == "uint32" { i64::from(u32::MAX) } else { i64::MAX };
                if !(least..=most).contains(number) {
                    let hint = format!("a whole number from {least} to {most}");
                    self.refuse(node.at, path, format!("{number} is out of range"), hint);
                }
            }
            (Value::Text(_), Some("string"))
            | (Value::Bool(_), Some("boolean"))
            | (Value::Integer(_), Some("number")) => {}
            (Value::Float(number), Some("number")) if number.is_finite() => {}
            (found, wanted) => self.wrong_type(node.at, path, found, wanted),
        }
    }

    fn map(&mut self, at: Place, entries: &[Entry], schema: &'a Schema, path: &Path) {
        let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
        for Entry { key, key_at, node } in entries {
            let here = path.key(key);
            if let Some(first) = seen.insert(key, *key_at) {
                let message =
                    format!("`{key}` is written twice; it stands first in line {}", first.line);
                self.refuse(*key_at, &here, message, "keep one of them: names are unique");
                continue;
            }
            if let Some(known) = schema["properties"].get(key) {
                self.value(node, known, &here);
            } else if schema["additionalProperties"].is_object() {
                self.value(node, &schema["additionalProperties"], &here);
            } else {
                self.unknown(*key_at, &here, key, schema);
            }
        }
        for required in
            schema["required"].as_array().into_iter().flatten().filter_map(Schema::as_str)
        {
            if !seen.contains_key(required) {
                let about = schema["properties"][required]["description"]
                    .as_str()
                    .unwrap_or("it cannot be left out");
                self.refuse(
                    at,
                    path,
                    format!("`{required}` is missing"),
                    format!("{required}: {about}"),
                );
            }
        }
    }

    fn list(&mut self, at: Place, items: &[Node], schema: &'a Schema, path: &Path) {
        if items.is_empty() && schema["minItems"].as_u64().unwrap_or(0) > 0 {
            self.refuse(
                at,
                path,
                "the list is empty",
                "write one entry at least, or remove the key",
            );
        }
        for (index, item) in items.iter().enumerate() {
            self.value(item, &schema["items"], &path.index(index));
        }
    }

    fn unknown(&mut self, at: Place, path: &Path, key: &str, schema: &Schema) {
        if let Some(what) = later::key(path) {
            return self.later(at, path, key, what);
        }
        let known =
            schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        let hint = suggestion(key, known, "keys here");
        self.refuse(at, path, format!("there is no key `{key}` here"), hint);
    }

    fn choice(&mut self, at: Place, path: &Path, text: &str, choices: &[&str]) {
        if choices.contains(&text) {
            return;
        }
        if let Some(what) = later::value(path, text) {
            return self.later(at, path, text, what);
        }
        let hint = suggestion(text, choices.iter().copied(), "choices");
        self.refuse(at, path, format!("`{text}` is none of the choices"), hint);
    }

    fn later(&mut self, at: Place, path: &Path, name: &str, what: &str) {
        let message = format!("`{name}` is not supported yet");
        let hint = format!(
            "{what}: a later version will know it; until then remove it, since nothing would be done"
        );
        self.refuse(at, path, message, hint);
    }

    fn wrong_type(&mut self, at: Place, path: &Path, found: &Value, wanted: Option<&str>) {
        let found = match found {
            Value::Null => "nothing",
            Value::Bool(_) => "`true` or `false`",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        };
        let (wanted, hint) = match wanted {
            Some("object") => ("a mapping", "write `name: value` lines, indented by two spaces"),
            Some("array") => ("a list", "write `[ a, b ]`, or one `- entry` on each line"),
            Some("integer") => ("a whole number", "write digits only, without quotes or unit"),
            Some("number") => ("a number", "write digits and a point, without quotes or unit"),
            Some("boolean") => ("`true` or `false`", "write `true` or `false`, without quotes"),
            _ => ("text", "put it in quotes, with its unit if it has one"),
        };
        self.refuse(at, path, format!("here should be {wanted}, not {found}"), hint);
    }

    fn definition(&self, schema: &'a Schema) -> &'a Schema {
        match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
            Some(name) => &self.root["$defs"][name],
            None => schema,
        }
    }

    fn refuse(
        &mut self,
        at: Place,
        path: &Path,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.refusals.push(Refusal::new(at, path, message, hint));
    }
}

/// The closed set of texts that a schema allows.
fn choices(schema: &Schema) -> Option<Vec<&str>> {
    if let Some(names) = schema["enum"].as_array() {
        return Some(names.iter().filter_map(Schema::as_str).collect());
    }
    let ways = schema["oneOf"].as_array()?;
    Some(ways.iter().filter_map(|way| way["const"].as_str()).collect())
}
