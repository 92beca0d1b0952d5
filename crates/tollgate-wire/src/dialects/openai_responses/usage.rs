//! Token counts as this dialect writes them. They are read as hosts of OpenAI's other dialect
//! write them too, since many hosts speak both.

use serde_json::{Value, json};
use tollgate_model::Usage;

/// Writes a `usage` object; `null` when nothing is known.
pub(super) fn encode(usage: &Usage) -> Value {
    if usage.is_unknown() {
        return Value::Null;
    }
    let (input, output) = (usage.total_input().unwrap_or(0), usage.total_output().unwrap_or(0));
    let mut read = json!({"cached_tokens": usage.cache_read_input_tokens.unwrap_or(0)});
    if let Some(written) = usage.total_cache_write() {
        read["cache_write_tokens"] = written.into();
    }
    json!({
        "input_tokens": input,
        "input_tokens_details": read,
        "output_tokens": output,
        "output_tokens_details": {
            "reasoning_tokens": usage.reasoning_output_tokens.unwrap_or(0),
        },
        "total_tokens": input.saturating_add(output),
    })
}
