//! Counting the tokens of a chat's input.
//!
//! AI Studio counts `contents` alone, or a whole `generateContentRequest`; Vertex takes the
//! request's fields beside `contents`. Callers may write either.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Fault, Losses};

use super::fields::Fields;
use super::{ID, fault, path, request};
use crate::{Incoming, Outgoing, Recipient, operation::CountTokens};

/// Holds a whole request.
const WHOLE: &str = "generateContentRequest";

#[derive(Debug)]
pub struct Count;

impl CountTokens for Count {
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<Chat, Fault> {
        let body = request::body(incoming.body)?;
        let mut outer = Fields::open(body, "")?;
        let mut chat = match outer.take(WHOLE) {
            Some(whole) => {
                let mut chat = request::decode_body(whole, WHOLE)?;
                let inner = std::mem::take(&mut chat.extras);
                outer.extras.nest(ID, WHOLE, inner);
                chat.extras = outer.into_extras();
                chat
            }
            None => request::decode_body(outer.into_value(), "")?,
        };
        chat.model = request::model_of(incoming)?;
        Ok(chat)
    }

    fn encode_request(&self, chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        let mut losses = Losses::default();
        let inner = request::encode_body(chat, to, &mut losses);
        let native = chat.extras.is_of(ID);
        // A count of the contents alone is the same in either form.
        let whole = to.quirks.counts_wrapped
            && (chat.extras.nested(WHOLE).is_some() || (!native && inner.len() > 1));
        let mut out = if whole { Map::from_iter([(WHOLE.into(), inner.into())]) } else { inner };
        let extras = match chat.extras.nested(WHOLE) {
            Some(within) if !whole => within,
            _ => &chat.extras,
        };
        extras.restore(ID, &mut out, "", &mut losses);
        let model = Value::from(request::resource(to.model));
        match out.get_mut(WHOLE) {
            Some(whole) => {
                if !native || whole.get("model").is_some() {
                    whole["model"] = model;
                }
            }
            None => {
                if let Some(named) = out.get_mut("model") {
                    *named = model;
                }
            }
        }
        let path = path(to.model, ":countTokens");
        Ok(Outgoing { path, headers: Vec::new(), body: request::bytes(&out), losses })
    }

    fn decode_reply(&self, body: &[u8]) -> Result<u64, Fault> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(error) = body.get("error") {
            return Err(fault::read(error, 0));
        }
        // A count of nothing is left out.
        let none = body.as_object().filter(|body| body.contains_key("promptTokensDetails"));
        let count = body["totalTokens"].as_u64().or(none.map(|_| 0));
        count.ok_or_else(|| Fault::bad_upstream("The provider's answer states no count"))
    }

    fn encode_reply(&self, tokens: u64) -> Bytes {
        json!({"totalTokens": tokens}).to_string().into()
    }
}
