//! Embeddings, rankings and token counts: requests and answers, written again in every dialect.

use http::HeaderMap;
use tollgate_model::{DialectId, EmbedReply, EmbedRequest, Ranked, RerankReply, RerankRequest};
use tollgate_wire::operation::{CountTokens, Embed, Rerank};
use tollgate_wire::{Codec, OPERATIONS, Operation, Recipient, scan};

use crate::bodies::{LIMITS, sound};
use crate::chats::{QUIRKS, incoming, routes, tell};

pub(crate) fn count_tokens(dialect: DialectId, codec: &'static dyn CountTokens, body: &[u8]) {
    if let Ok(tokens) = codec.decode_reply(body) {
        sound(&codec.encode_reply(tokens));
    }
    if scan(body, &LIMITS).is_err() {
        return;
    }
    let headers = HeaderMap::new();
    for route in routes(dialect, Operation::CountTokens) {
        match codec.decode_request(&incoming(route, &headers, body)) {
            Err(fault) => tell(&fault),
            Ok(chat) => {
                let to = Recipient { model: &chat.model, quirks: &QUIRKS };
                for row in OPERATIONS {
                    if let Codec::CountTokens(other) = row.codec
                        && let Ok(outgoing) = other.encode_request(&chat, &to)
                    {
                        sound(&outgoing.body);
                    }
                }
            }
        }
    }
}

pub(crate) fn embed(dialect: DialectId, codec: &'static dyn Embed, body: &[u8]) {
    if let Ok(reply) = codec.decode_reply(body, &QUIRKS) {
        answer(&reply, &EmbedRequest::default());
    }
    if scan(body, &LIMITS).is_err() {
        return;
    }
    let headers = HeaderMap::new();
    for route in routes(dialect, Operation::Embed) {
        match codec.decode_request(&incoming(route, &headers, body)) {
            Err(fault) => tell(&fault),
            Ok(ask) => {
                let to = Recipient { model: &ask.model, quirks: &QUIRKS };
                for other in embeddings() {
                    if let Ok(outgoing) = other.encode_request(&ask, &to) {
                        sound(&outgoing.body);
                    }
                }
                let vectors = vec![vec![0.5, f32::MIN_POSITIVE]; ask.inputs.len()];
                answer(&EmbedReply { vectors, ..EmbedReply::default() }, &ask);
            }
        }
    }
}

pub(crate) fn rerank(dialect: DialectId, codec: &'static dyn Rerank, body: &[u8]) {
    if let Ok(reply) = codec.decode_reply(body, &QUIRKS) {
        ranked(&reply, &RerankRequest::default());
    }
    if scan(body, &LIMITS).is_err() {
        return;
    }
    let headers = HeaderMap::new();
    for route in routes(dialect, Operation::Rerank) {
        match codec.decode_request(&incoming(route, &headers, body)) {
            Err(fault) => tell(&fault),
            Ok(ask) => {
                let to = Recipient { model: &ask.model, quirks: &QUIRKS };
                for other in rankings() {
                    if let Ok(outgoing) = other.encode_request(&ask, &to) {
                        sound(&outgoing.body);
                    }
                }
                let results = (0..ask.documents.len() as u64).rev();
                let results = results.map(|index| Ranked { index, score: 0.5, document: None });
                ranked(&RerankReply { results: results.collect(), ..Default::default() }, &ask);
            }
        }
    }
}

fn ranked(reply: &RerankReply, ask: &RerankRequest) {
    for codec in rankings() {
        sound(&codec.encode_reply(reply, ask, "m"));
    }
}

fn rankings() -> impl Iterator<Item = &'static dyn Rerank> {
    OPERATIONS.iter().filter_map(|row| match row.codec {
        Codec::Rerank(codec) => Some(codec),
        _ => None,
    })
}

fn answer(reply: &EmbedReply, ask: &EmbedRequest) {
    for codec in embeddings() {
        sound(&codec.encode_reply(reply, ask, "m"));
    }
}

fn embeddings() -> impl Iterator<Item = &'static dyn Embed> {
    OPERATIONS.iter().filter_map(|row| match row.codec {
        Codec::Embed(codec) => Some(codec),
        _ => None,
    })
}
