//! What OpenAI refuses about tools: names, choices, and results that do not fit the calls.

use super::schema_rules;
use super::wording::invalid;
use crate::refusal::Refusal;
use serde_json::Value;

/// Every result answers a call of the turn before it, and every call is answered.
pub(super) fn results_match_calls(messages: &[Value]) -> Result<(), Refusal> {
    let mut open: Vec<&str> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            let Some(found) = open.iter().position(|o| *o == id) else {
                return Err(invalid("Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.")
                    .param(format!("messages.[{at}].role")));
            };
            open.swap_remove(found);
            continue;
        }
        unanswered(&open, at)?;
        open = message["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|c| c["id"].as_str())
            .collect();
    }
    unanswered(&open, messages.len())
}

fn unanswered(open: &[&str], at: usize) -> Result<(), Refusal> {
    if open.is_empty() {
        return Ok(());
    }
    let names = open.join(", ");
    Err(invalid(format!("An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {names}"))
        .param(format!("messages.[{at}].role")))
}

/// The tools offered and the choice among them.
pub(super) fn tools(body: &Value) -> Result<(), Refusal> {
    let offered = body["tools"].as_array().map(Vec::as_slice);
    if offered.is_some_and(<[Value]>::is_empty) {
        return Err(invalid("Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.")
            .code("empty_array")
            .param("tools"));
    }
    let tools = offered.unwrap_or_default();
    if tools.len() > 128 {
        return Err(invalid(format!("Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length {} instead.", tools.len()))
            .code("array_above_max_length")
            .param("tools"));
    }
    for (at, tool) in tools.iter().enumerate() {
        let kind = tool["type"].as_str().unwrap_or("function");
        let path = format!("tools[{at}].{kind}");
        name(&tool[kind]["name"], &path)?;
        schema_rules::function(&tool[kind], &path)?;
    }
    for (at, function) in body["functions"].as_array().into_iter().flatten().enumerate() {
        name(&function["name"], &format!("functions[{at}]"))?;
    }
    choice(body, tools)
}

/// The name of a tool at that path.
pub(crate) fn name(name: &Value, path: &str) -> Result<(), Refusal> {
    let name = name.as_str().unwrap_or_default();
    let path = format!("{path}.name");
    let long = name.chars().count();
    if name.is_empty() {
        return Err(invalid(format!("Invalid '{path}': empty string. Expected a string with minimum length 1, but got an empty string instead."))
            .code("empty_string")
            .param(path));
    }
    if long > 64 {
        return Err(invalid(format!("Invalid '{path}': string too long. Expected a string with maximum length 64, but got a string with length {long} instead."))
            .code("string_above_max_length")
            .param(path));
    }
    if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Ok(());
    }
    Err(invalid(format!("Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."))
        .code("invalid_value")
        .param(path))
}

fn choice(body: &Value, tools: &[Value]) -> Result<(), Refusal> {
    let choice = &body["tool_choice"];
    if choice.is_null() {
        if !body["parallel_tool_calls"].is_null() && tools.is_empty() {
            return Err(invalid("Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.").param("parallel_tool_calls"));
        }
        return Ok(());
    }
    if let Some(word) = choice.as_str()
        && !matches!(word, "none" | "auto" | "required")
    {
        return Err(invalid(format!(
            "Invalid value: '{word}'. Supported values are: 'none', 'auto', and 'required'."
        ))
        .code("invalid_value")
        .param("tool_choice"));
    }
    if tools.is_empty() && choice != "none" {
        return Err(invalid("Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.").param("tool_choice"));
    }
    let kind = choice["type"].as_str().unwrap_or_default();
    let Some(named) = choice[kind]["name"].as_str() else {
        return Ok(());
    };
    if tools.iter().any(|t| t[kind]["name"] == named) {
        return Ok(());
    }
    Err(invalid(format!(
        "Invalid value for 'tool_choice': tool '{named}' was not found in 'tools'."
    ))
    .param("tool_choice"))
}
