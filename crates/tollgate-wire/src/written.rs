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
        Value::Number(number) => drop(write!(out, "{number}")),
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
