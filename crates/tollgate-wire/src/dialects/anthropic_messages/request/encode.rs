//! A request as Anthropic takes it, written.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use tollgate_model::{
    Chat, Fault, Losses, MediaSource, OutputFormat, Part, PartKind, Sampling, ToolChoice,
};

use super::decode::OUTPUT_FORMAT;
use super::{conversation, thinking, tools};
use crate::claude::thinking::Written;
use crate::claude::{self, Known, thoughts};
use crate::dialects::anthropic_messages::{ID, VERSION};
use crate::{Outgoing, Recipient, strict_schema, uncarried, written};

/// What a request is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Purpose {
    Answer,
    /// Only what makes up the input is written.
    Count,
}

/// Writes a request.
pub(in super::super) fn encode(
    chat: &Chat,
    to: &Recipient<'_>,
    purpose: Purpose,
) -> Result<Outgoing, Fault> {
    let mut losses = Losses::default();
    let own = chat.extras.is_of(ID);
    let gathered = if own { None } else { thoughts::gathered(&chat.messages, ID) };
    let messages = gathered.as_deref().unwrap_or(&chat.messages);
    let known = claude::of(to.model);
    let mut out = Map::with_capacity(7);
    out.insert("model".into(), json!(to.model));

    let thinking = match &chat.reasoning {
        Some(wanted) if own => thinking::encode_own(wanted),
        _ => claude::thinking::wanted(chat, messages, (known, &[ID]), &mut losses),
    };
    let (mut system, messages) = conversation::encode(messages, own, &mut losses)?;
    if !own && chat.output == OutputFormat::Json {
        losses.approximated("", "response_format");
        ask_for_json(&mut system);
    }
    if let Some(system) = system {
        out.insert("system".into(), system);
    }
    out.insert("messages".into(), Value::Array(messages));
    let tools = tools::encode(chat, known, &mut losses);
    if own || !tools.is_empty() {
        if let Some(choice) = tools::choice_written(chat, &mut losses) {
            out.insert("tool_choice".into(), choice);
        }
        if matches!(chat.tool_choice, Some(ToolChoice::Among { .. })) {
            losses.approximated("", "tool_choice");
        }
    }
    if !tools.is_empty() {
        out.insert("tools".into(), Value::Array(tools));
    }
    let cap = cap(chat, own, known, &thinking);
    let is_on = thinking.is_on();
    output_config(chat, known, thinking, &mut out, &mut losses);
    if purpose == Purpose::Answer {
        answer_only(chat, own, cap, &mut out);
        if own {
            sampling(&chat.sampling, &mut out);
        } else {
            let within = claude::sampling(&chat.sampling, known, is_on, &mut losses);
            sampling(&within, &mut out);
            not_carried(chat, &mut losses);
        }
    }
    chat.extras.restore(ID, &mut out, "", &mut losses);
    let body = written::json(&Value::Object(out));
    let path = match purpose {
        Purpose::Answer => "/v1/messages",
        Purpose::Count => "/v1/messages/count_tokens",
    };
    Ok(Outgoing { path: path.into(), headers: headers(chat, own), body: Bytes::from(body), losses })
}

/// The headers that Anthropic demands; those that the caller sent come before these.
fn headers(chat: &Chat, own: bool) -> Vec<(HeaderName, HeaderValue)> {
    let mut out =
        vec![(HeaderName::from_static("anthropic-version"), HeaderValue::from_static(VERSION))];
    let holds_file = |part: &Part| match &part.kind {
        PartKind::Media(media) => matches!(media.source, MediaSource::File { .. }),
        _ => false,
    };
    if !own && chat.messages.iter().any(|message| message.parts.iter().any(holds_file)) {
        out.push((
            HeaderName::from_static("anthropic-beta"),
            HeaderValue::from_static("files-api-2025-04-14"),
        ));
    }
    out
}

/// The cap on output. Anthropic demands one: without a word of the caller it is the documented
/// default of the model, on top of what thinking takes.
fn cap(chat: &Chat, own: bool, known: Known, thinking: &Written) -> Option<u64> {
    match chat.max_output_tokens {
        // A budget must be below the cap; it was made to fit, but never below its least.
        Some(cap) if !own => Some(cap.max(thinking.budget().saturating_add(1))),
        Some(cap) => Some(cap),
        None if own => None,
        None => Some(known.max_tokens.max(thinking.budget().saturating_add(4096))),
    }
}

fn answer_only(chat: &Chat, own: bool, cap: Option<u64>, out: &mut Map<String, Value>) {
    if let Some(cap) = cap {
        out.insert("max_tokens".into(), json!(cap));
    }
    if chat.stream {
        out.insert("stream".into(), json!(true));
    }
    let stop: Vec<_> = chat.stop.iter().filter(|stop| own || !stop.trim().is_empty()).collect();
    if !stop.is_empty() {
        out.insert("stop_sequences".into(), json!(stop));
    }
    if let Some(end_user) = &chat.end_user {
        out.insert("metadata".into(), json!({"user_id": end_user}));
    }
    let tier = match chat.service_tier.as_deref() {
        Some("default" | "standard_only") => Some("standard_only"),
        Some(tier) if own || tier == "auto" => Some(tier),
        _ => None,
    };
    if let Some(tier) = tier {
        out.insert("service_tier".into(), json!(tier));
    }
}

fn output_config(
    chat: &Chat,
    known: Known,
    thinking: Written,
    out: &mut Map<String, Value>,
    losses: &mut Losses,
) {
    let mut config = Map::new();
    if let Some(effort) = &thinking.effort {
        config.insert("effort".into(), json!(effort));
    }
    if let OutputFormat::Schema { schema, .. } = &chat.output {
        let mut schema = schema.clone();
        if !chat.extras.is_of(ID) {
            strict_schema::make_object(&mut schema);
            if strict_schema::tidy(&mut schema) || !known.structured_output {
                losses.approximated("", "response_format");
            }
        }
        let format = json!({"type": "json_schema", "schema": schema});
        if chat.extras.chose(ID, OUTPUT_FORMAT) {
            out.insert(OUTPUT_FORMAT.into(), format);
        } else {
            config.insert("format".into(), format);
        }
    }
    if !config.is_empty() {
        out.insert("output_config".into(), Value::Object(config));
    }
    if let Some(thinking) = thinking.thinking {
        out.insert("thinking".into(), Value::Object(thinking));
    }
}

fn sampling(wanted: &Sampling, out: &mut Map<String, Value>) {
    if let Some(temperature) = wanted.temperature {
        out.insert("temperature".into(), json!(temperature));
    }
    if let Some(top_p) = wanted.top_p {
        out.insert("top_p".into(), json!(top_p));
    }
    if let Some(top_k) = wanted.top_k {
        out.insert("top_k".into(), json!(top_k));
    }
}

/// What other dialects can ask and this one cannot.
fn not_carried(chat: &Chat, losses: &mut Losses) {
    uncarried::sampling(chat, losses);
    let tier = chat.service_tier.as_deref();
    let asked = [
        ("stop", chat.stop.iter().any(|stop| stop.trim().is_empty())),
        ("service_tier", !matches!(tier, None | Some("auto" | "default" | "standard_only"))),
        (
            "tool_choice",
            chat.tools.is_empty()
                && matches!(chat.tool_choice, Some(ToolChoice::Required | ToolChoice::Function(_))),
        ),
    ];
    for (name, asked) in asked {
        if asked {
            losses.dropped("", name);
        }
    }
}

/// Anthropic has no mode for "any JSON": it is asked for in words.
fn ask_for_json(system: &mut Option<Value>) {
    match system {
        Some(Value::String(text)) => {
            text.push_str("\n\n");
            text.push_str(strict_schema::ASK_FOR_JSON);
        }
        Some(Value::Array(blocks)) => {
            blocks.push(json!({"type": "text", "text": strict_schema::ASK_FOR_JSON}))
        }
        _ => *system = Some(json!(strict_schema::ASK_FOR_JSON)),
    }
}
