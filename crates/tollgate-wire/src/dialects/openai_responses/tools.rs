//! Tools and the choice among them, read and written. Tools of other types than functions are this
//! dialect's own and stay whole.

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Extras, Fault, Tool, ToolChoice, ToolKind};

use super::ID;
use crate::dialect::Writing;
use crate::dialects::openai_chat::tools::{among, decode_function, encode_function, fitting};
use crate::fields::Fields;

const FUNCTION: &str = "function";

pub(super) fn decode(top: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    if let Some(tools) = top.list("tools")? {
        if tools.is_empty() {
            top.extras().spell(ID, "tools", None, json!([]));
        }
        for (at, tool) in tools.into_iter().enumerate() {
            chat.tools.push(decode_tool(tool, &format!("tools[{at}]"))?);
        }
    }
    if let Some(choice) = top.take("tool_choice") {
        let decoded = decode_choice(&choice, top)?;
        let canonical = Some(encode_choice(&decoded));
        top.extras().spell(ID, "tool_choice", canonical, choice);
        chat.tool_choice = Some(decoded);
    }
    Ok(())
}

fn decode_tool(tool: Value, path: &str) -> Result<Tool, Fault> {
    let whole = tool.clone();
    let mut tool = Fields::of(ID, tool, path)?;
    let kind = match tool.take_raw("type") {
        Some(Value::String(kind)) => kind,
        Some(other) => return Err(tool.wrong("type", "a string", &other)),
        None => return Err(tool.missing("type")),
    };
    if kind != FUNCTION {
        let kind = ToolKind::Native { dialect: ID, json: whole };
        return Ok(Tool { kind, cache: None, extras: Extras::default() });
    }
    let kind = decode_function(&mut tool)?;
    Ok(Tool { kind, cache: None, extras: tool.rest() })
}

fn decode_choice(choice: &Value, top: &Fields) -> Result<ToolChoice, Fault> {
    let native = || ToolChoice::Native { dialect: ID, json: choice.clone() };
    let word = |of: &Value, field: &str| of.get(field).and_then(Value::as_str).map(str::to_owned);
    Ok(match choice {
        Value::String(word) => match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            _ => native(),
        },
        Value::Object(_) => match word(choice, "type").as_deref() {
            Some(FUNCTION) => match word(choice, "name") {
                Some(name) => ToolChoice::Function(name),
                None => return Err(top.missing("tool_choice.name")),
            },
            Some("allowed_tools") => {
                let tools = choice.get("tools").and_then(Value::as_array);
                let name = |tool: &Value| {
                    let kind = word(tool, "type")?;
                    (kind == FUNCTION).then(|| word(tool, "name")).flatten()
                };
                let names = tools.and_then(|tools| tools.iter().map(name).collect());
                match (names, word(choice, "mode").as_deref()) {
                    (Some(names), Some(mode @ ("auto" | "required"))) => {
                        ToolChoice::Among { names, required: mode == "required" }
                    }
                    _ => native(),
                }
            }
            Some(_) => native(),
            None => return Err(top.missing("tool_choice.type")),
        },
        other => return Err(top.wrong("tool_choice", "a string or an object", other)),
    })
}

fn encode_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Function(name) => json!({"type": FUNCTION, "name": name}),
        ToolChoice::Among { names, required } => {
            let tools = names.iter().map(|name| json!({"type": FUNCTION, "name": name}));
            json!({
                "type": "allowed_tools",
                "mode": if *required { "required" } else { "auto" },
                "tools": tools.collect::<Vec<_>>(),
            })
        }
        ToolChoice::Native { json, .. } => json.clone(),
    }
}

pub(super) fn encode(chat: &Chat, to: &mut Writing<'_>, out: &mut Map<String, Value>) {
    let whole = to.own || to.quirks.allowed_tools;
    let mut tools = Vec::new();
    for (at, tool) in among(chat, whole) {
        tools.extend(encode_tool(tool, &format!("tools[{at}]"), to));
    }
    let any = !tools.is_empty();
    if any {
        out.insert("tools".into(), tools.into());
    }
    let Some(choice) = &chat.tool_choice else { return };
    if let Some(choice) = fitting(choice, ID, whole, &mut to.losses)
        // A choice without tools is refused.
        && (any || to.own)
    {
        out.insert("tool_choice".into(), encode_choice(&choice));
    }
}

fn encode_tool(tool: &Tool, path: &str, to: &mut Writing<'_>) -> Option<Value> {
    let mut out = Map::new();
    match &tool.kind {
        ToolKind::Function { strict, .. } => {
            out.insert("type".into(), FUNCTION.into());
            out.append(&mut encode_function(&tool.kind));
            if !to.own {
                // Absent, it would mean yes here, and the dialect demands a schema.
                out.insert("strict".into(), strict.unwrap_or(false).into());
                out.entry("parameters")
                    .or_insert_with(|| json!({"type": "object", "properties": {}}));
            }
        }
        ToolKind::Native { dialect, json } if *dialect == ID => return Some(json.clone()),
        ToolKind::Native { json, .. } => {
            let kind = json.get("type").and_then(Value::as_str);
            let first = json.as_object().and_then(|fields| fields.keys().next());
            to.losses.dropped(path, kind.or(first.map(String::as_str)).unwrap_or("tool"));
            return None;
        }
    }
    if tool.cache.is_some() {
        to.losses.dropped(path, "cache_control");
    }
    tool.extras.restore(ID, &mut out, path, &mut to.losses);
    Some(Value::Object(out))
}
