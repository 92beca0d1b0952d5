//! Embeddings and rankings against their recordings: requests come back as they were, answers
//! read as their digests say, and say the same when they are written again in any dialect.

use http::{HeaderMap, Method};
use serde_json::Value;
use tollgate_model::{DialectId, EmbedReply, EmbedRequest, RerankReply, RerankRequest};
use tollgate_wire::operation::{Embed, Rerank};
use tollgate_wire::{Codec, Incoming, OPERATIONS, Operation, Recipient, Route, codec, ingress};

use crate::{Recording, UNFAITHFUL, first_difference, recordings_as, report};

/// What the recordings call an operation, and the dialect it is one of.
const EMBEDDINGS: [(&str, &str); 2] =
    [("cohere-embed", "cohere-v2"), ("ollama-embed", "ollama-chat")];
const RANKINGS: [(&str, &str); 2] = [("cohere-rerank", "cohere-v2"), ("rerank", "openai-chat")];

fn route(path: &str) -> Option<&'static Route> {
    ingress::find(&Method::POST, path, &HeaderMap::new()).map(|found| found.route)
}

/// The recorded request, if it was recorded as it was sent and to a path that is spoken.
fn request(recording: &Recording) -> Option<(&'static Route, Value)> {
    let request = &recording.exchange["request"];
    let faithful = !recording.notes.iter().any(|note| UNFAITHFUL.contains(&note.as_str()));
    let path = request["path"].as_str()?.trim_start_matches("/api/v1");
    let path = if path.starts_with("/rerank") { "/v1/rerank" } else { path };
    let is_body = faithful && request["body"]["kind"] == "json";
    let body = || request["body"]["json"].clone();
    Some((route(request["path"].as_str()?).or_else(|| route(path)).filter(|_| is_body)?, body()))
}

/// Compares a request with what was written of it.
fn compare(recording: &Recording, body: &Value, written: &[u8], wrong: &mut Vec<String>) {
    let mut wanted = body.clone();
    wanted["model"] = "there".into();
    let written: Value = serde_json::from_slice(written).unwrap();
    if written != wanted {
        wrong.push(format!("{}: {}", recording.file, first_difference("", &wanted, &written)));
    }
}

fn answered(recording: &Recording) -> bool {
    recording.exchange["response"]["status"] == 200
}

fn embed_of(id: DialectId) -> &'static dyn Embed {
    let Some(Codec::Embed(embed)) = codec(id, Operation::Embed) else { panic!("no codec") };
    embed
}

/// Each codec, and whether its answers hold one vector only.
fn all_embeds() -> impl Iterator<Item = (&'static dyn Embed, bool)> {
    OPERATIONS.iter().filter_map(|row| match row.codec {
        Codec::Embed(embed) => Some((embed, row.dialect.as_str() == "bedrock-converse")),
        _ => None,
    })
}

fn written_again(reply: &EmbedReply, ask: &EmbedRequest) -> Option<String> {
    for (other, one_by_one) in all_embeds() {
        let at_once = if one_by_one { 1 } else { reply.vectors.len().max(1) };
        for vectors in reply.vectors.chunks(at_once) {
            let part = EmbedReply { vectors: vectors.to_vec(), ..reply.clone() };
            let body = other.encode_reply(&part, ask, "m");
            match other.decode_reply(&body, &tollgate_wire::Quirks::NONE) {
                Ok(again) if again.vectors == vectors => {}
                other => return Some(format!("written again: {other:?}")),
            }
        }
    }
    None
}

#[test]
fn recorded_embeddings() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for recording in EMBEDDINGS.iter().flat_map(|(name, id)| recordings_as(name, id)) {
        seen += 1;
        let (codec, quirks) = (embed_of(recording.dialect.id()), recording.quirks());
        let mut ask = EmbedRequest::default();
        if let Some((route, body)) = request(&recording) {
            let bytes = body.to_string();
            let headers = HeaderMap::new();
            let incoming =
                Incoming { route, model: None, headers: &headers, body: bytes.as_bytes() };
            ask = codec.decode_request(&incoming).unwrap();
            let to = Recipient { model: "there", quirks };
            let out = codec.encode_request(&ask, &to).unwrap();
            compare(&recording, &body, &out.body, &mut wrong);
        }
        let expect = &recording.exchange["expect"];
        if !answered(&recording) || expect["encoding"] == "int8" {
            continue;
        }
        let reply = match codec.decode_reply(&recording.bytes(), quirks) {
            Ok(reply) => reply,
            Err(fault) => {
                wrong.push(format!("{}: {fault}", recording.file));
                continue;
            }
        };
        let dimensions = reply.vectors.first().map_or(0, Vec::len) as u64;
        if Some(reply.vectors.len() as u64) != expect["count"].as_u64()
            || Some(dimensions) != expect["dimensions"].as_u64()
        {
            wrong.push(format!("{}: {} of {dimensions}", recording.file, reply.vectors.len()));
        }
        wrong.extend(written_again(&reply, &ask).map(|why| format!("{}: {why}", recording.file)));
    }
    report("embeddings", seen, &wrong);
}

fn rerank_of(id: DialectId) -> &'static dyn Rerank {
    let Some(Codec::Rerank(rerank)) = codec(id, Operation::Rerank) else { panic!("no codec") };
    rerank
}

fn places(reply: &RerankReply) -> Vec<(u64, String)> {
    reply.results.iter().map(|result| (result.index, result.score.to_string())).collect()
}

#[test]
fn recorded_rankings() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for recording in RANKINGS.iter().flat_map(|(name, id)| recordings_as(name, id)) {
        seen += 1;
        let (codec, quirks) = (rerank_of(recording.dialect.id()), recording.quirks());
        let (route, body) = request(&recording).unwrap();
        let (bytes, headers) = (body.to_string(), HeaderMap::new());
        let incoming = Incoming { route, model: None, headers: &headers, body: bytes.as_bytes() };
        let ask = codec.decode_request(&incoming).unwrap();
        let out = codec.encode_request(&ask, &Recipient { model: "there", quirks }).unwrap();
        compare(&recording, &body, &out.body, &mut wrong);
        if !answered(&recording) {
            continue;
        }
        let said: Value = serde_json::from_slice(&recording.bytes()).unwrap();
        let list = said.get("results").or(said.get("data")).unwrap().as_array().unwrap();
        let reply = codec.decode_reply(&recording.bytes(), quirks).unwrap();
        let best = reply.results.first().map(|result| result.index);
        if reply.results.len() != list.len()
            || best != list.first().and_then(|b| b["index"].as_u64())
        {
            wrong.push(format!("{}: {:?}", recording.file, reply.results));
        }
        if reply.usage.search_units.is_none() && reply.usage.input_tokens.is_none() {
            wrong.push(format!("{}: no usage", recording.file));
        }
        for row in OPERATIONS {
            let Codec::Rerank(other) = row.codec else { continue };
            let all = RerankRequest { top_n: None, ..ask.clone() };
            let again = other.encode_reply(&reply, &all, "m");
            let again = other.decode_reply(&again, quirks).unwrap();
            if places(&again) != places(&reply) {
                wrong.push(format!("{}: written again: {again:?}", recording.file));
            }
        }
    }
    report("rankings", seen, &wrong);
}

#[test]
fn a_ranking_crosses_with_its_documents() {
    let cohere = rerank_of(DialectId("cohere-v2"));
    let openai = rerank_of(DialectId("openai-chat"));
    let headers = HeaderMap::new();
    let body = br#"{"model": "m", "query": "q", "top_n": 1, "return_documents": true, "odd": 1,
        "documents": ["a", {"text": "b"}, {"title": "c", "text": "d"}]}"#;
    let route = route("/v1/rerank").unwrap();
    let incoming = Incoming { route, model: None, headers: &headers, body };
    let ask = openai.decode_request(&incoming).unwrap();
    let to = Recipient { model: "there", quirks: &tollgate_wire::Quirks::NONE };
    let out = cohere.encode_request(&ask, &to).unwrap();
    let written: Value = serde_json::from_slice(&out.body).unwrap();
    assert_eq!(
        written,
        serde_json::json!({"model": "there", "query": "q", "top_n": 1,
            "documents": ["a", "b", "title: c\ntext: d"]})
    );
    let losses: Vec<String> = out.losses.iter().map(ToString::to_string).collect();
    assert_eq!(losses, ["~documents[2]", "odd"]);
    let said = br#"{"id": "x", "results": [{"index": 1, "relevance_score": 0.2},
        {"index": 2, "relevance_score": 0.9}], "meta": {"billed_units": {"search_units": 1}}}"#;
    let reply = cohere.decode_reply(said, to.quirks).unwrap();
    let back: Value = serde_json::from_slice(&openai.encode_reply(&reply, &ask, "there")).unwrap();
    assert_eq!(back["results"].as_array().unwrap().len(), 1, "no more than are wanted");
    assert_eq!(back["results"][0]["index"], 2);
    assert_eq!(back["results"][0]["document"]["title"], "c");
    assert_eq!(back["meta"]["billed_units"]["search_units"], 1);
    for broken in ["{}", "[1]", r#"{"results": [{"index": "x"}]}"#, "<html>"] {
        assert!(cohere.decode_reply(broken.as_bytes(), to.quirks).is_err(), "{broken}");
        assert!(openai.decode_reply(broken.as_bytes(), to.quirks).is_err(), "{broken}");
    }
}
