//! Log-probabilities: a run of text, the ids of its tokens, and one figure for each.

use serde_json::{Value, json};
use tollgate_model::TokenLogprob;

/// Reads one run. A run of several tokens says not where they meet: it stays one, as likely as
/// all of it is.
pub(super) fn read(run: &Value) -> Option<TokenLogprob> {
    let figures = run.get("logprobs")?.as_array()?;
    let token = run.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let logprob = figures.iter().filter_map(Value::as_f64).sum();
    Some(TokenLogprob { token, logprob, bytes: None, top: Vec::new() })
}

/// Writes one run of one token, whose id only its provider knew.
pub(super) fn write(token: &TokenLogprob) -> Value {
    json!({"token_ids": [], "text": token.token, "logprobs": [token.logprob]})
}
