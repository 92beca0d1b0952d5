//! Counting the tokens of a chat's input: `{"input": {"converse": …}}`.
//!
//! The other form, the body of another of Bedrock's operations in base64, is refused: it would be a
//! dialect within a dialect.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tollgate_model::{Chat, Fault, FaultKind, Losses, Source};

use super::{ID, path, request};
use crate::fields::Fields;
use crate::{Incoming, Outgoing, Recipient, operation::CountTokens};

#[derive(Debug)]
pub struct Count;

impl CountTokens for Count {
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<Chat, Fault> {
        let mut body = Fields::body(ID, incoming)?;
        let mut input = body.object("input")?.ok_or_else(|| body.missing("input"))?;
        if input.all().contains_key("invokeModel") {
            let message = "input.invokeModel is not understood here; use input.converse.";
            let fault = Fault::new(FaultKind::Unsupported, Source::Downstream, message);
            return Err(Fault { param: Some("input.invokeModel".into()), ..fault });
        }
        let chat = input.object("converse")?.ok_or_else(|| input.missing("converse"))?;
        request::decode_fields(chat, incoming)
    }

    fn encode_request(&self, chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        let mut losses = Losses::default();
        let input = request::input(chat, to, &mut losses)?;
        let body = json!({"input": {"converse": input}}).to_string();
        let path = path(to.model, "count-tokens");
        Ok(Outgoing { path, headers: Vec::new(), body: Bytes::from(body), losses })
    }

    fn decode_reply(&self, body: &[u8]) -> Result<u64, Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            input_tokens: u64,
        }
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|_| Fault::bad_upstream("The provider's answer states no count of tokens."))?;
        Ok(answer.input_tokens)
    }

    fn encode_reply(&self, tokens: u64) -> Bytes {
        Bytes::from(json!({"inputTokens": tokens}).to_string())
    }
}
