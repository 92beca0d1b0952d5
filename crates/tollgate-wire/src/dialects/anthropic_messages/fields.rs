//! Takes the fields of a JSON object one by one, checking their types; what nobody took is left
//! over. A `null` is left where it is: it says nothing, and is given back as it was written.
//!
//! Deliberately without any knowledge of what the fields mean.

use serde_json::{Map, Value};
use tollgate_model::Fault;

#[derive(Debug)]
pub(super) struct Fields {
    map: Map<String, Value>,
    path: String,
}

impl Fields {
    /// The fields of `value`, which stands at `path` in the caller's document.
    pub(super) fn of(value: Value, path: impl Into<String>) -> Result<Self, Fault> {
        let path = path.into();
        match value {
            Value::Object(map) => Ok(Self { map, path }),
            _ => Err(wrong(&path, "expected an object")),
        }
    }

    /// Where `name` stands in the caller's document.
    pub(super) fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The field as it is, left in its place.
    pub(super) fn peek(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    /// The `type` of the object; empty when it has none.
    pub(super) fn kind(&self) -> &str {
        self.peek("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// Any value but `null`.
    pub(super) fn value(&mut self, name: &str) -> Option<Value> {
        if self.map.get(name)?.is_null() {
            return None;
        }
        self.map.remove(name)
    }

    pub(super) fn put_back(&mut self, name: &str, value: Value) {
        self.map.insert(name.to_owned(), value);
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(&self.at(name), "expected a string")),
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(wrong(&self.at(name), "expected true or false")),
        }
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Fault> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(_) => Err(wrong(&self.at(name), "expected a list")),
        }
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Option<Fields>, Fault> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => Self::of(value, self.at(name)).map(Some),
        }
    }

    /// A whole number, also when it is written `8.0`; with it, how it was written.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<(u64, Value)>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        match whole(&value) {
            Some(number) => Ok(Some((number, value))),
            None => Err(wrong(&self.at(name), "expected a whole number, not negative")),
        }
    }

    /// A number; with it, how it was written.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<(f64, Value)>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        match value.as_f64() {
            Some(number) => Ok(Some((number, value))),
            None => Err(wrong(&self.at(name), "expected a number")),
        }
    }

    /// As [`text`](Self::text), but the field must be there.
    pub(super) fn need_text(&mut self, name: &str) -> Result<String, Fault> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    pub(super) fn missing(&self, name: &str) -> Fault {
        wrong(&self.at(name), "field required")
    }

    pub(super) fn left_over(self) -> Map<String, Value> {
        self.map
    }
}

/// A fault that names the field and says what is wrong with it.
pub(super) fn wrong(path: &str, what: &str) -> Fault {
    let place = if path.is_empty() { "body" } else { path };
    Fault::invalid_field(place, format!("{place}: {what}"))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the float was found whole, not negative and below 2^53"
)]
fn whole(value: &Value) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_u64().or_else(|| {
        let float = value.as_f64()?;
        ((0.0..EXACT).contains(&float) && float.fract() == 0.0).then_some(float as u64)
    })
}
