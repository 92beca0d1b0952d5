//! Token counts: the many places where hosts of this dialect put them, and one way of writing
//! them.

use serde_json::{Map, Value, json};
use tollgate_model::Usage;

use crate::Quirks;

/// Reads a `usage` object; `None` when it states nothing.
pub(super) fn decode(raw: &Value, quirks: &Quirks) -> Option<Usage> {
    let counts = raw.as_object()?;
    let at = |path: &[&str]| figure(raw, path);
    let first = |paths: &[&[&str]]| paths.iter().find_map(|path| at(path));
    let input = first(&[&["prompt_tokens"], &["input_tokens"]]);
    let output = first(&[&["completion_tokens"], &["output_tokens"]]);
    if input.is_none() && output.is_none() && at(&["total_tokens"]).is_none() {
        return None;
    }
    let total = at(&["total_tokens"]);
    let read = first(&[
        &["prompt_tokens_details", "cached_tokens"],
        &["prompt_cache_hit_tokens"],
        &["cached_tokens"],
        &["num_cached_tokens"],
        &["cache_read_input_tokens"],
    ]);
    let written_1h = at(&["cache_creation", "ephemeral_1h_input_tokens"]).filter(|n| *n > 0);
    let written = first(&[
        &["prompt_tokens_details", "cache_write_tokens"],
        &["prompt_tokens_details", "cache_creation_tokens"],
        &["cache_creation_input_tokens"],
    ]);
    let audio_in = at(&["prompt_tokens_details", "audio_tokens"]);
    let reasoning =
        first(&[&["completion_tokens_details", "reasoning_tokens"], &["reasoning_tokens"]]);
    let audio_out = at(&["completion_tokens_details", "audio_tokens"]);
    let image_out = at(&["completion_tokens_details", "image_tokens"]);

    // Whether a class stands beside the sum or inside it shows in the total; and what is larger
    // than the sum cannot be inside.
    let beside = |sum: Option<u64>, class: Option<u64>| {
        let (sum, class) = (sum?, class?);
        let whole = input?.saturating_add(output?).saturating_add(class);
        Some(class > sum || (class > 0 && total? == whole))
    };
    let mut usage = Usage {
        stated_total: total,
        service_tier: counts.get("service_tier").and_then(Value::as_str).map(str::to_owned),
        raw: Some(Box::new(raw.clone())),
        ..Usage::default()
    };
    if let Some(input) = input {
        let mut left = input;
        let mut take = |class: Option<u64>| {
            if beside(Some(input), class) == Some(true) { class } else { draw(&mut left, class) }
        };
        usage.cache_read_input_tokens = take(read);
        usage.cache_write_1h_input_tokens = take(written_1h);
        let rest = written.map(|all| all.saturating_sub(written_1h.unwrap_or_default()));
        usage.cache_write_input_tokens = take(rest);
        usage.audio_input_tokens = take(audio_in);
        usage.input_tokens = Some(left);
    }
    if let Some(output) = output {
        let mut left = output;
        let mut take = |class: Option<u64>| {
            if beside(Some(output), class) == Some(true) { class } else { draw(&mut left, class) }
        };
        let apart = quirks.reasoning_beside_output && total.is_none();
        usage.reasoning_output_tokens = if apart { reasoning } else { take(reasoning) };
        usage.audio_output_tokens = take(audio_out);
        usage.image_output_tokens = take(image_out);
        usage.output_tokens = Some(left);
    }
    Some(usage)
}

/// Takes a class out of what is left of its sum. Together some hosts' classes are more than that.
fn draw(left: &mut u64, class: Option<u64>) -> Option<u64> {
    let drawn = class?.min(*left);
    *left -= drawn;
    Some(drawn)
}

fn figure(raw: &Value, path: &[&str]) -> Option<u64> {
    let value = path.iter().try_fold(raw, |value, name| value.get(name))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be whole, positive and small"
    )]
    let whole = |number: f64| {
        (number.fract() == 0.0 && (0.0..9.0e15).contains(&number)).then_some(number as u64)
    };
    value.as_u64().or_else(|| whole(value.as_f64()?))
}

/// Writes a `usage` object; `None` when nothing is known.
pub(super) fn encode(usage: &Usage) -> Option<Value> {
    if usage.is_unknown() {
        return None;
    }
    let (input, output) = (usage.total_input(), usage.total_output());
    let mut out = Map::new();
    let mut put = |name: &str, count: Option<u64>| {
        if let Some(count) = count {
            out.insert(name.to_owned(), count.into());
        }
    };
    put("prompt_tokens", input.or(Some(0)));
    put("completion_tokens", output.or(Some(0)));
    let total = input.unwrap_or_default().saturating_add(output.unwrap_or_default());
    put("total_tokens", Some(total));
    let inner = |classes: &[(&str, Option<u64>)]| {
        let known = classes.iter().filter_map(|(name, count)| Some((*name, (*count)?)));
        let fields: Map<String, Value> =
            known.map(|(name, count)| (name.to_owned(), count.into())).collect();
        (!fields.is_empty()).then_some(Value::Object(fields))
    };
    let details = inner(&[
        ("cached_tokens", usage.cache_read_input_tokens),
        ("cache_write_tokens", usage.total_cache_write()),
        ("audio_tokens", usage.audio_input_tokens),
        ("image_tokens", usage.image_input_tokens),
    ]);
    out.extend(details.map(|details| ("prompt_tokens_details".to_owned(), details)));
    let details = inner(&[
        ("reasoning_tokens", usage.reasoning_output_tokens),
        ("audio_tokens", usage.audio_output_tokens),
        ("image_tokens", usage.image_output_tokens),
    ]);
    out.extend(details.map(|details| ("completion_tokens_details".to_owned(), details)));
    if let Some(hour) = usage.cache_write_1h_input_tokens.filter(|count| *count > 0) {
        out.insert("cache_creation".into(), json!({"ephemeral_1h_input_tokens": hour}));
    }
    Some(Value::Object(out))
}
