//! What was edited reads as it should, and every other byte is as it was.

use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Edit, Splice, SpliceError, splice, wants_stream_usage};
use crate::scan::{Limits, scan};

const LIMITS: Limits = Limits::seeded(7);

#[track_caller]
fn check(body: &str, wanted: &str) {
    let found = scan(body.as_bytes(), &LIMITS).unwrap();
    let edited = Splice::new(body.as_bytes(), &found)
        .set_model("new")
        .ask_for_stream_usage()
        .unwrap()
        .finish()
        .unwrap();
    assert_eq!(std::str::from_utf8(&edited).unwrap(), wanted);
}

#[test]
fn the_model_is_named_and_usage_asked_for_in_one_pass() {
    check(
        r#"{ "stream_options" : null, "model": "old" , "x":1e400}"#,
        r#"{ "stream_options" : {"include_usage":true}, "model": "new" , "x":1e400}"#,
    );
    check(
        r#"{"model":"old","stream":true}"#,
        r#"{"stream_options":{"include_usage":true},"model":"new","stream":true}"#,
    );
    check("{}", r#"{"model":"new","stream_options":{"include_usage":true}}"#);
    check(
        r#"{"\u006dodel":"old","stream_options":{ "a":1 }}"#,
        r#"{"\u006dodel":"new","stream_options":{"include_usage":true, "a":1 }}"#,
    );
    check(
        r#"{"model":"old","stream_options":{}}"#,
        r#"{"model":"new","stream_options":{"include_usage":true}}"#,
    );
    check(
        r#"{"stream_options":{"include_usage":false,"a":1},"model":"old"}"#,
        r#"{"stream_options":{"include_usage":true,"a":1},"model":"new"}"#,
    );
    check(
        r#"{"stream_options":{"include_usage":true},"model":"old"}"#,
        r#"{"stream_options":{"include_usage":true},"model":"new"}"#,
    );
}

#[test]
fn options_of_a_wrong_type_are_refused_where_they_stand() {
    for (body, wanted) in [
        (
            r#"{"stream_options":1}"#,
            "\"stream_options\" must be an object at byte 18 (line 1, column 19)",
        ),
        (
            "{\"stream_options\":\n{\"include_usage\":\"yes\"}}",
            "\"include_usage\" must be true or false at byte 36 (line 2, column 18)",
        ),
    ] {
        let found = scan(body.as_bytes(), &LIMITS).unwrap();
        let error = Splice::new(body.as_bytes(), &found).ask_for_stream_usage().unwrap_err();
        assert_eq!(error.to_string(), wanted);
        assert_eq!(wants_stream_usage(body.as_bytes(), &found), Err(error));
    }
}

#[test]
fn what_the_caller_wants_is_told() {
    for (body, wanted) in [
        ("{}", false),
        (r#"{"stream_options":null}"#, false),
        (r#"{"stream_options":{}}"#, false),
        (r#"{"stream_options":{"include_usage":false}}"#, false),
        (r#"{"stream_options":{"include_usage":true}}"#, true),
    ] {
        let found = scan(body.as_bytes(), &LIMITS).unwrap();
        assert_eq!(wants_stream_usage(body.as_bytes(), &found), Ok(wanted), "{body}");
    }
}

#[test]
fn edits_that_do_not_fit_are_refused() {
    let edit = |start, end| Edit { range: start..end, with: Cow::Borrowed(b"x") };
    assert_eq!(
        splice(b"abc", &mut [edit(2, 4)]),
        Err(SpliceError::OutOfBounds { start: 2, end: 4, length: 3 })
    );
    assert_eq!(splice(b"abc", &mut [edit(1, 3), edit(0, 2)]), Err(SpliceError::Overlap(1)));
    assert_eq!(splice(b"abc", &mut [edit(3, 3), edit(0, 1), edit(1, 2)]).unwrap(), "xxcx");
}

/// From, to, and what takes the place.
type Made = (usize, usize, Vec<u8>);

/// A body and edits of it that stand in order; every other one inserts.
fn edits() -> impl Strategy<Value = (Vec<u8>, Vec<Made>)> {
    let edit = (any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..6));
    let body = prop::collection::vec(any::<u8>(), 0..60);
    (body, prop::collection::vec(edit, 0..6)).prop_map(|(body, edits)| {
        let mut at: Vec<_> = edits.iter().map(|(at, _)| at.index(body.len() + 1)).collect();
        at.sort_unstable();
        at.dedup();
        let places = at.chunks_exact(2).zip(edits).enumerate();
        let edits = places.map(|(turn, (pair, (_, with)))| (pair[0], pair[turn % 2], with));
        (body, edits.collect())
    })
}

fn object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!({ "include_usage": true, "model": [{}] })),
        Just(json!({ "include_usage": false })),
        Just(json!({ "include_obfuscation": false })),
    ];
    let key = prop_oneof![3 => Just("model".to_owned()), 3 => Just("stream_options".to_owned()), 5 => any::<String>()];
    prop::collection::vec((key, leaf), 0..20)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn bytes_outside_the_edits_stay((body, edits) in edits()) {
        // They need not be handed over in order.
        let mut made: Vec<_> = edits.iter().rev()
            .map(|(start, end, with)| Edit { range: *start..*end, with: Cow::Borrowed(&with[..]) })
            .collect();
        let mut wanted = body.clone();
        for (start, end, with) in edits.iter().rev() {
            wanted.splice(*start..*end, with.iter().copied());
        }
        prop_assert_eq!(splice(&body, &mut made).unwrap(), wanted);
    }

    #[test]
    fn the_result_is_the_edited_object(
        object in object(),
        pretty in any::<bool>(),
        model in any::<String>(),
    ) {
        let body = if pretty { format!("{object:#}") } else { object.to_string() };
        let body = body.as_bytes();
        let found = scan(body, &LIMITS).unwrap();
        let usable = object.get("stream_options").is_none_or(|options| options.is_object() || options.is_null());
        let asked = Splice::new(body, &found).set_model(&model).ask_for_stream_usage();
        prop_assert_eq!(asked.is_ok(), usable);
        if let Ok(asked) = asked {
            let edited = asked.finish().unwrap();
            let mut wanted = object.clone();
            wanted["model"] = model.into();
            if wanted["stream_options"].is_null() {
                wanted["stream_options"] = json!({});
            }
            wanted["stream_options"]["include_usage"] = true.into();
            prop_assert_eq!(serde_json::from_slice::<Value>(&edited).unwrap(), wanted);
            prop_assert!(scan(&edited, &LIMITS).is_ok());
        }
    }
}
