//! Tools and the choice among them, read and written; the older `functions` too.

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, DialectId, Extras, Fault, Losses, Tool, ToolChoice, ToolKind};

use super::{
    ID,
    messages::{FUNCTION, UNTYPED},
    parts,
};
use crate::dialect::Writing;
use crate::fields::Fields;
use crate::provider::ToolDemand;

/// The form of a tool choice from before there were tools.
const FUNCTION_CALL: &str = "function_call";

/// Reads `tools`, `functions`, `tool_choice` and `function_call`.
pub(super) fn decode(top: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    if let Some(tools) = top.list("tools")? {
        if tools.is_empty() {
            top.extras().spell(ID, "tools", None, json!([]));
        }
        for (at, tool) in tools.into_iter().enumerate() {
            chat.tools.push(decode_tool(tool, &format!("tools[{at}]"))?);
        }
    }
    if let Some(functions) = top.list("functions")? {
        if functions.is_empty() {
            top.extras().spell(ID, "functions", None, json!([]));
        }
        for (at, function) in functions.into_iter().enumerate() {
            let mut function = Fields::of(ID, function, &format!("functions[{at}]"))?;
            let kind = decode_function(&mut function)?;
            function.extras().choose(ID, FUNCTION);
            chat.tools.push(Tool { kind, cache: None, extras: function.rest() });
        }
    }
    if let Some(choice) = top.take("tool_choice") {
        let (decoded, canonical) = decode_choice(&choice, top)?;
        top.extras().spell(ID, "tool_choice", Some(canonical), choice);
        chat.tool_choice = Some(decoded);
    } else if let Some(choice) = top.take(FUNCTION_CALL) {
        let (decoded, _) = decode_choice(&choice, top)?;
        top.extras().choose(ID, FUNCTION_CALL);
        chat.tool_choice = Some(decoded);
    }
    Ok(())
}

fn decode_tool(tool: Value, path: &str) -> Result<Tool, Fault> {
    if let Some(Value::String(kind)) = tool.get("type")
        && kind != FUNCTION
    {
        let kind = ToolKind::Native { dialect: ID, json: tool };
        return Ok(Tool { kind, cache: None, extras: Extras::default() });
    }
    let mut tool = Fields::of(ID, tool, path)?;
    match tool.take("type") {
        Some(Value::String(_)) => {}
        Some(other) => return Err(tool.wrong("type", "a string", &other)),
        None if tool.all().contains_key(FUNCTION) => tool.extras().choose(ID, UNTYPED),
        None => return Err(tool.missing("type")),
    }
    let cache = parts::decode_cache(&mut tool)?;
    let Some(function) = tool.take_raw(FUNCTION) else { return Err(tool.missing(FUNCTION)) };
    let mut function = Fields::of(ID, function, &tool.at(FUNCTION))?;
    let kind = decode_function(&mut function)?;
    function.rest_in(&mut tool, FUNCTION);
    Ok(Tool { kind, cache, extras: tool.rest() })
}

pub(in crate::dialects) fn decode_function(function: &mut Fields) -> Result<ToolKind, Fault> {
    let name = function.string("name")?.ok_or_else(|| function.missing("name"))?;
    let description = function.string("description")?;
    let parameters = function.take("parameters");
    let strict = function.bool("strict")?;
    if let Some(other) = parameters.as_ref().filter(|schema| !schema.is_object()) {
        return Err(function.wrong("parameters", "an object", other));
    }
    Ok(ToolKind::Function { name, description, parameters, strict })
}

/// The choice, and how this dialect's encoder would write it.
fn decode_choice(choice: &Value, top: &Fields) -> Result<(ToolChoice, Value), Fault> {
    let name = |of: &Value| {
        let named = of.get(FUNCTION).unwrap_or(of).get("name");
        named.and_then(Value::as_str).map(str::to_owned)
    };
    let decoded = match choice {
        Value::String(word) => match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" | "any" => ToolChoice::Required,
            _ => ToolChoice::Native { dialect: ID, json: choice.clone() },
        },
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).unwrap_or(FUNCTION);
            match (kind, name(choice)) {
                (FUNCTION, Some(name)) => ToolChoice::Function(name),
                (FUNCTION, None) => return Err(top.missing("tool_choice.function.name")),
                ("allowed_tools", _) => decode_allowed(choice, name),
                _ => ToolChoice::Native { dialect: ID, json: choice.clone() },
            }
        }
        other => return Err(top.wrong("tool_choice", "a string or an object", other)),
    };
    let canonical = encode_choice(&decoded, "required");
    Ok((decoded, canonical))
}

fn decode_allowed(choice: &Value, name: impl Fn(&Value) -> Option<String>) -> ToolChoice {
    let allowed = choice.get("allowed_tools").unwrap_or(choice);
    let tools = allowed.get("tools").and_then(Value::as_array);
    let names = tools.map(|tools| tools.iter().map(name).collect::<Option<Vec<_>>>());
    let mode = allowed.get("mode").and_then(Value::as_str);
    match (names.flatten(), mode) {
        (Some(names), Some(mode @ ("auto" | "required"))) => {
            ToolChoice::Among { names, required: mode == "required" }
        }
        _ => ToolChoice::Native { dialect: ID, json: choice.clone() },
    }
}

fn encode_choice(choice: &ToolChoice, required_word: &str) -> Value {
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => required_word.into(),
        ToolChoice::Function(name) => json!({"type": "function", "function": {"name": name}}),
        ToolChoice::Among { names, required } => {
            let tools = names.iter();
            let tools = tools.map(|name| json!({"type": "function", "function": {"name": name}}));
            json!({
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": if *required { "required" } else { "auto" },
                    "tools": tools.collect::<Vec<_>>(),
                },
            })
        }
        ToolChoice::Native { json, .. } => json.clone(),
    }
}

pub(in crate::dialects) fn encode_function(kind: &ToolKind) -> Map<String, Value> {
    let mut out = Map::new();
    if let ToolKind::Function { name, description, parameters, strict } = kind {
        out.insert("name".into(), name.as_str().into());
        if let Some(description) = description {
            out.insert("description".into(), description.as_str().into());
        }
        if let Some(parameters) = parameters {
            out.insert("parameters".into(), parameters.clone());
        }
        if let Some(strict) = strict {
            out.insert("strict".into(), (*strict).into());
        }
    }
    out
}

/// Writes `tools`, `functions`, `tool_choice` and `function_call`.
pub(super) fn encode(chat: &Chat, to: &mut Writing<'_>, out: &mut Map<String, Value>) {
    let (mut tools, mut functions) = (Vec::new(), Vec::new());
    // Whether the recipient knows a choice among some tools.
    let knows = to.own || to.quirks.allowed_tools;
    // Where nothing can be forbidden, nothing is offered.
    let forbidden = chat.tool_choice == Some(ToolChoice::None)
        && !to.own
        && to.quirks.tool_choice == ToolDemand::Never;
    let offered = if forbidden { Vec::new() } else { among(chat, knows) };
    for (at, tool) in offered {
        let path = format!("tools[{at}]");
        if tool.extras.chose(ID, FUNCTION) {
            let mut function = encode_function(&tool.kind);
            tool.extras.restore(ID, &mut function, &path, &mut to.losses);
            functions.push(Value::Object(function));
        } else if let Some(tool) = encode_tool(tool, &path, to) {
            tools.push(tool);
        }
    }
    let any = !tools.is_empty() || !functions.is_empty();
    for (name, list) in [("tools", tools), ("functions", functions)] {
        if !list.is_empty() {
            out.insert(name.into(), list.into());
        }
    }
    let Some(choice) = &chat.tool_choice else { return };
    if chat.extras.chose(ID, FUNCTION_CALL) {
        let value = match choice {
            ToolChoice::Function(name) => json!({"name": name}),
            other => encode_choice(other, "required"),
        };
        out.insert(FUNCTION_CALL.into(), value);
    } else if let Some(choice) = fitting(choice, ID, knows, &mut to.losses)
        // A choice without tools is refused.
        && (any || to.own)
    {
        out.extend(demand(&choice, to).map(|choice| ("tool_choice".to_owned(), choice)));
    }
}

/// The choice in words that the recipient knows. What it cannot be told is left to the model.
fn demand(choice: &ToolChoice, to: &mut Writing<'_>) -> Option<Value> {
    let (told, word) = match to.quirks.tool_choice {
        _ if to.own => (true, "required"),
        ToolDemand::All(word) => (true, word),
        ToolDemand::ByName => (*choice != ToolChoice::Required, "required"),
        ToolDemand::Never => (*choice == ToolChoice::Auto, "required"),
    };
    if !told {
        to.losses.approximated("", "tool_choice");
    }
    told.then(|| encode_choice(choice, word))
}

/// The tools to offer: all, or for a host that knows no choice among some, just those.
pub(in crate::dialects) fn among(chat: &Chat, knows: bool) -> Vec<(usize, &Tool)> {
    let all = chat.tools.iter().enumerate();
    match &chat.tool_choice {
        Some(ToolChoice::Among { names, .. }) if !knows => all
            .filter(|(_, tool)| match &tool.kind {
                ToolKind::Function { name, .. } => names.contains(name),
                ToolKind::Native { .. } => false,
            })
            .collect(),
        _ => all.collect(),
    }
}

/// The choice that the recipient understands.
pub(in crate::dialects) fn fitting(
    choice: &ToolChoice,
    of: DialectId,
    knows: bool,
    losses: &mut Losses,
) -> Option<ToolChoice> {
    match choice {
        ToolChoice::Native { dialect, .. } if *dialect != of => {
            losses.dropped("", "tool_choice");
            None
        }
        ToolChoice::Among { names, required } if !knows => {
            // Only those tools are offered, which means the same to the model.
            Some(match (required, names.as_slice()) {
                (true, [name]) => ToolChoice::Function(name.clone()),
                (true, _) => ToolChoice::Required,
                (false, _) => ToolChoice::Auto,
            })
        }
        other => Some(other.clone()),
    }
}

fn encode_tool(tool: &Tool, path: &str, to: &mut Writing<'_>) -> Option<Value> {
    let mut out = Map::new();
    match &tool.kind {
        ToolKind::Function { .. } => {
            if !tool.extras.chose(ID, UNTYPED) {
                out.insert("type".into(), FUNCTION.into());
            }
            out.insert(FUNCTION.into(), Value::Object(encode_function(&tool.kind)));
        }
        ToolKind::Native { dialect, json } if *dialect == ID => return Some(json.clone()),
        ToolKind::Native { json, .. } => {
            let kind = json.get("type").and_then(Value::as_str);
            let first = json.as_object().and_then(|fields| fields.keys().next());
            to.losses.dropped(path, kind.or(first.map(String::as_str)).unwrap_or("tool"));
            return None;
        }
    }
    if let Some(mark) = &tool.cache {
        parts::put_cache(mark, &tool.extras, path, to, &mut out);
    }
    tool.extras.restore(ID, &mut out, path, &mut to.losses);
    Some(Value::Object(out))
}
