//! A request, read and written. The prompt is a question of one text. Several prompts, prompts in
//! token ids and a gap to be filled have no place in a chat: what holds one of them is for
//! providers of this dialect alone.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{
    Chat, Fault, FaultKind, Losses, Message, OutputFormat, Part, PartKind, Role, Sampling, Source,
};

use super::ID;
use crate::{Incoming, Outgoing, Recipient, fields::Fields};

/// Where completions are had, unless a provider's quirks say otherwise.
pub(super) const USUAL_PATH: &str = "/completions";

pub(super) fn decode(incoming: &Incoming<'_>) -> Result<Chat, Fault> {
    let mut top = Fields::body(ID, incoming)?;
    let model = top.model(incoming)?;
    let mut chat = Chat { model, ..Chat::default() };
    decode_prompt(&mut top, &mut chat)?;
    decode_suffix(&mut top, &mut chat)?;
    chat.stream = top.flag("stream")?;
    chat.stream_usage = top.stream_usage()?;
    chat.sampling = Sampling {
        temperature: top.float("temperature")?,
        top_p: top.float("top_p")?,
        top_k: top.count("top_k")?,
        seed: top.integer("seed")?,
        frequency_penalty: top.float("frequency_penalty")?,
        presence_penalty: top.float("presence_penalty")?,
    };
    chat.max_output_tokens = top.count("max_tokens")?;
    chat.stop = top.texts("stop")?;
    chat.choices = top.small("n")?;
    chat.top_logprobs = top.small("logprobs")?;
    chat.logprobs = chat.top_logprobs.map(|_| true);
    chat.end_user = top.string("user")?;
    // What these say by default is nothing.
    if top.all().get("echo") == Some(&Value::Bool(false)) {
        top.flag("echo")?;
    }
    if let Some(1) = top.all().get("best_of").and_then(Value::as_u64) {
        let written = top.take("best_of").unwrap_or_default();
        top.extras().spell(ID, "best_of", None, written);
    }
    chat.extras = top.rest();
    Ok(chat)
}

fn decode_prompt(top: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    let written = top.take("prompt").ok_or_else(|| top.missing("prompt"))?;
    let prompt = match written {
        Value::String(text) => text,
        Value::Array(list) => match list.as_slice() {
            [Value::String(one)] => {
                top.extras().spell(ID, "prompt", Some(one.as_str().into()), json!([one]));
                one.clone()
            }
            _ => {
                check_prompts(top, &list)?;
                chat.only = Some((ID, "prompt"));
                top.leave("prompt", list.into());
                return Ok(());
            }
        },
        other => return Err(top.wrong("prompt", "a string or an array", &other)),
    };
    chat.messages.push(Message::text(Role::User, prompt));
    Ok(())
}

/// Several texts, token ids, or several lists of token ids.
fn check_prompts(top: &Fields, list: &[Value]) -> Result<(), Fault> {
    let is_id = |value: &Value| value.as_u64().is_some();
    let ids = list.iter().all(is_id);
    for (at, prompt) in list.iter().enumerate().filter(|_| !ids) {
        let known = match prompt {
            Value::String(_) => true,
            Value::Array(tokens) => tokens.iter().all(is_id),
            _ => false,
        };
        if !known {
            let wanted = "a string or an array of token ids";
            return Err(top.wrong(&format!("prompt[{at}]"), wanted, prompt));
        }
    }
    Ok(())
}

fn decode_suffix(top: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    let Some(suffix) = top.string("suffix")? else { return Ok(()) };
    if suffix.is_empty() {
        top.extras().spell(ID, "suffix", None, suffix.into());
    } else {
        chat.only = Some((ID, "suffix"));
        top.leave("suffix", suffix.into());
    }
    Ok(())
}

pub(super) fn encode(chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
    let own = chat.extras.is_of(ID);
    let mut losses = Losses::default();
    let mut out = Map::new();
    out.insert("model".into(), to.model.into());
    if let Some(prompt) = prompt(chat, own, &mut losses)? {
        out.insert("prompt".into(), prompt.into());
    }
    let Sampling { temperature, top_p, top_k, seed, frequency_penalty, presence_penalty } =
        chat.sampling;
    let quirks = to.quirks;
    let seed_field = if own { "seed" } else { quirks.seed_field.unwrap_or("seed") };
    let usage = if own { chat.stream_usage } else { chat.stream && quirks.stream_options };
    let fields = [
        ("max_tokens", chat.max_output_tokens.map(Value::from)),
        ("temperature", temperature.map(Value::from)),
        ("top_p", top_p.map(Value::from)),
        ("top_k", top_k.filter(|_| own || quirks.top_k).map(Value::from)),
        (seed_field, seed.map(Value::from)),
        ("frequency_penalty", frequency_penalty.map(Value::from)),
        ("presence_penalty", presence_penalty.map(Value::from)),
        ("stop", (!chat.stop.is_empty()).then(|| chat.stop.clone().into())),
        ("n", chat.choices.filter(|n| own || *n != 1).map(Value::from)),
        ("logprobs", logprobs(chat).map(Value::from)),
        ("user", chat.end_user.as_deref().map(Value::from)),
        ("stream", chat.stream.then_some(Value::Bool(true))),
        ("stream_options", usage.then(|| json!({"include_usage": true}))),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            out.insert(name.into(), value);
        }
    }
    if top_k.is_some() && !own && !quirks.top_k {
        losses.dropped("", "top_k");
    }
    chat.extras.restore(ID, &mut out, "", &mut losses);
    let body = Bytes::from(Value::Object(out).to_string());
    Ok(Outgoing { path: quirks.completions_path.into(), headers: Vec::new(), body, losses })
}

/// How many alternatives per token are wanted.
fn logprobs(chat: &Chat) -> Option<u32> {
    chat.logprobs.filter(|wanted| *wanted).map(|_| chat.top_logprobs.unwrap_or_default())
}

/// The text that is to be gone on with.
fn prompt(chat: &Chat, own: bool, losses: &mut Losses) -> Result<Option<String>, Fault> {
    if own {
        // Another prompt than one text stands among the extras.
        return Ok(chat.messages.first().map(|message| text(&message.parts).unwrap_or_default()));
    }
    let [Message { role: Role::User, parts, extras, name, .. }] = chat.messages.as_slice() else {
        return Err(unsupported("messages", "A conversation cannot be asked as one prompt."));
    };
    if !chat.tools.is_empty() {
        return Err(unsupported("tools", "A completion cannot call tools."));
    }
    if chat.output != OutputFormat::Text {
        return Err(unsupported("response_format", "A completion has no format."));
    }
    let Some(text) = text(parts) else {
        return Err(unsupported("messages", "Only a text can be asked as one prompt."));
    };
    losses.approximated("", "messages");
    for part in parts {
        part.extras.report("messages[0].content", losses);
    }
    extras.report("messages[0]", losses);
    if name.is_some() {
        losses.dropped("messages[0]", "name");
    }
    if chat.reasoning.is_some() {
        losses.dropped("", "reasoning");
    }
    if chat.service_tier.is_some() {
        losses.dropped("", "service_tier");
    }
    Ok(Some(text))
}

/// The text of parts that are nothing else.
fn text(parts: &[Part]) -> Option<String> {
    let texts = parts.iter().map(|part| match &part.kind {
        PartKind::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

fn unsupported(field: &str, message: &str) -> Fault {
    let fault = Fault::new(FaultKind::Unsupported, Source::Downstream, message);
    Fault { param: Some(field.into()), ..fault }
}
