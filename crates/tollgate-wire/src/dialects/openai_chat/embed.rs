//! Vectors for texts: `/v1/embeddings`, as OpenAI and its compatible hosts speak it.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{EmbedInput, EmbedReply, EmbedRequest, Encoding, Fault, Losses, Usage};

use super::{ID, fault, request::END_USER, usage};
use crate::{
    Incoming, Outgoing, Quirks, Recipient, answer_body, fields::Fields, operation::Embed, vectors,
};

#[derive(Debug)]
pub struct Embeddings;

impl Embed for Embeddings {
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<EmbedRequest, Fault> {
        let mut top = Fields::body(ID, incoming)?;
        let model = top.model(incoming)?;
        let (inputs, single) = decode_inputs(&mut top)?;
        let encoding = decode_encoding(&mut top)?;
        let dimensions = top.count("dimensions")?;
        let mut end_user = top.string(END_USER[1])?;
        if end_user.is_some() {
            top.extras().choose(ID, END_USER[1]);
        } else {
            end_user = top.string(END_USER[0])?;
        }
        let extras = top.rest();
        Ok(EmbedRequest { model, inputs, single, dimensions, encoding, end_user, extras })
    }

    fn encode_request(&self, ask: &EmbedRequest, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        let own = ask.extras.is_of(ID);
        let mut losses = Losses::default();
        let mut out = Map::new();
        out.insert("model".into(), to.model.into());
        let mut inputs: Vec<Value> = ask.inputs.iter().map(encode_input).collect();
        let input = match inputs.pop() {
            Some(one) if ask.single && inputs.is_empty() => one,
            last => {
                inputs.extend(last);
                inputs.into()
            }
        };
        out.insert("input".into(), input);
        if let Some(dimensions) = ask.dimensions {
            out.insert("dimensions".into(), dimensions.into());
        }
        if let Some(encoding) = ask.encoding {
            out.insert("encoding_format".into(), encoding_word(encoding).into());
        }
        if let Some(user) = &ask.end_user {
            let name = if ask.extras.chose(ID, END_USER[1]) { END_USER[1] } else { END_USER[0] };
            if own || to.quirks.end_user_field.is_some() {
                out.insert(name.into(), user.as_str().into());
            } else {
                losses.dropped("", name);
            }
        }
        ask.extras.restore(ID, &mut out, "", &mut losses);
        Ok(Outgoing {
            path: "/embeddings".into(),
            headers: Vec::new(),
            body: Bytes::from(Value::Object(out).to_string()),
            losses,
        })
    }

    fn decode_reply(&self, body: &[u8], quirks: &Quirks) -> Result<EmbedReply, Fault> {
        let body = answer_body::object(body, fault::inside)?;
        let Some(data) = body.get("data").and_then(Value::as_array) else {
            return Err(Fault::bad_upstream("The provider's answer has no vectors."));
        };
        let mut found = Vec::with_capacity(data.len());
        for item in data {
            let vector = item.get("embedding").and_then(vectors::read);
            let vector = vector.ok_or_else(|| {
                Fault::bad_upstream("The provider's answer holds a vector that cannot be read.")
            })?;
            let index = item.get("index").and_then(Value::as_u64).unwrap_or_default();
            found.push((index, vector));
        }
        // The order of the inputs, whatever the order of the answer.
        found.sort_by_key(|(index, _)| *index);
        let model = body.get("model").and_then(Value::as_str).map(str::to_owned);
        let usage = body.get("usage").and_then(|raw| usage::decode(raw, quirks));
        Ok(EmbedReply {
            model,
            vectors: found.into_iter().map(|(_, vector)| vector).collect(),
            usage: usage.unwrap_or_default(),
        })
    }

    fn encode_reply(&self, reply: &EmbedReply, ask: &EmbedRequest, model: &str) -> Bytes {
        let encoding = ask.encoding.unwrap_or_default();
        let data = reply.vectors.iter().enumerate().map(|(index, vector)| {
            let embedding = encode_vector(vector, encoding);
            json!({"object": "embedding", "index": index, "embedding": embedding})
        });
        let mut out = json!({
            "object": "list",
            "data": data.collect::<Vec<_>>(),
            "model": reply.model.as_deref().unwrap_or(model),
        });
        if let (Some(usage), Value::Object(out)) = (encode_usage(&reply.usage), &mut out) {
            out.insert("usage".into(), usage);
        }
        Bytes::from(out.to_string())
    }
}

/// A text, a list of texts, a list of token ids, or a list of such lists.
fn decode_inputs(top: &mut Fields) -> Result<(Vec<EmbedInput>, bool), Fault> {
    let list = match top.take("input") {
        None => return Err(top.missing("input")),
        Some(Value::String(text)) => return Ok((vec![EmbedInput::Text(text)], true)),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(top.wrong("input", "a string or an array", &other)),
    };
    if list.first().is_some_and(Value::is_number) {
        let tokens = decode_tokens(&list, "input", top)?;
        return Ok((vec![EmbedInput::Tokens(tokens)], true));
    }
    let inputs = list.into_iter().enumerate().map(|(at, input)| {
        let path = format!("input[{at}]");
        match input {
            Value::String(text) => Ok(EmbedInput::Text(text)),
            Value::Array(tokens) => Ok(EmbedInput::Tokens(decode_tokens(&tokens, &path, top)?)),
            other => Err(top.wrong(&path, "a string or an array of token ids", &other)),
        }
    });
    Ok((inputs.collect::<Result<_, _>>()?, false))
}

fn decode_tokens(list: &[Value], path: &str, top: &Fields) -> Result<Vec<u64>, Fault> {
    let tokens = list.iter().enumerate().map(|(at, token)| {
        token.as_u64().ok_or_else(|| top.wrong(&format!("{path}[{at}]"), "a token id", token))
    });
    tokens.collect()
}

fn encode_input(input: &EmbedInput) -> Value {
    match input {
        EmbedInput::Text(text) => text.as_str().into(),
        EmbedInput::Tokens(tokens) => tokens.clone().into(),
    }
}

fn decode_encoding(top: &mut Fields) -> Result<Option<Encoding>, Fault> {
    match top.string("encoding_format")?.as_deref() {
        None => Ok(None),
        Some("float") => Ok(Some(Encoding::Float)),
        Some("base64") => Ok(Some(Encoding::Base64)),
        // Some hosts know others (`int8`, `ubinary`): kept for them, floats for the rest.
        Some(other) => {
            top.leave("encoding_format", other.into());
            Ok(None)
        }
    }
}

fn encoding_word(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Float => "float",
        Encoding::Base64 => "base64",
    }
}

fn encode_vector(vector: &[f32], encoding: Encoding) -> Value {
    match encoding {
        Encoding::Float => vectors::floats(vector),
        Encoding::Base64 => vectors::base64(vector),
    }
}

fn encode_usage(usage: &Usage) -> Option<Value> {
    let input = usage.total_input()?;
    let total = usage.stated_total.unwrap_or(input).max(input);
    Some(json!({"prompt_tokens": input, "total_tokens": total}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dialects::openai_chat::OPENAI_CHAT, provider};
    use http::HeaderMap;

    fn decode(body: &Value) -> Result<EmbedRequest, Fault> {
        let bytes = body.to_string();
        Embeddings.decode_request(&Incoming {
            route: &OPENAI_CHAT.rules().routes[1],
            model: None,
            headers: &HeaderMap::new(),
            body: bytes.as_bytes(),
        })
    }

    #[test]
    fn every_form_of_input_comes_back_as_it_was() {
        let quirks = &provider::find("openai").unwrap().quirks;
        for input in [
            json!("one"),
            json!(["one"]),
            json!(["one", "two"]),
            json!([1, 2, 3]),
            json!([[1, 2], [3]]),
            json!([]),
        ] {
            let body = json!({
                "model": "m", "input": input, "dimensions": 8, "encoding_format": "base64",
                "user": null, "odd": {"a": 1},
            });
            let ask = decode(&body).unwrap();
            let out = Embeddings.encode_request(&ask, &Recipient { model: "m", quirks }).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&out.body).unwrap(), body);
            assert!(out.losses.is_empty());
        }
    }

    #[test]
    fn a_wrong_input_is_named() {
        for (body, param) in [
            (json!({"model": "m"}), "input"),
            (json!({"input": "x"}), "model"),
            (json!({"model": "m", "input": 3}), "input"),
            (json!({"model": "m", "input": ["a", 3]}), "input[1]"),
            (json!({"model": "m", "input": [[1, "a"]]}), "input[0][1]"),
            (json!({"model": "m", "input": "x", "api_base": "y"}), "api_base"),
        ] {
            let fault = decode(&body).unwrap_err();
            assert_eq!(fault.param.as_deref(), Some(param), "{body}");
        }
    }

    #[test]
    fn floats_and_base64_are_the_same_vector_in_the_order_of_the_inputs() {
        let quirks = &provider::find("openai").unwrap().quirks;
        let vectors = vec![vec![0.1, -2.5, 3e-9], vec![1.0, 0.0, 0.333_333_34]];
        let reply = EmbedReply { vectors: vectors.clone(), ..EmbedReply::default() };
        for encoding in [Encoding::Float, Encoding::Base64] {
            let ask = EmbedRequest { encoding: Some(encoding), ..EmbedRequest::default() };
            let body = Embeddings.encode_reply(&reply, &ask, "m");
            let mut turned: Value = serde_json::from_slice(&body).unwrap();
            turned["data"].as_array_mut().unwrap().reverse();
            let read = Embeddings.decode_reply(turned.to_string().as_bytes(), quirks).unwrap();
            assert_eq!(read.vectors, vectors);
            assert_eq!(read.model.as_deref(), Some("m"));
        }
        let floats = Embeddings.encode_reply(&reply, &EmbedRequest::default(), "m");
        assert!(String::from_utf8_lossy(&floats).contains("[0.1,-2.5,"), "short decimals");
    }
}
