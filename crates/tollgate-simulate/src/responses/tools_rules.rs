//! What OpenAI refuses about tools in a request for a response: names, schemas, choices, and results
//! that do not fit the calls.

use super::stored::History;
use crate::openai::wording::invalid;
use crate::openai::{function_schema, tool_name};
use crate::refusal::Refusal;
use serde_json::Value;

/// The tools offered and the choice among them.
pub(super) fn tools(body: &Value) -> Result<(), Refusal> {
    let tools = body["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (at, tool) in tools.iter().enumerate() {
        named(&format!("tools[{at}]"), tool)?;
        for (inner_at, inner) in tool["tools"].as_array().into_iter().flatten().enumerate() {
            named(&format!("tools[{at}].tools[{inner_at}]"), inner)?;
        }
    }
    choice(&body["tool_choice"], tools)
}

fn named(path: &str, tool: &Value) -> Result<(), Refusal> {
    if !matches!(tool["type"].as_str(), Some("function" | "custom" | "namespace")) {
        return Ok(());
    }
    tool_name(&tool["name"], path)?;
    function_schema(tool, path)
}

fn choice(choice: &Value, tools: &[Value]) -> Result<(), Refusal> {
    if let Some(word) = choice.as_str()
        && !matches!(word, "none" | "auto" | "required")
    {
        return Err(invalid(format!(
            "Invalid value: '{word}'. Supported values are: 'none', 'auto', and 'required'."
        ))
        .code("invalid_value")
        .param("tool_choice"));
    }
    if choice == "required" && tools.is_empty() {
        return Err(invalid("Tool choice 'required' must be specified with 'tools' parameter.")
            .param("tool_choice"));
    }
    let Some(name) = choice["name"].as_str() else { return Ok(()) };
    let inner = tools.iter().flat_map(|t| t["tools"].as_array().into_iter().flatten());
    if choice["type"] == "mcp" || tools.iter().chain(inner).any(|t| t["name"] == name) {
        return Ok(());
    }
    Err(invalid(format!("Tool choice '{name}' not found in 'tools' parameter."))
        .param("tool_choice"))
}

/// Every result has its call, here or before, and every call its result.
pub(super) fn results_match_calls(items: &[Value], history: &History) -> Result<(), Refusal> {
    if history.unknown || items.iter().any(|i| i["type"] == "item_reference") {
        return Ok(());
    }
    let all = || history.items.iter().chain(items);
    let of = |kinds: &'static [&'static str]| {
        let fits = move |i: &&Value| i["type"].as_str().is_some_and(|t| kinds.contains(&t));
        all().filter(fits).filter_map(|i| i["call_id"].as_str())
    };
    if let Some(orphan) = of(RESULTS).find(|id| !of(CALLS).chain(of(SEARCHES)).any(|c| c == *id)) {
        let why = format!("No tool call found for function call output with call_id {orphan}.");
        return Err(invalid(why).param("input"));
    }
    if let Some(open) = of(CALLS).find(|id| !of(RESULTS).any(|result| result == *id)) {
        let why = format!("No tool output found for function call {open}.");
        return Err(invalid(why).param("input"));
    }
    Ok(())
}

const CALLS: &[&str] = &["function_call", "custom_tool_call"];
const RESULTS: &[&str] = &["function_call_output", "custom_tool_call_output"];
/// A search for tools that the caller runs is answered like a function, and need not be.
const SEARCHES: &[&str] = &["tool_search_call"];
