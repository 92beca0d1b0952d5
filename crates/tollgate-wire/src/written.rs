//! JSON trees as bytes: the same bytes as serde's, with texts taken run by run instead of byte by
//! byte. Only for what is built here; what merely travels is never written anew.

use std::io::Write as _;

use serde_json::Value;

use crate::scan::plain;

/// The bytes of a tree.
pub(crate) fn json(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    json_to(value, &mut out);
    out
}

/// Appends the bytes of a tree. Trees are read or built within a bounded depth.
pub(crate) fn json_to(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        // Writing into a vector cannot fail.
        Value::Number(number) => match number.as_u64() {
            Some(count) => count_to(count, out),
            None => drop(write!(out, "{number}")),
        },
        Value::String(text) => text_to(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                json_to(item, out);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            for (at, (name, member)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                text_to(name, out);
                out.push(b':');
                json_to(member, out);
            }
            out.push(b'}');
        }
    }
}

/// An object that is written member by member, without a tree. Its names are ours, and need no
/// escapes.
pub(crate) struct Members<'o> {
    out: &'o mut Vec<u8>,
    begun: bool,
}

impl<'o> Members<'o> {
    /// Opens an object at the end of `out`.
    pub(crate) fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, begun: false }
    }

    /// Names a member, whose value is to be appended to what this gives.
    pub(crate) fn name(&mut self, name: &str) -> &mut Vec<u8> {
        self.out.extend_from_slice(if self.begun { b",\"" } else { b"\"" });
        self.begun = true;
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        text_to(text, self.name(name));
    }

    pub(crate) fn count(&mut self, name: &str, count: u64) {
        count_to(count, self.name(name));
    }

    pub(crate) fn value(&mut self, name: &str, value: &Value) {
        json_to(value, self.name(name));
    }

    pub(crate) fn object(&mut self, name: &str) -> Members<'_> {
        Members::begin(self.name(name))
    }

    pub(crate) fn end(self) {
        self.out.push(b'}');
    }
}

/// Appends a number.
pub(crate) fn count_to(count: u64, out: &mut Vec<u8>) {
    let (mut digits, mut rest) = ([b'0'; 20], count);
    let mut from = digits.len();
    while let Some(place) = digits.get_mut(from.wrapping_sub(1)) {
        *place = b'0' + (rest % 10) as u8;
        (from, rest) = (from - 1, rest / 10);
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[from..]);
}

/// Appends a text in its quotes.
pub(crate) fn text_to(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + 2);
    out.push(b'"');
    loop {
        let (run, special) = rest.split_at(plain(rest));
        out.extend_from_slice(run);
        let Some((byte, after)) = special.split_first() else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            _ => drop(write!(out, "\\u{byte:04x}")),
        }
        rest = after;
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_without_a_tree_is_the_same() {
        let counts = [0, 7, 10, 99, 100, 12_345, u64::MAX];
        let mut out = Vec::new();
        let mut members = Members::begin(&mut out);
        Members::begin(members.name("empty")).end();
        members.text("text", "a \"b\"\n");
        let mut inner = members.object("inner");
        for count in counts {
            inner.count(&count.to_string(), count);
        }
        inner.end();
        members.value("value", &json!([1, null]));
        members.end();
        let inner: serde_json::Map<_, _> =
            counts.iter().map(|count| (count.to_string(), json!(count))).collect();
        let tree = json!({"empty": {}, "text": "a \"b\"\n", "inner": inner, "value": [1, null]});
        assert_eq!(out, json(&tree));
    }

    #[test]
    fn the_bytes_are_those_of_serde() {
        let every: String = (0..=0x2100).filter_map(char::from_u32).collect();
        let long = "long enough for runs of thirty-two bytes, and then \"quoted\"\n".repeat(3);
        let value = json!({
            "every": every, "long": long, "": [], "o": {}, "key \"\\\n": null,
            "n": [0, -1, u64::MAX, i64::MIN, 1.0, -0.0, 0.1, 1e300, 1e-7, 123_456.789],
            "deep": [[{"a": [true, false, null, {"b": "😀"}]}]],
        });
        assert_eq!(json(&value), serde_json::to_vec(&value).unwrap());
        for cut in 0..long.len() {
            let value = Value::from(&long[cut..]);
            assert_eq!(json(&value), serde_json::to_vec(&value).unwrap());
        }
    }
}
