//! `generationConfig`, both ways.

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Fault, Losses, OutputFormat, Reasoning, ReasoningEffort};

use super::super::fields::Fields;
use super::super::{ID, schema};

const JSON: &str = "application/json";

pub(super) fn decode(body: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    let Some(value) = body.take("generationConfig") else { return Ok(()) };
    let mut config = Fields::open(value, body.path("generationConfig"))?;
    chat.sampling.temperature = config.number("temperature")?;
    chat.sampling.top_p = config.number("topP")?;
    chat.sampling.top_k = config.count("topK")?;
    chat.sampling.seed = config.whole("seed")?;
    chat.sampling.presence_penalty = config.number("presencePenalty")?;
    chat.sampling.frequency_penalty = config.number("frequencyPenalty")?;
    chat.choices = config.small("candidateCount")?;
    chat.max_output_tokens = config.count("maxOutputTokens")?;
    chat.logprobs = config.flag("responseLogprobs")?;
    chat.top_logprobs = config.small("logprobs")?;
    if let Some(stop) = config.texts("stopSequences")? {
        if stop.is_empty() {
            config.extras.spell(ID, "stopSequences", None, json!([]));
        }
        chat.stop = stop;
    }
    if let Some(modalities) = config.take("responseModalities") {
        if modalities == json!(["TEXT"]) {
            // It says what every model does unasked.
            config.extras.spell(ID, "responseModalities", None, modalities);
        } else {
            config.extras.keep(ID, "responseModalities", modalities);
        }
    }
    chat.output = decode_output(&mut config)?;
    chat.reasoning = decode_thinking(&mut config)?;
    body.extras.nest(ID, "generationConfig", config.into_extras());
    Ok(())
}

fn decode_output(config: &mut Fields) -> Result<OutputFormat, Fault> {
    let mime = config.text("responseMimeType")?;
    let mut wanted = config.take("responseJsonSchema");
    if wanted.is_none()
        && let Some(written) = config.take("responseSchema")
    {
        let read = schema::as_json_schema(&written);
        let canonical = ("responseJsonSchema", read.clone());
        config.extras.say_instead(ID, canonical, ("responseSchema", written));
        wanted = Some(read);
    }
    let output = match (wanted, mime.as_deref()) {
        (Some(schema), _) => {
            OutputFormat::Schema { name: None, description: None, schema, strict: None }
        }
        (None, Some(JSON)) => OutputFormat::Json,
        (None, Some("text/plain") | None) => OutputFormat::Text,
        (None, Some(_)) => {
            config.extras.keep(ID, "responseMimeType", mime.into());
            return Ok(OutputFormat::Text);
        }
    };
    let canonical = (output != OutputFormat::Text).then(|| Value::from(JSON));
    match (mime, canonical) {
        (Some(written), canonical) => {
            config.extras.spell(ID, "responseMimeType", canonical, written.into());
        }
        (None, Some(canonical)) => config.extras.omit(ID, "responseMimeType", canonical),
        (None, None) => {}
    }
    Ok(output)
}

fn decode_thinking(config: &mut Fields) -> Result<Option<Reasoning>, Fault> {
    let Some(value) = config.take("thinkingConfig") else { return Ok(None) };
    let mut thinking = Fields::open(value, config.path("thinkingConfig"))?;
    let mut reasoning =
        Reasoning { visible: thinking.flag("includeThoughts")?, ..Default::default() };
    match thinking.whole("thinkingBudget")? {
        None => {}
        Some(0) => reasoning.enabled = Some(false),
        Some(budget) => {
            reasoning.enabled = Some(true);
            // Minus one leaves the budget to the model.
            reasoning.budget_tokens = u64::try_from(budget).ok();
        }
    }
    if let Some(level) = thinking.word("thinkingLevel")? {
        let word = match &level {
            Value::String(word) => word.to_ascii_lowercase(),
            _ => "thinking_level_unspecified".to_owned(),
        };
        let word = word.trim_start_matches("thinking_level_");
        thinking.extras.spell(ID, "thinkingLevel", Some(word.into()), level);
        reasoning.effort = Some(ReasoningEffort::parse(word));
    }
    config.extras.nest(ID, "thinkingConfig", thinking.into_extras());
    Ok((reasoning != Reasoning::default()).then_some(reasoning))
}

pub(super) fn encode(chat: &Chat, model: &str, out: &mut Map<String, Value>, losses: &mut Losses) {
    let mut config = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            config.insert(name.to_owned(), value);
        }
    };
    let native = chat.extras.is_of(ID);
    let sampling = &chat.sampling;
    put("temperature", sampling.temperature.map(Value::from));
    put("topP", sampling.top_p.map(Value::from));
    put("topK", sampling.top_k.map(Value::from));
    put("seed", sampling.seed.map(|seed| seed_of(seed, losses)));
    put("presencePenalty", sampling.presence_penalty.map(Value::from));
    put("frequencyPenalty", sampling.frequency_penalty.map(Value::from));
    put("candidateCount", chat.choices.map(Value::from));
    put("maxOutputTokens", chat.max_output_tokens.map(Value::from));
    put("responseLogprobs", chat.logprobs.map(Value::from));
    let top = chat.top_logprobs.filter(|top| *top > 0 || native);
    put("logprobs", top.map(Value::from));
    put("stopSequences", (!chat.stop.is_empty()).then(|| chat.stop.clone().into()));
    match &chat.output {
        OutputFormat::Text => {}
        OutputFormat::Json => put("responseMimeType", Some(JSON.into())),
        OutputFormat::Schema { schema, description, .. } => {
            put("responseMimeType", Some(JSON.into()));
            put("responseJsonSchema", Some(schema.clone()));
            if description.is_some() {
                losses.dropped("response_format.json_schema", "description");
            }
        }
    }
    if let Some(reasoning) = &chat.reasoning {
        let thinking = if native { as_said(reasoning) } else { as_taken(reasoning, model, losses) };
        put("thinkingConfig", (!thinking.is_empty()).then(|| thinking.into()));
    }
    if !config.is_empty() {
        out.insert("generationConfig".into(), config.into());
    }
}

/// Google's seeds have 32 bits.
fn seed_of(seed: i64, losses: &mut Losses) -> Value {
    if i32::try_from(seed).is_err() {
        losses.approximated("", "seed");
        return (seed & 0x7fff_ffff).into();
    }
    seed.into()
}

/// Thinking as a caller of this dialect has said it.
fn as_said(reasoning: &Reasoning) -> Map<String, Value> {
    let mut out = Map::new();
    if let Some(visible) = reasoning.visible {
        out.insert("includeThoughts".into(), visible.into());
    }
    match (reasoning.enabled, reasoning.budget_tokens) {
        (Some(false), _) => drop(out.insert("thinkingBudget".into(), 0.into())),
        (_, Some(budget)) => drop(out.insert("thinkingBudget".into(), budget.into())),
        (Some(true), None) => drop(out.insert("thinkingBudget".into(), (-1).into())),
        (None, None) => {}
    }
    if let Some(effort) = &reasoning.effort {
        out.insert("thinkingLevel".into(), effort.as_str().into());
    }
    out
}

/// Thinking as `model` takes it: in levels since the third generation, before that in tokens.
/// The tokens of a level are those of Google's own translation of `reasoning_effort`.
fn as_taken(reasoning: &Reasoning, model: &str, losses: &mut Losses) -> Map<String, Value> {
    let mut out = Map::new();
    // Who turns thinking on elsewhere is shown it; Gemini has to be asked.
    let asked_for = reasoning.enabled.filter(|enabled| *enabled);
    if let Some(visible) = reasoning.visible.or(asked_for) {
        out.insert("includeThoughts".into(), visible.into());
    }
    let levels = super::generation(model) >= 3;
    let off = reasoning.enabled == Some(false) || reasoning.effort == Some(ReasoningEffort::None);
    let effort = reasoning.effort.as_ref();
    if off && levels {
        // It cannot be turned off, only kept small.
        losses.approximated("", "reasoning");
        let least = if model.contains("pro") { "low" } else { "minimal" };
        out.insert("thinkingLevel".into(), least.into());
    } else if off {
        out.insert("thinkingBudget".into(), 0.into());
    } else if let Some(budget) = reasoning.budget_tokens {
        out.insert("thinkingBudget".into(), budget.into());
    } else if let Some(effort) = effort {
        let (level, budget) = match effort {
            ReasoningEffort::None | ReasoningEffort::Minimal if model.contains("pro") => {
                ("low", 1024)
            }
            ReasoningEffort::None | ReasoningEffort::Minimal => ("minimal", 1024),
            ReasoningEffort::Low => ("low", 1024),
            ReasoningEffort::Medium => ("medium", 8192),
            ReasoningEffort::High => ("high", 24_576),
            ReasoningEffort::Other(_) => {
                losses.approximated("", "reasoning_effort");
                ("high", 24_576)
            }
        };
        match levels {
            true => out.insert("thinkingLevel".into(), level.into()),
            false => out.insert("thinkingBudget".into(), budget.into()),
        };
    } else if reasoning.enabled == Some(true) {
        out.insert("thinkingBudget".into(), (-1).into());
    }
    out
}
