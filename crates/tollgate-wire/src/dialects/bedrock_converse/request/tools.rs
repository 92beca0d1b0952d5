//! Tools and the choice among them, both ways.

use serde_json::{Map, Value, json};
use tollgate_model::{
    CacheMark, Chat, Extras, Fault, Losses, PartKind, Tool, ToolChoice, ToolKind,
};

use super::blocks::cache_written;
use super::content::cache_point;
use crate::dialects::bedrock_converse::ID;
use crate::fields::Fields;
use crate::strict_schema;

/// Reads `toolConfig`.
pub(super) fn decode(mut config: Fields, body: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    if let Some(list) = config.list("tools")? {
        if list.is_empty() {
            config.extras().spell(ID, "tools", None, json!([]));
        }
        for (at, tool) in list.into_iter().enumerate() {
            if let Some(before) = chat.tools.last_mut()
                && before.cache.is_none()
                && let Some(mark) = cache_point(&tool)
            {
                before.cache = Some(mark);
            } else {
                chat.tools.push(decode_tool(tool, &format!("toolConfig.tools[{at}]"))?);
            }
        }
    }
    if let Some(written) = config.take("toolChoice") {
        let found = choice(&written);
        let canonical = choice_written(&found, &mut Losses::default());
        config.extras().spell(ID, "toolChoice", canonical, written);
        chat.tool_choice = Some(found);
    }
    config.nest_in(body, "toolConfig");
    Ok(())
}

fn choice(written: &Value) -> ToolChoice {
    let named = written.get("tool").and_then(|tool| tool.get("name")).and_then(Value::as_str);
    if let Some(name) = named {
        ToolChoice::Function(name.to_owned())
    } else if written.get("any").is_some_and(Value::is_object) {
        ToolChoice::Required
    } else if written.get("auto").is_some_and(Value::is_object) {
        ToolChoice::Auto
    } else {
        ToolChoice::Native { dialect: ID, json: written.clone() }
    }
}

/// Reads one tool. Those that Amazon runs are kept whole.
fn decode_tool(tool: Value, path: &str) -> Result<Tool, Fault> {
    let mut fields = Fields::of(ID, tool, path)?;
    let Some(mut spec) = fields.object("toolSpec")? else {
        let kind = ToolKind::Native { dialect: ID, json: Value::Object(fields.all().clone()) };
        return Ok(Tool { kind, cache: None, extras: Extras::left_over(ID, Map::new()) });
    };
    let name = spec.string("name")?.ok_or_else(|| spec.missing("name"))?;
    let description = spec.string("description")?;
    let strict = spec.bool("strict")?;
    let mut parameters = None;
    if let Some(mut schema) = spec.object("inputSchema")? {
        parameters = schema.take("json");
        schema.nest_in(&mut spec, "inputSchema");
    }
    spec.nest_in(&mut fields, "toolSpec");
    let kind = ToolKind::Function { name, description, parameters, strict };
    Ok(Tool { kind, cache: None, extras: fields.rest() })
}

/// Writes `toolConfig`; `None` where there is none.
pub(super) fn encode(chat: &Chat, strict: bool, losses: &mut Losses) -> Option<Value> {
    let own = chat.extras.is_of(ID);
    let mut tools = Vec::with_capacity(chat.tools.len());
    for (at, tool) in chat.tools.iter().enumerate() {
        let path = format!("tools[{at}]");
        if let Some(ToolChoice::Among { names, .. }) = &chat.tool_choice {
            let ToolKind::Function { name, .. } = &tool.kind else { continue };
            if !names.contains(name) {
                continue;
            }
        }
        if let Some(written) = encode_tool(tool, strict, &path, losses) {
            tools.push(written);
            cache(tool.cache.as_ref(), &path, &mut tools, losses);
        }
    }
    if !own {
        let called = called(chat);
        if chat.tool_choice == Some(ToolChoice::None) && called.is_empty() {
            // There is no word for it; without tools none is called.
            if !tools.is_empty() {
                losses.approximated("", "tools");
            }
            return None;
        }
        // A conversation with calls in it must say what was called.
        if tools.is_empty() && !called.is_empty() {
            losses.approximated("", "tools");
            tools.extend(called.into_iter().map(|name| {
                json!({"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}})
            }));
        }
    }
    let mut out = Map::new();
    let none = tools.is_empty();
    if !none {
        out.insert("tools".into(), Value::Array(tools));
    }
    if let Some(choice) = &chat.tool_choice
        && (own || !none)
        && let Some(choice) = choice_written(choice, losses)
    {
        out.insert("toolChoice".into(), choice);
    }
    (!out.is_empty()).then_some(Value::Object(out))
}

/// The names of the tools that were called, each once.
fn called(chat: &Chat) -> Vec<&str> {
    let parts = chat.messages.iter().flat_map(|message| &message.parts);
    let mut out: Vec<&str> = Vec::new();
    for part in parts {
        if let PartKind::ToolCall { name, .. } = &part.kind
            && !out.contains(&name.as_str())
            && out.len() < 64
        {
            out.push(name);
        }
    }
    out
}

fn encode_tool(tool: &Tool, strict: bool, path: &str, losses: &mut Losses) -> Option<Value> {
    let own = tool.extras.is_of(ID);
    let (name, description, parameters, wanted) = match &tool.kind {
        ToolKind::Native { dialect: ID, json } => return Some(json.clone()),
        ToolKind::Native { .. } => {
            losses.dropped("", path);
            return None;
        }
        ToolKind::Function { name, description, parameters, strict } => {
            (name, description, parameters, *strict)
        }
    };
    let mut spec = Map::new();
    spec.insert("name".into(), json!(name));
    if let Some(description) = description.as_ref().filter(|text| own || !text.is_empty()) {
        spec.insert("description".into(), json!(description));
    }
    let mut parameters = parameters.clone();
    // Not strict is what everyone means by saying nothing.
    let mut wanted = wanted.filter(|wanted| own || *wanted);
    if !own {
        let schema = parameters.get_or_insert_with(|| json!({}));
        strict_schema::make_object(schema);
        if wanted == Some(true) && !strict {
            losses.dropped(path, "strict");
            wanted = None;
        } else if wanted == Some(true) && strict_schema::tidy(schema) {
            losses.approximated(path, "parameters");
        }
    }
    if let Some(parameters) = parameters {
        spec.insert("inputSchema".into(), json!({"json": parameters}));
    }
    if let Some(wanted) = wanted {
        spec.insert("strict".into(), json!(wanted));
    }
    let mut out = Map::from_iter([("toolSpec".to_owned(), Value::Object(spec))]);
    tool.extras.restore(ID, &mut out, path, losses);
    Some(Value::Object(out))
}

fn cache(mark: Option<&CacheMark>, path: &str, out: &mut Vec<Value>, losses: &mut Losses) {
    out.extend(mark.map(|mark| cache_written(mark, path, losses)));
}

/// Writes `toolChoice`; `None` when it says no more than its absence.
fn choice_written(choice: &ToolChoice, losses: &mut Losses) -> Option<Value> {
    match choice {
        ToolChoice::Auto => Some(json!({"auto": {}})),
        ToolChoice::Required => Some(json!({"any": {}})),
        ToolChoice::Function(name) => Some(json!({"tool": {"name": name}})),
        ToolChoice::Among { names, required } => {
            losses.approximated("", "tool_choice");
            match (names.as_slice(), required) {
                ([name], true) => Some(json!({"tool": {"name": name}})),
                (_, true) => Some(json!({"any": {}})),
                (_, false) => None,
            }
        }
        ToolChoice::Native { dialect: ID, json } => Some(json.clone()),
        // Tools that were called before must stay, and nothing forbids them.
        ToolChoice::None => {
            losses.approximated("", "tool_choice");
            None
        }
        ToolChoice::Native { .. } => {
            losses.dropped("", "tool_choice");
            None
        }
    }
}
