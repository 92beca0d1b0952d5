//! Thinking, both ways: `thinking` with a budget or adaptive, and `output_config.effort`.

use serde_json::{Map, Value, json};
use tollgate_model::{
    Chat, Fault, Losses, Message, Part, PartKind, Reasoning, ReasoningEffort, Role,
};

use super::decode::leave;
use super::known::Known;
use crate::dialects::anthropic_messages::ID;
use crate::dialects::anthropic_messages::fields::Fields;

/// The smallest budget that Anthropic takes.
const LEAST: u64 = 1024;

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

/// What a request says about thinking.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Written {
    pub(super) thinking: Option<Map<String, Value>>,
    pub(super) effort: Option<String>,
}

impl Written {
    /// Thinking is on.
    pub(super) fn is_on(&self) -> bool {
        self.thinking.as_ref().is_some_and(|thinking| thinking["type"] != "disabled")
    }

    /// The tokens that a budget sets aside.
    pub(super) fn budget(&self) -> u64 {
        let budget = self.thinking.as_ref().and_then(|thinking| thinking.get("budget_tokens"));
        budget.and_then(Value::as_u64).unwrap_or(0)
    }
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

fn object(kind: &str, budget: Option<u64>, visible: Option<bool>) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("type".into(), json!(kind));
    if let Some(budget) = budget {
        out.insert("budget_tokens".into(), json!(budget));
    }
    if let Some(visible) = visible {
        let word = if visible { "summarized" } else { "omitted" };
        out.insert("display".into(), json!(word));
    }
    out
}

/// Writes what a caller of another dialect asked for, in the form that the model takes.
pub(super) fn encode_foreign(
    chat: &Chat,
    messages: &[Message],
    known: Known,
    losses: &mut Losses,
) -> Written {
    let Some(wanted) = &chat.reasoning else { return Written::default() };
    let off = wanted.enabled == Some(false)
        || wanted.budget_tokens == Some(0)
        || wanted.effort == Some(ReasoningEffort::None);
    if off {
        return Written { thinking: Some(object("disabled", None, None)), effort: None };
    }
    // Saying only that thoughts are to be shown turns nothing on.
    let asked =
        wanted.enabled == Some(true) || wanted.budget_tokens.is_some() || wanted.effort.is_some();
    if !asked {
        return Written::default();
    }
    if forces_a_call(chat) {
        losses.dropped("", "reasoning_effort");
        return Written::default();
    }
    if known.adaptive {
        let effort = wanted.effort.as_ref().map(|effort| ranked(effort, known)).or_else(|| {
            wanted.budget_tokens.map(|budget| {
                losses.approximated("", "reasoning_effort");
                effort_of(budget)
            })
        });
        let visible = wanted.visible.or(Some(true));
        return Written {
            thinking: Some(object("adaptive", None, visible)),
            effort: effort.map(str::to_owned),
        };
    }
    if !last_turn_shows_its_thinking(messages) {
        losses.dropped("", "reasoning_effort");
        return Written::default();
    }
    let wish = wanted.budget_tokens.unwrap_or_else(|| budget_of(wanted.effort.as_ref()));
    let budget = wish.max(LEAST);
    let budget = match chat.max_output_tokens {
        // The budget is a part of the cap and must leave room for the answer.
        Some(cap) if cap <= LEAST => {
            losses.dropped("", "reasoning_effort");
            return Written::default();
        }
        Some(cap) => budget.min((cap / 2).max(LEAST)),
        None => budget,
    };
    if wanted.budget_tokens.is_some_and(|asked| asked != budget) {
        losses.approximated("", "reasoning_effort");
    }
    Written { thinking: Some(object("enabled", Some(budget), None)), effort: None }
}

fn forces_a_call(chat: &Chat) -> bool {
    use tollgate_model::ToolChoice::{Among, Function, Required};
    !chat.tools.is_empty()
        && matches!(chat.tool_choice, Some(Required | Function(_) | Among { required: true, .. }))
}

/// With a budget, the turn that called the tools must begin with its thinking; a caller of
/// another dialect may not have kept it.
fn last_turn_shows_its_thinking(messages: &[Message]) -> bool {
    let Some(called) = messages.iter().rposition(|message| message.role == Role::Assistant) else {
        return true;
    };
    let is_result = |part: &Part| matches!(part.kind, PartKind::ToolResult { .. });
    let goes_on = messages[called..].iter().any(|message| message.parts.iter().any(is_result));
    let begins = messages[called].parts.first().is_some_and(|part| match &part.kind {
        PartKind::Reasoning { signature: Some(signature), .. } => signature.origin == ID,
        PartKind::RedactedReasoning(data) => data.origin == ID,
        _ => false,
    });
    begins || !goes_on
}

fn ranked(effort: &ReasoningEffort, known: Known) -> &'static str {
    match effort {
        ReasoningEffort::None | ReasoningEffort::Minimal | ReasoningEffort::Low => "low",
        ReasoningEffort::Medium => "medium",
        ReasoningEffort::High => "high",
        ReasoningEffort::Other(word) if word == "xhigh" && known.extra_effort => "xhigh",
        ReasoningEffort::Other(word) if word == "max" => "max",
        ReasoningEffort::Other(_) => "high",
    }
}

/// How many tokens of thinking an effort stands for, where only a budget can be stated.
fn budget_of(effort: Option<&ReasoningEffort>) -> u64 {
    match effort {
        Some(ReasoningEffort::None | ReasoningEffort::Minimal | ReasoningEffort::Low) => LEAST,
        None | Some(ReasoningEffort::Medium) => 4096,
        Some(ReasoningEffort::High) => 12_288,
        Some(ReasoningEffort::Other(_)) => 20_480,
    }
}

fn effort_of(budget: u64) -> &'static str {
    match budget {
        0..=2048 => "low",
        2049..=8192 => "medium",
        _ => "high",
    }
}
