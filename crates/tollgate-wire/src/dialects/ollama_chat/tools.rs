//! Tools, read and written. Ollama knows functions only, and no choice among them.

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Extras, Fault, Losses, Tool, ToolChoice, ToolKind};

use super::ID;
use crate::fields::Fields;

const FUNCTION: &str = "function";

pub(super) fn decode(top: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    let Some(list) = top.list("tools")? else { return Ok(()) };
    if list.is_empty() {
        top.extras().spell(ID, "tools", None, json!([]));
    }
    let tools = list.into_iter().enumerate();
    let tools = tools.map(|(at, tool)| decode_tool(tool, &format!("tools[{at}]")));
    chat.tools = tools.collect::<Result<_, _>>()?;
    Ok(())
}

fn decode_tool(tool: Value, path: &str) -> Result<Tool, Fault> {
    if tool.get("type").and_then(Value::as_str).is_some_and(|kind| kind != FUNCTION) {
        let kind = ToolKind::Native { dialect: ID, json: tool };
        return Ok(Tool { kind, cache: None, extras: Extras::default() });
    }
    let mut tool = Fields::of(ID, tool, path)?;
    if tool.string("type")?.is_none() {
        tool.extras().omit(ID, "type", FUNCTION.into());
    }
    let function = tool.take(FUNCTION).ok_or_else(|| tool.missing(FUNCTION))?;
    let mut function = Fields::of(ID, function, &tool.at(FUNCTION))?;
    let kind = ToolKind::Function {
        name: function.string("name")?.ok_or_else(|| function.missing("name"))?,
        description: function.string("description")?,
        parameters: function.take("parameters"),
        strict: None,
    };
    function.rest_in(&mut tool, FUNCTION);
    Ok(Tool { kind, cache: None, extras: tool.rest() })
}

/// Writes the tools that may be called. A choice is kept by offering no others, as far as that
/// goes: that some tool must be called cannot be said.
pub(super) fn encode(chat: &Chat, own: bool, losses: &mut Losses, out: &mut Map<String, Value>) {
    let mut may = |name: &str| match &chat.tool_choice {
        Some(ToolChoice::None) => false,
        Some(ToolChoice::Function(only)) => only == name,
        Some(ToolChoice::Among { names, .. }) => names.iter().any(|one| one == name),
        _ => true,
    };
    let mut list = Vec::new();
    for (at, tool) in chat.tools.iter().enumerate() {
        list.extend(encode_tool(tool, own, &mut may, &format!("tools[{at}]"), losses));
    }
    match &chat.tool_choice {
        None | Some(ToolChoice::Auto) => {}
        Some(ToolChoice::Required | ToolChoice::Native { .. }) => {
            losses.dropped("", "tool_choice");
        }
        Some(_) => losses.approximated("", "tool_choice"),
    }
    if chat.parallel_tool_calls == Some(false) {
        losses.dropped("", "parallel_tool_calls");
    }
    if !list.is_empty() {
        out.insert("tools".into(), list.into());
    }
}

fn encode_tool(
    tool: &Tool,
    own: bool,
    may: &mut impl FnMut(&str) -> bool,
    path: &str,
    losses: &mut Losses,
) -> Option<Value> {
    if tool.cache.is_some() {
        losses.dropped(path, "cache_control");
    }
    let (name, description, parameters, strict) = match &tool.kind {
        ToolKind::Native { dialect: ID, json } => return Some(json.clone()),
        ToolKind::Native { json, .. } => {
            losses.dropped(path, json["type"].as_str().unwrap_or("type"));
            tool.extras.report(path, losses);
            return None;
        }
        ToolKind::Function { name, description, parameters, strict } => {
            (name, description, parameters, strict)
        }
    };
    if !may(name) {
        return None;
    }
    if *strict == Some(true) {
        losses.dropped(path, "strict");
    }
    let mut function = Map::new();
    function.insert("name".into(), name.as_str().into());
    if let Some(description) = description {
        function.insert("description".into(), description.as_str().into());
    }
    match parameters {
        Some(parameters) => drop(function.insert("parameters".into(), parameters.clone())),
        None if own => {}
        None => {
            let none = json!({"type": "object", "properties": {}});
            function.insert("parameters".into(), none);
        }
    }
    let mut out = Map::new();
    out.insert("type".into(), FUNCTION.into());
    out.insert(FUNCTION.into(), function.into());
    tool.extras.restore(ID, &mut out, path, losses);
    Some(out.into())
}
