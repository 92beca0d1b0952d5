//! What Anthropic refuses about thinking: budgets, what goes with them, and forged signatures.

use super::wording::invalid;
use crate::refusal::Refusal;
use crate::signature;
use serde_json::Value;

/// The first byte of a genuine signature.
pub(super) const ENVELOPE: u8 = 0x12;

/// The budget, and what may not stand beside it.
pub(super) fn budget(body: &Value) -> Result<(), Refusal> {
    let thinking = &body["thinking"];
    if !matches!(thinking["type"].as_str(), Some("enabled" | "adaptive")) {
        return Ok(());
    }
    if let Some(budget) = thinking["budget_tokens"].as_i64() {
        if budget < 1024 {
            return Err(invalid(
                "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
            ));
        }
        if budget >= body["max_tokens"].as_i64().unwrap_or(i64::MAX) {
            return Err(invalid(
                "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
            ));
        }
    }
    // Adaptive thinking is left out silently when a tool is forced.
    if thinking["type"] == "enabled"
        && matches!(body["tool_choice"]["type"].as_str(), Some("any" | "tool"))
    {
        return Err(invalid("Thinking may not be enabled when tool_choice forces tool use."));
    }
    if body["temperature"].as_f64().is_some_and(|t| (t - 1.0).abs() > f64::EPSILON) {
        return Err(invalid(
            "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
        ));
    }
    if body["top_p"].as_f64().is_some_and(|p| p < 0.95) {
        return Err(invalid(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
        ));
    }
    if !body["top_k"].is_null() {
        return Err(invalid("`top_k` must be unset when thinking is enabled."));
    }
    Ok(())
}

/// Thinking that comes back: its signature, and its place when a tool loop goes on.
pub(super) fn blocks(body: &Value, messages: &[Value]) -> Result<(), Refusal> {
    for (at, message) in messages.iter().enumerate() {
        for (block_at, block) in message["content"].as_array().into_iter().flatten().enumerate() {
            let path = format!("messages.{at}.content.{block_at}");
            match block["type"].as_str() {
                Some("thinking") => {
                    let text = block["thinking"].as_str().unwrap_or_default();
                    if !signature::holds(
                        ENVELOPE,
                        text,
                        block["signature"].as_str().unwrap_or_default(),
                    ) {
                        return Err(invalid(format!(
                            "{path}: Invalid `signature` in `thinking` block"
                        )));
                    }
                }
                Some("redacted_thinking") if !decodes(&block["data"]) => {
                    return Err(invalid(format!(
                        "{path}: Invalid `data` in `redacted_thinking` block"
                    )));
                }
                _ => {}
            }
        }
    }
    if body["thinking"]["type"] == "enabled" { leads(messages) } else { Ok(()) }
}

fn decodes(data: &Value) -> bool {
    data.as_str().and_then(signature::decode).is_some_and(|d| !d.is_empty())
}

fn leads(messages: &[Value]) -> Result<(), Refusal> {
    let [.., before, last] = messages else {
        return Ok(());
    };
    let goes_on =
        last["content"].as_array().is_some_and(|b| b.iter().any(|b| b["type"] == "tool_result"));
    let first = &before["content"][0]["type"];
    if !goes_on
        || before["role"] != "assistant"
        || matches!(first.as_str(), Some("thinking" | "redacted_thinking"))
    {
        return Ok(());
    }
    let found = first.as_str().unwrap_or("text");
    let at = messages.len() - 2;
    Err(invalid(format!(
        "messages.{at}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{found}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). To avoid this requirement, disable `thinking`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
    )))
}
