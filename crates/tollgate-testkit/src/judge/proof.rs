//! Proves the readers: each must read the recordings of its own dialect as the corpus says.
//!
//! Deliberately absent: the gateway. No line of `tollgate-wire` runs here.

use super::expressible;
use crate::corpus::Recorded;
use crate::digest::{Difference, Digest};
use crate::readers::{Answer, Shape, Writer};
use crate::{Corpus, Exchange};

/// What each reader made of each recording of its own dialect: id, and what differs.
#[must_use]
pub fn prove(corpus: &Corpus) -> Vec<(String, Vec<Difference>)> {
    let with_reader: Vec<_> = corpus
        .exchanges
        .iter()
        .filter(|exchange| matches!(exchange.expected_kind(), "message" | "error"))
        .filter_map(|exchange| {
            let recorded = Recorded::of(&exchange.dialect)?;
            Some((Shape::of(recorded.shape)?, exchange))
        })
        .collect();
    super::in_parallel(&with_reader, |(shape, exchange)| {
        (exchange.id.clone(), differences(*shape, exchange))
    })
}

fn differences(shape: Shape, exchange: &Exchange) -> Vec<Difference> {
    let response = &exchange.response;
    let mut expected = Digest::expected(&exchange.expect, response.status);
    let bytes = match exchange.answer() {
        Ok(bytes) => bytes,
        Err(broken) => return vec![Difference::new("shape", "frames", broken)],
    };
    let answer =
        if response.body.is_stream() { Answer::Stream(&bytes) } else { Answer::Buffered(&bytes) };
    if bytes.is_empty() {
        return Vec::new();
    }
    match shape.read(answer, response.status, Writer::Provider) {
        Ok(got) => {
            if shape.row().uncounted {
                (expected.choices, expected.logprobs) = (got.choices, got.logprobs);
            }
            expressible::exact(&expected, &got)
        }
        Err(what) => vec![Difference::new("shape", "an answer", what)],
    }
}
