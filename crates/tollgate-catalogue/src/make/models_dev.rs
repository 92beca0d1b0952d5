//! models.dev: whole lists of what goes in and out, limits, dates, and costs for a million tokens.

use serde_json::Value;
use tollgate_model::{Ability, Meter, Tier};

use super::claim::{Claim, Claims, Group, count, day, rate};
use super::kinds;
use crate::Use;

pub(super) fn read(text: &str) -> Result<Claims, serde_json::Error> {
    let all: Value = serde_json::from_str(text)?;
    let mut claims = Claims::new();
    for (provider, said) in all["providers"].as_object().into_iter().flatten() {
        let Some(kind) = kinds::of_models_dev(provider) else { continue };
        for (name, model) in said["models"].as_object().into_iter().flatten() {
            claims.insert((kind.to_owned(), name.clone()), claim(name, model));
        }
    }
    Ok(claims)
}

fn claim(name: &str, model: &Value) -> Claim {
    let limit = &model["limit"];
    let mut claim = Claim {
        used_for: Some(used_for(name, model)),
        context: count(limit.get("context")),
        max_input: count(limit.get("input")),
        max_output: count(limit.get("output")),
        released: day(model.get("release_date")),
        ..Claim::default()
    };
    for (field, ability) in [
        ("tool_call", Ability::Tools),
        ("reasoning", Ability::Reasoning),
        ("structured_output", Ability::StructuredOutput),
    ] {
        if let Some(can) = model.get(field).and_then(Value::as_bool) {
            claim.abilities.set(ability, can);
        }
    }
    for (side, what, ability) in MODALITIES {
        if let Some(list) = model["modalities"][side].as_array() {
            claim.abilities.set(ability, list.iter().any(|one| one == what));
        }
    }
    let cost = &model["cost"];
    costs(&mut claim, cost, Group::default());
    for step in cost["tiers"].as_array().into_iter().flatten() {
        if let Some(above) = count(step["tier"].get("size")) {
            costs(&mut claim, step, Group { above, ..Group::default() });
        }
    }
    let fast = &model["experimental"]["modes"]["fast"];
    if fast["provider"]["body"]["service_tier"] == "priority" {
        costs(&mut claim, &fast["cost"], Group { tier: Tier::Priority, ..Group::default() });
    }
    claim
}

const MODALITIES: [(&str, &str, Ability); 6] = [
    ("input", "image", Ability::ImageInput),
    ("input", "pdf", Ability::DocumentInput),
    ("input", "audio", Ability::AudioInput),
    ("input", "video", Ability::VideoInput),
    ("output", "image", Ability::ImageOutput),
    ("output", "audio", Ability::AudioOutput),
];

fn used_for(name: &str, model: &Value) -> Use {
    let family = model["family"].as_str().unwrap_or_default();
    let makes = |what: &str| {
        model["modalities"]["output"].as_array().is_some_and(|list| list.iter().any(|o| o == what))
    };
    let called = |part: &str| name.contains(part) || family.contains(part);
    if called("embed") {
        Use::Embedding
    } else if called("rerank") {
        Use::Rerank
    } else if called("whisper") || called("transcribe") {
        Use::Transcription
    } else if makes("text") || model.get("modalities").is_none() {
        Use::Chat
    } else if makes("image") {
        Use::Image
    } else if makes("audio") {
        Use::Speech
    } else {
        Use::Other
    }
}

const COSTS: [(&str, Meter); 7] = [
    ("input", Meter::Input),
    ("output", Meter::Output),
    ("cache_read", Meter::CacheReadInput),
    ("cache_write", Meter::CacheWriteInput),
    ("reasoning", Meter::ReasoningOutput),
    ("input_audio", Meter::AudioInput),
    ("output_audio", Meter::AudioOutput),
];

fn costs(claim: &mut Claim, cost: &Value, group: Group) {
    for (field, meter) in COSTS {
        claim.price(group, meter, cost.get(field).and_then(|value| rate(value, 1e6)));
    }
}
