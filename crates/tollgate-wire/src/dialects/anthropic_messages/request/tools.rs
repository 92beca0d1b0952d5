//! Tools and the choice among them, both ways.

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Extras, Fault, Losses, Tool, ToolChoice, ToolKind};

use super::blocks::cache_written;
use super::content::cache_mark;
use super::decode::{Spelt, leave};
use crate::claude::Known;
use crate::dialects::anthropic_messages::ID;
use crate::dialects::anthropic_messages::fields::Fields;
use crate::strict_schema;

/// Reads one tool. Those that Anthropic runs, or gives a type of its own, are kept whole.
pub(super) fn decode(tool: Value, path: String) -> Result<Tool, Fault> {
    let mut fields = Fields::of(tool, path)?;
    if !matches!(fields.kind(), "" | "custom") {
        let json = Value::Object(fields.left_over());
        let kind = ToolKind::Native { dialect: ID, json };
        return Ok(Tool { kind, cache: None, extras: Extras::left_over(ID, Map::new()) });
    }
    let kind_written = fields.text("type")?;
    let name = fields.need_text("name")?;
    let description = fields.text("description")?;
    let parameters = fields.object("input_schema")?.map(|schema| Value::Object(schema.left_over()));
    let parameters = Some(parameters.ok_or_else(|| fields.missing("input_schema"))?);
    let strict = fields.flag("strict")?;
    let cache = cache_mark(&mut fields)?;
    let mut extras = Extras::left_over(ID, fields.left_over());
    if let Some(kind) = kind_written {
        extras.spell(ID, "type", None, Value::String(kind));
    }
    Ok(Tool { kind: ToolKind::Function { name, description, parameters, strict }, cache, extras })
}

/// Reads `tool_choice`, and with it whether calls may be parallel.
pub(super) fn decode_choice(
    fields: &mut Fields,
    chat: &mut Chat,
    spelt: &mut Spelt,
) -> Result<(), Fault> {
    let Some(written) = fields.peek("tool_choice").filter(|value| !value.is_null()).cloned() else {
        return Ok(());
    };
    let Some(mut choice) = fields.object("tool_choice")? else { return Ok(()) };
    let found = match choice.kind() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Function(choice.need_text("name")?),
        "" => return Err(choice.missing("type")),
        _ => ToolChoice::Native { dialect: ID, json: written.clone() },
    };
    let native = matches!(found, ToolChoice::Native { .. });
    chat.tool_choice = Some(found);
    if native {
        return Ok(());
    }
    chat.parallel_tool_calls = choice.flag("disable_parallel_tool_use")?.map(|disable| !disable);
    choice.value("type");
    let canonical = choice_written(chat, &mut Losses::default());
    leave(fields, "tool_choice", choice, true);
    if fields.peek("tool_choice").is_none() {
        spelt.note("tool_choice", canonical, written);
    }
    Ok(())
}

/// Writes the tools that the choice leaves.
pub(super) fn encode(chat: &Chat, known: Known, losses: &mut Losses) -> Vec<Value> {
    let mut out = Vec::with_capacity(chat.tools.len());
    for (at, tool) in chat.tools.iter().enumerate() {
        let path = format!("tools[{at}]");
        if let Some(ToolChoice::Among { names, .. }) = &chat.tool_choice {
            let ToolKind::Function { name, .. } = &tool.kind else { continue };
            if !names.contains(name) {
                continue;
            }
        }
        if let Some(tool) = encode_tool(tool, known, &path, losses) {
            out.push(tool);
        }
    }
    out
}

fn encode_tool(tool: &Tool, known: Known, path: &str, losses: &mut Losses) -> Option<Value> {
    let own = tool.extras.is_of(ID);
    let mut out = Map::new();
    match &tool.kind {
        ToolKind::Native { dialect: ID, json } => return Some(json.clone()),
        ToolKind::Native { .. } => {
            losses.dropped("", path);
            return None;
        }
        ToolKind::Function { name, description, parameters, strict } => {
            out.insert("name".into(), json!(name));
            if let Some(description) = description {
                out.insert("description".into(), json!(description));
            }
            let mut parameters = parameters.clone().unwrap_or_else(|| json!({}));
            let mut strict = *strict;
            if !own {
                if strict == Some(true) && !known.structured_output {
                    losses.dropped(path, "strict");
                    strict = None;
                }
                // Not strict is what everyone means by saying nothing.
                strict = strict.filter(|strict| *strict);
                strict_schema::make_object(&mut parameters);
                if strict == Some(true) && strict_schema::tidy(&mut parameters) {
                    losses.approximated(path, "parameters");
                }
            }
            out.insert("input_schema".into(), parameters);
            if let Some(strict) = strict {
                out.insert("strict".into(), json!(strict));
            }
        }
    }
    if let Some(cache) = &tool.cache {
        out.insert("cache_control".into(), cache_written(cache, path, losses));
    }
    tool.extras.restore(ID, &mut out, path, losses);
    Some(Value::Object(out))
}

/// Writes `tool_choice`; `None` when it says no more than its absence.
pub(super) fn choice_written(chat: &Chat, losses: &mut Losses) -> Option<Value> {
    let mut out = match &chat.tool_choice {
        None => None,
        Some(ToolChoice::Auto) => Some(json!({"type": "auto"})),
        Some(ToolChoice::None) => Some(json!({"type": "none"})),
        Some(ToolChoice::Required) => Some(json!({"type": "any"})),
        Some(ToolChoice::Function(name)) => Some(json!({"type": "tool", "name": name})),
        Some(ToolChoice::Among { names, required }) => Some(match (names.as_slice(), required) {
            ([name], true) => json!({"type": "tool", "name": name}),
            (_, true) => json!({"type": "any"}),
            (_, false) => json!({"type": "auto"}),
        }),
        Some(ToolChoice::Native { dialect: ID, json }) => return Some(json.clone()),
        Some(ToolChoice::Native { .. }) => {
            losses.dropped("", "tool_choice");
            None
        }
    };
    if chat.parallel_tool_calls == Some(false) {
        let choice = out.get_or_insert_with(|| json!({"type": "auto"}));
        if choice["type"] != "none" {
            choice["disable_parallel_tool_use"] = json!(true);
        }
    }
    out
}
