//! The one place that knows the YAML library: text in, a tree of values with their places out. It
//! knows nothing of what a configuration means.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Spanned};

use super::place::{Path, Place, Step};
use super::refusal::Refusal;

/// Largest file that is read at all.
pub(super) const MAX_BYTES: usize = 4 << 20;
const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 200_000;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One line of a mapping. Its keys are text, and may repeat: the reader of the tree decides what
/// that means.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: Place,
    pub(super) node: Node,
}

/// Reads one document.
///
/// # Errors
/// When the text is not YAML, is too large, or holds more than one document.
pub(super) fn parse(text: &str) -> Result<Node, Refusal> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
        return Err(at_top(Place { line: 1, column: 1 }, message, "is it the right file?"));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        reject_unsupported_tags: true,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| refusal_of(&error))
}

impl Node {
    /// Where the value at `path` stands, or the nearest thing above it that stands in the file.
    #[must_use]
    pub(super) fn place(&self, path: &Path) -> Place {
        let mut at = self.at;
        let mut node = self;
        for step in path.steps() {
            match (&node.value, step) {
                (Value::Map(entries), Step::Key(name)) => {
                    let Some(entry) = entries.iter().find(|entry| entry.key == *name) else {
                        break;
                    };
                    node = &entry.node;
                    // A mapping begins where it is named; a value where it is written.
                    at = if node.is_container() { entry.key_at } else { node.at };
                }
                (Value::List(items), Step::Index(index)) => {
                    let Some(item) = items.get(*index) else { break };
                    node = item;
                    at = node.at;
                }
                _ => break,
            }
        }
        at
    }

    /// The value at `path`.
    #[must_use]
    pub(super) fn find(&self, path: &Path) -> Option<&Self> {
        path.steps().iter().try_fold(self, |node, step| match (&node.value, step) {
            (Value::Map(entries), Step::Key(name)) => {
                entries.iter().find(|entry| entry.key == *name).map(|entry| &entry.node)
            }
            (Value::List(items), Step::Index(index)) => items.get(*index),
            _ => None,
        })
    }

    /// The same values without their places.
    #[must_use]
    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(text) => text.clone().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect()
            }
        }
    }

    const fn is_container(&self) -> bool {
        matches!(self.value, Value::Map(_) | Value::List(_))
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let at = place_of(&spanned.referenced);
        Ok(Self { at, value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::Integer).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        i64::try_from(value).map(Value::Integer).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Value, E> {
        i64::try_from(value).map(Value::Integer).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            if entries.len() >= MAX_NODES {
                return Err(A::Error::custom("too many entries"));
            }
            let key_at = place_of(&key.referenced);
            entries.push(Entry { key: key.value, key_at, node: map.next_value()? });
        }
        Ok(Value::Map(entries))
    }
}

fn place_of(location: &serde_saphyr::Location) -> Place {
    Place { line: location.line(), column: location.column() }
}

fn at_top(at: Place, message: impl Into<String>, hint: &str) -> Refusal {
    Refusal::new(at, &Path::top(), message, hint)
}

fn refusal_of(error: &serde_saphyr::Error) -> Refusal {
    use serde_saphyr::{DefaultMessageFormatter, Error, MessageFormatter};
    let error = error.without_snippet();
    let at = error.location().map_or(Place { line: 1, column: 1 }, |location| place_of(&location));
    let hint = match error {
        Error::MultipleDocuments { .. } => "keep one document; a second `---` begins another",
        Error::UnknownAnchor { .. } => {
            "an alias `*name` needs an anchor `&name` above it; a name with a `*` needs quotes"
        }
        Error::UnsupportedTag { .. } => {
            "tags such as `!include` are not read; write the value here"
        }
        Error::Budget { .. } => "the file is deeper or larger than any configuration should be",
        Error::Eof { .. } => "a file needs at least `providers`",
        _ => {
            "check the indentation (spaces, no tabs), the quotes and the brackets here and on the line before"
        }
    };
    let message = format!("this is not YAML: {}", DefaultMessageFormatter.format_message(error));
    at_top(at, message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_place() {
        let node = parse("a: 1\nb:\n  c: [x, \"y\", 2.5]\n  d: {e: true}\n").unwrap();
        let top = Path::top();
        let at = |path: &Path| (node.place(path).line, node.place(path).column);
        assert_eq!(at(&top.key("a")), (1, 4));
        assert_eq!(at(&top.key("b")), (2, 1));
        assert_eq!(at(&top.key("b").key("c").index(1)), (3, 10));
        assert_eq!(at(&top.key("b").key("d").key("e")), (4, 10));
        assert_eq!(at(&top.key("b").key("absent").key("x")), (2, 1));
        assert_eq!(
            node.to_json(),
            serde_json::json!({"a": 1, "b": {"c": ["x", "y", 2.5], "d": {"e": true}}})
        );
    }

    #[test]
    fn repeated_keys_are_kept_for_the_reader_to_judge() {
        let node = parse("a: 1\na: 2\n").unwrap();
        let Value::Map(entries) = node.value else { panic!("a mapping") };
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1].key_at, Place { line: 2, column: 1 });
    }

    #[test]
    fn what_is_not_yaml_is_refused_with_a_place() {
        let deep = format!("a: {}{}", "[".repeat(100), "]".repeat(100));
        for text in [
            "a: [1",
            "a: 'x",
            "a:\n\tb: 1",
            "a: b: c",
            "a: *x",
            "a: !include x",
            "---\na: 1\n---\nb: 1\n",
            &deep,
            "a: 9999999999999999999",
        ] {
            let refusal = parse(text).unwrap_err();
            assert!(refusal.line > 0 && refusal.column > 0, "{text:?}: {refusal:?}");
            assert!(!refusal.hint.is_empty());
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_goes_off() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let (before, times) = (level - 1, format!("*a{}, ", level - 1).repeat(9));
            bomb.push_str(&format!("a{level}: &a{level} [{times}*a{before}]\n"));
        }
        let began = std::time::Instant::now();
        assert!(parse(&bomb).is_err());
        assert!(began.elapsed().as_secs() < 5);
    }

    #[test]
    fn marks_and_line_ends_of_other_systems_are_no_fault() {
        let node = parse("\u{feff}a: 1\r\nb: x\r\n").unwrap();
        assert_eq!(node.to_json(), serde_json::json!({"a": 1, "b": "x"}));
    }
}
