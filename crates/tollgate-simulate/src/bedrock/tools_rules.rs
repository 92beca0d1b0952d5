//! What Bedrock refuses about tools: names, schemas, choices, and results that do not fit the calls.

use super::wording::{constraint, invalid};
use crate::refusal::Refusal;
use serde_json::Value;

pub(super) fn tools(body: &Value) -> Result<(), Refusal> {
    let config = &body["toolConfig"];
    let tools = config["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    if config.is_null() {
        let used = messages
            .iter()
            .flat_map(blocks)
            .any(|b| !b["toolUse"].is_null() || !b["toolResult"].is_null());
        if used {
            return Err(invalid(
                "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
            ));
        }
    } else if tools.is_empty() {
        return Err(constraint("[]", "toolConfig.tools", "have length greater than or equal to 1"));
    }
    let mut names: Vec<&str> = Vec::new();
    for (at, tool) in tools.iter().enumerate() {
        let Some(name) = tool["toolSpec"]["name"].as_str() else { continue };
        word(name, &format!("toolConfig.tools.{}.member.toolSpec.name", at + 1))?;
        if names.contains(&name) {
            return Err(invalid(format!(
                "The tool {name} is already defined at toolConfig.tools.{at}."
            )));
        }
        names.push(name);
        schema(at, &tool["toolSpec"]["inputSchema"]["json"])?;
        if tool["toolSpec"]["description"].as_str().is_some_and(str::is_empty) {
            return Err(constraint(
                "",
                &format!("toolConfig.tools.{}.member.toolSpec.description", at + 1),
                "have length greater than or equal to 1",
            ));
        }
    }
    let choice = &config["toolChoice"];
    if choice.as_object().is_some_and(|c| c.len() != 1) {
        return Err(invalid(
            "The ToolChoice object at toolConfig.toolChoice must set one of the following keys: auto, any, tool.",
        ));
    }
    match choice["tool"]["name"].as_str() {
        Some(wanted) if !names.contains(&wanted) => Err(invalid(format!(
            "The tool {wanted} in toolConfig.toolChoice.tool.name is not defined in toolConfig.tools."
        ))),
        _ => results_match_calls(messages),
    }
}

fn blocks(message: &Value) -> &[Value] {
    message["content"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Names: letters, digits, `_` and `-`, at most 64 of them.
fn word(value: &str, at: &str) -> Result<(), Refusal> {
    fits(value, "_-", at, "[a-zA-Z0-9_-]+")
}

/// Ids: those of some models hold points and colons too.
fn id(value: &str, at: &str) -> Result<(), Refusal> {
    fits(value, "_-.:", at, "[a-zA-Z0-9_.:-]+")
}

fn fits(value: &str, marks: &str, at: &str, pattern: &str) -> Result<(), Refusal> {
    let letters = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    if value.is_empty() || !value.chars().all(letters) {
        return Err(constraint(
            value,
            at,
            &format!("satisfy regular expression pattern: {pattern}"),
        ));
    }
    if value.len() > 64 {
        return Err(constraint(value, at, "have length less than or equal to 64"));
    }
    Ok(())
}

fn schema(at: usize, schema: &Value) -> Result<(), Refusal> {
    let path = format!("toolConfig.tools.{at}.toolSpec.inputSchema.json");
    if !schema.is_object() {
        return Err(invalid(format!("The value at {path} must be an object.")));
    }
    if schema["type"] == "object" {
        return Ok(());
    }
    Err(invalid(format!("The value at {path}.type must be one of the following: object.")))
}

/// Every call is answered in the very next message, and every result has its call in the one before.
fn results_match_calls(messages: &[Value]) -> Result<(), Refusal> {
    let mut open: Vec<&str> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let of = |kind: &'static str| {
            let own = blocks(message).iter().filter(move |b| b[kind]["type"] != "server_tool_use");
            own.filter_map(move |b| b[kind]["toolUseId"].as_str())
        };
        let results: Vec<&str> = of("toolResult").collect();
        for (block_at, given) in of("toolUse").chain(results.iter().copied()).enumerate() {
            id(
                given,
                &format!("messages.{}.member.content.{}.member.toolUseId", at + 1, block_at + 1),
            )?;
        }
        if results.len() > open.len() {
            return Err(invalid(format!(
                "The number of toolResult blocks at messages.{at}.content exceeds the number of toolUse blocks of previous turn."
            )));
        }
        let unknown: Vec<&str> = results.iter().filter(|id| !open.contains(id)).copied().collect();
        if !unknown.is_empty() {
            return Err(invalid(format!(
                "The toolResult blocks at messages.{at}.content contain the following unexpected Ids: {}",
                unknown.join(", ")
            )));
        }
        let left: Vec<&str> = open.iter().filter(|id| !results.contains(id)).copied().collect();
        if !left.is_empty() {
            return Err(invalid(format!(
                "Expected toolResult blocks at messages.{at}.content for the following Ids: {}",
                left.join(", ")
            )));
        }
        open = of("toolUse").collect();
    }
    Ok(())
}
