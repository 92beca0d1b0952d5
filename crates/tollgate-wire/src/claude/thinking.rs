//! Thinking, for a Claude that is asked by a caller of another dialect: a budget or adaptive, and an
//! effort, in the form that the model takes.

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, DialectId, Losses, Message, Part, PartKind, ReasoningEffort, Role};

use super::Known;

/// The smallest budget that Claude takes.
const LEAST: u64 = 1024;

/// What a request says about thinking.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Written {
    pub(crate) thinking: Option<Map<String, Value>>,
    pub(crate) effort: Option<String>,
}

impl Written {
    /// Thinking is on.
    pub(crate) fn is_on(&self) -> bool {
        self.thinking.as_ref().is_some_and(|thinking| thinking["type"] != "disabled")
    }

    /// The tokens that a budget sets aside.
    pub(crate) fn budget(&self) -> u64 {
        let budget = self.thinking.as_ref().and_then(|thinking| thinking.get("budget_tokens"));
        budget.and_then(Value::as_u64).unwrap_or(0)
    }
}

/// `{"type": kind, …}`.
pub(crate) fn object(kind: &str, budget: Option<u64>, visible: Option<bool>) -> Map<String, Value> {
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

/// Writes what a caller of another dialect asked for, in the form that the model takes. `signed`:
/// whose signatures it will be shown.
pub(crate) fn wanted(
    chat: &Chat,
    messages: &[Message],
    (known, signed): (Known, &[DialectId]),
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
    if !last_turn_shows_its_thinking(messages, signed) {
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
fn last_turn_shows_its_thinking(messages: &[Message], signed: &[DialectId]) -> bool {
    let Some(called) = messages.iter().rposition(|message| message.role == Role::Assistant) else {
        return true;
    };
    let is_result = |part: &Part| matches!(part.kind, PartKind::ToolResult { .. });
    let goes_on = messages[called..].iter().any(|message| message.parts.iter().any(is_result));
    let begins = messages[called].parts.first().is_some_and(|part| match &part.kind {
        PartKind::Reasoning { signature: Some(signature), .. } => {
            signed.contains(&signature.origin)
        }
        PartKind::RedactedReasoning(data) => signed.contains(&data.origin),
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
