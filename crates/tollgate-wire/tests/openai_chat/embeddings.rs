//! Embeddings: requests and answers.

use http::HeaderMap;
use serde_json::Value;
use tollgate_wire::{Codec, Incoming, Operation, Recipient, codec};

use crate::{ID, UNFAITHFUL, chat, quirks, recordings_of, report, same};

#[test]
fn every_recorded_embedding_comes_back_and_reads_as_its_digest() {
    let Some(Codec::Embed(embed)) = codec(ID, Operation::Embed) else { panic!("no codec") };
    let (mut seen, mut wrong) = (0, Vec::new());
    for recording in recordings_of("openai-embeddings") {
        let (request, response) = (&recording.exchange["request"], &recording.exchange["response"]);
        let quirks = quirks(&recording.provider);
        let mut check = |what: &str, wanted: Value, found: Value| {
            seen += 1;
            if !same(&wanted, &found) {
                wrong.push(format!("{}: {what}: {wanted} became {found}", recording.file));
            }
        };
        let faithful = !recording.notes.iter().any(|note| UNFAITHFUL.contains(&note.as_str()));
        let body = &request["body"]["json"];
        if faithful && body["input"].is_string() | body["input"].is_array() {
            let mut wanted = body.clone();
            wanted["model"] = "there".into();
            let bytes = body.to_string();
            let incoming = Incoming {
                route: &chat().rules().routes[1],
                model: Some("from-the-path"),
                headers: &HeaderMap::new(),
                body: bytes.as_bytes(),
            };
            let Ok(ask) = embed.decode_request(&incoming) else {
                // What is refused here was refused there.
                check("refusal", true.into(), (response["status"] != 200).into());
                continue;
            };
            let to = Recipient { model: "there", quirks };
            let outgoing = embed.encode_request(&ask, &to).unwrap();
            check("request", wanted, serde_json::from_slice(&outgoing.body).unwrap());
        }
        let expect = &recording.exchange["expect"];
        if response["status"] == 200 && expect["kind"] == "embedding" {
            let bytes = response["body"]["json"].to_string();
            let reply = embed.decode_reply(bytes.as_bytes(), quirks).unwrap();
            let list = response["body"]["json"]["data"].as_array().unwrap();
            check("vectors", list.len().into(), reply.vectors.len().into());
            if !expect["usage"]["input"].is_null() {
                let input = reply.usage.total_input();
                check("usage", expect["usage"]["input"].clone(), input.into());
            }
        }
    }
    report("embeddings", seen, &wrong);
}
