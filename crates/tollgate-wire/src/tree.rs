//! JSON as a tree: the same tree as serde's in fewer steps, since texts are taken run by run and the
//! outermost object has its room at once. What is odd or unsound is left to serde, and its words for
//! what is wrong with it.

use serde_json::{Map, Number, Value};

use crate::scan::reader::{self, Reader};

/// Levels of lists and objects; what is deeper is left to serde, which has a bound too.
const MOST_LEVELS: u32 = 64;
/// Members that the outermost object has room for: a hash table is filled to seven eighths.
const MEMBERS: usize = 14;

/// One value and nothing more.
pub(crate) fn read(json: &[u8]) -> serde_json::Result<Value> {
    seen(json).map_or_else(|| serde_json::from_slice(json), Ok)
}

fn seen(json: &[u8]) -> Option<Value> {
    let mut reader = Reader::new(json);
    let value = value(&mut reader, 0)?;
    reader.end()?;
    Some(value)
}

fn value(reader: &mut Reader<'_>, level: u32) -> Option<Value> {
    if level > MOST_LEVELS {
        return None;
    }
    match reader.peek()? {
        b'"' => Some(Value::String(reader.text()??.into_owned())),
        b'{' => {
            let mut members = Map::new();
            reader.object(|key, reader| {
                if level == 0 && members.is_empty() {
                    members = Map::with_capacity(MEMBERS);
                }
                let key = std::str::from_utf8(key).ok()?.to_owned();
                let value = value(reader, level + 1)?;
                // Of the same key twice the last one counts, in the place of the first.
                members.insert(key, value);
                Some(())
            })?;
            Some(Value::Object(members))
        }
        b'[' => {
            let mut items = Vec::new();
            reader.list(|reader| {
                items.push(value(reader, level + 1)?);
                Some(())
            })?;
            Some(Value::Array(items))
        }
        b't' => reader.word(b"true").map(|()| Value::Bool(true)),
        b'f' => reader.word(b"false").map(|()| Value::Bool(false)),
        b'n' => reader.null().map(|()| Value::Null),
        _ => number(reader.number()?).map(Value::Number),
    }
}

fn number(written: &[u8]) -> Option<Number> {
    match reader::count(written) {
        Some(count) => Some(count.into()),
        None => serde_json::from_slice(written).ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As serde reads it, and seen here rather than left to it.
    fn is_seen(text: &str) {
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(seen(text.as_bytes()), Some(value), "{text}");
    }

    #[test]
    fn a_tree_is_that_of_serde() {
        for text in [
            "0",
            "-0",
            "-1",
            "18446744073709551615",
            "18446744073709551616",
            "0.1",
            "1E+2",
            "-0.0",
            "123456789.123456789e-30",
            r#""""#,
            r#""é\u00e9\ud83d\ude00\n\"\/""#,
            "[]",
            "{}",
            " [ 1 , [ ] , { \"a\" : null } , true , false ] ",
            r#"{"b":1,"a":2,"b":{"c":[{"d":"e"}]}}"#,
        ] {
            is_seen(text);
        }
        let wide: Vec<String> = (0..100).map(|n| format!("\"k{n}\":{n}")).collect();
        is_seen(&format!("{{{}}}", wide.join(",")));
    }

    #[test]
    fn what_is_odd_is_left_to_serde_and_what_is_wrong_is_refused() {
        for text in [r#"{"\u0061":1}"#, &format!("{}1{}", "[".repeat(80), "]".repeat(80))] {
            assert_eq!(seen(text.as_bytes()), None, "{text}");
            assert_eq!(
                read(text.as_bytes()).unwrap(),
                serde_json::from_str::<Value>(text).unwrap()
            );
        }
        for text in ["", "1 2", "[1,]", "{\"a\"}", "\"\\ud800\"", "01", "1e400", "nul", "\"\n\""] {
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read(b"\"\xff\"").is_err());
        assert!(read(b"{\"\xff\":1}").is_err());
    }

    proptest! {
        /// Whatever is damaged: both take it for the same, or both refuse it.
        #[test]
        fn both_judge_alike(at in 0usize..90, byte in any::<u8>()) {
            let mut text = br#"{"model":"m-1","n":[0,-1.5e3,true,null],"o":{"a\u00e9":"\ud83d\ude00 text","":[{}]},"z":12}"#.to_vec();
            if let Some(place) = text.get_mut(at) {
                *place = byte;
            }
            prop_assert_eq!(read(&text).ok(), serde_json::from_slice::<Value>(&text).ok());
        }
    }
}
