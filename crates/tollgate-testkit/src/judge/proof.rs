//! Proves the readers: each must read the recordings of its own dialect as the corpus says.
//!
//! Deliberately absent: the gateway. No line of `tollgate-wire` runs here.

use super::expressible;
use crate::digest::{Difference, Digest};
use crate::readers::{Answer, Shape, Writer};
use crate::{Corpus, Exchange};

/// What each reader made of each recording of its own dialect: id, and what differs.
#[must_use]
pub fn prove(corpus: &Corpus) -> Vec<(String, Vec<Difference>)> {
    let with_reader: Vec<_> = corpus
        .exchanges
        .iter()
        .filter_map(|exchange| Shape::of(&exchange.dialect).map(|shape| (shape, exchange)))
        .filter(|(_, exchange)| matches!(exchange.expected_kind(), "message" | "error"))
        .collect();
    super::in_parallel(&with_reader, |(shape, exchange)| {
        (exchange.id.clone(), differences(*shape, exchange))
    })
}

fn differences(shape: Shape, exchange: &Exchange) -> Vec<Difference> {
    let response = &exchange.response;
    let expected = Digest::expected(&exchange.expect, response.status);
    let bytes = response.body.bytes();
    let answer =
        if response.body.is_stream() { Answer::Stream(&bytes) } else { Answer::Buffered(&bytes) };
    if bytes.is_empty() {
        return Vec::new();
    }
    match shape.read(answer, response.status, Writer::Provider) {
        Ok(got) => expressible::exact(&expected, &got),
        Err(what) => vec![Difference::new("shape", "an answer", what)],
    }
}
