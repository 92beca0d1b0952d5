//! Reading a request: the top level. Items, parts, tools and thinking have files of their own.

use serde_json::{Map, Value};
use tollgate_model::{Chat, Fault, Message, OutputFormat, Reasoning, ReasoningEffort, Role};

use super::{ID, items, tools};
use crate::Incoming;
use crate::fields::Fields;

/// The form of a system message that stands beside the items.
pub(super) const INSTRUCTIONS: &str = "instructions";
pub(super) const INPUT: &str = "input";
/// The form of an input that is a bare string.
pub(super) const BARE: &str = "bare input";
/// The form of a request without an input: a stored prompt or conversation says all.
pub(super) const NO_INPUT: &str = "no input";
/// Names that mean the same; the first is what the encoder writes unless the caller says otherwise.
pub(super) const END_USER: [&str; 2] = ["user", "safety_identifier"];
pub(super) const REASONING: &str = "reasoning";
/// What may be asked to be included.
pub(super) const SEALED: &str = "reasoning.encrypted_content";
pub(super) const LOGPROBS: &str = "message.output_text.logprobs";

pub(super) fn decode(incoming: &Incoming<'_>) -> Result<Chat, Fault> {
    let mut top = Fields::body(ID, incoming)?;
    let mut chat = Chat { model: top.model(incoming)?, ..Chat::default() };
    decode_messages(&mut top, &mut chat)?;
    chat.stream = top.flag("stream")?;
    tools::decode(&mut top, &mut chat)?;
    chat.parallel_tool_calls = top.bool("parallel_tool_calls")?;
    chat.sampling.temperature = top.float("temperature")?;
    chat.sampling.top_p = top.float("top_p")?;
    chat.max_output_tokens = top.count("max_output_tokens")?;
    chat.top_logprobs = top.small("top_logprobs")?;
    chat.logprobs = decode_include(&mut top)?;
    chat.output = decode_text(&mut top)?;
    chat.reasoning = decode_reasoning(&mut top)?;
    chat.service_tier = top.string("service_tier")?;
    chat.end_user = decode_end_user(&mut top)?;
    if top.all().get("store").is_some_and(|store| store == &Value::Bool(false))
        && let Some(written) = top.take_raw("store")
    {
        // Nothing rests anywhere but where it is asked to.
        top.extras().spell(ID, "store", None, written);
    }
    chat.extras = top.rest();
    Ok(chat)
}

fn decode_messages(top: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    match top.take(INSTRUCTIONS) {
        None => {}
        Some(Value::String(text)) => {
            let mut message = Message::text(Role::System, text);
            message.extras.choose(ID, INSTRUCTIONS);
            chat.messages.push(message);
        }
        Some(other) => return Err(top.wrong(INSTRUCTIONS, "a string", &other)),
    }
    match top.take(INPUT) {
        None => top.extras().choose(ID, NO_INPUT),
        Some(Value::String(text)) => {
            top.extras().choose(ID, BARE);
            chat.messages.push(Message::text(Role::User, text));
        }
        Some(Value::Array(list)) => chat.messages.extend(items::decode(list)?),
        Some(other) => return Err(top.wrong(INPUT, "a string or an array of items", &other)),
    }
    Ok(())
}

/// What the encoder writes by itself is only remembered; the rest stays an extra.
fn decode_include(top: &mut Fields) -> Result<Option<bool>, Fault> {
    let Some(list) = top.list("include")? else { return Ok(None) };
    let known = |item: &Value| [SEALED, LOGPROBS].iter().any(|known| item == known);
    let logprobs = list.iter().any(|item| item == LOGPROBS).then_some(true);
    if list.iter().all(known) {
        top.extras().spell(ID, "include", None, Value::Array(list));
    } else {
        top.leave("include", Value::Array(list));
    }
    Ok(logprobs)
}

fn decode_end_user(top: &mut Fields) -> Result<Option<String>, Fault> {
    let [first, second] = END_USER;
    if let Some(user) = top.string(second)? {
        top.extras().choose(ID, second);
        return Ok(Some(user));
    }
    top.string(first)
}

/// `text: {format, verbosity}`.
fn decode_text(top: &mut Fields) -> Result<OutputFormat, Fault> {
    let Some(written) = top.take("text") else { return Ok(OutputFormat::Text) };
    let mut text = Fields::of(ID, written, "text")?;
    let output = match text.take("format") {
        None => OutputFormat::Text,
        Some(format) => decode_format(format, &mut text)?,
    };
    let rest = text.rest();
    top.extras().nest(ID, "text", rest);
    Ok(output)
}

fn decode_format(written: Value, text: &mut Fields) -> Result<OutputFormat, Fault> {
    let whole = written.clone();
    let mut format = Fields::of(ID, written, &text.at("format"))?;
    let kind = format.string("type")?.ok_or_else(|| format.missing("type"))?;
    let output = match kind.as_str() {
        "json_object" => OutputFormat::Json,
        "json_schema" => {
            let schema = format.take("schema").ok_or_else(|| format.missing("schema"))?;
            OutputFormat::Schema {
                name: format.string("name")?,
                description: format.string("description")?,
                schema,
                strict: format.bool("strict")?,
            }
        }
        "text" => {
            format.extras().spell(ID, "type", None, kind.into());
            OutputFormat::Text
        }
        _ => {
            // A format of one host alone (`grammar`, `regex`): kept whole.
            text.leave("format", whole);
            return Ok(OutputFormat::Text);
        }
    };
    format.rest_in(text, "format");
    Ok(output)
}

pub(super) fn encode_format(output: &OutputFormat) -> Option<Map<String, Value>> {
    let mut out = Map::new();
    match output {
        OutputFormat::Text => return None,
        OutputFormat::Json => {
            out.insert("type".into(), "json_object".into());
        }
        OutputFormat::Schema { name, description, schema, strict } => {
            out.insert("type".into(), "json_schema".into());
            let fields = [
                ("name", name.as_deref().map(Value::from)),
                ("description", description.as_deref().map(Value::from)),
                ("schema", Some(schema.clone())),
                ("strict", strict.map(Value::from)),
            ];
            let fields = fields.into_iter();
            out.extend(fields.filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
    }
    Some(out)
}

/// `reasoning: {effort, summary}`.
fn decode_reasoning(top: &mut Fields) -> Result<Option<Reasoning>, Fault> {
    let Some(object) = top.take(REASONING) else { return Ok(None) };
    let mut fields = Fields::of(ID, object.clone(), REASONING)?;
    let effort = fields.string("effort")?.map(|word| ReasoningEffort::parse(&word));
    let visible = fields.string("summary")?.map(|_| true);
    let out = Reasoning { effort, visible, ..Reasoning::default() };
    let canonical = Value::Object(encode_reasoning(&out));
    top.extras().spell(ID, REASONING, Some(canonical), object);
    if !fields.all().is_empty() {
        // Named when it cannot be carried.
        let rest = Value::Object(fields.all().clone());
        top.extras().keep(ID, REASONING, rest);
    }
    Ok(Some(out))
}

pub(super) fn encode_reasoning(reasoning: &Reasoning) -> Map<String, Value> {
    let mut out = Map::new();
    if let Some(effort) = &reasoning.effort {
        out.insert("effort".into(), effort.as_str().into());
    }
    if reasoning.visible == Some(true) {
        out.insert("summary".into(), "auto".into());
    }
    out
}
