//! Vectors for texts: `/v2/embed`. Floats only: int8, binary and other types of vectors have no
//! place in the hub, so that a caller who wants one of another provider is refused.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{
    EmbedInput, EmbedReply, EmbedRequest, Encoding, Fault, FaultKind, Losses, Source, Usage,
};

use super::{ID, fault};
use crate::{
    Incoming, Outgoing, Quirks, Recipient, answer_body, fields::Fields, operation::Embed, vectors,
};

const PATH: &str = "/v2/embed";
/// Mandatory here, and unknown elsewhere: what most callers of other dialects embed.
const USUAL_INPUT: &str = "search_document";

#[derive(Debug)]
pub struct Embeddings;

impl Embed for Embeddings {
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<EmbedRequest, Fault> {
        let mut top = Fields::body(ID, incoming)?;
        let model = top.model(incoming)?;
        let Some(list) = top.list("texts")? else {
            let message = "Only texts can be embedded here: 'texts' is missing.";
            return Err(Fault::invalid_field("texts", message));
        };
        let inputs = list.into_iter().enumerate().map(|(at, text)| match text {
            Value::String(text) => Ok(EmbedInput::Text(text)),
            other => Err(top.wrong(&format!("texts[{at}]"), "a string", &other)),
        });
        let inputs = inputs.collect::<Result<_, _>>()?;
        let encoding = decode_types(&mut top)?;
        let dimensions = top.count("output_dimension")?;
        let extras = top.rest();
        Ok(EmbedRequest { model, inputs, dimensions, encoding, extras, ..Default::default() })
    }

    fn encode_request(&self, ask: &EmbedRequest, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        let own = ask.extras.is_of(ID);
        let mut losses = Losses::default();
        let mut out = Map::new();
        out.insert("model".into(), to.model.into());
        out.insert("texts".into(), vectors::list_of_texts(ask)?.into());
        if !own {
            out.insert("input_type".into(), USUAL_INPUT.into());
        }
        let word = if own { type_word(ask.encoding) } else { "float" };
        out.insert("embedding_types".into(), json!([word]));
        if let Some(dimensions) = ask.dimensions {
            out.insert("output_dimension".into(), dimensions.into());
        }
        if ask.end_user.is_some() {
            losses.dropped("", "user");
        }
        ask.extras.restore(ID, &mut out, "", &mut losses);
        Ok(Outgoing::json(PATH, out, losses))
    }

    fn decode_reply(&self, body: &[u8], _: &Quirks) -> Result<EmbedReply, Fault> {
        let body = answer_body::object(body, fault::inside)?;
        let all = body.get("embeddings");
        // The first version answers with a bare list.
        let list = all.and_then(|all| all.get("float").or_else(|| all.get("base64")).or(Some(all)));
        let list = list.and_then(Value::as_array);
        let vectors: Option<Vec<_>> =
            list.and_then(|list| list.iter().map(vectors::read).collect());
        let Some(vectors) = vectors else {
            return Err(Fault::bad_upstream("The provider's answer has no vectors of floats."));
        };
        let billed = body.get("meta").and_then(|meta| meta.get("billed_units"));
        let input = billed.and_then(|billed| billed.get("input_tokens")).and_then(Value::as_u64);
        let raw = body.get("meta").cloned().map(Box::new);
        let usage = Usage { input_tokens: input, raw, ..Usage::default() };
        Ok(EmbedReply { model: None, vectors, usage })
    }

    fn encode_reply(&self, reply: &EmbedReply, ask: &EmbedRequest, _: &str) -> Bytes {
        let word = type_word(ask.encoding);
        let write = match ask.encoding {
            Some(Encoding::Base64) => vectors::base64,
            _ => vectors::floats,
        };
        let vectors: Vec<Value> = reply.vectors.iter().map(|one| write(one)).collect();
        let texts = ask.inputs.iter().filter_map(|input| match input {
            EmbedInput::Text(text) => Some(Value::from(text.as_str())),
            EmbedInput::Tokens(_) => None,
        });
        let mut meta = json!({"api_version": {"version": "2"}});
        if let Some(input) = reply.usage.total_input() {
            meta["billed_units"] = json!({"input_tokens": input});
        }
        let out = json!({
            "id": "",
            "embeddings": {word: vectors},
            "texts": texts.collect::<Vec<_>>(),
            "meta": meta,
            "response_type": "embeddings_by_type",
        });
        Bytes::from(out.to_string())
    }
}

fn type_word(encoding: Option<Encoding>) -> &'static str {
    match encoding {
        Some(Encoding::Base64) => "base64",
        _ => "float",
    }
}

/// The type of vector that is wanted.
fn decode_types(top: &mut Fields) -> Result<Option<Encoding>, Fault> {
    let field = "embedding_types";
    let types = top.texts(field)?;
    let encoding = match types.as_slice() {
        [] => None,
        [one] if one == "float" => Some(Encoding::Float),
        [one] if one == "base64" => Some(Encoding::Base64),
        _ => {
            let message = "Of the types of vectors only 'float' or 'base64' can be had here.";
            let fault = Fault::new(FaultKind::Unsupported, Source::Downstream, message);
            return Err(Fault { param: Some(field.into()), ..fault });
        }
    };
    if types.is_empty() {
        top.extras().omit(ID, field, json!(["float"]));
    }
    Ok(encoding)
}
