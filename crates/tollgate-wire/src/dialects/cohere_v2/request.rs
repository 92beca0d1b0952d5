//! A request's top level, read and written. Messages and tools have files of their own.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{
    Chat, Fault, Losses, OutputFormat, Reasoning, ReasoningEffort, Role, Sampling,
};

use super::{CHAT, ID, document, history, messages, tools};
use crate::{Incoming, Outgoing, Recipient, fields::Fields};

const FORMAT: &str = "response_format";
const THINKING: &str = "thinking";
/// Where a JSON schema stands, and where it stood before.
const SCHEMA: [&str; 2] = ["json_schema", "schema"];

pub(super) fn decode(incoming: &Incoming<'_>) -> Result<Chat, Fault> {
    let mut top = Fields::body(ID, incoming)?;
    let model = top.model(incoming)?;
    let Some(list) = top.list("messages")? else { return Err(top.missing("messages")) };
    let mut chat = Chat { model, messages: messages::decode(list)?, ..Chat::default() };
    chat.stream = top.flag("stream")?;
    chat.stream_usage = true;
    decode_documents(&mut top, &mut chat)?;
    tools::decode(&mut top, &mut chat)?;
    chat.sampling = Sampling {
        temperature: top.float("temperature")?,
        top_p: top.float("p")?,
        top_k: top.count("k")?,
        seed: top.integer("seed")?,
        frequency_penalty: top.float("frequency_penalty")?,
        presence_penalty: top.float("presence_penalty")?,
    };
    chat.max_output_tokens = top.count("max_tokens")?;
    chat.stop = top.texts("stop_sequences")?;
    chat.logprobs = top.bool("logprobs")?;
    chat.output = decode_format(&mut top)?;
    chat.reasoning = decode_thinking(&mut top)?;
    chat.extras = top.rest();
    Ok(chat)
}

/// The documents become parts of the last question, which is about them.
fn decode_documents(top: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    let Some(list) = top.list("documents")? else { return Ok(()) };
    if list.is_empty() {
        top.extras().spell(ID, "documents", None, json!([]));
    }
    let asked = chat.messages.iter_mut().rev().find(|message| message.role == Role::User);
    let Some(asked) = asked else {
        top.leave("documents", list.into());
        return Ok(());
    };
    for (at, written) in list.into_iter().enumerate() {
        if !written.is_string() && !written.is_object() {
            let wanted = "a string or an object";
            return Err(top.wrong(&format!("documents[{at}]"), wanted, &written));
        }
        let mut part = document::read(&written);
        part.extras.choose(ID, document::BESIDE);
        asked.parts.push(part);
    }
    Ok(())
}

fn decode_format(top: &mut Fields) -> Result<OutputFormat, Fault> {
    let Some(written) = top.take(FORMAT) else { return Ok(OutputFormat::Text) };
    let mut format = Fields::of(ID, written, FORMAT)?;
    let kind = format.string("type")?.ok_or_else(|| format.missing("type"))?;
    let output = match kind.as_str() {
        "json_object" => {
            let [newer, older] = SCHEMA;
            let schema = format.take(newer);
            let schema = schema.or_else(|| {
                let schema = format.take(older)?;
                format.extras().rename(ID, newer, older);
                Some(schema)
            });
            match schema {
                Some(schema) => {
                    OutputFormat::Schema { name: None, description: None, schema, strict: None }
                }
                None => OutputFormat::Json,
            }
        }
        "text" => {
            format.extras().spell(ID, "type", None, kind.into());
            OutputFormat::Text
        }
        _ => return Err(format.wrong("type", "text or json_object", &kind.as_str().into())),
    };
    format.rest_in(top, FORMAT);
    Ok(output)
}

fn decode_thinking(top: &mut Fields) -> Result<Option<Reasoning>, Fault> {
    let Some(written) = top.take(THINKING) else { return Ok(None) };
    let mut thinking = Fields::of(ID, written, THINKING)?;
    let enabled = match thinking.string("type")?.as_deref() {
        Some("enabled") => Some(true),
        Some("disabled") => Some(false),
        Some(other) => {
            return Err(thinking.wrong("type", "enabled or disabled", &other.into()));
        }
        None => None,
    };
    let budget_tokens = thinking.count("token_budget")?;
    // Also when nothing is left: that there was an object is remembered.
    let rest = thinking.rest();
    top.extras().nest(ID, THINKING, rest);
    Ok(Some(Reasoning { enabled, budget_tokens, ..Reasoning::default() }))
}

pub(super) fn encode(chat: &Chat, to: &Recipient<'_>) -> Outgoing {
    let own = chat.extras.is_of(ID);
    let mut losses = Losses::default();
    let mut out = Map::new();
    out.insert("model".into(), to.model.into());
    let written = history::encode(&chat.messages, own, to.model, &mut losses);
    out.insert("messages".into(), written.messages.into());
    if !written.documents.is_empty() {
        out.insert("documents".into(), written.documents.into());
    }
    if chat.stream {
        out.insert("stream".into(), true.into());
    }
    tools::encode(chat, own, &mut losses, &mut out);
    put_sampling(chat, own, &mut losses, &mut out);
    put_format(&chat.output, &mut losses, &mut out);
    if let Some(reasoning) = &chat.reasoning
        && let Some(thinking) = thinking_of(reasoning, own, &mut losses)
    {
        out.insert(THINKING.into(), thinking);
    }
    put_lost(chat, &mut losses);
    chat.extras.restore(ID, &mut out, "", &mut losses);
    let body = Bytes::from(Value::Object(out).to_string());
    Outgoing { path: CHAT.into(), headers: Vec::new(), body, losses }
}

fn put_sampling(chat: &Chat, own: bool, losses: &mut Losses, out: &mut Map<String, Value>) {
    let Sampling { temperature, top_p, top_k, seed, frequency_penalty, presence_penalty } =
        chat.sampling;
    let mut within = |name: &str, value: Option<f64>, most: f64| {
        let value = value?;
        if !own && value > most {
            losses.approximated("", name);
            return Some(Value::from(most));
        }
        Some(value.into())
    };
    let fields = [
        ("max_tokens", chat.max_output_tokens.map(Value::from)),
        ("temperature", temperature.map(Value::from)),
        ("p", within("top_p", top_p, 0.99)),
        ("k", top_k.map(Value::from)),
        ("seed", seed.map(Value::from)),
        ("frequency_penalty", within("frequency_penalty", frequency_penalty, 1.0)),
        ("presence_penalty", within("presence_penalty", presence_penalty, 1.0)),
        ("stop_sequences", (!chat.stop.is_empty()).then(|| chat.stop.clone().into())),
        ("logprobs", chat.logprobs.filter(|wanted| own || *wanted).map(Value::from)),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            out.insert(name.into(), value);
        }
    }
}

fn put_format(output: &OutputFormat, losses: &mut Losses, out: &mut Map<String, Value>) {
    let mut format = Map::new();
    format.insert("type".into(), "json_object".into());
    match output {
        OutputFormat::Text => return,
        OutputFormat::Json => {}
        OutputFormat::Schema { schema, description, .. } => {
            format.insert(SCHEMA[0].into(), schema.clone());
            if description.is_some() {
                losses.dropped("response_format.json_schema", "description");
            }
        }
    }
    out.insert(FORMAT.into(), format.into());
}

fn thinking_of(reasoning: &Reasoning, own: bool, losses: &mut Losses) -> Option<Value> {
    let Reasoning { enabled, effort, budget_tokens, .. } = reasoning;
    let mut out = Map::new();
    if own {
        let word = enabled.map(|enabled| if enabled { "enabled" } else { "disabled" });
        out.extend(word.map(|word| ("type".to_owned(), word.into())));
        out.extend(budget_tokens.map(|budget| ("token_budget".to_owned(), budget.into())));
        return Some(out.into());
    }
    let off = *enabled == Some(false) || *effort == Some(ReasoningEffort::None);
    if off || *budget_tokens == Some(0) {
        return Some(json!({"type": "disabled"}));
    }
    let of_effort = effort.as_ref().map(|effort| match effort {
        ReasoningEffort::None | ReasoningEffort::Minimal | ReasoningEffort::Low => 1_024,
        ReasoningEffort::Medium => 8_192,
        ReasoningEffort::High => 24_576,
        ReasoningEffort::Other(_) => {
            losses.approximated("", "reasoning_effort");
            24_576
        }
    });
    let budget = budget_tokens.or(of_effort);
    if budget.is_none() && *enabled != Some(true) {
        return None;
    }
    out.insert("type".into(), "enabled".into());
    out.extend(budget.map(|budget| ("token_budget".to_owned(), budget.into())));
    Some(out.into())
}

/// What Cohere has no field for.
fn put_lost(chat: &Chat, losses: &mut Losses) {
    if chat.choices.is_some_and(|choices| choices != 1) {
        losses.dropped("", "n");
    }
    if chat.top_logprobs.is_some_and(|top| top > 0) {
        losses.dropped("", "top_logprobs");
    }
    if chat.end_user.is_some() {
        losses.dropped("", "user");
    }
    if chat.service_tier.as_deref().is_some_and(|tier| !matches!(tier, "auto" | "default")) {
        losses.dropped("", "service_tier");
    }
}
