//! A tool that is a function, in the form that OpenAI gave it and others took over: its type, and
//! beside it an object with name, description and parameters. What else a dialect knows of tools
//! is the dialect's own.

use serde_json::{Map, Value, json};
use tollgate_model::{DialectId, Extras, Fault, Losses, Tool, ToolKind};

use crate::fields::Fields;

const FUNCTION: &str = "function";

/// Reads a tool; one of another type is kept whole.
pub(crate) fn read(dialect: DialectId, tool: Value, path: &str) -> Result<Tool, Fault> {
    if tool.get("type").and_then(Value::as_str).is_some_and(|kind| kind != FUNCTION) {
        let kind = ToolKind::Native { dialect, json: tool };
        return Ok(Tool { kind, cache: None, extras: Extras::default() });
    }
    let mut tool = Fields::of(dialect, tool, path)?;
    if tool.string("type")?.is_none() {
        tool.extras().omit(dialect, "type", FUNCTION.into());
    }
    let function = tool.take(FUNCTION).ok_or_else(|| tool.missing(FUNCTION))?;
    let mut function = Fields::of(dialect, function, &tool.at(FUNCTION))?;
    let kind = ToolKind::Function {
        name: function.string("name")?.ok_or_else(|| function.missing("name"))?,
        description: function.string("description")?,
        parameters: function.take("parameters"),
        strict: None,
    };
    function.rest_in(&mut tool, FUNCTION);
    Ok(Tool { kind, cache: None, extras: tool.rest() })
}

/// Writes a tool without what it says of strictness; `None` for one of another dialect's own.
pub(crate) fn write(
    dialect: DialectId,
    tool: &Tool,
    own: bool,
    path: &str,
    losses: &mut Losses,
) -> Option<Value> {
    if tool.cache.is_some() {
        losses.dropped(path, "cache_control");
    }
    let mut function = Map::new();
    match &tool.kind {
        ToolKind::Native { dialect: of, json } if *of == dialect => return Some(json.clone()),
        ToolKind::Native { json, .. } => {
            losses.dropped(path, json["type"].as_str().unwrap_or("type"));
            tool.extras.report(path, losses);
            return None;
        }
        ToolKind::Function { name, description, parameters, .. } => {
            function.insert("name".into(), name.as_str().into());
            if let Some(description) = description {
                function.insert("description".into(), description.as_str().into());
            }
            let none = || (!own).then(|| json!({"type": "object", "properties": {}}));
            if let Some(parameters) = parameters.clone().or_else(none) {
                function.insert("parameters".into(), parameters);
            }
        }
    }
    let mut out = Map::new();
    out.insert("type".into(), FUNCTION.into());
    out.insert(FUNCTION.into(), function.into());
    tool.extras.restore(dialect, &mut out, path, losses);
    Some(out.into())
}
