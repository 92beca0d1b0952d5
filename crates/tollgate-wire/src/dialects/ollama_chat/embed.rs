//! Vectors for texts: `/api/embed`.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{EmbedInput, EmbedReply, EmbedRequest, Fault, Losses, Usage};

use super::{ID, fault};
use crate::{
    Incoming, Outgoing, Quirks, Recipient, answer_body, fields::Fields, operation::Embed, vectors,
};

const PATH: &str = "/api/embed";

#[derive(Debug)]
pub struct Embeddings;

impl Embed for Embeddings {
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<EmbedRequest, Fault> {
        let mut top = Fields::body(ID, incoming)?;
        let model = top.model(incoming)?;
        let (texts, single) = match top.take("input") {
            None => return Err(top.missing("input")),
            Some(Value::String(text)) => (vec![EmbedInput::Text(text)], true),
            Some(Value::Array(list)) => {
                let texts = list.into_iter().enumerate().map(|(at, text)| match text {
                    Value::String(text) => Ok(EmbedInput::Text(text)),
                    other => Err(top.wrong(&format!("input[{at}]"), "a string", &other)),
                });
                (texts.collect::<Result<_, _>>()?, false)
            }
            Some(other) => return Err(top.wrong("input", "a string or an array", &other)),
        };
        let dimensions = top.count("dimensions")?;
        let extras = top.rest();
        Ok(EmbedRequest { model, inputs: texts, single, dimensions, extras, ..Default::default() })
    }

    fn encode_request(&self, ask: &EmbedRequest, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        let mut losses = Losses::default();
        let mut out = Map::new();
        out.insert("model".into(), to.model.into());
        out.insert("input".into(), vectors::texts(ask)?);
        if let Some(dimensions) = ask.dimensions {
            out.insert("dimensions".into(), dimensions.into());
        }
        if ask.end_user.is_some() {
            losses.dropped("", "user");
        }
        ask.extras.restore(ID, &mut out, "", &mut losses);
        Ok(Outgoing::json(PATH, out, losses))
    }

    fn decode_reply(&self, body: &[u8], _: &Quirks) -> Result<EmbedReply, Fault> {
        let body = answer_body::object(body, fault::inside)?;
        let vectors = body.get("embeddings").and_then(Value::as_array);
        let vectors: Option<Vec<_>> =
            vectors.and_then(|list| list.iter().map(vectors::read).collect());
        let Some(vectors) = vectors else {
            return Err(Fault::bad_upstream("The provider's answer has no vectors."));
        };
        let input_tokens = body.get("prompt_eval_count").and_then(Value::as_u64);
        let usage = Usage { input_tokens, ..Usage::default() };
        let model = body.get("model").and_then(Value::as_str).map(str::to_owned);
        Ok(EmbedReply { model, vectors, usage })
    }

    fn encode_reply(&self, reply: &EmbedReply, _: &EmbedRequest, model: &str) -> Bytes {
        let vectors: Vec<Value> = reply.vectors.iter().map(|one| vectors::floats(one)).collect();
        let mut out = json!({
            "model": reply.model.as_deref().unwrap_or(model),
            "embeddings": vectors,
        });
        if let Some(input) = reply.usage.total_input() {
            out["prompt_eval_count"] = input.into();
        }
        Bytes::from(out.to_string())
    }
}
