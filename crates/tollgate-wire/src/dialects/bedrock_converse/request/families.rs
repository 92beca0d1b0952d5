//! What the models behind the one format take beyond it: each family has its own words for thinking
//! and for `top_k`, in `additionalModelRequestFields`, and only some hold an answer to a schema.

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Losses, Reasoning, ReasoningEffort};

/// One family of models.
#[derive(Debug)]
pub(super) struct Family {
    /// Stands in the names of its models; the first family that is found is taken.
    mark: &'static str,
    pub(super) thinking: Thinking,
    /// Where `top_k` stands; empty where there is none.
    top_k: &'static [&'static str],
    /// Holds an answer, or a call, to a schema.
    pub(super) schemas: bool,
}

/// How a family is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    /// Not at all.
    No,
    /// As everywhere where Claude is served.
    Claude,
    /// One word, in the field of this name.
    Word(&'static str),
    /// `reasoningConfig: {"type": "enabled", "maxReasoningEffort": "low"}`.
    Nova,
}

const NOVA_TOP_K: &[&str] = &["inferenceConfig", "topK"];

const FAMILIES: &[Family] = &[
    family("claude", Thinking::Claude, &["top_k"], true),
    family("amazon.nova-2", Thinking::Nova, NOVA_TOP_K, false),
    family("amazon.nova", Thinking::No, NOVA_TOP_K, false),
    family("openai.gpt", Thinking::Word("reasoning_effort"), &[], true),
    family("qwen.", Thinking::Word("reasoning_config"), &["top_k"], true),
    family("cohere.", Thinking::No, &["k"], false),
    family("mistral.", Thinking::No, &["top_k"], true),
    family("deepseek.", Thinking::No, &[], true),
    family("minimax.", Thinking::No, &["top_k"], true),
    family("moonshot.", Thinking::No, &["top_k"], true),
    family("zai.", Thinking::No, &["top_k"], true),
    // Any other, or a name that says nothing, such as an ARN.
    family("", Thinking::No, &[], false),
];

const fn family(
    mark: &'static str,
    thinking: Thinking,
    top_k: &'static [&'static str],
    schemas: bool,
) -> Family {
    Family { mark, thinking, top_k, schemas }
}

/// The family of the model of that name.
pub(super) fn of(model: &str) -> &'static Family {
    let found = FAMILIES.iter().find(|family| model.contains(family.mark));
    found.unwrap_or(&FAMILIES[FAMILIES.len() - 1])
}

impl Family {
    /// Writes `top_k` where the family has it.
    pub(super) fn top_k(&self, top_k: u64, fields: &mut Map<String, Value>, losses: &mut Losses) {
        match self.top_k {
            [name] => drop(fields.insert((*name).to_owned(), json!(top_k))),
            [outer, name] => drop(fields.insert((*outer).to_owned(), json!({ *name: top_k }))),
            _ => losses.dropped("", "top_k"),
        }
    }

    /// Writes what a caller of another dialect wants of thinking; Claude's is written by its own.
    pub(super) fn think(
        &self,
        wanted: &Reasoning,
        fields: &mut Map<String, Value>,
        losses: &mut Losses,
    ) {
        let off = wanted.enabled == Some(false)
            || wanted.budget_tokens == Some(0)
            || wanted.effort == Some(ReasoningEffort::None);
        let asked = wanted.enabled == Some(true)
            || wanted.budget_tokens.is_some()
            || wanted.effort.is_some();
        if wanted.budget_tokens.is_some_and(|budget| budget > 0) {
            losses.approximated("", "reasoning_effort");
        }
        match self.thinking {
            // What is not there need not be turned off.
            Thinking::No if asked && !off => losses.dropped("", "reasoning_effort"),
            Thinking::Word(_) if off => losses.dropped("", "reasoning_effort"),
            Thinking::Word(name) if asked => {
                fields.insert(name.to_owned(), json!(word(wanted)));
            }
            Thinking::Nova if off => {
                fields.insert("reasoningConfig".into(), json!({"type": "disabled"}));
            }
            Thinking::Nova if asked => {
                let config = json!({"type": "enabled", "maxReasoningEffort": word(wanted)});
                fields.insert("reasoningConfig".into(), config);
            }
            _ => {}
        }
    }
}

/// One of the three words that every family knows.
fn word(wanted: &Reasoning) -> &'static str {
    match (&wanted.effort, wanted.budget_tokens) {
        (Some(ReasoningEffort::None | ReasoningEffort::Minimal | ReasoningEffort::Low), _) => "low",
        (Some(ReasoningEffort::High | ReasoningEffort::Other(_)), _) => "high",
        (Some(ReasoningEffort::Medium), _) | (None, None) => "medium",
        (None, Some(0..=2048)) => "low",
        (None, Some(2049..=8192)) => "medium",
        (None, Some(_)) => "high",
    }
}

/// Reads `additionalModelRequestFields` of any family; gives what was not understood.
pub(super) fn read(written: &Value, chat: &mut Chat) -> Option<Value> {
    let Some(mut rest) = written.as_object().cloned() else { return Some(written.clone()) };
    let mut found = Reasoning::default();
    for name in ["thinking", "reasoning_config", "reasoningConfig"] {
        if rest.get(name).is_some_and(|value| switch(value, &mut found)) {
            rest.shift_remove(name);
        }
    }
    if let Some(word) = rest.get("reasoning_effort").and_then(Value::as_str) {
        found.effort = Some(ReasoningEffort::parse(word));
        rest.shift_remove("reasoning_effort");
    }
    let effort = rest.get("output_config").and_then(|config| sole(config, "effort"));
    if let Some(word) = effort.and_then(Value::as_str) {
        found.effort = Some(ReasoningEffort::parse(word));
        rest.shift_remove("output_config");
    }
    for name in ["top_k", "k", "inferenceConfig"] {
        let Some(value) = rest.get(name) else { continue };
        let count = value.as_u64().or_else(|| sole(value, "topK").and_then(Value::as_u64));
        if count.is_some() {
            chat.sampling.top_k = count;
            rest.shift_remove(name);
        }
    }
    chat.reasoning = (found != Reasoning::default()).then_some(found);
    (!rest.is_empty()).then_some(Value::Object(rest))
}

/// The field of an object that holds nothing else.
fn sole<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.as_object().filter(|fields| fields.len() == 1)?.get(name)
}

/// Reads how thinking is switched, in any family's form. `false` when it is in none.
fn switch(value: &Value, found: &mut Reasoning) -> bool {
    let fields = match value {
        Value::String(word) => {
            found.effort = Some(ReasoningEffort::parse(word));
            return true;
        }
        Value::Object(fields) => fields,
        _ => return false,
    };
    let known = ["type", "budget_tokens", "maxReasoningEffort", "display"];
    if fields.keys().any(|name| !known.contains(&name.as_str())) {
        return false;
    }
    found.enabled = match fields.get("type").and_then(Value::as_str) {
        Some("enabled" | "adaptive") => Some(true),
        Some("disabled") => Some(false),
        _ => return false,
    };
    found.budget_tokens = fields.get("budget_tokens").and_then(Value::as_u64);
    let effort = fields.get("maxReasoningEffort").and_then(Value::as_str);
    found.effort = effort.map(ReasoningEffort::parse).or(found.effort.take());
    found.visible = match fields.get("display").and_then(Value::as_str) {
        Some("summarized") => Some(true),
        Some("omitted") => Some(false),
        _ => None,
    };
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thinking(model: &str, wanted: &Reasoning) -> (Value, usize) {
        let (mut fields, mut losses) = (Map::new(), Losses::default());
        of(model).think(wanted, &mut fields, &mut losses);
        (Value::Object(fields), losses.len())
    }

    #[test]
    fn each_family_is_told_in_its_own_words_and_read_again() {
        let low = Reasoning { effort: Some(ReasoningEffort::Low), ..Reasoning::default() };
        for (model, fields) in [
            (
                "us.amazon.nova-2-lite-v1:0",
                json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
            ),
            ("openai.gpt-oss-120b-1:0", json!({"reasoning_effort": "low"})),
            ("qwen.qwen3-32b-v1:0", json!({"reasoning_config": "low"})),
        ] {
            assert_eq!(thinking(model, &low), (fields.clone(), 0), "{model}");
            let mut chat = Chat::default();
            assert_eq!(read(&fields, &mut chat), None);
            assert_eq!(chat.reasoning.and_then(|r| r.effort), low.effort, "{model}");
        }
        assert_eq!(thinking("meta.llama4", &low), (json!({}), 1));
        let off = Reasoning { enabled: Some(false), ..Reasoning::default() };
        assert_eq!(thinking("meta.llama4", &off), (json!({}), 0));
    }

    #[test]
    fn what_is_not_understood_is_told_apart() {
        let mut chat = Chat::default();
        let fields = json!({
            "thinking": {"type": "enabled", "budget_tokens": 1024}, "inferenceConfig": {"topK": 5},
            "anthropic_beta": ["x"],
        });
        assert_eq!(read(&fields, &mut chat), Some(json!({"anthropic_beta": ["x"]})));
        assert_eq!(chat.reasoning.unwrap().budget_tokens, Some(1024));
        assert_eq!(chat.sampling.top_k, Some(5));
    }
}
