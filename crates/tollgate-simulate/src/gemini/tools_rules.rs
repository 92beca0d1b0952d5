//! What Google refuses about tools: declarations, schemas, choices, and turns that do not fit the calls.

use super::wording::{field, invalid};
use crate::refusal::Refusal;
use serde_json::Value;

const GENERATE: &str = "GenerateContentRequest";

/// The tools offered and the choice among them.
pub(super) fn tools(body: &Value) -> Result<(), Refusal> {
    let mut names: Vec<&str> = Vec::new();
    for (at, tool) in body["tools"].as_array().into_iter().flatten().enumerate() {
        for (which, function) in
            tool["functionDeclarations"].as_array().into_iter().flatten().enumerate()
        {
            let path = format!("tools[{at}].function_declarations[{which}]");
            let given = function["name"].as_str().unwrap_or_default();
            name(&path, given)?;
            if names.contains(&given) {
                return Err(invalid(format!("Duplicate function declaration found: {given}")));
            }
            names.push(given);
            if !function["parameters"].is_null() && !function["parametersJsonSchema"].is_null() {
                return Err(field(
                    GENERATE,
                    &path,
                    "only one of parameters and parameters_json_schema can be set.",
                ));
            }
            schema(&format!("{path}.parameters"), &function["parameters"], true)?;
        }
    }
    let config = &body["toolConfig"]["functionCallingConfig"];
    let allowed = config["allowedFunctionNames"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mode = config["mode"].as_str().unwrap_or("AUTO").to_ascii_uppercase();
    if !allowed.is_empty() && !matches!(mode.as_str(), "ANY" | "VALIDATED") {
        return Err(invalid(
            "Allowed function names should only be set when function calling mode is ANY.",
        ));
    }
    if mode == "ANY" && body["tools"].as_array().is_none_or(Vec::is_empty) {
        return Err(invalid("Function calling config is set without function_declarations."));
    }
    match allowed.iter().filter_map(Value::as_str).find(|a| !names.contains(a)) {
        Some(unknown) => Err(invalid(format!(
            "* {GENERATE}.tool_config.function_calling_config.allowed_function_names: allowed_function_names contains a name that is not declared: {unknown}\n"
        ))),
        None => Ok(()),
    }
}

fn name(path: &str, name: &str) -> Result<(), Refusal> {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c));
    if first && rest && name.len() <= 64 {
        return Ok(());
    }
    Err(field(
        GENERATE,
        &format!("{path}.name"),
        "[FIELD_INVALID] Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.",
    ))
}

/// What is wrong with a schema of Google's own kind, beyond its shape.
pub(super) fn schema(path: &str, schema: &Value, own: bool) -> Result<(), Refusal> {
    if !own {
        return if schema.is_object() {
            Ok(())
        } else {
            Err(invalid(format!("Invalid JSON schema at '{path}'.")))
        };
    }
    let Some(map) = schema.as_object() else {
        return Ok(());
    };
    let kind = map.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_uppercase();
    let properties = map.get("properties").and_then(Value::as_object);
    if kind == "ARRAY" && !map.contains_key("items") {
        return Err(field(GENERATE, &format!("{path}.items"), "missing field."));
    }
    if properties.is_some_and(|p| !p.is_empty()) && kind != "OBJECT" {
        return Err(field(GENERATE, &format!("{path}.properties"), "only allowed for OBJECT type"));
    }
    if map.contains_key("enum") && !matches!(kind.as_str(), "STRING" | "INTEGER" | "NUMBER" | "") {
        return Err(field(GENERATE, &format!("{path}.enum"), "only allowed for STRING type"));
    }
    for (at, required) in
        map.get("required").and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        if !required.as_str().is_some_and(|r| properties.is_some_and(|p| p.contains_key(r))) {
            return Err(field(
                GENERATE,
                &format!("{path}.required[{at}]"),
                "property is not defined",
            ));
        }
    }
    for (name, child) in properties.into_iter().flatten() {
        self::schema(&format!("{path}.properties[{name}]"), child, true)?;
    }
    for (at, child) in map.get("anyOf").and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        self::schema(&format!("{path}.any_of[{at}]"), child, true)?;
    }
    map.get("items").map_or(Ok(()), |items| self::schema(&format!("{path}.items"), items, true))
}

/// Calls come after a user's turn or a response's; responses come right after calls, one for each.
pub(super) fn turns(contents: &[Value], model: &str) -> Result<(), Refusal> {
    let turns = merged(contents);
    for (at, turn) in turns.iter().enumerate() {
        let count =
            |turn: &Turn<'_>, kind: &str| turn.parts.iter().filter(|p| !p[kind].is_null()).count();
        let before = at.checked_sub(1).and_then(|b| turns.get(b));
        let calls = before.map_or(0, |b| count(b, "functionCall"));
        let responses = count(turn, "functionResponse");
        if turn.model && count(turn, "functionCall") > 0 && before.is_none() {
            return Err(invalid(
                "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
            ));
        }
        if responses > 0 && calls == 0 {
            return Err(invalid(
                "Please ensure that function response turn comes immediately after a function call turn.",
            ));
        }
        if calls > 0 && responses != calls {
            return Err(invalid(
                "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
            ));
        }
    }
    if model.contains("gemini-3") { signed(&turns) } else { Ok(()) }
}

struct Turn<'a> {
    model: bool,
    parts: Vec<&'a Value>,
}

/// Contents of one side in a row are one turn.
fn merged(contents: &[Value]) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for content in contents {
        let model = content["role"] == "model";
        let parts = content["parts"].as_array().into_iter().flatten();
        match turns.last_mut() {
            Some(last) if last.model == model => last.parts.extend(parts),
            _ => turns.push(Turn { model, parts: parts.collect() }),
        }
    }
    turns
}

/// From Gemini 3 on, the first call of every step since the last user text carries its signature.
fn signed(turns: &[Turn<'_>]) -> Result<(), Refusal> {
    let asked = turns.iter().rposition(|t| {
        !t.model
            && t.parts.iter().any(|p| !p["text"].is_null() && p["functionResponse"].is_null())
            && !t.parts.iter().any(|p| !p["functionResponse"].is_null())
    });
    for (at, turn) in turns.iter().enumerate().skip(asked.unwrap_or(0)).filter(|(_, t)| t.model) {
        let Some(first) = turn.parts.iter().find(|p| !p["functionCall"].is_null()) else {
            continue;
        };
        if first["thoughtSignature"].is_null() {
            let name = first["functionCall"]["name"].as_str().unwrap_or_default();
            return Err(invalid(format!(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:{name}` , position {}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
                at + 1
            )));
        }
    }
    Ok(())
}
