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
}

/// A field that the hub understands but would write differently: `"stop": "x"` for `["x"]`.
#[derive(Clone, Debug, PartialEq)]
struct Spelling {
    field: String,
    /// What the encoder writes when nothing was changed since decoding.
    canonical: Option<Value>,
    /// What the caller wrote.
    written: Value,
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
        self.fields.is_empty() && self.spellings.is_empty()
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
            self.spellings.push(Spelling { field: field.into(), canonical, written });
        }
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
                    out.insert(spelling.field.clone(), spelling.written.clone());
                }
            }
            for (name, value) in &self.fields {
                match (out.get_mut(name), value) {
                    (None, _) => {
                        out.insert(name.clone(), value.clone());
                    }
                    (Some(Value::Object(within)), Value::Object(left)) => {
                        for (name, value) in left {
                            within.entry(name.clone()).or_insert_with(|| value.clone());
                        }
                    }
                    (Some(_), _) => {}
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
    }
}
