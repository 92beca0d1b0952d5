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
        if let Value::Object(mut later) = later {
            if self.0.is_empty() {
                later.retain(|_, value| !value.is_null());
                self.0 = later;
                return;
            }
            for (name, value) in later {
                if !value.is_null() {
                    self.0.insert(name, value);
                }
            }
        }
    }

    /// In disjoint classes.
    pub(super) fn read(&self) -> Usage {
        let stated = self.stated();
        let Stated { written, short, long, .. } = stated;
        let (short, long) = match (written, short, long) {
            (Some(all), None, None) => (Some(all), None),
            (Some(all), _, long) => {
                let long = long.map(|long| long.min(all));
                (Some(all - long.unwrap_or(0)), long)
            }
            (None, short, long) => (short, long),
        };
        let output = stated.output;
        let thinking = match (output, stated.thinking) {
            (Some(output), Some(thinking)) => Some(thinking.min(output)),
            (None, thinking) => thinking,
            (_, None) => None,
        };
        Usage {
            input_tokens: stated.input,
            cache_read_input_tokens: stated.read,
            cache_write_input_tokens: short,
            cache_write_1h_input_tokens: long,
            output_tokens: output.map(|output| output - thinking.unwrap_or(0)),
            reasoning_output_tokens: thinking,
            service_tier: stated.tier.map(str::to_owned),
            raw: (!self.0.is_empty()).then(|| Box::new(Value::Object(self.0.clone()))),
            ..Usage::default()
        }
    }

    /// One look at each member costs less than a search for each that is known.
    fn stated(&self) -> Stated<'_> {
        let mut stated = Stated::default();
        for (name, value) in &self.0 {
            let place = match name.as_str() {
                "input_tokens" => &mut stated.input,
                "output_tokens" => &mut stated.output,
                "cache_read_input_tokens" => &mut stated.read,
                "cache_creation_input_tokens" => &mut stated.written,
                "cache_creation" => {
                    let count = |name: &str| value.get(name).and_then(Value::as_u64);
                    stated.short = count("ephemeral_5m_input_tokens");
                    stated.long = count("ephemeral_1h_input_tokens");
                    continue;
                }
                "output_tokens_details" => {
                    stated.thinking = value.get("thinking_tokens").and_then(Value::as_u64);
                    continue;
                }
                "service_tier" => {
                    stated.tier = value.as_str();
                    continue;
                }
                _ => continue,
            };
            *place = value.as_u64();
        }
        stated
    }
}

/// What a statement says.
#[derive(Default)]
struct Stated<'s> {
    input: Option<u64>,
    output: Option<u64>,
    read: Option<u64>,
    written: Option<u64>,
    short: Option<u64>,
    long: Option<u64>,
    thinking: Option<u64>,
    tier: Option<&'s str>,
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
