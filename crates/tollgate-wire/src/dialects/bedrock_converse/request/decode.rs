//! A request as Bedrock's callers write it, read.

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Extras, Fault, Message, OutputFormat, Part, PartKind, Role};

use super::content::{self, Place};
use super::{families, tools};
use crate::Incoming;
use crate::dialects::bedrock_converse::ID;
use crate::fields::Fields;

/// Reads a request.
pub(in super::super) fn decode(incoming: &Incoming<'_>) -> Result<Chat, Fault> {
    decode_fields(Fields::body(ID, incoming)?, incoming)
}

/// Reads the fields of a request, wherever they stand in the body.
pub(in super::super) fn decode_fields(
    mut fields: Fields,
    incoming: &Incoming<'_>,
) -> Result<Chat, Fault> {
    let stream = incoming.route.stream;
    let model = incoming.model.unwrap_or_default().to_owned();
    // Usage always stands in a stream of this dialect.
    let mut chat = Chat { model, stream, stream_usage: stream, ..Chat::default() };
    if let Some(system) = fields.list("system")? {
        if system.is_empty() {
            fields.extras().spell(ID, "system", None, json!([]));
        } else {
            let parts = content::decode(system, &fields.at("system"), Place::System)?;
            let extras = Extras::left_over(ID, Map::new());
            chat.messages.push(Message { extras, ..Message::new(Role::System, parts) });
        }
    }
    // A stored prompt may be all there is.
    if let Some(messages) = fields.list("messages")? {
        if messages.is_empty() {
            fields.extras().spell(ID, "messages", None, json!([]));
        }
        for (at, message) in messages.into_iter().enumerate() {
            chat.messages.push(message_of(message, &format!("messages[{at}]"))?);
        }
    }
    if let Some(mut config) = fields.object("inferenceConfig")? {
        chat.max_output_tokens = config.count("maxTokens")?;
        chat.sampling.temperature = config.float("temperature")?;
        chat.sampling.top_p = config.float("topP")?;
        chat.stop = config.texts("stopSequences")?;
        config.nest_in(&mut fields, "inferenceConfig");
    }
    if let Some(config) = fields.object("toolConfig")? {
        tools::decode(config, &mut fields, &mut chat)?;
    }
    if let Some(mut tier) = fields.object("serviceTier")? {
        chat.service_tier = tier.string("type")?;
        tier.nest_in(&mut fields, "serviceTier");
    }
    if let Some(written) = fields.take("additionalModelRequestFields") {
        let rest = families::read(&written, &mut chat);
        leave(&mut fields, "additionalModelRequestFields", written, rest);
    }
    if let Some(written) = fields.take("outputConfig") {
        let rest = output(&written, &mut chat);
        leave(&mut fields, "outputConfig", written, rest);
    }
    chat.extras = fields.rest();
    Ok(chat)
}

/// What was understood of a field that is written again as it was; the rest of it is missed by
/// another dialect.
fn leave(fields: &mut Fields, name: &str, written: Value, rest: Option<Value>) {
    fields.extras().spell(ID, name, None, written);
    if let Some(rest) = rest {
        fields.leave(name, rest);
    }
}

/// The schema of the answer, which Bedrock takes as text; gives what was not understood.
fn output(written: &Value, chat: &mut Chat) -> Option<Value> {
    let format = written.get("textFormat")?;
    let named = format.get("structure").and_then(|structure| structure.get("jsonSchema"));
    let text = |name: &str| named.and_then(|named| named.get(name)).and_then(Value::as_str);
    let schema = text("schema").and_then(|schema| serde_json::from_str(schema).ok());
    let (Some(schema), Some("json_schema")) = (schema, format.get("type").and_then(Value::as_str))
    else {
        return Some(written.clone());
    };
    chat.output = OutputFormat::Schema {
        name: text("name").map(str::to_owned),
        description: text("description").map(str::to_owned),
        schema,
        strict: Some(true),
    };
    None
}

fn message_of(message: Value, path: &str) -> Result<Message, Fault> {
    let mut fields = Fields::of(ID, message, path)?;
    let role = fields.string("role")?.ok_or_else(|| fields.missing("role"))?;
    let (role, place) = match role.as_str() {
        "user" => (Role::User, Place::User),
        "assistant" => (Role::Assistant, Place::Assistant),
        _ => {
            return Err(fields.wrong("role", "`user` or `assistant`", &json!(role)));
        }
    };
    let content = fields.list("content")?.ok_or_else(|| fields.missing("content"))?;
    let parts = content::decode(content, &fields.at("content"), place)?;
    let role = if role == Role::User && only_results(&parts) { Role::Tool } else { role };
    Ok(Message { extras: fields.rest(), ..Message::new(role, parts) })
}

/// A user message that holds nothing but tool results is what others call a tool message.
fn only_results(parts: &[Part]) -> bool {
    let is_result = |part: &Part| matches!(part.kind, PartKind::ToolResult { .. });
    !parts.is_empty() && parts.iter().all(is_result)
}
