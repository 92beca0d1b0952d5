//! How many tokens an input is.

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_model::{Chat, Fault};

use super::{outgoing, request};
use crate::operation::CountTokens;
use crate::{Incoming, Outgoing, Recipient};

#[derive(Debug)]
pub struct Count;

impl CountTokens for Count {
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<Chat, Fault> {
        request::decode(incoming)
    }

    fn encode_request(&self, chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        outgoing::encode(chat, to, outgoing::Purpose::Count)
    }

    fn decode_reply(&self, body: &[u8]) -> Result<u64, Fault> {
        let body: Option<Value> = serde_json::from_slice(body).ok();
        let tokens = body.as_ref().and_then(|body| body.get("input_tokens")?.as_u64());
        tokens.ok_or_else(|| Fault::bad_upstream("The provider's answer states no token count."))
    }

    fn encode_reply(&self, tokens: u64) -> Bytes {
        json!({"object": "response.input_tokens", "input_tokens": tokens}).to_string().into()
    }
}
