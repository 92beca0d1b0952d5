//! LiteLLM's list: keyed by the name that its callers use; costs for one token; flags that are
//! there or not.

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate_model::{Ability, Meter, Tier};

use super::claim::{Claim, Claims, Group, count, day, rate};
use super::kinds;
use crate::Use;

pub(super) fn read(text: &str) -> Result<Claims, serde_json::Error> {
    let models: BTreeMap<String, Value> = serde_json::from_str(text)?;
    let mut claims = Claims::new();
    for (key, model) in &models {
        let provider = model["litellm_provider"].as_str().unwrap_or_default();
        let Some((kind, prefix)) = kinds::of_litellm(provider) else { continue };
        let name = key.strip_prefix(prefix).unwrap_or(key);
        if is_variant(kind, key, name) {
            continue;
        }
        claims.insert((kind.to_owned(), name.to_owned()), claim(model));
    }
    Ok(claims)
}

/// A price by place or by size under a name that nobody calls.
fn is_variant(kind: &str, key: &str, name: &str) -> bool {
    let placed = match kind {
        "bedrock" => key.starts_with("bedrock/"),
        "azure-openai" | "anthropic" | "openai" => name.contains('/'),
        "together" => !name.contains('/'),
        _ => false,
    };
    placed || name.contains("-x-") || name.contains('*') || name.contains(char::is_whitespace)
}

fn claim(model: &Value) -> Claim {
    let mut claim = Claim {
        used_for: model["mode"].as_str().map(used_for),
        context: None,
        max_input: count(model.get("max_input_tokens")),
        max_output: count(model.get("max_output_tokens")),
        retires: day(model.get("deprecation_date")),
        ..Claim::default()
    };
    if claim.used_for == Some(Use::Embedding) {
        claim.max_output = None;
    }
    for (field, ability) in FLAGS {
        if let Some(can) = model.get(field).and_then(Value::as_bool) {
            claim.abilities.set(ability, can);
        }
    }
    let modalities = model["supported_modalities"].as_array();
    let sees = |what: &str| modalities.is_some_and(|list| list.iter().any(|one| one == what));
    for (what, ability) in [
        ("image", Ability::ImageInput),
        ("audio", Ability::AudioInput),
        ("video", Ability::VideoInput),
    ] {
        if sees(what) {
            claim.abilities.set(ability, true);
        }
    }
    costs(model, &mut claim);
    claim
}

const FLAGS: [(&str, Ability); 9] = [
    ("supports_function_calling", Ability::Tools),
    ("supports_vision", Ability::ImageInput),
    ("supports_pdf_input", Ability::DocumentInput),
    ("supports_audio_input", Ability::AudioInput),
    ("supports_video_input", Ability::VideoInput),
    ("supports_reasoning", Ability::Reasoning),
    ("supports_response_schema", Ability::StructuredOutput),
    ("supports_prompt_caching", Ability::PromptCaching),
    ("supports_audio_output", Ability::AudioOutput),
];

fn used_for(mode: &str) -> Use {
    match mode {
        "chat" | "responses" => Use::Chat,
        "completion" => Use::Completion,
        "embedding" => Use::Embedding,
        "image_generation" | "image_edit" => Use::Image,
        "audio_transcription" => Use::Transcription,
        "audio_speech" => Use::Speech,
        "rerank" => Use::Rerank,
        "moderation" => Use::Moderation,
        "realtime" => Use::Realtime,
        _ => Use::Other,
    }
}

const COSTS: [(&str, Meter); 17] = [
    ("input_cost_per_token", Meter::Input),
    ("output_cost_per_token", Meter::Output),
    ("cache_read_input_token_cost", Meter::CacheReadInput),
    ("input_cost_per_token_cache_hit", Meter::CacheReadInput),
    ("cache_creation_input_token_cost", Meter::CacheWriteInput),
    ("cache_creation_input_token_cost_above_1hr", Meter::CacheWrite1hInput),
    ("input_cost_per_audio_token", Meter::AudioInput),
    ("input_cost_per_image_token", Meter::ImageInput),
    ("output_cost_per_reasoning_token", Meter::ReasoningOutput),
    ("output_cost_per_audio_token", Meter::AudioOutput),
    ("output_cost_per_image_token", Meter::ImageOutput),
    ("input_cost_per_request", Meter::Call),
    ("input_cost_per_query", Meter::Call),
    ("output_cost_per_image", Meter::ImageMade),
    ("input_cost_per_second", Meter::SecondSent),
    ("input_cost_per_character", Meter::Character),
    ("ocr_cost_per_page", Meter::Page),
];

const TIERS: [(&str, Tier); 3] =
    [("_batches", Tier::Batch), ("_flex", Tier::Flex), ("_priority", Tier::Priority)];

fn costs(model: &Value, claim: &mut Claim) {
    for (field, value) in model.as_object().into_iter().flatten() {
        let (rest, tier) = TIERS
            .iter()
            .find_map(|(ending, tier)| Some((field.strip_suffix(ending)?, *tier)))
            .unwrap_or((field, Tier::Standard));
        let Some((name, above)) = bound(rest) else { continue };
        if let Some((_, meter)) = COSTS.iter().find(|(known, _)| *known == name) {
            let group = Group { tier, above, ..Group::default() };
            claim.price(group, *meter, rate(value, 1.0));
        }
    }
    let search = &model["search_context_cost_per_query"]["search_context_size_medium"];
    claim.price(Group::default(), Meter::WebSearch, rate(search, 1.0));
    for step in model["tiered_pricing"].as_array().into_iter().flatten() {
        let above = step["range"][0].as_f64().map_or(Some(0), tokens);
        let Some(above) = above else { continue };
        let group = Group { above, ..Group::default() };
        for (name, meter) in &COSTS[..3] {
            claim.price(group, *meter, step.get(*name).and_then(|value| rate(value, 1.0)));
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded on both sides"
)]
fn tokens(number: f64) -> Option<u64> {
    (0.0..1e12).contains(&number).then_some(number as u64)
}

/// `…_above_200k_tokens`: the name without it, and the bound. `None`: another bound.
fn bound(field: &str) -> Option<(&str, u64)> {
    let Some(rest) = field.strip_suffix("k_tokens") else { return Some((field, 0)) };
    let (name, thousands) = rest.rsplit_once("_above_")?;
    Some((name, thousands.parse::<u64>().ok()? * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_model::Rate;

    #[test]
    fn costs_are_read_with_their_tier_and_their_bound() {
        let text = r#"{"claude-x": {"litellm_provider": "anthropic", "mode": "chat",
            "input_cost_per_token": 3e-06, "input_cost_per_token_above_200k_tokens": 6e-06,
            "cache_creation_input_token_cost_above_1hr": 6e-06,
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.2e-05,
            "input_cost_per_token_above_272k_tokens_priority": 9e-06,
            "search_context_cost_per_query": {"search_context_size_medium": 0.01}},
            "bedrock/us-east-1/claude-x": {"litellm_provider": "bedrock"},
            "azure/eu/gpt-x": {"litellm_provider": "azure"}}"#;
        let claims = read(text).unwrap();
        assert_eq!(claims.len(), 1, "{claims:?}");
        let claim = &claims[&("anthropic".to_owned(), "claude-x".to_owned())];
        let rate = |tier, above, meter| {
            let group = Group { tier, above, ..Group::default() };
            claim.prices[&group].iter().find(|(of, _)| *of == meter).unwrap().1
        };
        assert_eq!(rate(Tier::Standard, 0, Meter::Input), Rate(3_000_000));
        assert_eq!(rate(Tier::Standard, 200_000, Meter::Input), Rate(6_000_000));
        assert_eq!(rate(Tier::Standard, 0, Meter::CacheWrite1hInput), Rate(6_000_000));
        assert_eq!(rate(Tier::Standard, 200_000, Meter::CacheWrite1hInput), Rate(12_000_000));
        assert_eq!(rate(Tier::Priority, 272_000, Meter::Input), Rate(9_000_000));
        assert_eq!(rate(Tier::Standard, 0, Meter::WebSearch), Rate(10_000_000_000));
    }
}
