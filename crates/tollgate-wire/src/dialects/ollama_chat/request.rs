//! A request's top level, read and written. Messages and tools have files of their own.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Fault, Losses, OutputFormat, Reasoning, ReasoningEffort, Sampling};

use super::{CHAT, ID, history, messages, tools};
use crate::{Incoming, Outgoing, Recipient, fields::Fields};

pub(super) fn decode(incoming: &Incoming<'_>) -> Result<Chat, Fault> {
    let mut top = Fields::body(ID, incoming)?;
    let model = top.model(incoming)?;
    let Some(list) = top.list("messages")? else { return Err(top.missing("messages")) };
    let mut chat = Chat { model, messages: messages::decode(list)?, ..Chat::default() };
    chat.stream = decode_stream(&mut top)?;
    chat.stream_usage = true;
    tools::decode(&mut top, &mut chat)?;
    decode_options(&mut top, &mut chat)?;
    chat.output = decode_format(&mut top)?;
    chat.reasoning = decode_think(&mut top)?;
    chat.logprobs = top.bool("logprobs")?;
    chat.top_logprobs = top.small("top_logprobs")?;
    chat.extras = top.rest();
    Ok(chat)
}

/// Who does not say is streamed to.
fn decode_stream(top: &mut Fields) -> Result<bool, Fault> {
    match top.take_raw("stream") {
        Some(Value::Bool(stream)) => return Ok(stream),
        Some(Value::Null) => {
            top.extras().spell(ID, "stream", Some(true.into()), Value::Null);
        }
        Some(other) => return Err(top.wrong("stream", "a boolean", &other)),
        None => top.extras().omit(ID, "stream", true.into()),
    }
    Ok(true)
}

fn decode_options(top: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    let Some(written) = top.take("options") else { return Ok(()) };
    let mut options = Fields::of(ID, written, "options")?;
    chat.sampling = Sampling {
        temperature: options.float("temperature")?,
        top_p: options.float("top_p")?,
        top_k: options.count("top_k")?,
        seed: options.integer("seed")?,
        frequency_penalty: options.float("frequency_penalty")?,
        presence_penalty: options.float("presence_penalty")?,
    };
    if let Some(limit) = options.integer("num_predict")? {
        match u64::try_from(limit) {
            Ok(limit) => chat.max_output_tokens = Some(limit),
            // Below zero: no limit.
            Err(_) => options.extras().spell(ID, "num_predict", None, limit.into()),
        }
    }
    chat.stop = options.texts("stop")?;
    // Also when nothing is left: that there were options is remembered.
    let rest = options.rest();
    top.extras().nest(ID, "options", rest);
    Ok(())
}

fn decode_format(top: &mut Fields) -> Result<OutputFormat, Fault> {
    match top.take("format") {
        None => Ok(OutputFormat::Text),
        Some(Value::String(word)) if word.is_empty() => {
            top.extras().spell(ID, "format", None, word.into());
            Ok(OutputFormat::Text)
        }
        Some(Value::String(word)) if word == "json" => Ok(OutputFormat::Json),
        Some(schema @ Value::Object(_)) => {
            Ok(OutputFormat::Schema { name: None, description: None, schema, strict: None })
        }
        Some(other) => Err(top.wrong("format", "\"json\" or a JSON schema", &other)),
    }
}

fn decode_think(top: &mut Fields) -> Result<Option<Reasoning>, Fault> {
    match top.take("think") {
        None => Ok(None),
        Some(Value::Bool(enabled)) => {
            Ok(Some(Reasoning { enabled: Some(enabled), ..Reasoning::default() }))
        }
        Some(Value::String(word)) => {
            let effort = Some(ReasoningEffort::parse(&word));
            Ok(Some(Reasoning { effort, ..Reasoning::default() }))
        }
        Some(other) => Err(top.wrong("think", "a boolean or a level", &other)),
    }
}

pub(super) fn encode(chat: &Chat, to: &Recipient<'_>) -> Outgoing {
    let own = chat.extras.is_of(ID);
    let mut losses = Losses::default();
    let mut out = Map::new();
    out.insert("model".into(), to.model.into());
    out.insert("messages".into(), history::encode(&chat.messages, own, &mut losses).into());
    out.insert("stream".into(), chat.stream.into());
    tools::encode(chat, own, &mut losses, &mut out);
    put_options(chat, &mut out);
    put_format(&chat.output, &mut losses, &mut out);
    if let Some(reasoning) = &chat.reasoning
        && let Some(think) = think_of(reasoning, own, &mut losses)
    {
        out.insert("think".into(), think);
    }
    if let Some(logprobs) = chat.logprobs {
        out.insert("logprobs".into(), logprobs.into());
    }
    if let Some(top) = chat.top_logprobs {
        out.insert("top_logprobs".into(), top.into());
    }
    if chat.choices.is_some_and(|choices| choices != 1) {
        losses.dropped("", "n");
    }
    if chat.end_user.is_some() {
        losses.dropped("", "user");
    }
    if chat.service_tier.as_deref().is_some_and(|tier| !matches!(tier, "auto" | "default")) {
        losses.dropped("", "service_tier");
    }
    chat.extras.restore(ID, &mut out, "", &mut losses);
    let body = Bytes::from(Value::Object(out).to_string());
    Outgoing { path: CHAT.into(), headers: Vec::new(), body, losses }
}

fn put_options(chat: &Chat, out: &mut Map<String, Value>) {
    let Sampling { temperature, top_p, top_k, seed, frequency_penalty, presence_penalty } =
        chat.sampling;
    let options = [
        ("num_predict", chat.max_output_tokens.map(Value::from)),
        ("temperature", temperature.map(Value::from)),
        ("top_p", top_p.map(Value::from)),
        ("top_k", top_k.map(Value::from)),
        ("seed", seed.map(Value::from)),
        ("frequency_penalty", frequency_penalty.map(Value::from)),
        ("presence_penalty", presence_penalty.map(Value::from)),
        ("stop", (!chat.stop.is_empty()).then(|| chat.stop.clone().into())),
    ];
    let options = options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let options: Map<String, Value> = options.collect();
    if !options.is_empty() {
        out.insert("options".into(), options.into());
    }
}

fn put_format(output: &OutputFormat, losses: &mut Losses, out: &mut Map<String, Value>) {
    match output {
        OutputFormat::Text => {}
        OutputFormat::Json => drop(out.insert("format".into(), "json".into())),
        // The answer always fits: the grammar is enforced. A name is only a label.
        OutputFormat::Schema { schema, description, .. } => {
            out.insert("format".into(), schema.clone());
            if description.is_some() {
                losses.dropped("response_format.json_schema", "description");
            }
        }
    }
}

/// Thinking is on, off, or, for some models, of one of three levels.
fn think_of(reasoning: &Reasoning, own: bool, losses: &mut Losses) -> Option<Value> {
    let Reasoning { enabled, effort, budget_tokens, .. } = reasoning;
    if own {
        let word = effort.as_ref().map(|effort| effort.as_str().into());
        return word.or(enabled.map(Value::from));
    }
    if *enabled == Some(false)
        || *effort == Some(ReasoningEffort::None)
        || *budget_tokens == Some(0)
    {
        return Some(false.into());
    }
    if budget_tokens.is_some() {
        losses.approximated("", "reasoning");
    }
    match effort {
        Some(effort @ (ReasoningEffort::Low | ReasoningEffort::Medium | ReasoningEffort::High)) => {
            Some(effort.as_str().into())
        }
        Some(ReasoningEffort::Minimal) => {
            losses.approximated("", "reasoning_effort");
            Some(json!("low"))
        }
        Some(_) => {
            losses.approximated("", "reasoning_effort");
            Some(json!("high"))
        }
        None => (*enabled == Some(true) || budget_tokens.is_some()).then(|| true.into()),
    }
}
