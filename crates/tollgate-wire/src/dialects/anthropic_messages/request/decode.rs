//! A request as Anthropic's callers write it, read.

use serde_json::{Value, json};
use tollgate_model::{Chat, Extras, Fault, Message, OutputFormat, Part, PartKind, Role, Shape};

use super::encode::Purpose;
use super::{content, thinking, tools};
use crate::dialects::anthropic_messages::ID;
use crate::dialects::anthropic_messages::fields::{Fields, wrong};
use crate::refused;

/// Reads the body of a request.
pub(in super::super) fn decode(body: &[u8], purpose: Purpose) -> Result<Chat, Fault> {
    let body: Value =
        serde_json::from_slice(body).map_err(|_| Fault::invalid("The body is not valid JSON."))?;
    let mut fields = Fields::of(body, "")?;
    let mut chat = Chat { model: fields.need_text("model")?, ..Chat::default() };
    // Things that the hub understands but would write otherwise; given back at the end.
    let mut spelt = Spelt::default();

    if let Some(system) = fields.value("system") {
        chat.messages.push(top_system(system)?);
    }
    let messages = fields.list("messages")?.ok_or_else(|| fields.missing("messages"))?;
    for (at, message) in messages.into_iter().enumerate() {
        chat.messages.push(decode_message(message, format!("messages[{at}]"))?);
    }
    if let Some((count, written)) = fields.count("max_tokens")? {
        chat.max_output_tokens = Some(count);
        spelt.note("max_tokens", Some(json!(count)), written);
    } else if purpose == Purpose::Answer {
        return Err(fields.missing("max_tokens"));
    }
    if let Some(stream) = fields.flag("stream")? {
        chat.stream = stream;
        // Usage always stands in a stream of this dialect.
        chat.stream_usage = stream;
        spelt.note("stream", stream.then_some(Value::Bool(true)), Value::Bool(stream));
    }
    sampling(&mut fields, &mut chat, &mut spelt)?;
    if let Some(list) = fields.list("stop_sequences")? {
        let path = fields.at("stop_sequences");
        let canonical = (!list.is_empty()).then(|| Value::Array(list.clone()));
        spelt.note("stop_sequences", canonical, Value::Array(list.clone()));
        for stop in list {
            let Value::String(stop) = stop else { return Err(wrong(&path, "expected strings")) };
            chat.stop.push(stop);
        }
    }
    if let Some(list) = fields.list("tools")? {
        if list.is_empty() {
            spelt.note("tools", None, Value::Array(Vec::new()));
        }
        for (at, tool) in list.into_iter().enumerate() {
            chat.tools.push(tools::decode(tool, format!("tools[{at}]"))?);
        }
    }
    if let Some(mut metadata) = fields.object("metadata")? {
        chat.end_user = metadata.text("user_id")?;
        leave(&mut fields, "metadata", metadata, chat.end_user.is_some());
    }
    if let Some(tier) = fields.text("service_tier")? {
        chat.service_tier = Some(if tier == "standard_only" { "default".into() } else { tier });
    }
    output(&mut fields, &mut chat)?;
    thinking::decode(&mut fields, &mut chat)?;
    tools::decode_choice(&mut fields, &mut chat, &mut spelt)?;

    let left = fields.left_over();
    refused::check(&left)?;
    let forms = std::mem::take(&mut chat.extras);
    chat.extras = Extras::left_over(ID, left);
    for form in [OUTPUT_FORMAT] {
        if forms.chose(ID, form) {
            chat.extras.choose(ID, form);
        }
    }
    for (field, canonical, written) in spelt.0 {
        chat.extras.spell(ID, field, canonical, written);
    }
    Ok(chat)
}

/// The caller wrote the schema of the answer under its older name.
pub(super) const OUTPUT_FORMAT: &str = "output_format";

/// How fields were written, until the extras are made.
#[derive(Default)]
pub(super) struct Spelt(Vec<(&'static str, Option<Value>, Value)>);

impl Spelt {
    pub(super) fn note(&mut self, field: &'static str, canonical: Option<Value>, written: Value) {
        self.0.push((field, canonical, written));
    }
}

/// Puts back what nobody understood of an object; an object of which nothing was understood is
/// put back even when it is empty.
pub(super) fn leave(fields: &mut Fields, name: &str, object: Fields, understood: bool) {
    let rest = object.left_over();
    if !rest.is_empty() || !understood {
        fields.put_back(name, Value::Object(rest));
    }
}

fn sampling(fields: &mut Fields, chat: &mut Chat, spelt: &mut Spelt) -> Result<(), Fault> {
    if let Some((number, written)) = fields.number("temperature")? {
        chat.sampling.temperature = Some(number);
        spelt.note("temperature", Some(json!(number)), written);
    }
    if let Some((number, written)) = fields.number("top_p")? {
        chat.sampling.top_p = Some(number);
        spelt.note("top_p", Some(json!(number)), written);
    }
    if let Some((count, written)) = fields.count("top_k")? {
        chat.sampling.top_k = Some(count);
        spelt.note("top_k", Some(json!(count)), written);
    }
    Ok(())
}

/// The schema of the answer, under either of its names.
fn output(fields: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    if let Some(mut config) = fields.object("output_config")? {
        let format = config.object("format")?;
        let understood = format.is_some();
        if let Some(format) = format {
            take_format(&mut config, "format", format, chat)?;
        }
        leave(fields, "output_config", config, understood);
    }
    if let Some(format) = fields.object("output_format")? {
        if chat.output == OutputFormat::Text {
            take_format(fields, "output_format", format, chat)?;
            if chat.output != OutputFormat::Text {
                chat.extras.choose(ID, OUTPUT_FORMAT);
            }
        } else {
            fields.put_back("output_format", Value::Object(format.left_over()));
        }
    }
    Ok(())
}

fn take_format(
    parent: &mut Fields,
    name: &str,
    mut format: Fields,
    chat: &mut Chat,
) -> Result<(), Fault> {
    if format.kind() != "json_schema" {
        parent.put_back(name, Value::Object(format.left_over()));
        return Ok(());
    }
    let schema = format.value("schema").ok_or_else(|| format.missing("schema"))?;
    chat.output = OutputFormat::Schema { name: None, description: None, schema, strict: None };
    let mut rest = format.left_over();
    rest.remove("type");
    if !rest.is_empty() {
        parent.put_back(name, Value::Object(rest));
    }
    Ok(())
}

/// The top-level `system`: a string or blocks. It is told from a system message among the others
/// by having no extras of this dialect.
fn top_system(system: Value) -> Result<Message, Fault> {
    let mut message = Message::new(Role::System, Vec::new());
    (message.parts, message.shape) = content::decode(system, "system", content::Place::System)?;
    Ok(message)
}

fn decode_message(message: Value, path: String) -> Result<Message, Fault> {
    let mut fields = Fields::of(message, path)?;
    let role = fields.need_text("role")?;
    let role = match role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => {
            return Err(wrong(&fields.at("role"), "expected `user`, `assistant` or `system`"));
        }
    };
    let content = fields.value("content").ok_or_else(|| fields.missing("content"))?;
    let place =
        if role == Role::Assistant { content::Place::Assistant } else { content::Place::User };
    let (parts, shape) = content::decode(content, &fields.at("content"), place)?;
    let role = if role == Role::User && only_results(&parts) { Role::Tool } else { role };
    let extras = Extras::left_over(ID, fields.left_over());
    Ok(Message { role, name: None, parts, shape, extras })
}

/// A user message that holds nothing but tool results is what others call a tool message.
fn only_results(parts: &[Part]) -> bool {
    !parts.is_empty() && parts.iter().all(|part| matches!(part.kind, PartKind::ToolResult { .. }))
}

/// Kept apart from [`Shape`]'s default so that a reader sees the two spellings side by side.
pub(super) fn shape_of(content: &Value) -> Shape {
    if content.is_string() { Shape::Text } else { Shape::List }
}
