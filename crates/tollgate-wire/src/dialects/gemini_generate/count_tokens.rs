//! Counting the tokens of a chat's input.

use bytes::Bytes;
use tollgate_model::{Chat, Fault};

use crate::{Incoming, Outgoing, Recipient, operation::CountTokens};

#[derive(Debug)]
pub struct Count;

impl CountTokens for Count {
    fn decode_request(&self, _: &Incoming<'_>) -> Result<Chat, Fault> {
        Err(Fault::internal("not written"))
    }
    fn encode_request(&self, _: &Chat, _: &Recipient<'_>) -> Result<Outgoing, Fault> {
        Err(Fault::internal("not written"))
    }
    fn decode_reply(&self, _: &[u8]) -> Result<u64, Fault> {
        Err(Fault::internal("not written"))
    }
    fn encode_reply(&self, _: u64) -> Bytes {
        Bytes::new()
    }
}
