//! What an answer used. Cohere states tokens twice: those the model read and wrote, and those it
//! bills, which leave out what it adds itself. Counted are the former; the ledger keeps both.

use serde_json::{Map, Value, json};
use tollgate_model::Usage;

pub(super) fn decode(raw: &Value) -> Option<Usage> {
    let count = |of: &Value, name: &str| of.get(name).and_then(whole);
    let tokens = raw.get("tokens").filter(|tokens| tokens.is_object());
    let figures = tokens.or_else(|| raw.get("billed_units"))?;
    let (input, output) = (count(figures, "input_tokens"), count(figures, "output_tokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let cached = count(raw, "cached_tokens").or_else(|| count(figures, "cached_tokens"));
    let cached = cached.map(|cached| cached.min(input.unwrap_or_default()));
    let thinking = count(figures, "reasoning_tokens");
    let thinking = thinking.map(|thinking| thinking.min(output.unwrap_or_default()));
    Some(Usage {
        input_tokens: input.map(|input| input - cached.unwrap_or_default()),
        cache_read_input_tokens: cached,
        // Beside the input, as the bill shows: not inside it.
        image_input_tokens: count(figures, "image_tokens").filter(|images| *images > 0),
        output_tokens: output.map(|output| output - thinking.unwrap_or_default()),
        reasoning_output_tokens: thinking,
        raw: Some(Box::new(raw.clone())),
        ..Usage::default()
    })
}

/// Some figures are floats.
fn whole(value: &Value) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be whole, positive and small"
    )]
    let float = |number: &f64| {
        (number.fract() == 0.0 && (0.0..9.0e15).contains(number)).then_some(*number as u64)
    };
    value.as_u64().or_else(|| value.as_f64().as_ref().and_then(float))
}

pub(super) fn encode(usage: &Usage) -> Option<Value> {
    if usage.is_unknown() {
        return None;
    }
    let images = usage.image_input_tokens.unwrap_or_default();
    let input = usage.total_input().unwrap_or_default() - images;
    let output = usage.total_output().unwrap_or_default();
    let mut tokens = Map::new();
    tokens.insert("input_tokens".into(), input.into());
    tokens.insert("output_tokens".into(), output.into());
    if let Some(thinking) = usage.reasoning_output_tokens {
        tokens.insert("reasoning_tokens".into(), thinking.into());
    }
    if images > 0 {
        tokens.insert("image_tokens".into(), images.into());
    }
    let billed = json!({"input_tokens": input + images, "output_tokens": output});
    let mut out = json!({"billed_units": billed, "tokens": tokens});
    if let Some(cached) = usage.cache_read_input_tokens {
        out["cached_tokens"] = cached.into();
    }
    Some(out)
}
