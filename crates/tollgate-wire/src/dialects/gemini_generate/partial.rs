//! Arguments of a call that arrive in pieces, each at a path inside them (Vertex'
//! `partialArgs`).

use serde_json::{Map, Value};

/// Bounds for hostile paths: deeper or longer than any schema.
const MOST_DEPTH: usize = 64;
const MOST_ITEMS: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct PartialArgs {
    args: Map<String, Value>,
    /// The text at this path goes on.
    going_on: Option<String>,
}

#[derive(Debug, PartialEq)]
enum Step<'p> {
    Name(&'p str),
    Item(usize),
}

impl PartialArgs {
    pub(super) fn new(args: Map<String, Value>) -> Self {
        Self { args, going_on: None }
    }

    /// Takes one element of `partialArgs`; one that cannot be understood is left out.
    pub(super) fn add(&mut self, piece: &Value) {
        let Some(path) = piece["jsonPath"].as_str() else { return };
        let value = ["stringValue", "numberValue", "boolValue"]
            .into_iter()
            .find_map(|field| piece.get(field));
        let value = value.cloned().unwrap_or_default();
        let continues = self.going_on.as_deref() == Some(path);
        if let Some(place) = steps(path).and_then(|steps| self.place(&steps)) {
            match (place, value) {
                (Value::String(before), Value::String(more)) if continues => before.push_str(&more),
                (place, value) => *place = value,
            }
        }
        self.going_on = (piece["willContinue"] == true).then(|| path.to_owned());
    }

    pub(super) fn into_args(self) -> Map<String, Value> {
        self.args
    }

    /// The place that the steps lead to, made on the way.
    fn place(&mut self, steps: &[Step<'_>]) -> Option<&mut Value> {
        let (Step::Name(first), rest) = steps.split_first()? else { return None };
        let mut at = self.args.entry(*first).or_insert(Value::Null);
        for step in rest {
            at = match step {
                Step::Name(name) => {
                    if !at.is_object() {
                        *at = Value::Object(Map::new());
                    }
                    at.as_object_mut()?.entry(*name).or_insert(Value::Null)
                }
                Step::Item(item) => {
                    if !at.is_array() {
                        *at = Value::Array(Vec::new());
                    }
                    let list = at.as_array_mut()?;
                    if list.len() <= *item {
                        list.resize(*item + 1, Value::Null);
                    }
                    &mut list[*item]
                }
            };
        }
        Some(at)
    }
}

/// `$.list[0].name` or `$['list'][0]['name']`.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() >= MOST_DEPTH {
            return None;
        }
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            steps.push(Step::Name(&after[..end]));
            rest = &after[end..];
        } else {
            let after = rest.strip_prefix('[')?;
            let quote = after.chars().next().filter(|c| matches!(c, '\'' | '"'));
            if let Some(quote) = quote {
                let (name, after) = after[1..].split_once(quote)?;
                steps.push(Step::Name(name));
                rest = after.strip_prefix(']')?;
            } else {
                let (item, after) = after.split_once(']')?;
                let item = item.parse().ok().filter(|item| *item < MOST_ITEMS)?;
                steps.push(Step::Item(item));
                rest = after;
            }
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pieces_become_arguments() {
        let mut partial = PartialArgs::default();
        for piece in [
            json!({"jsonPath": "$.list[0].name", "stringValue": "Ap", "willContinue": true}),
            json!({"jsonPath": "$.list[0].name", "stringValue": "ple", "willContinue": true}),
            json!({"jsonPath": "$.list[0].name", "stringValue": ""}),
            json!({"jsonPath": "$.list[1]['odd.name']", "boolValue": true}),
            json!({"jsonPath": "$.price", "numberValue": 0.5}),
            json!({"jsonPath": "$.nothing", "nullValue": "NULL_VALUE"}),
        ] {
            partial.add(&piece);
        }
        let args = json!({
            "list": [{"name": "Apple"}, {"odd.name": true}], "price": 0.5, "nothing": null,
        });
        assert_eq!(Value::Object(partial.into_args()), args);
    }

    #[test]
    fn hostile_paths_do_nothing() {
        for path in ["", "$", "a", "$[0]", "$.a[99999999999]", "$.a[", "$.a['b", "$.a[-1]"] {
            let mut partial = PartialArgs::default();
            partial.add(&json!({"jsonPath": path, "stringValue": "x"}));
            assert!(partial.into_args().is_empty(), "{path}");
        }
        assert_eq!(steps(&format!("${}", ".a".repeat(100))), None);
    }
}
