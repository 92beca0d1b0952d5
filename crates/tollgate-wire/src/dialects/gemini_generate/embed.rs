//! Vectors for texts: `embedContent` for one, `batchEmbedContents` for a list where the provider
//! knows lists.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tollgate_model::{
    EmbedInput, EmbedReply, EmbedRequest, Extras, Fault, FaultKind, Losses, Source,
};

use super::fields::{Fields, wrong};
use super::{ID, fault, path, request, usage};
use crate::{Incoming, Outgoing, Quirks, Recipient, operation::Embed};

const DIMENSIONS: &str = "outputDimensionality";

#[derive(Debug)]
pub struct Embeddings;

impl Embed for Embeddings {
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<EmbedRequest, Fault> {
        let mut body = Fields::open(request::body(incoming.body)?, "")?;
        let mut ask = EmbedRequest { model: request::model_of(incoming)?, ..Default::default() };
        if body.has("requests") {
            let list = body.list("requests")?.unwrap_or_default();
            if list.is_empty() {
                return Err(Fault::invalid_field("requests", "'requests' is empty"));
            }
            decode_batch(list, &mut body, &mut ask)?;
        } else {
            ask.single = true;
            let (text, dimensions) = decode_one(&mut body)?;
            ask.inputs.push(EmbedInput::Text(text));
            ask.dimensions = dimensions;
        }
        ask.extras = body.into_extras();
        Ok(ask)
    }

    fn encode_request(&self, ask: &EmbedRequest, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        let mut losses = Losses::default();
        let native = ask.extras.is_of(ID);
        let one_at_most = !to.quirks.embeds_lists;
        if one_at_most && ask.inputs.len() > 1 {
            let message = "This provider embeds one text in a call";
            let fault = Fault::new(FaultKind::Unsupported, Source::Downstream, message);
            return Err(Fault { param: Some("input".into()), ..fault });
        }
        let single = one_at_most || (native && ask.single);
        let mut out = Map::new();
        for (at, input) in ask.inputs.iter().enumerate() {
            let EmbedInput::Text(text) = input else {
                let message = "This provider embeds texts, not token ids";
                let fault = Fault::new(FaultKind::Unsupported, Source::Downstream, message);
                return Err(Fault { param: Some("input".into()), ..fault });
            };
            let one = one(text, ask.dimensions);
            match single {
                true => out = one,
                false => drop(out.insert(place(at), one.into())),
            }
        }
        ask.extras.restore(ID, &mut out, "", &mut losses);
        let model = request::resource(to.model);
        if single {
            set_model(&mut out, &model, false);
        } else {
            gather(&mut out, ask.inputs.len(), &model, native);
        }
        if ask.end_user.is_some() {
            losses.dropped("", "user");
        }
        let method = if single { ":embedContent" } else { ":batchEmbedContents" };
        let (path, body) = (path(to.model, method), request::bytes(&out));
        Ok(Outgoing { path, headers: Vec::new(), body, losses })
    }

    fn decode_reply(&self, body: &[u8], _: &Quirks) -> Result<EmbedReply, Fault> {
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|_| Fault::bad_upstream("The provider's answer holds no vectors"))?;
        if let Some(error) = answer.error {
            return Err(fault::read(&error, 0));
        }
        let vectors = match (answer.embeddings, answer.embedding) {
            (Some(list), _) => list.into_iter().map(|vector| vector.values).collect(),
            (None, Some(one)) => vec![one.values],
            (None, None) => {
                return Err(Fault::bad_upstream("The provider's answer holds no vectors"));
            }
        };
        let usage = answer.usage_metadata.as_ref().and_then(usage::read).unwrap_or_default();
        Ok(EmbedReply { model: None, vectors, usage })
    }

    fn encode_reply(&self, reply: &EmbedReply, ask: &EmbedRequest, _: &str) -> Bytes {
        let mut vectors = reply.vectors.iter().map(|values| WrittenVector { values });
        let usage_metadata = usage::written(&reply.usage);
        let (embedding, embeddings) = match ask.single {
            true => (vectors.next(), None),
            false => (None, Some(vectors.collect())),
        };
        let written = Written { embedding, embeddings, usage_metadata };
        serde_json::to_vec(&written).unwrap_or_default().into()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    embedding: Option<Vector>,
    embeddings: Option<Vec<Vector>>,
    usage_metadata: Option<Map<String, Value>>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Vector {
    values: Vec<f32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<WrittenVector<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embeddings: Option<Vec<WrittenVector<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_metadata: Option<Value>,
}

#[derive(Serialize)]
struct WrittenVector<'a> {
    values: &'a [f32],
}

/// Where one request of a batch stands until the list is put together.
fn place(at: usize) -> String {
    format!("requests[{at}]")
}

fn decode_batch(list: Vec<Value>, body: &mut Fields, ask: &mut EmbedRequest) -> Result<(), Fault> {
    let mut inner: Vec<(Extras, Option<u64>)> = Vec::new();
    for (at, value) in list.into_iter().enumerate() {
        let mut one = Fields::open(value, place(at))?;
        let (text, dimensions) = decode_one(&mut one)?;
        ask.inputs.push(EmbedInput::Text(text));
        inner.push((one.into_extras(), dimensions));
    }
    let first = inner.first().and_then(|(_, dimensions)| *dimensions);
    let same = inner.iter().all(|(_, dimensions)| *dimensions == first);
    ask.dimensions = first.filter(|_| same);
    for (at, (mut extras, dimensions)) in inner.into_iter().enumerate() {
        // Only one wish is carried elsewhere: different ones are this dialect's own.
        if let Some(dimensions) = dimensions.filter(|_| !same) {
            extras.keep(ID, DIMENSIONS, dimensions.into());
        }
        body.extras.nest(ID, place(at), extras);
    }
    Ok(())
}

/// The text and the wished dimensions of one request.
fn decode_one(one: &mut Fields) -> Result<(String, Option<u64>), Fault> {
    let path = one.path("content");
    let Some(content) = one.take("content") else {
        return Err(Fault::invalid_field(&path, format!("'{path}' is missing")));
    };
    let mut content = Fields::open(content, &path)?;
    if let Some(role) = content.text("role")? {
        content.extras.spell(ID, "role", None, role.into());
    }
    let path = content.path("parts");
    let written = content.take("parts").unwrap_or_default();
    let parts = match &written {
        Value::Array(list) => list.as_slice(),
        one @ Value::Object(_) => std::slice::from_ref(one),
        other => return Err(wrong(&path, "a list", other)),
    };
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        let Some(more) = part["text"].as_str() else {
            let path = format!("{path}[{at}].text");
            return Err(wrong(&path, "a string", &part["text"]));
        };
        if at > 0 {
            text.push('\n');
        }
        text.push_str(more);
    }
    content.extras.spell(ID, "parts", Some(json!([{"text": text}])), written);
    let extras = content.into_extras();
    one.extras.nest(ID, "content", extras);
    if let Some(model) = one.text("model")? {
        // It repeats the path.
        one.extras.spell(ID, "model", None, model.into());
    }
    Ok((text, one.count(DIMENSIONS)?))
}

fn one(text: &str, dimensions: Option<u64>) -> Map<String, Value> {
    let mut one = Map::new();
    one.insert("content".into(), json!({"parts": [{"text": text}]}));
    if let Some(dimensions) = dimensions {
        one.insert(DIMENSIONS.into(), dimensions.into());
    }
    one
}

/// Puts the requests of a batch into their list.
fn gather(out: &mut Map<String, Value>, count: usize, model: &str, native: bool) {
    let mut list = Vec::with_capacity(count);
    for at in 0..count {
        if let Some(Value::Object(mut one)) = out.remove(&place(at)) {
            set_model(&mut one, model, !native);
            list.push(one.into());
        }
    }
    out.insert("requests".into(), Value::Array(list));
}

/// Google wants every request of a batch to repeat the model.
fn set_model(one: &mut Map<String, Value>, model: &str, always: bool) {
    if always || one.contains_key("model") {
        one.insert("model".into(), model.into());
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use tollgate_model::Encoding;

    use super::*;

    const TO: Recipient<'static> = Recipient { model: "m", quirks: &Quirks::NONE };

    fn decoded(body: &Value) -> Result<EmbedRequest, Fault> {
        let routes = super::super::GEMINI_GENERATE.rules().routes;
        let route = routes.iter().find(|route| route.operation == crate::Operation::Embed).unwrap();
        let (headers, body) = (HeaderMap::new(), body.to_string());
        let body = body.as_bytes();
        Embeddings.decode_request(&Incoming { route, model: Some("m"), headers: &headers, body })
    }

    fn body(outgoing: &Outgoing) -> Value {
        serde_json::from_slice(&outgoing.body).unwrap()
    }

    #[test]
    fn a_batch_of_different_wishes_comes_back_as_it_was() {
        let written = json!({"requests": [
            {"model": "models/m", "content": {"parts": [{"text": "a"}, {"text": "b"}]},
             "output_dimensionality": 8, "taskType": "RETRIEVAL_QUERY"},
            {"content": {"role": "user", "parts": {"text": "c"}}, "outputDimensionality": "16"},
        ]});
        let ask = decoded(&written).unwrap();
        let text = |text: &str| EmbedInput::Text(text.into());
        assert_eq!((ask.inputs.clone(), ask.dimensions), (vec![text("a\nb"), text("c")], None));
        let again = body(&Embeddings.encode_request(&ask, &TO).unwrap());
        assert_eq!(again["requests"][0], written["requests"][0]);
        // Different wishes lose their odd spelling.
        assert_eq!(again["requests"][1]["outputDimensionality"], 16);
        let mut losses = Losses::default();
        ask.extras.report("", &mut losses);
        let named: Vec<_> = losses.iter().map(|loss| loss.field.as_str()).collect();
        assert!(named.contains(&"requests[0].taskType"), "{named:?}");
    }

    #[test]
    fn another_dialects_list_becomes_a_batch_that_names_the_model() {
        let ask = EmbedRequest {
            inputs: vec![EmbedInput::Text("a".into())],
            single: true,
            dimensions: Some(4),
            encoding: Some(Encoding::Base64),
            ..EmbedRequest::default()
        };
        let outgoing = Embeddings.encode_request(&ask, &TO).unwrap();
        assert_eq!(outgoing.path, "/v1beta/models/m:batchEmbedContents");
        let one = json!({
            "content": {"parts": [{"text": "a"}]}, "outputDimensionality": 4, "model": "models/m",
        });
        assert_eq!(body(&outgoing), json!({"requests": [one]}));
        assert!(outgoing.losses.is_empty());
        let tokens = EmbedRequest { inputs: vec![EmbedInput::Tokens(vec![1])], ..ask };
        let fault = Embeddings.encode_request(&tokens, &TO).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unsupported);
    }

    #[test]
    fn what_is_no_text_is_refused_by_its_path() {
        let image = json!({"content": {"parts": [{"inlineData": {}}]}});
        assert_eq!(decoded(&image).unwrap_err().param.as_deref(), Some("content.parts[0].text"));
        let nothing = json!({"requests": [{"content": {"parts": [{"text": "a"}]}}, {}]});
        assert_eq!(decoded(&nothing).unwrap_err().param.as_deref(), Some("requests[1].content"));
        assert!(decoded(&json!({"requests": []})).is_err());
    }

    #[test]
    fn vectors_are_read_and_written_to_the_last_digit() {
        let body = br#"{"embeddings":[{"values":[-0.006419318,2.3037848e-05]}]}"#;
        let reply = Embeddings.decode_reply(body, &Quirks::NONE).unwrap();
        assert_eq!(reply.vectors, [[-0.006_419_318, 2.303_784_8e-5]]);
        let written = Embeddings.encode_reply(&reply, &EmbedRequest::default(), "m");
        assert_eq!(&written[..], br#"{"embeddings":[{"values":[-0.006419318,0.000023037848]}]}"#);
        let single = EmbedRequest { single: true, ..EmbedRequest::default() };
        let written = Embeddings.encode_reply(&reply, &single, "m");
        assert_eq!(&written[..], br#"{"embedding":{"values":[-0.006419318,0.000023037848]}}"#);
        assert!(Embeddings.decode_reply(b"{}", &Quirks::NONE).is_err());
    }
}
