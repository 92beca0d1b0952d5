//! Usage as Bedrock counts it: `inputTokens` leaves out what was read from or written to the cache,
//! `outputTokens` includes thinking.

use serde_json::{Map, Value, json};
use tollgate_model::Usage;

/// Reads the usage object of an answer.
pub(super) fn read(said: &Value) -> Usage {
    // An older spelling stands beside the newer one.
    let read = count(said, "cacheReadInputTokens");
    let read = read.or_else(|| count(said, "cacheReadInputTokenCount"));
    let written = count(said, "cacheWriteInputTokens");
    let written = written.or_else(|| count(said, "cacheWriteInputTokenCount"));
    let lived = said.get("cacheDetails").and_then(Value::as_array);
    let long = lived.map(|all| {
        let hours = all.iter().filter(|one| one.get("ttl").and_then(Value::as_str) == Some("1h"));
        hours.filter_map(|one| count(one, "inputTokens")).fold(0, u64::saturating_add)
    });
    let long = long.filter(|long| *long > 0).map(|long| long.min(written.unwrap_or(long)));
    Usage {
        input_tokens: count(said, "inputTokens"),
        cache_read_input_tokens: read,
        cache_write_input_tokens: written.map(|all| all - long.unwrap_or(0)),
        cache_write_1h_input_tokens: long,
        output_tokens: count(said, "outputTokens"),
        stated_total: count(said, "totalTokens"),
        raw: said.is_object().then(|| Box::new(said.clone())),
        ..Usage::default()
    }
}

fn count(said: &Value, name: &str) -> Option<u64> {
    said.get(name)?.as_u64()
}

/// The usage object of an answer. SDKs demand the three counts, so unknown they are 0.
pub(super) fn written(usage: &Usage) -> Value {
    let input = [usage.input_tokens, usage.audio_input_tokens, usage.image_input_tokens];
    let input: u64 = input.iter().flatten().sum();
    let output = usage.total_output().unwrap_or(0);
    let total = usage.total_input().unwrap_or(0).saturating_add(output);
    let mut out = Map::new();
    out.insert("inputTokens".into(), json!(input));
    out.insert("outputTokens".into(), json!(output));
    out.insert("totalTokens".into(), json!(total));
    if let Some(read) = usage.cache_read_input_tokens {
        out.insert("cacheReadInputTokens".into(), json!(read));
    }
    if let Some(written) = usage.total_cache_write() {
        out.insert("cacheWriteInputTokens".into(), json!(written));
    }
    if let Some(long) = usage.cache_write_1h_input_tokens {
        let short = usage.cache_write_input_tokens.unwrap_or(0);
        let lived = [("5m", short), ("1h", long)];
        let lived = lived.iter().filter(|(_, tokens)| *tokens > 0);
        let lived: Vec<_> =
            lived.map(|(ttl, tokens)| json!({"ttl": ttl, "inputTokens": tokens})).collect();
        out.insert("cacheDetails".into(), Value::Array(lived));
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cached_is_counted_beside_the_input_and_by_its_lifetime() {
        let usage = read(&json!({
            "inputTokens": 6, "outputTokens": 3, "totalTokens": 139,
            "cacheReadInputTokens": 10, "cacheReadInputTokenCount": 10,
            "cacheWriteInputTokens": 120, "cacheWriteInputTokenCount": 120,
            "cacheDetails": [{"ttl": "5m", "inputTokens": 20}, {"ttl": "1h", "inputTokens": 100}],
        }));
        assert_eq!(usage.cache_write_input_tokens, Some(20));
        assert_eq!(usage.cache_write_1h_input_tokens, Some(100));
        assert_eq!((usage.total_input(), usage.total_output()), (Some(136), Some(3)));
        assert_eq!(read(&written(&usage)).classes(), usage.classes());
    }

    #[test]
    fn what_was_not_stated_is_not_zero() {
        let usage = read(&json!({"outputTokens": 3}));
        assert_eq!((usage.input_tokens, usage.total_cache_write()), (None, None));
    }
}
