//! Vectors of Titan, by `InvokeModel`: Converse has no call for them. A request holds one text, so
//! several are refused. Cohere's models on the same host are asked in Cohere's own dialect.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, json};
use tollgate_model::{
    EmbedInput, EmbedReply, EmbedRequest, Fault, FaultKind, Losses, Source, Usage,
};

use super::{ID, path};
use crate::fields::Fields;
use crate::operation::Embed;
use crate::{Incoming, Outgoing, Quirks, Recipient, vectors};

#[derive(Debug)]
pub struct Titan;

impl Embed for Titan {
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<EmbedRequest, Fault> {
        let mut top = Fields::body(ID, incoming)?;
        let model = top.model(incoming)?;
        let text = top.string("inputText")?.ok_or_else(|| top.missing("inputText"))?;
        let inputs = vec![EmbedInput::Text(text)];
        let dimensions = top.count("dimensions")?;
        let extras = top.rest();
        Ok(EmbedRequest { model, inputs, single: true, dimensions, extras, ..Default::default() })
    }

    fn encode_request(&self, ask: &EmbedRequest, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        known(to.model)?;
        let texts = vectors::list_of_texts(ask)?;
        let [text] = texts[..] else {
            let message = format!(
                "This model embeds one text per request, and {} are asked for.",
                texts.len()
            );
            return Err(refused("input", message));
        };
        let mut losses = Losses::default();
        let mut out = Map::new();
        out.insert("inputText".into(), text.into());
        match ask.dimensions {
            Some(_) if only_text(to.model) => losses.dropped("", "dimensions"),
            Some(dimensions) => {
                out.insert("dimensions".into(), dimensions.into());
            }
            None => {}
        }
        if ask.end_user.is_some() {
            losses.dropped("", "user");
        }
        ask.extras.restore(ID, &mut out, "", &mut losses);
        Ok(Outgoing::json(&path(to.model, "invoke"), out, losses))
    }

    fn decode_reply(&self, body: &[u8], _: &Quirks) -> Result<EmbedReply, Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            embedding: Vec<f32>,
            input_text_token_count: Option<u64>,
        }
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|_| Fault::bad_upstream("The provider's answer has no vector of floats."))?;
        let usage = Usage { input_tokens: answer.input_text_token_count, ..Usage::default() };
        Ok(EmbedReply { model: None, vectors: vec![answer.embedding], usage })
    }

    fn encode_reply(&self, reply: &EmbedReply, _: &EmbedRequest, _: &str) -> Bytes {
        let vector = vectors::floats(reply.vectors.first().map_or(&[], Vec::as_slice));
        let count = reply.usage.total_input();
        Bytes::from(json!({"embedding": vector, "inputTextTokenCount": count}).to_string())
    }
}

/// Each maker's models take a body of their own here. What an ARN stands for is not known.
fn known(model: &str) -> Result<(), Fault> {
    if model.contains("titan-embed-text") || model.starts_with("arn:") {
        return Ok(());
    }
    Err(refused("model", format!("`{model}` is not known here as a model that embeds texts.")))
}

/// The first version's body has one field.
fn only_text(model: &str) -> bool {
    model.contains("titan-embed-text-v1") || model.contains("titan-embed-g1-text")
}

fn refused(param: &str, message: String) -> Fault {
    let fault = Fault::new(FaultKind::Unsupported, Source::Downstream, message);
    Fault { param: Some(param.into()), ..fault }
}
