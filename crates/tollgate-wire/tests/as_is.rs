//! Recorded moderations, pictures, speech and transcripts: their paths are known, their answers are
//! read along however they are cut, and what they state as used is what is measured.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that breaks should say so")]

use http::{HeaderMap, Method};
use serde_json::Value;
use tollgate_testkit::corpus;
use tollgate_wire::as_is::{AsIs, TELLING};
use tollgate_wire::members::Members;
use tollgate_wire::{Codec, Framer, Framing, Quirks, codec, ingress};

const DIALECTS: [&str; 3] = ["openai-audio", "openai-images", "openai-moderations"];

fn recordings() -> Option<Vec<Value>> {
    let place = corpus::place();
    let index = std::fs::read_to_string(place.join("index.jsonl")).ok();
    let Some(index) = index else {
        assert!(std::env::var("STRICT").is_err(), "STRICT=1 demands the corpus");
        println!("skipped: no corpus at {}", place.display());
        return None;
    };
    let rows = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let wanted = rows.filter(|row| DIALECTS.contains(&row["dialect"].as_str().unwrap()));
    let read = |row: Value| {
        let text = std::fs::read_to_string(place.join(row["file"].as_str().unwrap())).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    Some(wanted.map(read).collect())
}

/// The operation of a recording; hosts put other things before `/v1`, and one has another version.
fn operation(recording: &Value) -> Option<&'static AsIs> {
    let path = recording["request"]["path"].as_str()?;
    let at = path.find("/audio/").or_else(|| path.find("/images/"));
    let at = at.or_else(|| path.find("/moderations"))?;
    let path = format!("/v1{}", &path[at..]);
    let found = ingress::find(&Method::POST, &path, &HeaderMap::new())?;
    match codec(found.dialect.id(), found.route.operation)? {
        Codec::AsIs(operation) => Some(operation),
        _ => None,
    }
}

fn measured(operation: &AsIs, text: &str, cut: usize) -> (tollgate_model::Usage, bool) {
    let mut members = Members::new(TELLING);
    text.as_bytes().chunks(cut).for_each(|piece| members.push(piece));
    (operation.measured(&members, &Quirks::NONE), members.is_whole())
}

#[test]
fn what_recorded_answers_state_is_what_is_measured() {
    let Some(recordings) = recordings() else { return };
    let (mut stated, mut streams, mut known) = (0, 0, 0);
    for recording in &recordings {
        let id = recording["id"].as_str().unwrap();
        let Some(operation) = operation(recording) else { continue };
        known += 1;
        let body = &recording["response"]["body"];
        let texts: Vec<String> = match body["kind"].as_str().unwrap() {
            "json" => vec![body["json"].to_string()],
            "sse" => {
                let mut framer = Framer::new(Framing::Sse, 1 << 20);
                framer.push(body["text"].as_str().unwrap().to_owned().into());
                let mut texts = Vec::new();
                while let Ok(Some(frame)) = framer.next_frame() {
                    let text = String::from_utf8(frame.data.to_vec()).unwrap();
                    texts.extend(Some(text).filter(|text| text.trim() != "[DONE]"));
                }
                streams += 1;
                let last: Value = serde_json::from_str(texts.last().unwrap()).unwrap();
                let kind = last["type"].as_str().unwrap();
                assert!(kind.ends_with(".done") || kind.ends_with(".completed"), "{id}: {kind}");
                texts
            }
            _ => continue,
        };
        for text in texts {
            let value: Value = serde_json::from_str(&text).unwrap();
            let (whole, ended) = measured(operation, &text, text.len());
            assert!(ended, "{id}");
            for cut in [1, 7, 100] {
                assert_eq!(measured(operation, &text, cut).0, whole, "{id} cut at {cut}");
            }
            let usage = &value["usage"];
            if let Some(input) = usage["input_tokens"].as_u64() {
                stated += 1;
                assert_eq!(whole.total_input(), Some(input), "{id}");
                assert_eq!(whole.total_output(), usage["output_tokens"].as_u64(), "{id}");
            }
            if let Some(seconds) = usage["seconds"].as_u64() {
                stated += 1;
                assert_eq!(whole.input_audio_ms, Some(1000 * seconds), "{id}");
            }
            if let Some(output) = usage["completion_tokens"].as_u64() {
                assert_eq!(whole.total_output(), Some(output), "{id}");
            }
        }
    }
    println!("{known} recordings, {streams} streams, {stated} statements of usage");
    assert!(known >= 40 && streams >= 2 && stated >= 10, "{known}, {streams}, {stated}");
}
