//! Writing a request: the top level.
//!
//! A chat that was read from this dialect is written as it was, but for what the recipient is
//! known to refuse; one that comes from another dialect is written as its quirks demand.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Fault, Losses, OutputFormat, Reasoning, ReasoningEffort, Sampling};

use super::{
    ID, history,
    request::{
        self, EFFORT, ENABLE, END_USER, MAX_TOKENS, REASONING, SEED, THINKING, encode_output,
    },
    tools,
};
use crate::dialect::Writing;
use crate::written;
use crate::{
    Outgoing, Recipient,
    provider::{MaxTokens, ReasoningSwitch},
};

pub(super) fn encode(chat: &Chat, recipient: &Recipient<'_>) -> Result<Outgoing, Fault> {
    let own = chat.extras.is_of(ID);
    let mut to = Writing::to(recipient, own);
    let mut out = Map::new();
    out.insert("model".into(), recipient.model.into());
    out.insert("messages".into(), Value::Array(history::encode(&chat.messages, &mut to)));
    put_stream(chat, &to, &mut out);
    tools::encode(chat, &mut to, &mut out);
    put_sampling(chat, &mut to, &mut out);
    put_limits(chat, &mut to, &mut out);
    put_output(&chat.output, &mut to, &mut out);
    if let Some(reasoning) = &chat.reasoning {
        put_reasoning(chat, reasoning, &mut to, &mut out);
    }
    put_labels(chat, &mut to, &mut out);
    chat.extras.restore(ID, &mut out, "", &mut to.losses);
    let body = written::json(&Value::Object(out));
    Ok(Outgoing {
        path: "/chat/completions".into(),
        headers: Vec::new(),
        body: Bytes::from(body),
        losses: to.losses,
    })
}

fn put_stream(chat: &Chat, to: &Writing<'_>, out: &mut Map<String, Value>) {
    if chat.stream {
        out.insert("stream".into(), true.into());
    }
    // Callers of other dialects are always told what a stream used.
    let usage = if to.own { chat.stream_usage } else { chat.stream && to.quirks.stream_options };
    if usage {
        out.insert("stream_options".into(), json!({"include_usage": true}));
    }
}

/// Writes `value` under `name` if the recipient understands it, else notes a loss.
fn put(
    name: &str,
    value: Option<Value>,
    understood: bool,
    to: &mut Writing<'_>,
    out: &mut Map<String, Value>,
) {
    let Some(value) = value else { return };
    if to.own || understood {
        out.insert(name.into(), value);
    } else {
        to.losses.dropped("", name);
    }
}

fn put_sampling(chat: &Chat, to: &mut Writing<'_>, out: &mut Map<String, Value>) {
    let Sampling { temperature, top_p, top_k, seed, frequency_penalty, presence_penalty } =
        chat.sampling;
    let quirks = to.quirks;
    put("temperature", temperature.map(Value::from), true, to, out);
    put("top_p", top_p.map(Value::from), true, to, out);
    put("top_k", top_k.map(Value::from), quirks.top_k, to, out);
    match (quirks.seed_field, seed) {
        (Some(name), _) => put(name, seed.map(Value::from), true, to, out),
        (None, Some(_)) => to.losses.dropped("", chosen(chat, SEED)),
        (None, None) => {}
    }
    let penalties = quirks.penalties;
    put("frequency_penalty", frequency_penalty.map(Value::from), penalties, to, out);
    put("presence_penalty", presence_penalty.map(Value::from), penalties, to, out);
}

/// The name that the caller chose.
fn chosen(chat: &Chat, [first, second]: [&'static str; 2]) -> &'static str {
    if chat.extras.chose(ID, second) { second } else { first }
}

fn put_limits(chat: &Chat, to: &mut Writing<'_>, out: &mut Map<String, Value>) {
    let quirks = to.quirks;
    let name = match quirks.max_tokens_field {
        MaxTokens::OnlyMaxTokens => "max_tokens",
        _ if to.own => chosen(chat, MAX_TOKENS),
        MaxTokens::MaxTokens => "max_tokens",
        MaxTokens::MaxCompletionTokens => "max_completion_tokens",
    };
    put(name, chat.max_output_tokens.map(Value::from), true, to, out);
    if !chat.stop.is_empty() {
        put("stop", Some(chat.stop.clone().into()), true, to, out);
    }
    let choices = chat.choices.filter(|choices| to.own || *choices != 1);
    put("n", choices.map(Value::from), quirks.choices, to, out);
    let logprobs = chat.logprobs.filter(|wanted| to.own || *wanted);
    put("logprobs", logprobs.map(Value::from), quirks.logprobs, to, out);
    put("top_logprobs", chat.top_logprobs.map(Value::from), quirks.logprobs, to, out);
    let parallel = chat.parallel_tool_calls.filter(|_| to.own || !chat.tools.is_empty());
    put("parallel_tool_calls", parallel.map(Value::from), quirks.parallel_tool_calls, to, out);
}

fn put_output(output: &OutputFormat, to: &mut Writing<'_>, out: &mut Map<String, Value>) {
    let Some(mut value) = encode_output(output) else { return };
    if matches!(output, OutputFormat::Schema { .. }) {
        if !to.quirks.json_schema {
            to.losses.approximated("", "response_format");
            value = json!({"type": "json_object"});
        } else if !to.own
            && let Some(inner @ Value::Object(_)) = value.get_mut("json_schema")
            && inner.get("name").is_none()
            && let Value::Object(inner) = inner
        {
            // The dialect demands a name.
            inner.insert("name".into(), "output".into());
        }
    }
    out.insert("response_format".into(), value);
}

fn put_reasoning(
    chat: &Chat,
    reasoning: &Reasoning,
    to: &mut Writing<'_>,
    out: &mut Map<String, Value>,
) {
    if to.own {
        for field in [EFFORT, REASONING, THINKING, ENABLE] {
            if chat.extras.chose(ID, field)
                && let Some(value) = request::encode_reasoning(reasoning, field)
            {
                out.insert(field.into(), value);
            }
        }
        return;
    }
    let off = reasoning.enabled == Some(false)
        || reasoning.effort == Some(ReasoningEffort::None)
        || reasoning.budget_tokens == Some(0);
    match to.quirks.reasoning_switch {
        ReasoningSwitch::None => to.losses.dropped("", REASONING),
        ReasoningSwitch::Effort => {
            let model = out.get("model").and_then(Value::as_str).unwrap_or_default();
            if !to.quirks.takes_effort(model) {
                // The others think as they do, or not at all.
                to.losses.dropped("", REASONING);
            } else if let Some(effort) = effort_of(reasoning, off, &mut to.losses) {
                out.insert(EFFORT.into(), effort.into());
            }
        }
        ReasoningSwitch::Object => {
            let value = request::encode_reasoning(reasoning, REASONING);
            out.extend(value.map(|value| (REASONING.to_owned(), value)));
        }
        ReasoningSwitch::Thinking => {
            let value = request::encode_reasoning(reasoning, THINKING);
            out.extend(value.map(|value| (THINKING.to_owned(), value)));
            if let Some(effort) = reasoning.effort.as_ref().filter(|_| !off) {
                out.insert(EFFORT.into(), effort.as_str().into());
            }
            if reasoning.budget_tokens.is_some_and(|budget| budget > 0) {
                to.losses.approximated("", REASONING);
            }
        }
        switch @ (ReasoningSwitch::Template | ReasoningSwitch::Enable) => {
            if switch == ReasoningSwitch::Template {
                out.insert("chat_template_kwargs".into(), json!({"enable_thinking": !off}));
            } else {
                out.insert(ENABLE.into(), (!off).into());
            }
            if reasoning.budget_tokens.is_some_and(|budget| budget > 0) {
                to.losses.approximated("", REASONING);
            }
        }
    }
}

/// The effort word for a wish that may be a budget. A budget is only approximated, and so is
/// "off": models differ in the word for it, and some have none.
pub(in crate::dialects) fn effort_of(
    reasoning: &Reasoning,
    off: bool,
    losses: &mut Losses,
) -> Option<&'static str> {
    if off {
        losses.approximated("", REASONING);
        return None;
    }
    let (word, exact) = match (&reasoning.effort, reasoning.budget_tokens) {
        (Some(ReasoningEffort::Minimal), _) => ("minimal", true),
        (Some(ReasoningEffort::Low), _) => ("low", true),
        (Some(ReasoningEffort::Medium), _) => ("medium", true),
        (Some(ReasoningEffort::High), _) => ("high", true),
        // `xhigh`, `max`: few models know them.
        (Some(_), _) => ("high", false),
        (None, Some(..=2_048)) => ("low", false),
        (None, Some(..=8_192)) => ("medium", false),
        (None, Some(_)) => ("high", false),
        (None, None) if reasoning.enabled == Some(true) => ("medium", true),
        (None, None) => return None,
    };
    if !exact {
        losses.approximated("", REASONING);
    }
    Some(word)
}

fn put_labels(chat: &Chat, to: &mut Writing<'_>, out: &mut Map<String, Value>) {
    let quirks = to.quirks;
    let name =
        if to.own { chosen(chat, END_USER) } else { quirks.end_user_field.unwrap_or("user") };
    let user = chat.end_user.as_deref().map(Value::from);
    put(name, user, quirks.end_user_field.is_some(), to, out);
    let tier = match chat.service_tier.as_deref() {
        // Anthropic's word for "no priority".
        Some("standard_only") if !to.own => Some("default"),
        tier => tier,
    };
    put("service_tier", tier.map(Value::from), quirks.service_tier, to, out);
}
