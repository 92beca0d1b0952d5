//! Taking a JSON object of a caller apart, field by field, so that nothing is lost: what is
//! understood is taken, how it was spelled is remembered, the rest stays behind as extras. For
//! dialects that write a field under one name; deliberately without knowledge of what they mean.

use serde_json::{Map, Number, Value};
use tollgate_model::{DialectId, Extras, Fault, Role};

use crate::{Incoming, refused, tree};

#[derive(Debug)]
pub(crate) struct Fields {
    dialect: DialectId,
    fields: Map<String, Value>,
    extras: Extras,
    path: String,
}

impl Fields {
    /// The body of a request, without anything that no caller may send.
    pub(crate) fn body(dialect: DialectId, incoming: &Incoming<'_>) -> Result<Self, Fault> {
        let body = tree::read(incoming.body)
            .map_err(|error| Fault::invalid(format!("The body is not valid JSON: {error}.")))?;
        let top = Self::of(dialect, body, "")?;
        refused::check(&top.fields)?;
        Ok(top)
    }

    /// The fields of `value`, which stands at `path` in the caller's document.
    pub(crate) fn of(dialect: DialectId, value: Value, path: &str) -> Result<Self, Fault> {
        match value {
            Value::Object(fields) => Ok(Self {
                dialect,
                fields,
                extras: Extras::left_over(dialect, Map::new()),
                path: path.to_owned(),
            }),
            other => Err(expected(path, "an object", &other)),
        }
    }

    pub(crate) fn all(&self) -> &Map<String, Value> {
        &self.fields
    }

    pub(crate) fn extras(&mut self) -> &mut Extras {
        &mut self.extras
    }

    /// The path of a field of this object, as callers write it.
    pub(crate) fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(crate) fn wrong(&self, name: &str, wanted: &str, found: &Value) -> Fault {
        expected(&self.at(name), wanted, found)
    }

    pub(crate) fn missing(&self, name: &str) -> Fault {
        let at = self.at(name);
        Fault::invalid_field(&at, format!("Missing required parameter: '{at}'."))
    }

    /// Takes a field as it is, `null` included.
    pub(crate) fn take_raw(&mut self, name: &str) -> Option<Value> {
        self.fields.shift_remove(name)
    }

    /// Takes a field; a `null` is remembered and counts as absent.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        match self.fields.shift_remove(name)? {
            Value::Null => {
                self.extras.spell(self.dialect, name, None, Value::Null);
                None
            }
            value => Some(value),
        }
    }

    /// Puts a field back, to stay behind as an extra.
    pub(crate) fn leave(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    /// The model that is asked for: the body's, else the path's.
    pub(crate) fn model(&mut self, incoming: &Incoming<'_>) -> Result<String, Fault> {
        match (self.string("model")?, incoming.model) {
            (Some(model), _) => Ok(model),
            (None, Some(model)) => Ok(model.to_owned()),
            (None, None) => Err(self.missing("model")),
        }
    }

    /// Who speaks, where a dialect knows these four.
    pub(crate) fn role(&mut self) -> Result<Role, Fault> {
        match self.string("role")?.as_deref() {
            Some("system") => Ok(Role::System),
            Some("user") => Ok(Role::User),
            Some("assistant") => Ok(Role::Assistant),
            Some("tool") => Ok(Role::Tool),
            Some(other) => {
                let wanted = "one of system, user, assistant and tool";
                Err(self.wrong("role", wanted, &other.into()))
            }
            None => Err(self.missing("role")),
        }
    }

    /// A flag whose absence means no; a written `false` is remembered.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Fault> {
        let flag = self.bool(name)?;
        if flag == Some(false) {
            self.extras.spell(self.dialect, name, None, false.into());
        }
        Ok(flag.unwrap_or_default())
    }

    pub(crate) fn string(&mut self, name: &str) -> Result<Option<String>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(name, "a string", &other)),
        }
    }

    /// An object, to be taken apart in turn; see [`nest_in`](Self::nest_in).
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Self>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => Self::of(self.dialect, value, &self.at(name)).map(Some),
        }
    }

    pub(crate) fn bool(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(yes)) => Ok(Some(yes)),
            Some(other) => Err(self.wrong(name, "a boolean", &other)),
        }
    }

    pub(crate) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(self.wrong(name, "an array", &other)),
        }
    }

    pub(crate) fn float(&mut self, name: &str) -> Result<Option<f64>, Fault> {
        let Some(value) = self.take(name) else { return Ok(None) };
        match value.as_f64() {
            Some(number) => {
                let canonical = Number::from_f64(number).map(Value::Number);
                self.extras.spell(self.dialect, name, canonical, value);
                Ok(Some(number))
            }
            None => Err(self.wrong(name, "a number", &value)),
        }
    }

    /// A whole number, which some callers write as `100.0`.
    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(value) = self.take(name) else { return Ok(None) };
        match whole(&value) {
            Some(number) => {
                self.extras.spell(self.dialect, name, Some(number.into()), value);
                Ok(Some(number))
            }
            None => Err(self.wrong(name, "an integer", &value)),
        }
    }

    pub(crate) fn count(&mut self, name: &str) -> Result<Option<u64>, Fault> {
        match self.integer(name)? {
            None => Ok(None),
            Some(number) => u64::try_from(number).map(Some).map_err(|_| {
                self.wrong(name, "an integer that is not negative", &Value::from(number))
            }),
        }
    }

    /// A count that fits 32 bits.
    pub(crate) fn small(&mut self, name: &str) -> Result<Option<u32>, Fault> {
        match self.count(name)? {
            None => Ok(None),
            Some(count) => u32::try_from(count)
                .map(Some)
                .map_err(|_| self.wrong(name, "a smaller integer", &Value::from(count))),
        }
    }

    /// A text or a list of texts; one that stands alone is remembered as such.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, Fault> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::String(one)) => {
                let list = Value::from(vec![one.as_str()]);
                self.extras.spell(self.dialect, name, Some(list), one.as_str().into());
                Ok(vec![one])
            }
            Some(Value::Array(list)) => {
                if list.is_empty() {
                    self.extras.spell(self.dialect, name, None, Value::Array(Vec::new()));
                }
                let texts = list.into_iter().enumerate().map(|(at, item)| match item {
                    Value::String(text) => Ok(text),
                    other => Err(self.wrong(&format!("{name}[{at}]"), "a string", &other)),
                });
                texts.collect()
            }
            Some(other) => Err(self.wrong(name, "a string or an array of strings", &other)),
        }
    }

    /// Whether usage is wanted at the end of a stream, as OpenAI's dialects say it.
    pub(crate) fn stream_usage(&mut self) -> Result<bool, Fault> {
        let name = "stream_options";
        let Some(written) = self.take(name) else { return Ok(false) };
        let empty = written.as_object().is_some_and(Map::is_empty);
        let mut options = Fields::of(self.dialect, written, name)?;
        let usage = options.flag("include_usage")?;
        if empty {
            self.extras.spell(self.dialect, name, None, Value::Object(Map::new()));
        }
        options.rest_in(self, name);
        Ok(usage)
    }

    /// What stayed behind of the object in the field `name` of `holder` is kept there.
    pub(crate) fn rest_in(self, holder: &mut Fields, name: &str) {
        let (dialect, rest) = (self.dialect, self.rest());
        if !rest.is_empty() {
            holder.extras.nest(dialect, name, rest);
        }
    }

    /// The same, for an object that is written again even if nothing stayed behind.
    pub(crate) fn nest_in(self, holder: &mut Fields, name: &str) {
        let (dialect, rest) = (self.dialect, self.rest());
        holder.extras.nest(dialect, name, rest);
    }

    /// What stayed behind.
    pub(crate) fn rest(mut self) -> Extras {
        for (name, value) in self.fields {
            self.extras.keep(self.dialect, name, value);
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

pub(crate) fn expected(path: &str, wanted: &str, found: &Value) -> Fault {
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
