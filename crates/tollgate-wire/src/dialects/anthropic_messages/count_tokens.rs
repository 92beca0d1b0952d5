//! Counting the tokens of a chat's input: the request of a chat less what only its answer needs.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tollgate_model::{Chat, Fault};

use super::request::{self, Purpose};
use crate::{Incoming, Outgoing, Recipient, operation::CountTokens};

#[derive(Debug)]
pub struct Count;

impl CountTokens for Count {
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<Chat, Fault> {
        request::decode(incoming.body, Purpose::Count)
    }

    fn encode_request(&self, chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        request::encode(chat, to, Purpose::Count)
    }

    fn decode_reply(&self, body: &[u8]) -> Result<u64, Fault> {
        #[derive(Deserialize)]
        struct Answer {
            input_tokens: u64,
        }
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|_| Fault::bad_upstream("The provider's answer states no count of tokens."))?;
        Ok(answer.input_tokens)
    }

    fn encode_reply(&self, tokens: u64) -> Bytes {
        Bytes::from(json!({"input_tokens": tokens}).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_and_written() {
        let body = Count.encode_reply(42);
        assert_eq!(body, r#"{"input_tokens":42}"#);
        assert_eq!(Count.decode_reply(&body), Ok(42));
        assert!(Count.decode_reply(b"{}").is_err());
    }
}
