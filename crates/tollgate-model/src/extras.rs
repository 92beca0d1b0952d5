//! What one dialect said that the hub has no word for.
//!
//! Extras are kept as raw JSON and given back to the dialect they came from, and to no other: a
//! different dialect gets a [`Loss`](crate::Loss) for each of them instead.

use serde_json::{Map, Value};

use crate::{DialectId, Losses};

/// Fields of one JSON object that stayed behind when the hub took what it understands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extras {
    /// Where the fields were written. `None` only while there are no fields.
    dialect: Option<DialectId>,
    fields: Map<String, Value>,
    spellings: Vec<Spelling>,
    forms: Vec<&'static str>,
    /// Extras of objects inside this one, by the field that holds the object.
    nested: Vec<(String, Extras)>,
    /// Fields that the caller wrote under another name: canonical, written.
    renames: Vec<(String, String)>,
}

/// A field that the hub understands but would write differently: `"stop": "x"` for `["x"]`.
#[derive(Clone, Debug, PartialEq)]
struct Spelling {
    field: String,
    /// What the encoder writes when nothing was changed since decoding.
    canonical: Option<Value>,
    /// What the caller wrote, and under which name; nothing when the caller left it out.
    written: Option<(String, Value)>,
}

impl Extras {
    /// What is left of an object after the decoder has removed every field it understands.
    #[must_use]
    pub fn left_over(dialect: DialectId, fields: Map<String, Value>) -> Self {
        Self { dialect: Some(dialect), fields, ..Self::default() }
    }

    /// The object was written in `dialect` (and not made by the gateway or read from another).
    #[must_use]
    pub fn is_of(&self, dialect: DialectId) -> bool {
        self.dialect == Some(dialect)
    }

    /// Remembers which of several names or forms the caller chose, for the dialect's encoder.
    pub fn choose(&mut self, dialect: DialectId, form: &'static str) {
        self.dialect = Some(dialect);
        self.forms.push(form);
    }

    /// The caller chose this form.
    #[must_use]
    pub fn chose(&self, dialect: DialectId, form: &str) -> bool {
        self.dialect == Some(dialect) && self.forms.contains(&form)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
            && self.spellings.is_empty()
            && self.nested.is_empty()
            && self.renames.is_empty()
    }

    #[must_use]
    pub fn get(&self, dialect: DialectId, field: &str) -> Option<&Value> {
        (self.dialect == Some(dialect)).then(|| self.fields.get(field)).flatten()
    }

    /// Keeps one more field of `dialect`.
    pub fn keep(&mut self, dialect: DialectId, field: impl Into<String>, value: Value) {
        self.dialect = Some(dialect);
        self.fields.insert(field.into(), value);
    }

    /// Remembers how a field was written, for as long as the encoder would still write
    /// `canonical` for it (`None`: leave it out). Does nothing when both are the same.
    pub fn spell(
        &mut self,
        dialect: DialectId,
        field: impl Into<String>,
        canonical: Option<Value>,
        written: Value,
    ) {
        if canonical.as_ref() != Some(&written) {
            self.dialect = Some(dialect);
            let field = field.into();
            let written = Some((field.clone(), written));
            self.spellings.push(Spelling { field, canonical, written });
        }
    }

    /// Remembers that the caller left out what the encoder would write as `canonical`.
    pub fn omit(&mut self, dialect: DialectId, field: impl Into<String>, canonical: Value) {
        self.dialect = Some(dialect);
        let (field, canonical) = (field.into(), Some(canonical));
        self.spellings.push(Spelling { field, canonical, written: None });
    }

    /// Remembers that the caller said in the field `instead` what the encoder would write as
    /// `canonical` in `field`.
    pub fn say_instead(
        &mut self,
        dialect: DialectId,
        (field, canonical): (&str, Value),
        (instead, written): (&str, Value),
    ) {
        self.dialect = Some(dialect);
        let (field, canonical) = (field.to_owned(), Some(canonical));
        let written = Some((instead.to_owned(), written));
        self.spellings.push(Spelling { field, canonical, written });
    }

    /// Remembers that the caller wrote the field `canonical` under the name `written`.
    pub fn rename(&mut self, dialect: DialectId, canonical: &str, written: &str) {
        self.dialect = Some(dialect);
        self.renames.push((canonical.to_owned(), written.to_owned()));
    }

    /// Keeps the extras of the object in `field`, of which the hub knows the content but which
    /// has no place of its own there. The object is written again even if it stays empty.
    pub fn nest(&mut self, dialect: DialectId, field: impl Into<String>, inner: Extras) {
        self.dialect = Some(dialect);
        self.nested.push((field.into(), inner));
    }

    /// The extras kept for the object in `field`.
    #[must_use]
    pub fn nested(&self, field: &str) -> Option<&Extras> {
        self.nested.iter().find(|(name, _)| name == field).map(|(_, inner)| inner)
    }

    /// Gives the fields back to `out`, an object of `dialect`: those it lacks, and inside an
    /// object that it has, those that object lacks. Fields of any other dialect are not given
    /// back; each becomes a loss under `path`.
    pub fn restore(
        &self,
        dialect: DialectId,
        out: &mut Map<String, Value>,
        path: &str,
        losses: &mut Losses,
    ) {
        if self.dialect == Some(dialect) {
            for spelling in &self.spellings {
                if out.get(&spelling.field) == spelling.canonical.as_ref() {
                    out.remove(&spelling.field);
                    if let Some((name, value)) = &spelling.written {
                        out.insert(name.clone(), value.clone());
                    }
                }
            }
            for (name, inner) in &self.nested {
                let object = out.entry(name).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(object) = object {
                    inner.restore(dialect, object, &below(path, name), losses);
                }
            }
            for (name, value) in &self.fields {
                complete(out, name, value);
            }
            for (canonical, written) in &self.renames {
                if let Some(value) = out.remove(canonical) {
                    out.insert(written.clone(), value);
                }
            }
        } else {
            self.report(path, losses);
        }
    }

    /// Names every field that cannot be carried. A `null` says nothing and is not missed.
    pub fn report(&self, path: &str, losses: &mut Losses) {
        for (name, value) in &self.fields {
            if !value.is_null() {
                losses.dropped(path, name);
            }
        }
        for (name, inner) in &self.nested {
            inner.report(&below(path, name), losses);
        }
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Puts `value` under `name`, or, where both are objects, what the one there lacks; as deep as
/// objects meet objects, which the nesting of a body bounds.
fn complete(out: &mut Map<String, Value>, name: &str, value: &Value) {
    match (out.get_mut(name), value) {
        (None, _) => {
            out.insert(name.to_owned(), value.clone());
        }
        (Some(Value::Object(within)), Value::Object(left)) => {
            for (name, value) in left {
                complete(within, name, value);
            }
        }
        (Some(_), _) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const A: DialectId = DialectId("a");
    const B: DialectId = DialectId("b");

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn restored(extras: &Extras, dialect: DialectId, canonical: Value) -> (Value, Vec<String>) {
        let (mut out, mut losses) = (object(canonical), Losses::default());
        extras.restore(dialect, &mut out, "at", &mut losses);
        (Value::Object(out), losses.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_way_of_writing_comes_back_while_nothing_was_changed() {
        let mut inner = Extras::left_over(A, object(json!({"odd": true})));
        inner.omit(A, "id", json!("made-up"));
        let mut extras = Extras::left_over(A, object(json!({"unknown": [1]})));
        extras.spell(A, "stop", Some(json!(["x"])), json!("x"));
        extras.say_instead(A, ("schema", json!({"type": "string"})), ("type", json!("STRING")));
        extras.nest(A, "call", inner);
        extras.nest(A, "empty", Extras::default());
        extras.rename(A, "call", "the_call");

        let canonical = json!({
            "stop": ["x"], "schema": {"type": "string"}, "call": {"id": "made-up", "name": "f"},
        });
        let written = json!({
            "stop": "x", "type": "STRING", "the_call": {"name": "f", "odd": true}, "empty": {},
            "unknown": [1],
        });
        assert_eq!(restored(&extras, A, canonical.clone()), (written, vec![]));
        let losses = vec!["at.unknown".to_owned(), "at.call.odd".to_owned()];
        assert_eq!(restored(&extras, B, canonical.clone()), (canonical, losses));
    }

    #[test]
    fn what_was_changed_since_is_written_as_it_is_now() {
        let mut extras = Extras::default();
        extras.spell(A, "stop", Some(json!(["x"])), json!("x"));
        extras.omit(A, "id", json!("made-up"));
        extras.say_instead(A, ("schema", json!(1)), ("type", json!(2)));
        let changed = json!({"stop": ["y"], "id": "given", "schema": 3});
        assert_eq!(restored(&extras, A, changed.clone()), (changed, vec![]));
    }
}
