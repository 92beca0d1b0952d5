//! What OpenAI refuses about JSON Schemas, in tools and in structured output.

use super::wording::invalid;
use crate::refusal::Refusal;
use serde_json::Value;

/// The parameters of a function: an object, and under `strict` one whose every member is required.
pub(crate) fn function(function: &Value, path: &str) -> Result<(), Refusal> {
    let parameters = &function["parameters"];
    if parameters.is_null() {
        return Ok(());
    }
    let name = function["name"].as_str().unwrap_or_default();
    let refuse = |why: String| {
        invalid(format!("Invalid schema for function '{name}': {why}"))
            .code("invalid_function_parameters")
            .param(format!("{path}.parameters"))
    };
    let empty = parameters.as_object().is_some_and(serde_json::Map::is_empty);
    if !empty && parameters["type"] != "object" {
        let got = parameters["type"].to_string();
        return Err(refuse(format!(
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: {got}'."
        )));
    }
    sound(parameters, &mut Vec::new(), 0).map_err(refuse)?;
    if function["strict"] == true {
        strict(parameters, parameters, &mut Vec::new(), 0).map_err(refuse)?;
    }
    Ok(())
}

/// Structured output: a schema under `strict`, the word JSON for JSON mode.
pub(super) fn response_format(body: &Value, messages: &[Value]) -> Result<(), Refusal> {
    let format = &body["response_format"];
    if format["type"] == "json_object" {
        let said = messages
            .iter()
            .any(|m| super::read::text(&m["content"]).to_lowercase().contains("json"));
        if !said {
            return Err(invalid("'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.").param("messages"));
        }
    }
    if format["type"] != "json_schema" {
        return Ok(());
    }
    let at = "response_format.json_schema";
    output_schema(&format["json_schema"], at, ("response_format", None))
}

/// The schema of structured output at that path; `blamed` is the parameter and the code of a refusal.
pub(crate) fn output_schema(
    given: &Value,
    at: &str,
    blamed: (&str, Option<&str>),
) -> Result<(), Refusal> {
    let name = given["name"].as_str().unwrap_or_default();
    if name.is_empty()
        || name.len() > 64
        || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    {
        let path = format!("{at}.name");
        return Err(invalid(format!("Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."))
            .code("invalid_value")
            .param(path));
    }
    let schema = &given["schema"];
    let refuse = |why: String| {
        let refusal =
            invalid(format!("Invalid schema for response_format '{name}': {why}")).param(blamed.0);
        match blamed.1 {
            Some(code) => refusal.code(code),
            None => refusal,
        }
    };
    if schema.is_null() {
        let path = format!("{at}.schema");
        return Err(invalid(format!("Missing required parameter: '{path}'."))
            .code("missing_required_parameter")
            .param(path));
    }
    sound(schema, &mut Vec::new(), 0).map_err(refuse)?;
    if given["strict"] == true {
        let root = schema["$ref"]
            .as_str()
            .and_then(|r| schema.pointer(r.strip_prefix('#')?))
            .unwrap_or(schema);
        if root["type"] != "object" {
            let got = root["type"].to_string();
            return Err(refuse(format!(
                "schema must be a JSON Schema of 'type: \"object\"', got 'type: {got}'."
            )));
        }
        strict(schema, schema, &mut Vec::new(), 0).map_err(refuse)?;
    }
    Ok(())
}

const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];
const DEEPEST: usize = 64;

fn context(path: &[String]) -> String {
    let quoted: Vec<String> = path.iter().map(|p| format!("'{p}'")).collect();
    match quoted.as_slice() {
        [one] => format!("In context=({one},), "),
        many => format!("In context=({}), ", many.join(", ")),
    }
}

/// Whether it is a JSON Schema at all.
fn sound(schema: &Value, path: &mut Vec<String>, depth: usize) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("the schema is nested too deeply.".to_owned());
    }
    let Some(map) = schema.as_object() else {
        return if schema.is_boolean() {
            Ok(())
        } else {
            Err(format!("{}{schema} is not of type 'object', 'boolean'.", context(path)))
        };
    };
    let types = match &map.get("type") {
        Some(Value::Array(many)) => many.iter().collect(),
        Some(one) => vec![*one],
        None => Vec::new(),
    };
    for word in types {
        if !word.as_str().is_some_and(|w| TYPES.contains(&w)) {
            return Err(format!("{word} is not valid under any of the given schemas."));
        }
    }
    if map.get("type") == Some(&Value::from("array"))
        && !map.contains_key("items")
        && !map.contains_key("prefixItems")
    {
        return Err(format!("{}array schema missing items.", context(path)));
    }
    if let Some(required) = map.get("required")
        && !required.as_array().is_some_and(|r| r.iter().all(Value::is_string))
    {
        return Err(format!("{required} is not of type 'array'."));
    }
    children(map, path, &mut |child, path| sound(child, path, depth + 1))
}

/// What `strict` asks of every object.
fn strict(
    schema: &Value,
    root: &Value,
    path: &mut Vec<String>,
    depth: usize,
) -> Result<(), String> {
    if depth > DEEPEST {
        return Ok(());
    }
    let Some(map) = schema.as_object() else {
        return Ok(());
    };
    if let Some(target) = map.get("$ref").and_then(Value::as_str)
        && target.strip_prefix('#').and_then(|p| root.pointer(p)).is_none()
    {
        return Err(format!(
            "{}reference to component '{target}' which was not found in the schema.",
            context(path)
        ));
    }
    let object = map.get("type").is_some_and(|t| {
        t == "object" || t.as_array().is_some_and(|a| a.contains(&"object".into()))
    });
    if object {
        if map.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Err(format!(
                "{}'additionalProperties' is required to be supplied and to be false.",
                context(path)
            ));
        }
        let required: Vec<&str> = map
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = map.get("properties").and_then(Value::as_object);
        if let Some(missing) =
            properties.into_iter().flat_map(|p| p.keys()).find(|k| !required.contains(&k.as_str()))
        {
            return Err(format!(
                "{}'required' is required to be supplied and to be an array including every key in properties. Missing '{missing}'.",
                context(path)
            ));
        }
        if let Some(extra) =
            required.iter().find(|r| !properties.is_some_and(|p| p.contains_key(**r)))
        {
            return Err(format!(
                "{}'required' is required to be supplied and to be an array including every key in properties. Extra required key '{extra}' supplied.",
                context(path)
            ));
        }
    }
    for word in ["oneOf", "allOf", "not", "if", "patternProperties"] {
        if map.contains_key(word) {
            return Err(format!("{}'{word}' is not permitted.", context(path)));
        }
    }
    children(map, path, &mut |child, path| strict(child, root, path, depth + 1))
}

type Visit<'a> = dyn FnMut(&Value, &mut Vec<String>) -> Result<(), String> + 'a;

fn children(
    map: &serde_json::Map<String, Value>,
    path: &mut Vec<String>,
    visit: &mut Visit<'_>,
) -> Result<(), String> {
    for word in ["properties", "$defs", "definitions"] {
        for (name, child) in map.get(word).and_then(Value::as_object).into_iter().flatten() {
            path.extend([word.to_owned(), name.clone()]);
            visit(child, path)?;
            path.truncate(path.len() - 2);
        }
    }
    for word in ["anyOf", "oneOf", "allOf"] {
        for (at, child) in map.get(word).and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            path.extend([word.to_owned(), at.to_string()]);
            visit(child, path)?;
            path.truncate(path.len() - 2);
        }
    }
    if let Some(child) = map.get("items").filter(|i| i.is_object()) {
        path.push("items".to_owned());
        visit(child, path)?;
        path.pop();
    }
    Ok(())
}
