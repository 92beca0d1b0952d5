//! Reading a request: the top level. Messages, parts, tools and thinking have files of their own.

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Fault, OutputFormat, Reasoning, ReasoningEffort, Sampling};

use super::{ID, messages, tools};
use crate::{Incoming, fields::Fields};

/// Names that mean the same; the first is what the encoder writes unless the caller or the
/// recipient says otherwise.
pub(super) const MAX_TOKENS: [&str; 2] = ["max_tokens", "max_completion_tokens"];
pub(super) const SEED: [&str; 2] = ["seed", "random_seed"];
pub(super) const END_USER: [&str; 2] = ["user", "safety_identifier"];
/// Ways of asking for thinking.
pub(super) const EFFORT: &str = "reasoning_effort";
pub(super) const REASONING: &str = "reasoning";
pub(super) const THINKING: &str = "thinking";
pub(super) const ENABLE: &str = "enable_thinking";

pub(super) fn decode(incoming: &Incoming<'_>) -> Result<Chat, Fault> {
    let mut top = Fields::body(ID, incoming)?;
    let model = top.model(incoming)?;
    let Some(list) = top.list("messages")? else { return Err(top.missing("messages")) };
    let mut chat = Chat { model, messages: messages::decode(list)?, ..Chat::default() };

    chat.stream = top.flag("stream")?;
    chat.stream_usage = top.stream_usage()?;
    tools::decode(&mut top, &mut chat)?;
    chat.parallel_tool_calls = top.bool("parallel_tool_calls")?;
    chat.sampling = decode_sampling(&mut top)?;
    chat.max_output_tokens = decode_limit(&mut top)?;
    chat.stop = top.texts("stop")?;
    chat.choices = top.small("n")?;
    chat.logprobs = top.bool("logprobs")?;
    chat.top_logprobs = top.small("top_logprobs")?;
    chat.output = decode_output(&mut top)?;
    chat.reasoning = decode_reasoning(&mut top)?;
    chat.service_tier = top.string("service_tier")?;
    chat.end_user = decode_end_user(&mut top)?;
    chat.extras = top.rest();
    Ok(chat)
}

fn decode_sampling(top: &mut Fields) -> Result<Sampling, Fault> {
    Ok(Sampling {
        temperature: top.float("temperature")?,
        top_p: top.float("top_p")?,
        top_k: top.count("top_k")?,
        seed: first_named(top, SEED, Fields::integer)?,
        frequency_penalty: top.float("frequency_penalty")?,
        presence_penalty: top.float("presence_penalty")?,
    })
}

/// The newer name rules where a caller writes both.
fn decode_limit(top: &mut Fields) -> Result<Option<u64>, Fault> {
    let [older, newer] = MAX_TOKENS;
    first_named(top, [older, newer], Fields::count)
}

fn decode_end_user(top: &mut Fields) -> Result<Option<String>, Fault> {
    first_named(top, END_USER, Fields::string)
}

/// Takes the field under its second name, or else its first, and remembers which.
fn first_named<T>(
    top: &mut Fields,
    [first, second]: [&'static str; 2],
    take: impl Fn(&mut Fields, &str) -> Result<Option<T>, Fault>,
) -> Result<Option<T>, Fault> {
    if let Some(value) = take(top, second)? {
        top.extras().choose(ID, second);
        return Ok(Some(value));
    }
    take(top, first)
}

fn decode_output(top: &mut Fields) -> Result<OutputFormat, Fault> {
    let field = "response_format";
    let Some(written) = top.take(field) else { return Ok(OutputFormat::Text) };
    let known = |kind: &str| matches!(kind, "text" | "json_object" | "json_schema");
    if let Some(Value::String(kind)) = written.get("type")
        && !known(kind)
    {
        // A format of one host alone (`grammar`, `regex`): kept whole.
        top.leave(field, written);
        return Ok(OutputFormat::Text);
    }
    let mut format = Fields::of(ID, written, field)?;
    let kind = format.string("type")?.ok_or_else(|| format.missing("type"))?;
    let output = match kind.as_str() {
        "json_object" => OutputFormat::Json,
        "json_schema" => {
            let inner = format.take("json_schema").ok_or_else(|| format.missing("json_schema"))?;
            let mut inner = Fields::of(ID, inner, "response_format.json_schema")?;
            let schema = inner.take("schema").ok_or_else(|| inner.missing("schema"))?;
            let output = OutputFormat::Schema {
                name: inner.string("name")?,
                description: inner.string("description")?,
                schema,
                strict: inner.bool("strict")?,
            };
            inner.rest_in(&mut format, "json_schema");
            output
        }
        _ => {
            format.extras().spell(ID, "type", None, kind.into());
            OutputFormat::Text
        }
    };
    format.rest_in(top, field);
    Ok(output)
}

pub(super) fn encode_output(output: &OutputFormat) -> Option<Value> {
    match output {
        OutputFormat::Text => None,
        OutputFormat::Json => Some(json!({"type": "json_object"})),
        OutputFormat::Schema { name, description, schema, strict } => {
            let mut inner = Map::new();
            let fields = [
                ("name", name.as_deref().map(Value::from)),
                ("description", description.as_deref().map(Value::from)),
                ("schema", Some(schema.clone())),
                ("strict", strict.map(Value::from)),
            ];
            for (field, value) in fields {
                if let Some(value) = value {
                    inner.insert(field.into(), value);
                }
            }
            Some(json!({"type": "json_schema", "json_schema": inner}))
        }
    }
}

/// `reasoning_effort`, `reasoning: {}`, `thinking: {}`, `enable_thinking`: hosts differ, and some
/// take two of them together.
fn decode_reasoning(top: &mut Fields) -> Result<Option<Reasoning>, Fault> {
    let mut out = Reasoning::default();
    let mut written = Vec::new();
    if let Some(effort) = top.string(EFFORT)? {
        out.effort = Some(ReasoningEffort::parse(&effort));
        written.push((EFFORT, Value::from(effort)));
    }
    if let Some(object) = top.take(REASONING) {
        let mut fields = Fields::of(ID, object.clone(), REASONING)?;
        if let Some(effort) = fields.string("effort")? {
            out.effort = Some(ReasoningEffort::parse(&effort));
        }
        out.enabled = fields.bool("enabled")?;
        out.budget_tokens = fields.count("max_tokens")?;
        out.visible = fields.bool("exclude")?.map(|exclude| !exclude);
        keep_rest(top, REASONING, &fields);
        written.push((REASONING, object));
    }
    if let Some(object) = top.take(THINKING) {
        let mut fields = Fields::of(ID, object.clone(), THINKING)?;
        match fields.string("type")?.as_deref() {
            Some("enabled") => out.enabled = Some(true),
            Some("disabled") => out.enabled = Some(false),
            _ => {}
        }
        out.budget_tokens = fields.count("budget_tokens")?.or(out.budget_tokens);
        keep_rest(top, THINKING, &fields);
        written.push((THINKING, object));
    }
    if let Some(enabled) = top.bool(ENABLE)? {
        out.enabled = Some(enabled);
        written.push((ENABLE, enabled.into()));
    }
    if written.is_empty() {
        return Ok(None);
    }
    for (field, value) in written {
        top.extras().choose(ID, field);
        top.extras().spell(ID, field, encode_reasoning(&out, field), value);
    }
    Ok(Some(out))
}

/// What nobody understood of an object that is spelled whole: named when it cannot be carried.
fn keep_rest(top: &mut Fields, name: &str, inner: &Fields) {
    if !inner.all().is_empty() {
        top.extras().keep(ID, name, Value::Object(inner.all().clone()));
    }
}

/// The wish for thinking in one of its forms.
pub(super) fn encode_reasoning(reasoning: &Reasoning, field: &str) -> Option<Value> {
    match field {
        EFFORT => reasoning.effort.as_ref().map(|effort| effort.as_str().into()),
        REASONING => Some(encode_object(reasoning)),
        THINKING => Some(encode_thinking(reasoning)),
        ENABLE => reasoning.enabled.map(Value::from),
        _ => None,
    }
}

/// The `reasoning` object.
fn encode_object(reasoning: &Reasoning) -> Value {
    let fields = [
        ("effort", reasoning.effort.as_ref().map(|effort| effort.as_str().into())),
        ("enabled", reasoning.enabled.map(Value::from)),
        ("max_tokens", reasoning.budget_tokens.map(Value::from)),
        ("exclude", reasoning.visible.map(|visible| Value::from(!visible))),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(fields.collect())
}

/// The `thinking` object.
fn encode_thinking(reasoning: &Reasoning) -> Value {
    let off = reasoning.enabled == Some(false) || reasoning.effort == Some(ReasoningEffort::None);
    json!({"type": if off { "disabled" } else { "enabled" }})
}
