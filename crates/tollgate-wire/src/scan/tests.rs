//! What passes, what is refused and with which words; all against an independent reader.

use std::collections::HashSet;
use std::fmt;
use std::time::Instant;

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Limits, ScanErrorKind, scan};

const LIMITS: Limits = Limits::seeded(0x5EED);

#[track_caller]
fn check(body: &str, wanted: &str) {
    let said =
        scan(body.as_bytes(), &LIMITS).map_or_else(|error| error.to_string(), |_| "sound".into());
    assert_eq!(said, wanted, "{body}");
}

#[test]
fn sound_bodies_pass() {
    for body in [
        "{}",
        "[]",
        " [ ] ",
        "null",
        "\"\"",
        "-0.5e+7",
        "1e400",
        "{\"a\":{\"a\":[{\"a\":1},{\"a\":1}]}}",
        "\"\\ud83d\\ude00\"",
        "{\"\":1}",
        "[\"é😀\u{7f}\u{2028}\"]",
        "\n{\"a\" : 1 ,\r\n\"b\":\ttrue}\n",
    ] {
        check(body, "sound");
    }
}

#[test]
fn a_refusal_says_what_and_where() {
    check("", "the body is empty at byte 0 (line 1, column 1)");
    check("  \n ", "the body is empty at byte 4 (line 2, column 2)");
    check(
        "{\"a\":1",
        "the body ends where \",\" or \"}\" should stand, at byte 6 (line 1, column 7)",
    );
    check("{\"a\":}", "'}' instead of a value at byte 5 (line 1, column 6)");
    check("{a:1}", "'a' instead of a key in quotes at byte 1 (line 1, column 2)");
    check("{\"a\":1,}", "'}' instead of a key in quotes at byte 7 (line 1, column 8)");
    check("[1,]", "']' instead of a value at byte 3 (line 1, column 4)");
    check("[1 2]", "'2' instead of \",\" or \"]\" at byte 3 (line 1, column 4)");
    check("[NaN]", "'N' instead of a value at byte 1 (line 1, column 2)");
    check("[é]", "'é' instead of a value at byte 1 (line 1, column 2)");
    check("{\n \"é\": ?}", "'?' instead of a value at byte 9 (line 2, column 7)");
    check(
        "[01]",
        "a number that is not written as JSON writes numbers at byte 1 (line 1, column 2)",
    );
    check("{} x", "something after the end of the JSON at byte 3 (line 1, column 4)");
    check("\u{feff}{}", "a byte order mark before the JSON at byte 0 (line 1, column 1)");
    check("[\"\t\"]", "a control character in a string, not escaped, at byte 2 (line 1, column 3)");
    check("[\"\\x\"]", "an escape that JSON does not have at byte 2 (line 1, column 3)");
    for lone in ["\\ud800", "\\udc00", "\\ud800\\u0041", "\\ud800x", "\\uDBFF\\uDBFF"] {
        check(&format!("[\"{lone}\"]"), "half of a surrogate pair at byte 2 (line 1, column 3)");
    }
    let error = scan(b"[\"a\xffb\"]", &LIMITS).unwrap_err();
    assert_eq!((error.kind, error.offset), (ScanErrorKind::NotUtf8, 3));
}

#[test]
fn a_duplicate_key_is_found_at_every_level_and_after_unescaping() {
    check(
        "{\"model\":\"m1\", \"stream\":0, \"model\":\"m2\"}",
        "duplicate key \"model\" at byte 27 (line 1, column 28)",
    );
    check(
        "{\"model\":1,\"\\u006dodel\":2}",
        "duplicate key \"model\" at byte 11 (line 1, column 12)",
    );
    check(
        "{\"\\u006dodel\":1,\"model\":2}",
        "duplicate key \"model\" at byte 16 (line 1, column 17)",
    );
    check(
        "{\"a\":[{\"role\":1,\n\"role\":2}]}",
        "duplicate key \"role\" at byte 17 (line 2, column 1)",
    );
    check("{\"\":1,\"\":2}", "duplicate key \"\" at byte 6 (line 1, column 7)");
    check("{\"messages\":1,\"Messages\":2}", "sound");
    check("{\"long key one\":1,\"long key two\":2}", "sound");
    check(
        "{\"long key one\":1,\"long key one\":2}",
        "duplicate key \"long key one\" at byte 18 (line 1, column 19)",
    );
    // A key seen before an inner object is seen again after it.
    check(
        "{\"a\":{\"b\":1},\"c\":{\"b\":1},\"a\":1}",
        "duplicate key \"a\" at byte 25 (line 1, column 26)",
    );
}

#[test]
fn objects_with_many_keys_are_kept_apart() {
    let inner: Vec<_> = (0..40).map(|key| format!("\"k{key}\":0")).collect();
    let inner = format!("{{{}}}", inner.join(","));
    let outer: Vec<_> = (0..40).map(|key| format!("\"k{key}\":{inner}")).collect();
    check(&format!("{{{}}}", outer.join(",")), "sound");
    let twice = format!("{{{},\"k7\":0}}", outer.join(","));
    let error = scan(twice.as_bytes(), &LIMITS).unwrap_err();
    assert_eq!(error.kind, ScanErrorKind::DuplicateKey("k7".into()));
}

#[test]
fn a_long_key_is_shown_shortened() {
    let key = "k".repeat(1000);
    let error = scan(format!("{{\"{key}\":1,\"{key}\":2}}").as_bytes(), &LIMITS).unwrap_err();
    assert_eq!(error.kind, ScanErrorKind::DuplicateKey(format!("{}…", "k".repeat(64))));
}

#[test]
fn depth_and_keys_are_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    check(&nested(128), "sound");
    check(
        &nested(129),
        "more than 128 levels of arrays and objects at byte 128 (line 1, column 129)",
    );
    check(
        &"[{\"\":".repeat(50_000),
        "more than 128 levels of arrays and objects at byte 320 (line 1, column 321)",
    );
    let deep = Limits { depth: 1_000_000, ..LIMITS };
    assert!(scan(nested(1_000_000).as_bytes(), &deep).is_ok());
    let few = Limits { keys: 2, ..LIMITS };
    assert!(scan(b"{\"a\":{\"b\":1}}", &few).is_ok());
    let error = scan(b"{\"a\":{\"b\":1},\"c\":1}", &few).unwrap_err();
    assert_eq!((error.kind, error.offset), (ScanErrorKind::TooManyKeys(2), 13));
}

/// Compared one by one these would be 500,000,000,000 comparisons.
#[test]
fn a_million_keys_are_no_burden() {
    let keys: Vec<_> = (0..1_000_000).map(|key| format!("\"{key}\":0")).collect();
    let body = format!("{{{}}}", keys.join(","));
    let limits = Limits { keys: usize::MAX, ..LIMITS };
    let start = Instant::now();
    let found = scan(body.as_bytes(), &limits).unwrap();
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    assert_eq!(found.members().count(), 1_000_000);
    assert_eq!(found.count(body.as_bytes(), "999999"), Ok(Some(0)));
}

#[test]
fn members_are_found_where_they_stand() {
    let body = br#" {"\u006dodel": "a\u00e9b" , "stream":true,"n":null,"max_tokens":17,"x":[{"model":1}] } "#;
    let found = scan(body, &LIMITS).unwrap();
    assert!(found.is_object());
    assert_eq!(found.inside(), Some(2));
    let values: Vec<_> = found.members().map(|member| &body[member.value()]).collect();
    let wanted: [&[u8]; 5] = [br#""a\u00e9b""#, b"true", b"null", b"17", br#"[{"model":1}]"#];
    assert_eq!(values, wanted);
    assert_eq!(found.string(body, "model").unwrap().as_deref(), Some("aéb"));
    assert_eq!(found.flag(body, "stream"), Ok(Some(true)));
    assert_eq!(found.count(body, "n"), Ok(None));
    assert_eq!(found.count(body, "max_tokens"), Ok(Some(17)));
    assert_eq!(found.count(body, "absent"), Ok(None));
    assert_eq!(found.written(body, "x"), Some(&br#"[{"model":1}]"#[..]));
    assert_eq!(
        found.flag(body, "max_tokens").unwrap_err().to_string(),
        "\"max_tokens\" must be true or false at byte 65 (line 1, column 66)"
    );
    assert!(found.count(body, "x").is_err() && found.string(body, "stream").is_err());
    assert!(!scan(b"[{\"model\":\"a\"}]", &LIMITS).unwrap().is_object());
}

/// What the corpora's README states of JSON, and where it leaves the choice, ours: numbers of any
/// size are JSON; broken UTF-8, half surrogates and a byte order mark are not. Two of its sound
/// bodies have a key twice, which is JSON and yet refused.
#[test]
fn the_json_test_suite_gets_the_verdicts_it_states() {
    let Some(vectors) = tollgate_testkit::robustness("json_parsing.jsonl.gz") else { return };
    assert!(vectors.len() >= 188);
    let (mut accepted, mut refused) = (0, 0);
    for vector in &vectors {
        let body = bytes_of(vector);
        let verdict = scan(&body, &LIMITS);
        let sound = verdict.is_ok();
        let file = vector["file"].as_str().unwrap();
        match vector["expect"].as_str().unwrap() {
            "accept" if file.starts_with("y_object_duplicated_key") => {
                assert_eq!(verdict.unwrap_err().kind, ScanErrorKind::DuplicateKey("a".into()));
            }
            "accept" => assert!(sound, "{file}"),
            "reject" => assert!(!sound, "{file}"),
            _ => assert_eq!(sound, file.starts_with("i_number_"), "{file}"),
        }
        *if sound { &mut accepted } else { &mut refused } += 1;
    }
    assert!(accepted >= 60 && refused >= 128, "{accepted} accepted, {refused} refused");
}

fn bytes_of(vector: &serde_json::Value) -> Vec<u8> {
    use base64::Engine as _;
    if let Some(text) = vector["text"].as_str() {
        return text.into();
    }
    if let Some(packed) = vector["text_b64"].as_str() {
        return base64::engine::general_purpose::STANDARD.decode(packed).unwrap();
    }
    let generate = &vector["generate"];
    let times = generate["times"].as_u64().unwrap() as usize;
    generate["repeat"].as_str().unwrap().repeat(times).into()
}

#[test]
fn naughty_strings_come_back_as_they_were() {
    let Some(vectors) = tollgate_testkit::robustness("naughty_strings.jsonl.gz") else { return };
    for vector in &vectors {
        let text = vector["text"].as_str().unwrap();
        // As serde writes it, and with every unit escaped.
        let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        for written in [serde_json::to_string(text).unwrap(), format!("\"{escaped}\"")] {
            let body = format!("{{\"model\":{written},{written}:{{{written}:[{written}]}}}}");
            if text == "model" {
                continue;
            }
            let found = scan(body.as_bytes(), &LIMITS).unwrap();
            assert_eq!(found.string(body.as_bytes(), "model").unwrap().as_deref(), Some(text));
            assert!(found.member(body.as_bytes(), text).is_some(), "{body}");
        }
    }
}

/// JSON as serde reads it, but refusing duplicate keys and keeping numbers of any size.
struct Judge;

impl<'de> Deserialize<'de> for Judge {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Judge {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("duplicate"));
            }
            map.next_value::<Self>()?;
        }
        Ok(self)
    }
}

/// Pieces of which bodies are made that are JSON often, and nearly JSON else.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\\",
        b" ",
        b"\n",
        b"\"a\":",
        b"\"b\":",
        b"\"a\"",
        b"\"\\u0061\":",
        b"1",
        b"-",
        b"0",
        b".5",
        b"e9",
        b"true",
        b"false",
        b"null",
        b"\"\\ud83d\\ude00\"",
        b"\\ud83d",
        b"\x1f",
        b"\x7f",
        b"\xc3\xa9",
        b"\xc3",
        b"{}",
        b"[]",
        b"{\"a\":1}",
        b"[1,2]",
        b"\"abcdefgh\":",
        b"\"abcdefgh1\":",
        b"\"a string that is longer than thirty-two bytes, by far\"",
    ]);
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

/// Sound JSON of any shape, printed by serde, with one byte changed or none.
fn printed() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "\\PC{0,40}".prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(4, 64, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::vec((any::<String>(), inner), 0..20)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    });
    (value, any::<bool>(), proptest::option::of((any::<prop::sample::Index>(), any::<u8>())))
        .prop_map(|(value, pretty, change): (serde_json::Value, _, _)| {
            let mut body =
                if pretty { format!("{value:#}") } else { value.to_string() }.into_bytes();
            if let Some((at, byte)) = change {
                let at = at.index(body.len());
                body[at] = byte;
            }
            body
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]

    #[test]
    fn the_verdict_is_an_independent_readers(body in prop_oneof![body(), printed()]) {
        let judged = serde_json::from_slice::<Judge>(&body);
        match (scan(&body, &LIMITS), judged) {
            (Ok(found), Ok(_)) => {
                if let Ok(serde_json::Value::Object(wanted)) = serde_json::from_slice(&body) {
                    prop_assert_eq!(found.members().count(), wanted.len());
                    for (key, value) in &wanted {
                        let member = found.member(&body, key).unwrap();
                        let written: serde_json::Value = serde_json::from_slice(&body[member.value()]).unwrap();
                        prop_assert_eq!(&written, value);
                    }
                } else {
                    prop_assert!(!found.is_object());
                }
            }
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{}", error),
            (Err(error), Ok(_)) => prop_assert!(false, "{}", error),
            (Err(error), Err(_)) => prop_assert!(error.offset <= body.len()),
        }
    }
}
