//! `tools` and `toolConfig`, both ways.

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Fault, Losses, Tool, ToolChoice, ToolKind};

use super::super::fields::{Fields, wrong};
use super::super::{ID, schema};
use super::parts::object;

pub(super) fn decode(body: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    let path = body.path("tools");
    let Some(value) = body.take("tools") else { return Ok(()) };
    let written = match value {
        Value::Array(list) => list,
        one @ Value::Object(_) => vec![one],
        other => return Err(wrong(&path, "a list", &other)),
    };
    let as_encoded = is_as_encoded(&written);
    let kept = (!as_encoded).then(|| Value::Array(written.clone()));
    for (at, value) in written.into_iter().enumerate() {
        decode_tool(value, &format!("{path}[{at}]"), &mut chat.tools)?;
    }
    if let Some(kept) = kept {
        // What the encoder will write for the same tools stands for the caller's grouping.
        let mut unseen = Losses::default();
        let canonical = encode_list(&chat.tools, &mut unseen);
        body.extras.spell(ID, "tools", Some(canonical), kept);
    }
    Ok(())
}

/// The encoder writes all functions as one tool, and every other tool by itself.
fn is_as_encoded(tools: &[Value]) -> bool {
    let mut groups = 0;
    let alone = |tool: &Value| match tool {
        Value::Object(tool) if tool.len() == 1 => {
            let list = tool.get("functionDeclarations");
            groups += usize::from(list.is_some());
            !tool.contains_key("function_declarations")
                && list.is_none_or(|list| list.as_array().is_some_and(|list| !list.is_empty()))
                && !tool.values().any(Value::is_null)
        }
        _ => false,
    };
    !tools.is_empty() && tools.iter().all(alone) && groups <= 1
}

fn decode_tool(value: Value, path: &str, tools: &mut Vec<Tool>) -> Result<(), Fault> {
    let mut tool = Fields::open(value, path)?;
    let path = tool.path("functionDeclarations");
    for (at, value) in
        tool.list("functionDeclarations")?.unwrap_or_default().into_iter().enumerate()
    {
        tools.push(decode_function(value, &format!("{path}[{at}]"))?);
    }
    for (name, value) in object(tool.into_value()) {
        if !value.is_null() {
            let json = Value::Object(Map::from_iter([(name, value)]));
            let kind = ToolKind::Native { dialect: ID, json };
            tools.push(Tool { kind, cache: None, extras: Default::default() });
        }
    }
    Ok(())
}

fn decode_function(value: Value, path: &str) -> Result<Tool, Fault> {
    let mut function = Fields::open(value, path)?;
    let name = function.required_text("name")?;
    let description = function.text("description")?;
    let mut parameters = function.take("parametersJsonSchema");
    if parameters.is_none() && function.has("parameters") {
        let written = function.take("parameters").unwrap_or_default();
        let read = schema::as_json_schema(&written);
        let canonical = ("parametersJsonSchema", read.clone());
        function.extras.say_instead(ID, canonical, ("parameters", written));
        parameters = Some(read);
    }
    let kind = ToolKind::Function { name, description, parameters, strict: None };
    Ok(Tool { kind, cache: None, extras: function.into_extras() })
}

pub(super) fn encode(chat: &Chat, out: &mut Map<String, Value>, losses: &mut Losses) {
    if !chat.tools.is_empty() {
        let tools = encode_list(&chat.tools, losses);
        if tools.as_array().is_some_and(|tools| !tools.is_empty()) {
            out.insert("tools".into(), tools);
        }
    }
    if let Some(choice) = chat.tool_choice.as_ref()
        && let Some(config) = encode_choice(choice, losses)
    {
        out.insert("toolConfig".into(), json!({"functionCallingConfig": config}));
    }
}

fn encode_list(tools: &[Tool], losses: &mut Losses) -> Value {
    let mut list: Vec<Value> = Vec::new();
    let mut functions: Option<usize> = None;
    for (at, tool) in tools.iter().enumerate() {
        let path = format!("tools[{at}]");
        if tool.cache.is_some() {
            losses.dropped(&path, "cache_control");
        }
        match &tool.kind {
            ToolKind::Function { .. } => {
                let function = encode_function(tool, &path, losses);
                match functions.and_then(|at| list[at]["functionDeclarations"].as_array_mut()) {
                    Some(before) => before.push(function),
                    None => {
                        functions = Some(list.len());
                        list.push(json!({"functionDeclarations": [function]}));
                    }
                }
            }
            ToolKind::Native { dialect, json } if *dialect == ID => list.push(json.clone()),
            ToolKind::Native { json, .. } => {
                losses.dropped(&path, json["type"].as_str().unwrap_or("type"));
                tool.extras.report(&path, losses);
            }
        }
    }
    list.into()
}

fn encode_function(tool: &Tool, path: &str, losses: &mut Losses) -> Value {
    let ToolKind::Function { name, description, parameters, strict } = &tool.kind else {
        return Value::Null;
    };
    let mut written = object(json!({"name": name}));
    if let Some(description) = description {
        written.insert("description".into(), description.as_str().into());
    }
    if let Some(parameters) = parameters {
        written.insert("parametersJsonSchema".into(), parameters.clone());
    }
    if *strict == Some(true) {
        losses.dropped(path, "strict");
    }
    tool.extras.restore(ID, &mut written, path, losses);
    written.into()
}

pub(super) fn decode_choice(body: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    let Some(value) = body.take("toolConfig") else { return Ok(()) };
    let mut config = Fields::open(value, body.path("toolConfig"))?;
    if let Some(value) = config.take("functionCallingConfig") {
        let path = config.path("functionCallingConfig");
        let whole = value.clone();
        let mut calling = Fields::open(value, path)?;
        match read_choice(&mut calling)? {
            Some(ToolChoice::Native { dialect, .. }) => {
                chat.tool_choice = Some(ToolChoice::Native { dialect, json: whole });
            }
            choice => {
                chat.tool_choice = choice;
                config.extras.nest(ID, "functionCallingConfig", calling.into_extras());
            }
        }
    }
    body.extras.nest(ID, "toolConfig", config.into_extras());
    Ok(())
}

fn read_choice(calling: &mut Fields) -> Result<Option<ToolChoice>, Fault> {
    let mode = calling.word("mode")?;
    let names = calling.texts("allowedFunctionNames")?;
    let word = match &mode {
        None => "AUTO",
        Some(Value::String(word)) => word.as_str(),
        Some(number) => match number.as_u64() {
            Some(1) => "AUTO",
            Some(2) => "ANY",
            Some(3) => "NONE",
            Some(4) => "VALIDATED",
            _ => "MODE_UNSPECIFIED",
        },
    };
    let native = || ToolChoice::Native { dialect: ID, json: Value::Null };
    let no_names = names.as_ref().is_none_or(Vec::is_empty);
    let choice = match word.to_ascii_uppercase().as_str() {
        "AUTO" if no_names => ToolChoice::Auto,
        "NONE" if no_names => ToolChoice::None,
        "ANY" if no_names => ToolChoice::Required,
        "ANY" => match names.clone().unwrap_or_default() {
            mut one if one.len() == 1 => ToolChoice::Function(one.remove(0)),
            names => ToolChoice::Among { names, required: true },
        },
        "VALIDATED" if !no_names => {
            ToolChoice::Among { names: names.clone().unwrap_or_default(), required: false }
        }
        // `VALIDATED` alone holds calls to their schema: another vendor's strict tools, not its
        // choice. Further modes are Google's to explain.
        _ => native(),
    };
    let canonical = encode_choice(&choice, &mut Losses::default());
    let canonical = |field: &str| canonical.as_ref().and_then(|config| config.get(field)).cloned();
    match mode {
        Some(written) => calling.extras.spell(ID, "mode", canonical("mode"), written),
        None => calling.extras.omit(ID, "mode", "AUTO".into()),
    }
    if let Some(names) = names {
        let field = "allowedFunctionNames";
        calling.extras.spell(ID, field, canonical(field), names.into());
    }
    Ok(Some(choice))
}

fn encode_choice(choice: &ToolChoice, losses: &mut Losses) -> Option<Value> {
    Some(match choice {
        ToolChoice::Auto => json!({"mode": "AUTO"}),
        ToolChoice::None => json!({"mode": "NONE"}),
        ToolChoice::Required => json!({"mode": "ANY"}),
        ToolChoice::Function(name) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
        ToolChoice::Among { names, required } => {
            let mode = if *required { "ANY" } else { "VALIDATED" };
            json!({"mode": mode, "allowedFunctionNames": names})
        }
        ToolChoice::Native { dialect, json } if *dialect == ID => json.clone(),
        ToolChoice::Native { .. } => {
            losses.dropped("", "tool_choice");
            return None;
        }
    })
}
