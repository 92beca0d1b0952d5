//! Writing a request: the top level. One that was read from this dialect is written as it was; one
//! that comes from another asks the provider to keep nothing, and for thinking that can be given
//! back.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Fault, OutputFormat, ReasoningEffort};

use super::{
    ID, history,
    request::{
        BARE, END_USER, INPUT, INSTRUCTIONS, LOGPROBS, NO_INPUT, REASONING, SEALED, encode_format,
        encode_reasoning,
    },
    tools,
};
use crate::dialect::Writing;
use crate::dialects::openai_chat::outgoing::effort_of;
use crate::{Outgoing, Recipient};

/// The dialect refuses a smaller cap on output tokens; others are asked for a single one.
const LEAST_OUTPUT: u64 = 16;

/// What is asked: an answer, or how many tokens the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Answer,
    Count,
}

pub(super) fn encode(
    chat: &Chat,
    recipient: &Recipient<'_>,
    purpose: Purpose,
) -> Result<Outgoing, Fault> {
    let own = chat.extras.is_of(ID);
    let mut to = Writing::to(recipient, own);
    let mut out = Map::new();
    out.insert("model".into(), recipient.model.into());
    put_input(chat, &mut to, &mut out);
    tools::encode(chat, &mut to, &mut out);
    put_format(&chat.output, &to, &mut out);
    put_reasoning(chat, recipient.model, &mut to, &mut out);
    if purpose == Purpose::Answer || own {
        put_answer(chat, recipient.model, &mut to, &mut out);
    }
    chat.extras.restore(ID, &mut out, "", &mut to.losses);
    let body = serde_json::to_vec(&Value::Object(out)).map_err(|error| {
        Fault::internal("a request cannot be written").with_note(error.to_string())
    })?;
    let path = match purpose {
        Purpose::Answer => "/responses",
        Purpose::Count => "/responses/input_tokens",
    };
    let (path, body) = (path.to_owned(), Bytes::from(body));
    Ok(Outgoing { path, headers: Vec::new(), body, losses: to.losses })
}

fn put_input(chat: &Chat, to: &mut Writing<'_>, out: &mut Map<String, Value>) {
    let written = history::encode(&chat.messages, to);
    if let Some(instructions) = written.instructions {
        out.insert(INSTRUCTIONS.into(), instructions.into());
    }
    if chat.extras.chose(ID, NO_INPUT) && written.items.is_empty() {
        return;
    }
    let bare = chat.extras.chose(ID, BARE).then_some(written.items.as_slice());
    let input = match bare {
        Some([one]) => one.get("content").cloned().unwrap_or_default(),
        _ => Value::Array(written.items),
    };
    out.insert(INPUT.into(), input);
}

fn put_format(output: &OutputFormat, to: &Writing<'_>, out: &mut Map<String, Value>) {
    let Some(mut format) = encode_format(output) else { return };
    if !to.own && matches!(output, OutputFormat::Schema { .. }) {
        // The dialect demands a name, and would take silence for a strict schema.
        format.entry("name").or_insert_with(|| "output".into());
        format.entry("strict").or_insert_with(|| false.into());
    }
    out.insert("text".into(), json!({"format": format}));
}

/// The model thinks, and may be asked how.
fn thinks(model: &str, to: &Writing<'_>) -> bool {
    to.quirks.takes_effort(model)
}

fn put_reasoning(chat: &Chat, model: &str, to: &mut Writing<'_>, out: &mut Map<String, Value>) {
    let Some(reasoning) = &chat.reasoning else { return };
    let mut written = encode_reasoning(reasoning);
    if !to.own {
        if !thinks(model, to) {
            return to.losses.dropped("", REASONING);
        }
        let off = reasoning.enabled == Some(false)
            || reasoning.effort == Some(ReasoningEffort::None)
            || reasoning.budget_tokens == Some(0);
        written.remove("effort");
        if let Some(effort) = effort_of(reasoning, off, &mut to.losses) {
            written.insert("effort".into(), effort.into());
        }
        if written.is_empty() {
            return;
        }
    }
    out.insert(REASONING.into(), Value::Object(written));
}

/// What says how the answer is to be made.
fn put_answer(chat: &Chat, model: &str, to: &mut Writing<'_>, out: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            out.insert(name.to_owned(), value);
        }
    };
    put("stream", chat.stream.then_some(Value::Bool(true)));
    put("temperature", chat.sampling.temperature.map(Value::from));
    put("top_p", chat.sampling.top_p.map(Value::from));
    let least = if to.own { 0 } else { LEAST_OUTPUT };
    if chat.max_output_tokens.is_some_and(|most| most < least) {
        to.losses.approximated("", "max_output_tokens");
    }
    put("max_output_tokens", chat.max_output_tokens.map(|most| most.max(least).into()));
    put("top_logprobs", chat.top_logprobs.map(Value::from));
    let parallel = chat.parallel_tool_calls.filter(|_| to.own || !chat.tools.is_empty());
    put("parallel_tool_calls", parallel.map(Value::from));
    let [first, second] = END_USER;
    let user = if chat.extras.chose(ID, second) { second } else { first };
    put(user, chat.end_user.as_deref().map(Value::from));
    let tier = match chat.service_tier.as_deref() {
        // Anthropic's word for "no priority".
        Some("standard_only") if !to.own => Some("default"),
        tier => tier,
    };
    if to.own || to.quirks.service_tier {
        put("service_tier", tier.map(Value::from));
    } else if tier.is_some() {
        to.losses.dropped("", "service_tier");
    }
    if to.own {
        return;
    }
    let mut include = Vec::new();
    if chat.logprobs == Some(true) {
        include.push(LOGPROBS);
    }
    if seals(model, to) {
        include.push(SEALED);
    }
    if !include.is_empty() {
        put("include", Some(include.into()));
    }
    // Callers of other dialects send the whole conversation each time.
    put("store", Some(Value::Bool(false)));
    report_unknown(chat, to);
}

/// The provider gives out the ciphertext of its thinking; others refuse to be asked for it.
fn seals(model: &str, to: &Writing<'_>) -> bool {
    !to.quirks.effort_models.is_empty() && thinks(model, to)
}

/// The dialect has no such fields.
fn report_unknown(chat: &Chat, to: &mut Writing<'_>) {
    let sampling = &chat.sampling;
    let asked = [
        ("stop", !chat.stop.is_empty()),
        ("top_k", sampling.top_k.is_some()),
        ("seed", sampling.seed.is_some()),
        ("frequency_penalty", sampling.frequency_penalty.is_some_and(|penalty| penalty != 0.0)),
        ("presence_penalty", sampling.presence_penalty.is_some_and(|penalty| penalty != 0.0)),
        ("n", chat.choices.is_some_and(|choices| choices > 1)),
    ];
    for (name, asked) in asked {
        if asked {
            to.losses.dropped("", name);
        }
    }
}
