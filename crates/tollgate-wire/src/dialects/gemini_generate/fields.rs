//! One JSON object of a request while it is read: fields are taken out by name, and whatever is
//! left, or was written otherwise than the encoder would, becomes the object's [`Extras`].
//!
//! Google's JSON takes every name in camelCase and in snake_case, and `null` for "not there".

use serde_json::{Map, Value};
use tollgate_model::{Extras, Fault};

use super::ID;

#[derive(Debug)]
pub(super) struct Fields {
    map: Map<String, Value>,
    pub(super) extras: Extras,
    path: String,
}

impl Fields {
    /// # Errors
    /// When the value is no object.
    pub(super) fn open(value: Value, path: impl Into<String>) -> Result<Self, Fault> {
        let path = path.into();
        match value {
            Value::Object(map) => Ok(Self { map, extras: Extras::left_over(ID, Map::new()), path }),
            other => Err(wrong(&path, "an object", &other)),
        }
    }

    pub(super) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        let there = |name: &str| self.map.get(name).is_some_and(|value| !value.is_null());
        there(name) || there(&snake(name))
    }

    /// Takes a field that is there and not `null`.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        match self.map.get(name) {
            Some(Value::Null) => None,
            Some(_) => self.map.remove(name),
            None => {
                let other = snake(name);
                if other == name || self.map.get(&other)?.is_null() {
                    return None;
                }
                self.extras.rename(ID, name, &other);
                self.map.remove(&other)
            }
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(&self.path(name), "a string", &other)),
        }
    }

    /// A text that must be there.
    pub(super) fn required_text(&mut self, name: &str) -> Result<String, Fault> {
        let path = self.path(name);
        self.text(name)?.ok_or_else(|| {
            Fault::invalid_field(&path, format!("'{path}' is missing: expected a string"))
        })
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(wrong(&self.path(name), "true or false", &other)),
        }
    }

    /// A number; Google's JSON takes it as text too.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, Fault> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let Some(number) = plain(&value).as_f64() else {
            return Err(wrong(&self.path(name), "a number", &value));
        };
        self.extras.spell(ID, name, Some(number.into()), value);
        Ok(Some(number))
    }

    /// A whole number, which may be written `40`, `40.0` or `"40"`.
    pub(super) fn whole(&mut self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let read = plain(&value);
        let fits = |number: &f64| number.fract() == 0.0 && number.abs() < 9e15;
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        let float = || read.as_f64().filter(fits).map(|number| number as i64);
        let Some(number) = read.as_i64().or_else(float) else {
            return Err(wrong(&self.path(name), "a whole number", &value));
        };
        self.extras.spell(ID, name, Some(number.into()), value);
        Ok(Some(number))
    }

    /// A count that fits 32 bits.
    pub(super) fn small(&mut self, name: &str) -> Result<Option<u32>, Fault> {
        let Some(number) = self.count(name)? else { return Ok(None) };
        let path = self.path(name);
        let large = |_| Fault::invalid_field(&path, format!("'{path}' is too large"));
        u32::try_from(number).map(Some).map_err(large)
    }

    /// A whole number that is not negative.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, Fault> {
        let Some(number) = self.whole(name)? else { return Ok(None) };
        let path = self.path(name);
        u64::try_from(number)
            .map(Some)
            .map_err(|_| Fault::invalid_field(&path, format!("'{path}' must not be negative")))
    }

    /// An enum's word; answers and requests of some clients hold its number.
    pub(super) fn word(&mut self, name: &str) -> Result<Option<Value>, Fault> {
        match self.take(name) {
            Some(value @ (Value::String(_) | Value::Number(_))) => Ok(Some(value)),
            None => Ok(None),
            Some(other) => Err(wrong(&self.path(name), "a word", &other)),
        }
    }

    /// A list; a single element stands for a list of one, as in Google's own reading.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(one @ Value::Object(_)) => {
                self.extras.choose(ID, ONE);
                Ok(Some(vec![one]))
            }
            Some(other) => Err(wrong(&self.path(name), "a list", &other)),
        }
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Fault> {
        let path = self.path(name);
        let Some(value) = self.take(name) else { return Ok(None) };
        let Value::Array(list) = value else { return Err(wrong(&path, "a list", &value)) };
        let text = |(at, value): (usize, Value)| match value {
            Value::String(text) => Ok(text),
            other => Err(wrong(&format!("{path}[{at}]"), "a string", &other)),
        };
        list.into_iter().enumerate().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// The whole object, for one of which nothing was taken.
    pub(super) fn into_value(self) -> Value {
        Value::Object(self.map)
    }

    /// What is left, and how the rest was written.
    pub(super) fn into_extras(self) -> Extras {
        let mut extras = self.extras;
        for (name, value) in self.map {
            extras.keep(ID, name, value);
        }
        extras
    }
}

/// The form of a list of one that was written without its brackets.
pub(super) const ONE: &str = "one";

/// A number that may be written as text.
fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text.trim()).unwrap_or(Value::Null),
        other => other.clone(),
    }
}

/// The fault of a field with a value of the wrong type.
pub(super) fn wrong(path: &str, expected: &str, got: &Value) -> Fault {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let what = if path.is_empty() { "The body" } else { path };
    Fault::invalid_field(path, format!("'{what}' must be {expected}, not {got}"))
}

/// `inlineData` as `inline_data`.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
