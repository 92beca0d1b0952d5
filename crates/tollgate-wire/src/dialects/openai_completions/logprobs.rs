//! Log-probabilities as they were written before there were chats: lists side by side.

use serde_json::{Map, Value, json};
use tollgate_model::TokenLogprob;

/// Writes the tokens of a piece; `at` counts the characters before it, and goes on.
pub(super) fn write(tokens: &[TokenLogprob], at: &mut usize) -> Value {
    let mut offsets = Vec::with_capacity(tokens.len());
    for token in tokens {
        offsets.push(*at);
        *at += token.token.chars().count();
    }
    let top = tokens.iter().map(|token| {
        let top = token.top.iter().map(|one| (one.token.clone(), Value::from(one.logprob)));
        top.collect::<Map<String, Value>>()
    });
    json!({
        "tokens": tokens.iter().map(|token| token.token.as_str()).collect::<Vec<_>>(),
        "token_logprobs": tokens.iter().map(|token| token.logprob).collect::<Vec<_>>(),
        "top_logprobs": top.collect::<Vec<_>>(),
        "text_offset": offsets,
    })
}
