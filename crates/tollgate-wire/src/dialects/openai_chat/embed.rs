//! Vectors for texts.

use bytes::Bytes;
use tollgate_model::{EmbedReply, EmbedRequest, Fault};

use crate::{Incoming, Outgoing, Quirks, Recipient, operation::Embed};

#[derive(Debug)]
pub struct Embeddings;

impl Embed for Embeddings {
    fn decode_request(&self, _: &Incoming<'_>) -> Result<EmbedRequest, Fault> {
        Err(Fault::internal("not written"))
    }
    fn encode_request(&self, _: &EmbedRequest, _: &Recipient<'_>) -> Result<Outgoing, Fault> {
        Err(Fault::internal("not written"))
    }
    fn decode_reply(&self, _: &[u8], _: &Quirks) -> Result<EmbedReply, Fault> {
        Err(Fault::internal("not written"))
    }
    fn encode_reply(&self, _: &EmbedReply, _: &EmbedRequest, _: &str) -> Bytes {
        Bytes::new()
    }
}
