//! Requests: read, and written again.

use http::{HeaderMap, Method};
use serde_json::Value;
use tollgate_model::{Chat, Fault};
use tollgate_wire::{Dialect, Incoming, Operation, Recipient};

use crate::{UNFAITHFUL, first_difference, recordings, report, spoken};

pub(crate) fn decode(dialect: &Dialect, body: &Value) -> Result<Chat, Fault> {
    let mut routes = dialect.rules().routes.iter();
    let route = routes.find(|r| r.operation == Operation::Chat && r.method == Method::POST);
    let bytes = body.to_string();
    dialect.decode_request(&Incoming {
        route: route.unwrap(),
        model: Some("from-the-path"),
        headers: &HeaderMap::new(),
        body: bytes.as_bytes(),
    })
}

#[test]
fn every_recorded_request_comes_back_as_it_was() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for recording in recordings() {
        let request = &recording.exchange["request"];
        if recording.notes.iter().any(|note| UNFAITHFUL.contains(&note.as_str()))
            || request["body"]["kind"] != "json"
            // A template of the host's own, without a prompt.
            || recording.file.starts_with("portkey/")
        {
            continue;
        }
        seen += 1;
        let body = &request["body"]["json"];
        let mut wanted = body.clone();
        wanted["model"] = "there".into();
        let chat = match decode(recording.dialect, body) {
            Ok(chat) => chat,
            Err(fault) => {
                wrong.push(format!("{}: refused: {}", recording.file, fault.message));
                continue;
            }
        };
        let to = Recipient { model: "there", quirks: recording.quirks() };
        let outgoing = recording.dialect.encode_request(&chat, &to).unwrap();
        let written: Value = serde_json::from_slice(&outgoing.body).unwrap();
        if written != wanted {
            wrong.push(format!("{}: {}", recording.file, first_difference("", &wanted, &written)));
        } else if !outgoing.losses.is_empty() {
            wrong.push(format!("{}: losses {:?}", recording.file, outgoing.losses));
        }
    }
    report("requests that come back as they were", seen, &wrong);
}

#[test]
fn odd_spellings_and_unknown_fields_of_every_level_survive() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");
    for id in crate::DIALECTS {
        let text = std::fs::read(format!("{folder}/{id}/odd-spellings/requests.json")).unwrap();
        let bodies: Vec<Value> = serde_json::from_slice(&text).unwrap();
        let dialect = spoken(id);
        for body in bodies {
            let chat = decode(dialect, &body).unwrap_or_else(|fault| panic!("{id}: {fault}"));
            let quirks = &tollgate_wire::Quirks::NONE;
            let out = dialect.encode_request(&chat, &Recipient { model: "m", quirks }).unwrap();
            let written: Value = serde_json::from_slice(&out.body).unwrap();
            assert!(written == body, "{id}: {}", first_difference("", &body, &written));
            assert!(out.losses.is_empty(), "{id}: {:?}", out.losses);
        }
    }
}
