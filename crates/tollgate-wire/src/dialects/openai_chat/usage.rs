//! Token counts: the many places where hosts of this dialect put them, and one way of writing
//! them.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tollgate_model::Usage;

use crate::{
    Quirks, ReplyContext,
    lenient::{Figure, Object, Word},
    scan::reader::Reader,
};

/// The figures of a `usage` object, wherever hosts put them. What is not a count is left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::dialects) struct Figures {
    prompt_tokens: Figure,
    input_tokens: Figure,
    completion_tokens: Figure,
    output_tokens: Figure,
    total_tokens: Figure,
    prompt_tokens_details: Object<Details>,
    completion_tokens_details: Object<Details>,
    input_tokens_details: Object<Details>,
    output_tokens_details: Object<Details>,
    prompt_cache_hit_tokens: Figure,
    cached_tokens: Figure,
    num_cached_tokens: Figure,
    cache_read_input_tokens: Figure,
    cache_creation_input_tokens: Figure,
    cache_creation: Object<Lifetimes>,
    reasoning_tokens: Figure,
    service_tier: Word,
}

/// What a sum is made of.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    cached_tokens: Figure,
    cache_write_tokens: Figure,
    cache_creation_tokens: Figure,
    audio_tokens: Figure,
    image_tokens: Figure,
    reasoning_tokens: Figure,
}

/// How long lives what was written to a cache.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Lifetimes {
    ephemeral_1h_input_tokens: Figure,
}

impl Details {
    fn seen(value: &mut Reader<'_>) -> Option<Self> {
        let mut all = Self::default();
        value.object(|key, value| {
            let place = match key {
                b"cached_tokens" => &mut all.cached_tokens,
                b"cache_write_tokens" => &mut all.cache_write_tokens,
                b"cache_creation_tokens" => &mut all.cache_creation_tokens,
                b"audio_tokens" => &mut all.audio_tokens,
                b"image_tokens" => &mut all.image_tokens,
                b"reasoning_tokens" => &mut all.reasoning_tokens,
                _ => return value.skip().map(drop),
            };
            *place = Figure::seen(value)?;
            Some(())
        })?;
        Some(all)
    }
}

impl Lifetimes {
    fn seen(value: &mut Reader<'_>) -> Option<Self> {
        let mut all = Self::default();
        value.object(|key, value| {
            match key {
                b"ephemeral_1h_input_tokens" => {
                    all.ephemeral_1h_input_tokens = Figure::seen(value)?;
                }
                _ => drop(value.skip()?),
            }
            Some(())
        })?;
        Some(all)
    }
}

/// Reads a `usage` object; `None` when it states nothing.
pub(in crate::dialects) fn decode(raw: &Value, quirks: &Quirks) -> Option<Usage> {
    let Object(figures) = Object::<Figures>::deserialize(raw).ok()?;
    let usage = figures?.read(quirks)?;
    Some(Usage { raw: Some(Box::new(raw.clone())), ..usage })
}

impl Figures {
    /// The same, taken from a reader.
    pub(super) fn seen(value: &mut Reader<'_>) -> Option<Self> {
        let mut all = Self::default();
        value.object(|key, value| {
            let place = match key {
                b"prompt_tokens" => &mut all.prompt_tokens,
                b"input_tokens" => &mut all.input_tokens,
                b"completion_tokens" => &mut all.completion_tokens,
                b"output_tokens" => &mut all.output_tokens,
                b"total_tokens" => &mut all.total_tokens,
                b"prompt_cache_hit_tokens" => &mut all.prompt_cache_hit_tokens,
                b"cached_tokens" => &mut all.cached_tokens,
                b"num_cached_tokens" => &mut all.num_cached_tokens,
                b"cache_read_input_tokens" => &mut all.cache_read_input_tokens,
                b"cache_creation_input_tokens" => &mut all.cache_creation_input_tokens,
                b"reasoning_tokens" => &mut all.reasoning_tokens,
                b"prompt_tokens_details" => {
                    all.prompt_tokens_details = Object::seen(value, Details::seen)?;
                    return Some(());
                }
                b"input_tokens_details" => {
                    all.input_tokens_details = Object::seen(value, Details::seen)?;
                    return Some(());
                }
                b"output_tokens_details" => {
                    all.output_tokens_details = Object::seen(value, Details::seen)?;
                    return Some(());
                }
                b"completion_tokens_details" => {
                    all.completion_tokens_details = Object::seen(value, Details::seen)?;
                    return Some(());
                }
                b"cache_creation" => {
                    all.cache_creation = Object::seen(value, Lifetimes::seen)?;
                    return Some(());
                }
                b"service_tier" => {
                    all.service_tier = Word::seen(value)?;
                    return Some(());
                }
                _ => return value.skip().map(drop),
            };
            *place = Figure::seen(value)?;
            Some(())
        })?;
        Some(all)
    }

    /// In disjoint classes; `None` when nothing is stated. The object itself is not kept.
    pub(in crate::dialects) fn read(&self, quirks: &Quirks) -> Option<Usage> {
        let input = self.prompt_tokens.0.or(self.input_tokens.0);
        let output = self.completion_tokens.0.or(self.output_tokens.0);
        let total = self.total_tokens.0;
        if input.is_none() && output.is_none() && total.is_none() {
            return None;
        }
        let mut usage = Usage {
            stated_total: total,
            service_tier: self.service_tier.0.clone(),
            ..Usage::default()
        };
        let prompt = self.prompt_tokens_details.0.or(self.input_tokens_details.0);
        let prompt = prompt.unwrap_or_default();
        let completion = self.completion_tokens_details.0.or(self.output_tokens_details.0);
        let completion = completion.unwrap_or_default();
        let lifetimes = self.cache_creation.0.unwrap_or_default();
        let read = [
            prompt.cached_tokens,
            self.prompt_cache_hit_tokens,
            self.cached_tokens,
            self.num_cached_tokens,
            self.cache_read_input_tokens,
        ];
        let written = [
            prompt.cache_write_tokens,
            prompt.cache_creation_tokens,
            self.cache_creation_input_tokens,
        ];
        let written_1h = lifetimes.ephemeral_1h_input_tokens.0.filter(|n| *n > 0);
        let reasoning = first(&[completion.reasoning_tokens, self.reasoning_tokens]);

        // Whether a class stands beside the sum or inside it shows in the total; and what is larger
        // than the sum cannot be inside.
        let beside = |sum: Option<u64>, class: Option<u64>| {
            let (sum, class) = (sum?, class?);
            let whole = input?.saturating_add(output?).saturating_add(class);
            Some(class > sum || (class > 0 && total? == whole))
        };
        if let Some(input) = input {
            let mut left = input;
            let mut take = |class: Option<u64>| {
                class?;
                if beside(Some(input), class) == Some(true) {
                    class
                } else {
                    draw(&mut left, class)
                }
            };
            usage.cache_read_input_tokens = take(first(&read));
            usage.cache_write_1h_input_tokens = take(written_1h);
            let rest =
                first(&written).map(|all| all.saturating_sub(written_1h.unwrap_or_default()));
            usage.cache_write_input_tokens = take(rest);
            usage.audio_input_tokens = take(prompt.audio_tokens.0);
            usage.input_tokens = Some(left);
        }
        if let Some(output) = output {
            let mut left = output;
            let mut take = |class: Option<u64>| {
                class?;
                if beside(Some(output), class) == Some(true) {
                    class
                } else {
                    draw(&mut left, class)
                }
            };
            let apart = quirks.reasoning_beside_output && total.is_none();
            usage.reasoning_output_tokens = if apart { reasoning } else { take(reasoning) };
            usage.audio_output_tokens = take(completion.audio_tokens.0);
            usage.image_output_tokens = take(completion.image_tokens.0);
            usage.output_tokens = Some(left);
        }
        Some(usage)
    }
}

/// Takes a class out of what is left of its sum. Together some hosts' classes are more than that.
fn draw(left: &mut u64, class: Option<u64>) -> Option<u64> {
    let drawn = class?.min(*left);
    *left -= drawn;
    Some(drawn)
}

/// The first that is stated.
fn first(places: &[Figure]) -> Option<u64> {
    places.iter().find_map(|figure| figure.0)
}

/// What stands at the end of a stream whose caller wants to know.
pub(in crate::dialects) fn wanted(usage: &Usage, context: &ReplyContext) -> Option<Value> {
    encode(usage).filter(|_| context.stream_usage)
}

/// Writes a `usage` object; `None` when nothing is known.
pub(in crate::dialects) fn encode(usage: &Usage) -> Option<Value> {
    if usage.is_unknown() {
        return None;
    }
    let (input, output) = (usage.total_input(), usage.total_output());
    let mut out = Map::with_capacity(7);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures mean the same read from bytes as from JSON.
    #[test]
    fn what_is_no_count_says_nothing_and_spoils_nothing() {
        let said = r#"{"prompt_tokens": 12.0, "completion_tokens": "7", "output_tokens": 5,
            "total_tokens": null, "prompt_tokens_details": [3, 4], "cached_tokens": {"a": [1]},
            "num_cached_tokens": 4, "completion_tokens_details": {"reasoning_tokens": -2,
            "audio_tokens": 1.5, "image_tokens": 2, "more": {}}, "cache_creation": "x",
            "reasoning_tokens": true, "service_tier": 3, "cost": {"usd": 0.1}}"#;
        let Object(figures) = serde_json::from_str::<Object<Figures>>(said).unwrap();
        let usage = figures.unwrap().read(&Quirks::NONE).unwrap();
        let whole: Value = serde_json::from_str(said).unwrap();
        let read = decode(&whole, &Quirks::NONE).unwrap();
        assert_eq!(read.raw.as_deref(), Some(&whole));
        assert_eq!(Usage { raw: None, ..read }, usage);
        let expected = Usage {
            input_tokens: Some(8),
            cache_read_input_tokens: Some(4),
            output_tokens: Some(3),
            image_output_tokens: Some(2),
            ..Usage::default()
        };
        assert_eq!(usage, expected);
    }
}
