//! A request, both ways. The model stands in the path, and whether it streams in the method.

use bytes::Bytes;
use serde_json::{Map, Value};
use tollgate_model::{Chat, Fault, Losses};

use super::{ID, fields::Fields};
use crate::{Incoming, Outgoing, Recipient, refused, tree};

mod config;
mod contents;
mod parts;
mod tools;

pub(super) fn decode(incoming: &Incoming<'_>) -> Result<Chat, Fault> {
    let mut chat = decode_body(body(incoming.body)?, "")?;
    chat.model = model_of(incoming)?;
    chat.stream = incoming.route.stream;
    Ok(chat)
}

/// The model that the path names.
pub(super) fn model_of(incoming: &Incoming<'_>) -> Result<String, Fault> {
    let model = incoming.model.unwrap_or_default();
    if model.is_empty() {
        return Err(Fault::invalid_field("model", "The path names no model"));
    }
    Ok(model.to_owned())
}

/// The body as JSON, without anything that no caller may send.
pub(super) fn body(bytes: &[u8]) -> Result<Value, Fault> {
    let body = tree::read(bytes)
        .map_err(|error| Fault::invalid(format!("The body is not valid JSON: {error}")))?;
    if let Value::Object(body) = &body {
        refused::check(body)?;
    }
    Ok(body)
}

/// A request's body, or the same inside another operation's body.
pub(super) fn decode_body(body: Value, path: &str) -> Result<Chat, Fault> {
    let mut body = Fields::open(body, path)?;
    let mut chat = Chat::default();
    contents::decode(&mut body, &mut chat.messages)?;
    tools::decode(&mut body, &mut chat)?;
    tools::decode_choice(&mut body, &mut chat)?;
    config::decode(&mut body, &mut chat)?;
    chat.service_tier = body.text("serviceTier")?;
    if let Some(written) = body.text("model")? {
        // It repeats the path.
        body.extras.spell(ID, "model", None, written.into());
    }
    chat.extras = body.into_extras();
    Ok(chat)
}

pub(super) fn encode(chat: &Chat, to: &Recipient<'_>) -> Outgoing {
    let mut losses = Losses::default();
    let mut out = encode_body(chat, to, &mut losses);
    chat.extras.restore(ID, &mut out, "", &mut losses);
    if let Some(model) = out.get_mut("model") {
        *model = resource(to.model).into();
    }
    let mut path = super::path(to.model, if chat.stream { super::STREAM } else { super::WHOLE });
    if chat.stream {
        path.push_str("?alt=sse");
    }
    Outgoing { path, headers: Vec::new(), body: bytes(&out), losses }
}

/// The body, without the extras of its top level.
pub(super) fn encode_body(
    chat: &Chat,
    to: &Recipient<'_>,
    losses: &mut Losses,
) -> Map<String, Value> {
    let mut out = Map::new();
    contents::encode(chat, to.model, &mut out, losses);
    tools::encode(chat, &mut out, losses);
    config::encode(chat, to.model, &mut out, losses);
    if let Some(tier) = &chat.service_tier {
        match tier.as_str() {
            _ if chat.extras.is_of(ID) => {
                drop(out.insert("serviceTier".into(), tier.as_str().into()))
            }
            "auto" => {}
            "default" => drop(out.insert("serviceTier".into(), "standard".into())),
            "flex" | "priority" => drop(out.insert("serviceTier".into(), tier.as_str().into())),
            _ => losses.dropped("", "service_tier"),
        }
    }
    if chat.parallel_tool_calls == Some(false) {
        losses.dropped("", "parallel_tool_calls");
    }
    if chat.end_user.is_some() {
        losses.dropped("", "user");
    }
    out
}

pub(super) fn bytes(out: &Map<String, Value>) -> Bytes {
    serde_json::to_vec(out).unwrap_or_default().into()
}

/// A model as Google names it inside a body.
pub(super) fn resource(model: &str) -> String {
    if is_resource(model) { model.to_owned() } else { format!("models/{model}") }
}

/// The name says of what kind it is.
pub(super) fn is_resource(model: &str) -> bool {
    model.starts_with("models/") || model.starts_with("tunedModels/")
}

/// The generation of a model, by its name: `gemini-2.5-flash` is of the second. Zero for what is
/// no Gemini.
fn generation(model: &str) -> u32 {
    let after = model.split_once("gemini-").map(|(_, after)| after).unwrap_or_default();
    let digits: String = after.chars().take_while(char::is_ascii_digit).take(4).collect();
    digits.parse().unwrap_or(0)
}
