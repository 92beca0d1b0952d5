//! Recorded requests of SDKs for clouds: unwrapped they are requests of the dialect, and wrapped
//! again what they were; and recorded streams of Bedrock open into events that the dialect reads.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test: what is skipped is said aloud"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use tollgate_model::{DialectId, Event};
use tollgate_wire::carriage::Bare;
use tollgate_wire::{
    Framer, Framing, Incoming, Limits, Operation, Quirks, Splice, dialect, ingress, scan,
};

/// The recordings of Claude behind a cloud; nothing when there are none at hand.
fn recordings() -> Vec<Value> {
    let place = tollgate_testkit::corpus::place();
    let Ok(index) = std::fs::read_to_string(place.join("index.jsonl")) else {
        let strict = std::env::var("STRICT").is_ok_and(|strict| strict == "1");
        assert!(!strict, "no corpus at {}", place.display());
        eprintln!("SKIPPED: no corpus at {}", place.display());
        return Vec::new();
    };
    let rows = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let wrapped = rows.filter(|row| {
        ["bedrock-invoke", "vertex-anthropic"].contains(&row["dialect"].as_str().unwrap())
    });
    let read = wrapped.map(|row| {
        let file = std::fs::read(place.join(row["file"].as_str().unwrap())).unwrap();
        serde_json::from_slice::<Value>(&file).unwrap()
    });
    // Behind Bedrock's `invoke` each family of models has a format of its own; Claude's says its
    // version.
    read.filter(|recording| recording["request"]["body"]["json"]["anthropic_version"].is_string())
        .collect()
}

fn headers(of: &Value) -> HeaderMap {
    let pairs = of["headers"].as_object().into_iter().flatten();
    let pairs = pairs.filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value.as_str()?).ok()?))
    });
    pairs.collect()
}

#[test]
fn a_recorded_request_is_unwrapped_understood_and_wrapped_as_it_was() {
    let mut judged = 0;
    for recording in recordings() {
        let request = &recording["request"];
        let id = recording["id"].as_str().unwrap();
        // Some recorders lost the model's name.
        let path = request["path"].as_str().unwrap().replace("/models/:", "/models/claude:");
        let path = path.replace("/model//", "/model/anthropic.claude/");
        let mut headers = headers(request);
        let before = headers.get("anthropic-beta").cloned();
        let found = ingress::find(&Method::POST, &path, &headers).unwrap_or_else(|| panic!("{id}"));
        let carriage = found.alias.unwrap().carriage;
        let body = Bytes::from(request["body"]["json"].to_string());
        let places = scan(&body, &Limits::seeded(1)).unwrap();
        let bare = Bare { model: found.model.as_deref(), stream: found.stream() };
        let plain = carriage.take_off(bare, &body, &places, &mut headers).unwrap();
        let incoming =
            Incoming { route: found.route, model: None, headers: &headers, body: &plain };
        let chat = found.dialect.decode_request(&incoming).unwrap_or_else(|e| panic!("{id}: {e}"));
        assert_eq!(Some(chat.model.as_str()), found.model.as_deref(), "{id}");
        assert_eq!(chat.stream, found.stream(), "{id}");
        let places = scan(&plain, &Limits::seeded(1)).unwrap();
        let splice = Splice::new(&plain, &places);
        let again = carriage.put_on(Operation::Chat, splice, &mut headers).finish().unwrap();
        let mut again: Value = serde_json::from_slice(&again).unwrap();
        let mut wanted = request["body"]["json"].clone();
        if found.stream() && path.contains("RawPredict") {
            // Vertex takes it in the body and in the path; some say it in the path alone.
            wanted["stream"] = true.into();
        }
        if before.is_some() && again.get("anthropic_beta") != wanted.get("anthropic_beta") {
            again.as_object_mut().unwrap().remove("anthropic_beta");
        }
        assert_eq!(again, wanted, "{id}");
        judged += 1;
    }
    assert!(judged == 0 || judged >= 30, "{judged}");
}

#[test]
fn a_recorded_stream_of_bedrock_opens_into_events() {
    let mut judged = 0;
    for recording in recordings() {
        let (id, body) = (recording["id"].as_str().unwrap(), &recording["response"]["body"]);
        if body["kind"] != "eventstream" {
            continue;
        }
        let bytes = STANDARD.decode(body["base64"].as_str().unwrap()).unwrap();
        let claude = dialect(DialectId("anthropic-messages")).unwrap();
        let mut decoder = claude.decode_stream(&Quirks::NONE);
        let mut framer = Framer::new(Framing::AwsEventStream, 1 << 20);
        let mut events = Vec::new();
        for chunk in bytes.chunks(7) {
            framer.push(Bytes::copy_from_slice(chunk));
            while let Some(frame) = framer.next_frame().unwrap() {
                let frame = tollgate_wire::Envelope::AwsChunks.open(frame).unwrap();
                assert!(frame.raw.starts_with(b"event: ") && frame.raw.ends_with(b"\n\n"));
                decoder.read(&frame, &mut events);
            }
        }
        decoder.end(&mut events);
        assert_eq!(events.last(), Some(&Event::End), "{id}: {:?}", events.last());
        let text: String = events
            .iter()
            .filter_map(|event| match event {
                Event::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(text, recording["expect"]["text"].as_str().unwrap_or_default(), "{id}");
        judged += 1;
    }
    assert!(judged == 0 || judged >= 12, "{judged}");
}
