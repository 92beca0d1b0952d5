//! Thinking as this dialect's callers write it, read and written again: `thinking` with a budget or
//! adaptive, and `output_config.effort`.

use serde_json::Value;
use tollgate_model::{Chat, Fault, Reasoning, ReasoningEffort};

use super::decode::leave;
use crate::claude::thinking::{Written, object};
use crate::dialects::anthropic_messages::fields::Fields;

/// Reads `thinking` and `output_config.effort`.
pub(super) fn decode(fields: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    let mut found = Reasoning::default();
    if let Some(mut thinking) = fields.object("thinking")? {
        let understood = match thinking.kind() {
            "enabled" => match thinking.count("budget_tokens")? {
                Some((budget, _)) => {
                    found.enabled = Some(true);
                    found.budget_tokens = Some(budget);
                    true
                }
                None => false,
            },
            "adaptive" => {
                found.enabled = Some(true);
                true
            }
            "disabled" => {
                found.enabled = Some(false);
                true
            }
            "" => return Err(thinking.missing("type")),
            _ => false,
        };
        if understood {
            thinking.value("type");
            found.visible = match thinking.peek("display").and_then(Value::as_str) {
                Some("summarized") => Some(true),
                Some("omitted") => Some(false),
                _ => None,
            };
            if found.visible.is_some() {
                thinking.value("display");
            }
        }
        leave(fields, "thinking", thinking, understood);
    }
    if let Some(mut config) = fields.object("output_config")? {
        found.effort = config.text("effort")?.map(|word| ReasoningEffort::parse(&word));
        leave(fields, "output_config", config, found.effort.is_some());
    }
    chat.reasoning = (found != Reasoning::default()).then_some(found);
    Ok(())
}

/// Writes what a caller of this dialect asked for, as it was.
pub(super) fn encode_own(wanted: &Reasoning) -> Written {
    let kind = match (wanted.enabled, wanted.budget_tokens) {
        (Some(false), _) => Some("disabled"),
        (_, Some(_)) => Some("enabled"),
        (Some(true), None) => Some("adaptive"),
        (None, None) => None,
    };
    let thinking = kind.map(|kind| object(kind, wanted.budget_tokens, wanted.visible));
    Written { thinking, effort: wanted.effort.as_ref().map(|effort| effort.as_str().to_owned()) }
}
