//! Taking a JSON object of a caller apart, field by field, so that nothing is lost: what is
//! understood is taken, how it was spelled is remembered, the rest stays behind as extras.

use serde_json::{Map, Number, Value};
use tollgate_model::{Extras, Fault};

use super::ID;

#[derive(Debug)]
pub(super) struct Fields {
    fields: Map<String, Value>,
    extras: Extras,
    path: String,
}

impl Fields {
    pub(super) fn of(value: Value, path: &str) -> Result<Self, Fault> {
        match value {
            Value::Object(fields) => Ok(Self {
                fields,
                extras: Extras::left_over(ID, Map::new()),
                path: path.to_owned(),
            }),
            other => Err(expected(path, "an object", &other)),
        }
    }

    pub(super) fn all(&self) -> &Map<String, Value> {
        &self.fields
    }

    pub(super) fn extras(&mut self) -> &mut Extras {
        &mut self.extras
    }

    /// The path of a field of this object, as callers write it.
    pub(super) fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn wrong(&self, name: &str, wanted: &str, found: &Value) -> Fault {
        expected(&self.at(name), wanted, found)
    }

    pub(super) fn missing(&self, name: &str) -> Fault {
        let at = self.at(name);
        Fault::invalid_field(&at, format!("Missing required parameter: '{at}'."))
    }

    /// Takes a field as it is, `null` included.
    pub(super) fn take_raw(&mut self, name: &str) -> Option<Value> {
        self.fields.shift_remove(name)
    }

    /// Takes a field; a `null` is remembered and counts as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        match self.fields.shift_remove(name)? {
            Value::Null => {
                self.extras.spell(ID, name, None, Value::Null);
                None
            }
            value => Some(value),
        }
    }

    /// Puts a field back, to stay behind as an extra.
    pub(super) fn leave(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    pub(super) fn string(&mut self, name: &str) -> Result<Option<String>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(name, "a string", &other)),
        }
    }

    pub(super) fn bool(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(yes)) => Ok(Some(yes)),
            Some(other) => Err(self.wrong(name, "a boolean", &other)),
        }
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(self.wrong(name, "an array", &other)),
        }
    }

    pub(super) fn float(&mut self, name: &str) -> Result<Option<f64>, Fault> {
        let Some(value) = self.take(name) else { return Ok(None) };
        match value.as_f64() {
            Some(number) => {
                let canonical = Number::from_f64(number).map(Value::Number);
                self.extras.spell(ID, name, canonical, value);
                Ok(Some(number))
            }
            None => Err(self.wrong(name, "a number", &value)),
        }
    }

    /// A whole number, which some callers write as `100.0`.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(value) = self.take(name) else { return Ok(None) };
        match whole(&value) {
            Some(number) => {
                self.extras.spell(ID, name, Some(number.into()), value);
                Ok(Some(number))
            }
            None => Err(self.wrong(name, "an integer", &value)),
        }
    }

    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, Fault> {
        match self.integer(name)? {
            None => Ok(None),
            Some(number) => u64::try_from(number).map(Some).map_err(|_| {
                self.wrong(name, "an integer that is not negative", &Value::from(number))
            }),
        }
    }

    /// What stayed behind of the object in the field `name` of `holder` is kept there.
    pub(super) fn rest_in(self, holder: &mut Fields, name: &str) {
        let rest = self.rest();
        if !rest.is_empty() {
            holder.extras.nest(ID, name, rest);
        }
    }

    /// What stayed behind.
    pub(super) fn rest(mut self) -> Extras {
        for (name, value) in self.fields {
            self.extras.keep(ID, name, value);
        }
        self.extras
    }
}

fn whole(value: &Value) -> Option<i64> {
    if let Some(number) = value.as_i64() {
        return Some(number);
    }
    let number = value.as_f64()?;
    // Beyond 2^53 a float no longer names one integer.
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

pub(super) fn expected(path: &str, wanted: &str, found: &Value) -> Fault {
    let what = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    if path.is_empty() {
        return Fault::invalid(format!("The body must be {wanted}, but is {what}."));
    }
    Fault::invalid_field(
        path,
        format!("Invalid type for '{path}': expected {wanted}, but got {what} instead."),
    )
}
