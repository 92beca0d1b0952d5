//! The shape of a request as data, and the walk that finds the first thing wrong with it.
//! It knows no vendor: a dialect holds the tables and words the finding in its own manner.

use serde_json::{Map, Value};

/// What a value must look like.
#[derive(Debug)]
pub(crate) enum Shape {
    Any,
    Bool,
    Int,
    Num,
    Str,
    /// One of these strings.
    Word(&'static [&'static str]),
    List(&'static Shape),
    /// Any JSON object.
    Map,
    Object(&'static [Field]),
    /// Any JSON object whose members have the shape.
    MapOf(&'static Shape),
    /// Another table: what lets tables refer to themselves.
    Ref(&'static Shape),
    /// A string, or else the shape.
    StrOr(&'static Shape),
    /// An object whose string member of that name picks the fields.
    Tagged(&'static str, &'static [(&'static str, &'static [Field])]),
}

/// One member of an object.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) nullable: bool,
    pub(crate) shape: Shape,
}

/// A required member.
pub(crate) const fn must(name: &'static str, shape: Shape) -> Field {
    Field { name, required: true, nullable: false, shape }
}

/// A member that may be left out.
pub(crate) const fn may(name: &'static str, shape: Shape) -> Field {
    Field { name, required: false, nullable: false, shape }
}

/// A member that may be left out or null.
pub(crate) const fn null(name: &'static str, shape: Shape) -> Field {
    Field { name, required: false, nullable: true, shape }
}

/// A step towards a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seg {
    Key(String),
    Index(usize),
    /// The tag that picked the fields: not in the JSON, but in some vendors' paths.
    Variant(String),
}

/// The first thing found wrong.
#[derive(Debug, Clone)]
pub(crate) struct Flaw {
    pub(crate) path: Vec<Seg>,
    pub(crate) kind: FlawKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FlawKind {
    Missing,
    Unknown,
    Type { expected: Expected, got: &'static str, value: String },
    Word { allowed: Vec<&'static str>, got: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Bool,
    Int,
    Num,
    Str,
    List,
    Object,
    StrOrList,
}

/// How forgiving the reader is about JSON itself. Google's reader forgives all of these.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// `snake_case` for `camelCase`, null for absent, one item for a list, numbers for words and strings for numbers.
    pub(crate) loose: bool,
}

/// Finds the first flaw.
pub(crate) fn check(shape: &Shape, value: &Value, reading: Reading) -> Result<(), Flaw> {
    let mut walk = Walk { path: Vec::new(), reading };
    walk.value(shape, value)
}

struct Walk {
    path: Vec<Seg>,
    reading: Reading,
}

impl Walk {
    fn flaw(&self, kind: FlawKind) -> Flaw {
        Flaw { path: self.path.clone(), kind }
    }

    fn wrong(&self, expected: Expected, value: &Value) -> Flaw {
        self.flaw(FlawKind::Type { expected, got: kind_of(value), value: brief(value) })
    }

    fn under<T>(&mut self, seg: Seg, then: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(seg);
        let out = then(self);
        self.path.pop();
        out
    }

    fn value(&mut self, shape: &Shape, value: &Value) -> Result<(), Flaw> {
        let loose = self.reading.loose;
        let number_in_string = |s: &str| loose && s.parse::<f64>().is_ok();
        match (shape, value) {
            (Shape::Any, _) | (Shape::Bool, Value::Bool(_)) | (Shape::Num, Value::Number(_)) => {
                Ok(())
            }
            (Shape::Str | Shape::StrOr(_), Value::String(_)) | (Shape::Map, Value::Object(_)) => {
                Ok(())
            }
            (Shape::Int, Value::Number(n))
                if n.is_i64() || n.is_u64() || n.as_f64().is_some_and(|f| f.fract() == 0.0) =>
            {
                Ok(())
            }
            (Shape::Num | Shape::Int, Value::String(s)) if number_in_string(s) => Ok(()),
            (Shape::Word(_), Value::Number(_)) if loose => Ok(()),
            (Shape::Word(words), Value::String(s)) => {
                if words.iter().any(|w| *w == s || (loose && w.eq_ignore_ascii_case(s))) {
                    return Ok(());
                }
                Err(self.flaw(FlawKind::Word { allowed: words.to_vec(), got: s.clone() }))
            }
            (Shape::Ref(table), value) => self.value(table, value),
            (Shape::MapOf(item), Value::Object(map)) => {
                for (name, each) in map {
                    self.under(Seg::Key(name.clone()), |w| w.value(item, each))?;
                }
                Ok(())
            }
            (Shape::List(item), Value::Array(items)) => {
                for (at, each) in items.iter().enumerate() {
                    self.under(Seg::Index(at), |w| w.value(item, each))?;
                }
                Ok(())
            }
            (Shape::List(item), one) if loose => self.under(Seg::Index(0), |w| w.value(item, one)),
            (Shape::StrOr(other), value) => match (self.value(other, value), other) {
                (Err(Flaw { kind: FlawKind::Type { expected: Expected::List, .. }, path }), _)
                    if path == self.path =>
                {
                    Err(self.wrong(Expected::StrOrList, value))
                }
                (found, _) => found,
            },
            (Shape::Object(fields), Value::Object(map)) => self.fields(fields, map, None),
            (Shape::Tagged(tag, variants), Value::Object(map)) => self.tagged(tag, variants, map),
            (shape, value) => Err(self.wrong(expected(shape), value)),
        }
    }

    fn tagged(
        &mut self,
        tag: &'static str,
        variants: &'static [(&'static str, &'static [Field])],
        map: &Map<String, Value>,
    ) -> Result<(), Flaw> {
        let Some(found) = map.get(tag) else {
            return self.under(Seg::Key(tag.to_owned()), |w| Err(w.flaw(FlawKind::Missing)));
        };
        let Some(word) = found.as_str() else {
            return self.under(Seg::Key(tag.to_owned()), |w| Err(w.wrong(Expected::Str, found)));
        };
        match variants.iter().find(|(name, _)| *name == word) {
            Some((name, fields)) => {
                self.under(Seg::Variant((*name).to_owned()), |w| w.fields(fields, map, Some(tag)))
            }
            None => {
                let allowed = variants.iter().map(|(name, _)| *name).collect();
                self.under(Seg::Key(tag.to_owned()), |w| {
                    Err(w.flaw(FlawKind::Word { allowed, got: word.to_owned() }))
                })
            }
        }
    }

    fn fields(
        &mut self,
        fields: &'static [Field],
        map: &Map<String, Value>,
        tag: Option<&str>,
    ) -> Result<(), Flaw> {
        for field in fields {
            let found = member(map, field.name, self.reading);
            let seg = Seg::Key(field.name.to_owned());
            match found {
                Some(Value::Null) if field.nullable || self.reading.loose => {}
                Some(value) => self.under(seg, |w| w.value(&field.shape, value))?,
                None if field.required => {
                    return self.under(seg, |w| Err(w.flaw(FlawKind::Missing)));
                }
                None => {}
            }
        }
        for name in map.keys() {
            let known = fields
                .iter()
                .any(|f| f.name == name || (self.reading.loose && snake(f.name) == *name));
            if !known && tag != Some(name.as_str()) {
                return self.under(Seg::Key(name.clone()), |w| Err(w.flaw(FlawKind::Unknown)));
            }
        }
        Ok(())
    }
}

/// The value in the table's own spelling: names as the table writes them, no nulls, lists where lists belong.
pub(crate) fn canonical(shape: &Shape, value: &Value) -> Value {
    let reading = Reading { loose: true };
    match (shape, value) {
        (Shape::Ref(table), value) => canonical(table, value),
        (Shape::Object(fields), Value::Object(map)) => {
            let found = fields
                .iter()
                .filter_map(|f| Some((f, member(map, f.name, reading).filter(|v| !v.is_null())?)));
            Value::Object(found.map(|(f, v)| (f.name.to_owned(), canonical(&f.shape, v))).collect())
        }
        (Shape::MapOf(item), Value::Object(map)) => Value::Object(
            map.iter().map(|(name, each)| (name.clone(), canonical(item, each))).collect(),
        ),
        (Shape::List(item), Value::Array(items)) => {
            items.iter().map(|each| canonical(item, each)).collect()
        }
        (Shape::List(item), one) => Value::Array(vec![canonical(item, one)]),
        // An enum by its number: the tables hold the words in the order of their numbers.
        (Shape::Word(words), Value::Number(n)) => {
            let at = n.as_u64().and_then(|n| usize::try_from(n).ok());
            at.and_then(|at| words.get(at)).map_or(Value::Null, |word| Value::from(*word))
        }
        (Shape::Num | Shape::Int, Value::String(s)) => {
            s.parse::<f64>().map_or_else(|_| value.clone(), whole_or_not)
        }
        _ => value.clone(),
    }
}

fn whole_or_not(figure: f64) -> Value {
    if figure.fract() == 0.0 && figure.abs() < 9e15 {
        Value::from(figure as i64)
    } else {
        Value::from(figure)
    }
}

/// The member of that name, in either spelling when the reading is loose.
pub(crate) fn member<'a>(
    map: &'a Map<String, Value>,
    name: &str,
    reading: Reading,
) -> Option<&'a Value> {
    match map.get(name) {
        None if reading.loose => map.get(&snake(name)),
        found => found,
    }
}

/// `maxOutputTokens` as `max_output_tokens`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn expected(shape: &Shape) -> Expected {
    match shape {
        Shape::Bool => Expected::Bool,
        Shape::Int => Expected::Int,
        Shape::Num => Expected::Num,
        Shape::List(_) => Expected::List,
        Shape::Map | Shape::MapOf(_) | Shape::Object(_) | Shape::Tagged(..) => Expected::Object,
        Shape::Ref(table) => expected(table),
        Shape::Any | Shape::Str | Shape::Word(_) | Shape::StrOr(_) => Expected::Str,
    }
}

/// JSON's own word for what the value is.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "decimal",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn brief(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}
