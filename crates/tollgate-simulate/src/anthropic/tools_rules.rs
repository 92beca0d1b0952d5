//! What Anthropic refuses about tools: definitions, choices, and results that do not fit the calls.

use super::schema_rules;
use super::tables::{CUSTOM_TOOL, DEFINED_TOOL, DEFINED_TOOLS, MCP_TOOLSET};
use super::wording::{flawed, invalid};
use crate::refusal::Refusal;
use crate::shape::{self, Reading, Shape};
use serde_json::Value;

/// The tools offered and the choice among them.
pub(super) fn tools(body: &Value) -> Result<(), Refusal> {
    let tools = body["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<&str> = Vec::new();
    for (at, tool) in tools.iter().enumerate() {
        one(at, tool)?;
        if let Some(name) = tool["name"].as_str() {
            if names.contains(&name) {
                return Err(invalid("tools: Tool names must be unique."));
            }
            names.push(name);
        }
    }
    let choice = &body["tool_choice"];
    if choice.is_null() || choice["type"] == "none" {
        return Ok(());
    }
    if tools.is_empty() && body["mcp_servers"].is_null() {
        return Err(invalid(
            "tool_choice: `tool_choice` may only be specified while providing `tools`.",
        ));
    }
    match choice["name"].as_str() {
        Some(wanted) if !names.contains(&wanted) => {
            Err(invalid(format!("tool_choice: Tool '{wanted}' not found in provided tools")))
        }
        _ => Ok(()),
    }
}

fn one(at: usize, tool: &Value) -> Result<(), Refusal> {
    let check = |table: &Shape, kind: &str| {
        shape::check(table, tool, Reading { loose: false })
            .map_err(|f| flawed(&f, &format!("tools.{at}.{kind}")))
    };
    match &tool["type"] {
        Value::Null => {}
        Value::String(kind) if kind == "custom" => {}
        Value::String(kind) if kind == "mcp_toolset" => return check(&MCP_TOOLSET, kind),
        Value::String(kind) if DEFINED_TOOLS.iter().any(|d| dated(kind, d)) => {
            return check(&DEFINED_TOOL, kind);
        }
        other => {
            let got = other.as_str().unwrap_or_default();
            return Err(invalid(format!(
                "tools.{at}: Input tag '{got}' found using 'type' does not match any of the expected tags: 'bash_20250124', 'custom', 'text_editor_20250124', 'text_editor_20250429', 'text_editor_20250728', 'web_search_20250305'"
            )));
        }
    }
    check(&CUSTOM_TOOL, "custom")?;
    let name = tool["name"].as_str().unwrap_or_default();
    let fits = !name.is_empty()
        && name.len() <= 128
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if !fits {
        return Err(invalid(format!(
            "tools.{at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        )));
    }
    schema_rules::input_schema(at, tool)
}

fn dated(kind: &str, beginning: &str) -> bool {
    kind.strip_prefix(beginning)
        .is_some_and(|rest| rest.len() == 8 && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// Every call is answered in the very next message, and every result has its call in the one before.
pub(super) fn results_match_calls(messages: &[Value]) -> Result<(), Refusal> {
    let turns = turns(messages);
    let mut open: Vec<&str> = Vec::new();
    let mut open_at = 0;
    for (at, blocks) in &turns {
        let mut answered: Vec<&str> = Vec::new();
        for (block_at, block) in
            blocks.iter().enumerate().filter(|(_, b)| b["type"] == "tool_result")
        {
            let id = block["tool_use_id"].as_str().unwrap_or_default();
            if !open.contains(&id) {
                return Err(invalid(format!(
                    "messages.{at}.content.{block_at}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
                )));
            }
            if answered.contains(&id) {
                return Err(invalid(format!(
                    "messages.{at}.content.{block_at}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}"
                )));
            }
            answered.push(id);
        }
        unanswered(&open, &answered, open_at)?;
        open_at = *at;
        open = blocks
            .iter()
            .filter(|b| b["type"] == "tool_use")
            .filter_map(|b| b["id"].as_str())
            .collect();
        let mut seen: Vec<&str> = Vec::new();
        for id in &open {
            if seen.contains(id) {
                return Err(invalid(format!("messages.{at}: `tool_use` ids must be unique")));
            }
            seen.push(id);
        }
    }
    unanswered(&open, &[], open_at)
}

/// Messages of one role in a row are one turn.
fn turns(messages: &[Value]) -> Vec<(usize, Vec<&Value>)> {
    let mut turns: Vec<(usize, Vec<&Value>)> = Vec::new();
    let mut role = None;
    for (at, message) in messages.iter().enumerate().filter(|(_, m)| m["role"] != "system") {
        let blocks = message["content"].as_array().into_iter().flatten();
        match turns.last_mut() {
            Some((_, last)) if role == Some(&message["role"]) => last.extend(blocks),
            _ => turns.push((at, blocks.collect())),
        }
        role = Some(&message["role"]);
    }
    turns
}

fn unanswered(open: &[&str], answered: &[&str], at: usize) -> Result<(), Refusal> {
    let left: Vec<&str> = open.iter().filter(|id| !answered.contains(id)).copied().collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(invalid(format!(
        "messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        left.join(", ")
    )))
}
