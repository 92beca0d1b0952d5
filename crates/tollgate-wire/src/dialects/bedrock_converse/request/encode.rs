//! A request as Bedrock takes it, written.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Fault, Losses, OutputFormat, Sampling};

use super::families::{self, Family, Thinking};
use super::{blocks::Blocks, conversation, tools};
use crate::call_ids::Ids;
use crate::claude::{self, thoughts};
use crate::dialects::bedrock_converse::{ID, path, thought};
use crate::provider::CallId;
use crate::{Outgoing, Recipient, strict_schema, uncarried};

/// Writes a request.
pub(in super::super) fn encode(chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
    let mut losses = Losses::default();
    let mut out = written(chat, to, &mut losses)?;
    chat.extras.restore(ID, &mut out, "", &mut losses);
    let body = Bytes::from(Value::Object(out).to_string());
    let action = if chat.stream { "converse-stream" } else { "converse" };
    Ok(Outgoing { path: path(to.model, action), headers: Vec::new(), body, losses })
}

/// Writes only what makes up the input.
pub(in super::super) fn input(
    chat: &Chat,
    to: &Recipient<'_>,
    losses: &mut Losses,
) -> Result<Map<String, Value>, Fault> {
    let mut out = written(chat, to, losses)?;
    chat.extras.restore(ID, &mut out, "", losses);
    if !chat.extras.is_of(ID) {
        for answer_only in ["inferenceConfig", "serviceTier", "outputConfig"] {
            out.shift_remove(answer_only);
        }
    }
    Ok(out)
}

fn written(
    chat: &Chat,
    to: &Recipient<'_>,
    losses: &mut Losses,
) -> Result<Map<String, Value>, Fault> {
    let own = chat.extras.is_of(ID);
    let family = families::of(to.model);
    let is_claude = family.thinking == Thinking::Claude;
    let gathered = if own { None } else { thoughts::gathered(&chat.messages, ID) };
    let messages = gathered.as_deref().unwrap_or(&chat.messages);
    let blocks = Blocks::new(Ids::new(own, CallId::Any), thought::signed(is_claude));
    let (mut system, messages) = conversation::encode(messages, blocks, own, losses)?;
    let known = claude::of(to.model);
    let strict = family.schemas && (!is_claude || known.structured_output);
    let mut out = Map::new();
    if !own {
        system.extend(output(chat, strict, &mut out, losses).map(|ask| json!({"text": ask})));
    }
    if !system.is_empty() {
        out.insert("system".into(), Value::Array(system));
    }
    if !own || !messages.is_empty() {
        out.insert("messages".into(), Value::Array(messages));
    }
    if let Some(tools) = tools::encode(chat, strict, losses) {
        out.insert("toolConfig".into(), tools);
    }
    if own {
        inference(&chat.sampling, chat.max_output_tokens, &chat.stop, &mut out);
    } else {
        foreign(chat, (family, known), &mut out, losses);
    }
    match chat.service_tier.as_deref() {
        Some(tier @ ("default" | "flex" | "priority")) => {
            out.insert("serviceTier".into(), json!({"type": tier}));
        }
        Some(tier) if own => drop(out.insert("serviceTier".into(), json!({"type": tier}))),
        None | Some("auto") => {}
        Some(_) => losses.dropped("", "service_tier"),
    }
    Ok(out)
}

/// What a caller of another dialect asked for, within what the model takes.
fn foreign(
    chat: &Chat,
    (family, known): (&Family, claude::Known),
    out: &mut Map<String, Value>,
    losses: &mut Losses,
) {
    let mut fields = Map::new();
    let mut cap = chat.max_output_tokens;
    let mut sampling = chat.sampling.clone();
    if family.thinking == Thinking::Claude {
        let signed = thought::signed(true);
        let thinking = claude::thinking::wanted(chat, &chat.messages, (known, signed), losses);
        let budget = thinking.budget();
        if budget > 0 {
            // The budget is a part of the cap.
            let room = known.max_tokens.max(budget.saturating_add(4096));
            cap = Some(cap.map_or(room, |cap| cap.max(budget.saturating_add(1))));
        }
        sampling = claude::sampling(&sampling, known, thinking.is_on(), losses);
        if let Some(effort) = &thinking.effort {
            fields.insert("output_config".into(), json!({"effort": effort}));
        }
        if let Some(thinking) = thinking.thinking {
            fields.insert("thinking".into(), Value::Object(thinking));
        }
    } else {
        if let Some(wanted) = &chat.reasoning {
            family.think(wanted, &mut fields, losses);
        }
        if sampling.temperature.is_some_and(|temperature| !(0.0..=1.0).contains(&temperature)) {
            losses.approximated("", "temperature");
            sampling.temperature = sampling.temperature.map(|all| all.clamp(0.0, 1.0));
        }
    }
    if let Some(top_k) = sampling.top_k {
        family.top_k(top_k, &mut fields, losses);
    }
    let stop: Vec<_> = chat.stop.iter().filter(|stop| !stop.trim().is_empty()).cloned().collect();
    if stop.len() < chat.stop.len() {
        losses.dropped("", "stop");
    }
    inference(&sampling, cap, &stop, out);
    if !fields.is_empty() {
        out.insert("additionalModelRequestFields".into(), Value::Object(fields));
    }
    uncarried::sampling(chat, losses);
    if chat.end_user.is_some() {
        losses.dropped("", "user");
    }
    if chat.parallel_tool_calls == Some(false) && !chat.tools.is_empty() {
        losses.dropped("", "parallel_tool_calls");
    }
}

fn inference(sampling: &Sampling, cap: Option<u64>, stop: &[String], out: &mut Map<String, Value>) {
    let mut config = Map::new();
    if let Some(cap) = cap {
        config.insert("maxTokens".into(), json!(cap));
    }
    if let Some(temperature) = sampling.temperature {
        config.insert("temperature".into(), json!(temperature));
    }
    if let Some(top_p) = sampling.top_p {
        config.insert("topP".into(), json!(top_p));
    }
    if !stop.is_empty() {
        config.insert("stopSequences".into(), json!(stop));
    }
    if !config.is_empty() {
        out.insert("inferenceConfig".into(), Value::Object(config));
    }
}

/// Writes the wanted form of the answer; where the model is not held to one, gives the words that
/// ask for it.
fn output(
    chat: &Chat,
    strict: bool,
    out: &mut Map<String, Value>,
    losses: &mut Losses,
) -> Option<String> {
    let (name, description, schema) = match &chat.output {
        OutputFormat::Text => return None,
        OutputFormat::Json => {
            losses.approximated("", "response_format");
            return Some(strict_schema::ASK_FOR_JSON.to_owned());
        }
        OutputFormat::Schema { name, description, schema, .. } => (name, description, schema),
    };
    if !strict {
        losses.approximated("", "response_format");
        let ask = strict_schema::ASK_FOR_JSON;
        return Some(format!("{ask} It must fit this JSON Schema: {schema}"));
    }
    let mut schema = schema.clone();
    strict_schema::make_object(&mut schema);
    if strict_schema::tidy(&mut schema) {
        losses.approximated("", "response_format");
    }
    let mut named = json!({
        "name": name.as_deref().unwrap_or("answer"), "schema": schema.to_string(),
    });
    if let Some(description) = description {
        named["description"] = json!(description);
    }
    let format = json!({"type": "json_schema", "structure": {"jsonSchema": named}});
    out.insert("outputConfig".into(), json!({"textFormat": format}));
    None
}
