//! Usage as Anthropic counts it: `input_tokens` leaves out what was read from or written to the
//! cache, `output_tokens` includes thinking.
//!
//! A stream states usage twice, the second time without the lifetimes of what was cached; so the
//! statements are merged as JSON first and only then read.

use serde_json::{Map, Value, json};
use tollgate_model::Usage;

/// The statements of one answer so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Statement(Map<String, Value>);

impl Statement {
    /// Takes over what a later statement says; a `null` says nothing.
    pub(super) fn merge(&mut self, later: Value) {
        if let Value::Object(later) = later {
            for (name, value) in later {
                if !value.is_null() {
                    self.0.insert(name, value);
                }
            }
        }
    }

    /// In disjoint classes.
    pub(super) fn read(&self) -> Usage {
        let written = self.count(&["cache_creation_input_tokens"]);
        let short = self.count(&["cache_creation", "ephemeral_5m_input_tokens"]);
        let long = self.count(&["cache_creation", "ephemeral_1h_input_tokens"]);
        let (short, long) = match (written, short, long) {
            (Some(all), None, None) => (Some(all), None),
            (Some(all), _, long) => {
                let long = long.map(|long| long.min(all));
                (Some(all - long.unwrap_or(0)), long)
            }
            (None, short, long) => (short, long),
        };
        let output = self.count(&["output_tokens"]);
        let thinking = self.count(&["output_tokens_details", "thinking_tokens"]);
        let thinking = match (output, thinking) {
            (Some(output), Some(thinking)) => Some(thinking.min(output)),
            (None, thinking) => thinking,
            (_, None) => None,
        };
        Usage {
            input_tokens: self.count(&["input_tokens"]),
            cache_read_input_tokens: self.count(&["cache_read_input_tokens"]),
            cache_write_input_tokens: short,
            cache_write_1h_input_tokens: long,
            output_tokens: output.map(|output| output - thinking.unwrap_or(0)),
            reasoning_output_tokens: thinking,
            service_tier: self.0.get("service_tier").and_then(Value::as_str).map(str::to_owned),
            raw: (!self.0.is_empty()).then(|| Box::new(Value::Object(self.0.clone()))),
            ..Usage::default()
        }
    }

    fn count(&self, path: &[&str]) -> Option<u64> {
        let (first, rest) = path.split_first()?;
        let value = self.0.get(*first)?;
        rest.iter().try_fold(value, |value, name| value.get(name))?.as_u64()
    }
}

/// The usage object of an answer. SDKs demand the two counts, so unknown they are 0.
pub(super) fn written(usage: &Usage) -> Value {
    let text = [usage.input_tokens, usage.audio_input_tokens, usage.image_input_tokens];
    let input: u64 = text.iter().flatten().sum();
    let mut out = json!({
        "input_tokens": input,
        "output_tokens": usage.total_output().unwrap_or(0),
    });
    if let Some(read) = usage.cache_read_input_tokens {
        out["cache_read_input_tokens"] = json!(read);
    }
    if let Some(written) = usage.total_cache_write() {
        out["cache_creation_input_tokens"] = json!(written);
    }
    if let Some(long) = usage.cache_write_1h_input_tokens {
        out["cache_creation"] = json!({
            "ephemeral_5m_input_tokens": usage.cache_write_input_tokens.unwrap_or(0),
            "ephemeral_1h_input_tokens": long,
        });
    }
    if let Some(thinking) = usage.reasoning_output_tokens {
        out["output_tokens_details"] = json!({"thinking_tokens": thinking});
    }
    if let Some(tier) = usage.service_tier.as_deref().and_then(tier) {
        out["service_tier"] = json!(tier);
    }
    out
}

/// The three words that the SDKs know.
fn tier(word: &str) -> Option<&'static str> {
    match word {
        "standard" | "default" | "auto" => Some("standard"),
        "priority" => Some("priority"),
        "batch" => Some("batch"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_tokens_are_counted_once_although_they_are_stated_twice() {
        let mut said = Statement::default();
        said.merge(json!({
            "input_tokens": 10, "output_tokens": 1,
            "cache_creation_input_tokens": 120, "cache_read_input_tokens": 7,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 100},
        }));
        said.merge(json!({
            "input_tokens": 10, "cache_creation_input_tokens": 120, "output_tokens": 30,
            "output_tokens_details": {"thinking_tokens": 12}, "server_tool_use": null,
        }));
        let usage = said.read();
        assert_eq!(usage.cache_write_input_tokens, Some(20));
        assert_eq!(usage.cache_write_1h_input_tokens, Some(100));
        assert_eq!(usage.total_input(), Some(137));
        assert_eq!((usage.output_tokens, usage.reasoning_output_tokens), (Some(18), Some(12)));
        assert_eq!(usage.total_output(), Some(30));

        let mut again = Statement::default();
        again.merge(written(&usage));
        assert_eq!(again.read().classes(), usage.classes());
    }

    #[test]
    fn what_was_not_stated_is_not_zero() {
        let mut said = Statement::default();
        said.merge(json!({"output_tokens": 3}));
        let usage = said.read();
        assert_eq!(usage.input_tokens, None);
        assert_eq!(usage.total_cache_write(), None);
    }
}
