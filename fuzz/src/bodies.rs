//! The scanner and the splicer against serde_json, and the paths of requests.

use http::{HeaderMap, Method};
use serde_json::Value;
use tollgate_wire::scan::ScanErrorKind;
use tollgate_wire::{Limits, Splice, ingress, scan};

pub(crate) const LIMITS: Limits = Limits::seeded(0x5EED);

pub(crate) fn scanned(body: &[u8]) {
    let read = serde_json::from_slice::<Value>(body);
    match (scan(body, &LIMITS), read) {
        (Ok(found), Ok(value)) => {
            let Value::Object(members) = &value else { return assert!(!found.is_object()) };
            assert_eq!(found.members().count(), members.len(), "members");
            for (key, value) in members {
                let member = found.member(body, key).expect("every member is found");
                let written: Value =
                    serde_json::from_slice(&body[member.value()]).expect("a value");
                assert_eq!(&written, value, "{key}");
            }
            spliced(body, &value);
        }
        // Depth is bounded elsewhere by one, and a number may be too large for serde alone.
        (Ok(_), Err(error)) => {
            let known = ["recursion limit", "out of range"];
            assert!(known.iter().any(|word| error.to_string().contains(word)), "{error}");
        }
        (Err(error), Ok(_)) => {
            assert!(matches!(error.kind, ScanErrorKind::DuplicateKey(_)), "{error}");
        }
        (Err(error), Err(_)) => assert!(error.offset <= body.len()),
    }
}

fn spliced(body: &[u8], value: &Value) {
    let found = scan(body, &LIMITS).expect("it passed before");
    let _ = (found.string(body, "model"), found.flag(body, "stream"), found.count(body, "n"));
    let Ok(asked) = Splice::new(body, &found).set_model("\u{1}\"m").ask_for_stream_usage() else {
        return;
    };
    let edited = asked.finish().expect("the edits fit");
    let mut wanted = value.clone();
    wanted["model"] = "\u{1}\"m".into();
    if wanted["stream_options"].is_null() {
        wanted["stream_options"] = Value::Object(serde_json::Map::new());
    }
    wanted["stream_options"]["include_usage"] = true.into();
    assert_eq!(serde_json::from_slice::<Value>(&edited).expect("JSON"), wanted);
    sound(&edited);
}

/// What is written here must pass the scan that callers' bodies have to pass.
pub(crate) fn sound(body: &[u8]) {
    // What is read within the bound of depth may be wrapped by a few levels.
    let limits = Limits { depth: 512, ..LIMITS };
    if let Err(error) = scan(body, &limits) {
        panic!("unsound JSON was written: {error}\n{}", String::from_utf8_lossy(body));
    }
}

pub(crate) fn ingress(path: &[u8]) {
    let Ok(path) = std::str::from_utf8(path) else { return };
    let mut headers = HeaderMap::new();
    for name in ["x-nothing", "anthropic-version", "x-goog-api-key"] {
        headers.insert(name, http::HeaderValue::from_static("1"));
        for method in [Method::GET, Method::POST] {
            if let Some(found) = ingress::find(&method, path, &headers) {
                let model = found.model.as_deref().unwrap_or("model");
                assert!(!model.is_empty() && !model.chars().any(char::is_control));
                let onward = (found.dialect.rules().path)(model, found.route.stream);
                assert!(onward.starts_with('/'), "{onward}");
                assert!(onward.parse::<http::Uri>().is_ok(), "{onward:?} of {model:?}");
            }
        }
        let _ = ingress::dialect_of(path, &headers);
    }
    assert!(ingress::methods(path).count() < 100);
}
