//! genai-prices: prices by date, and rules for which names a model goes by.

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate_model::{Day, Meter};

use super::claim::{Claim, Claims, Group, count, day, rate};
use super::kinds;
use crate::Use;

#[derive(Debug, Default)]
pub(super) struct Genai {
    pub(super) claims: Claims,
    /// Other names, and whose they are.
    pub(super) aliases: BTreeMap<(String, String), String>,
    rules: Vec<(&'static str, Value, Claim)>,
}

impl Genai {
    /// What is said of a name that a rule fits.
    pub(super) fn matching(&self, kind: &str, name: &str) -> Option<Claim> {
        // Vertex serves what AI Studio serves, at its prices.
        let kind = if kind == "vertex" { "gemini" } else { kind };
        let mut rules = self.rules.iter().filter(|(of, ..)| *of == kind);
        rules.find(|(_, rule, _)| fits(rule, name)).map(|(.., claim)| claim.clone())
    }
}

pub(super) fn read(text: &str) -> Result<Genai, serde_json::Error> {
    let providers: Vec<Value> = serde_json::from_str(text)?;
    let mut found = Genai::default();
    for provider in &providers {
        let id = provider["id"].as_str().unwrap_or_default();
        let Some((kind, ending)) = kinds::of_genai(id) else { continue };
        for model in provider["models"].as_array().into_iter().flatten() {
            let Some(id) = model["id"].as_str() else { continue };
            let claim = claim(model, id);
            let mut equals = Vec::new();
            equal_names(&model["match"], &mut equals);
            for name in equals.iter().filter(|name| **name != id) {
                let alias = (kind.to_owned(), format!("{name}{ending}"));
                found.aliases.insert(alias, format!("{id}{ending}"));
            }
            if ending.is_empty() {
                found.rules.push((kind, model["match"].clone(), claim.clone()));
            }
            found.claims.insert((kind.to_owned(), format!("{id}{ending}")), claim);
        }
    }
    Ok(found)
}

fn claim(model: &Value, id: &str) -> Claim {
    let embeds = id.contains("embed") || id.starts_with("voyage-");
    let mut claim = Claim {
        used_for: embeds.then_some(Use::Embedding),
        context: count(model.get("context_window")),
        ..Claim::default()
    };
    match &model["prices"] {
        Value::Array(spans) => {
            for span in spans {
                let from = day(span["constraint"].get("start_date")).unwrap_or_default();
                prices(&mut claim, &span["prices"], from);
            }
        }
        prices_now => prices(&mut claim, prices_now, Day::default()),
    }
    claim
}

const FIELDS: [(&str, Meter); 8] = [
    ("input_mtok", Meter::Input),
    ("cache_read_mtok", Meter::CacheReadInput),
    ("cache_write_mtok", Meter::CacheWriteInput),
    ("output_mtok", Meter::Output),
    ("input_audio_mtok", Meter::AudioInput),
    ("output_audio_mtok", Meter::AudioOutput),
    ("output_image_mtok", Meter::ImageOutput),
    ("requests_kcount", Meter::Call),
];

fn prices(claim: &mut Claim, prices: &Value, from: Day) {
    for (field, meter) in FIELDS {
        let Some(price) = prices.get(field) else { continue };
        let units = if meter == Meter::Call { 1e3 } else { 1e6 };
        let base = price.get("base").unwrap_or(price);
        claim.price(Group { from, ..Group::default() }, meter, rate(base, units));
        for tier in price["tiers"].as_array().into_iter().flatten() {
            let Some(above) = count(tier.get("start")) else { continue };
            let group = Group { from, above, ..Group::default() };
            claim.price(group, meter, rate(&tier["price"], units));
        }
    }
}

/// Names that a rule spells out.
fn equal_names<'a>(rule: &'a Value, out: &mut Vec<&'a str>) {
    out.extend(rule.get("equals").and_then(Value::as_str));
    for inner in rule.get("or").and_then(Value::as_array).into_iter().flatten() {
        equal_names(inner, out);
    }
}

/// A rule by pattern is not read: nothing fits it.
fn fits(rule: &Value, name: &str) -> bool {
    let text = |field: &str| rule.get(field).and_then(Value::as_str);
    let list = |field: &str| rule.get(field).and_then(Value::as_array);
    if let Some(rules) = list("or") {
        return rules.iter().any(|rule| fits(rule, name));
    }
    if let Some(rules) = list("and") {
        return rules.iter().all(|rule| fits(rule, name));
    }
    text("equals").is_some_and(|whole| name == whole)
        || text("starts_with").is_some_and(|begin| name.starts_with(begin))
        || text("ends_with").is_some_and(|end| name.ends_with(end))
        || text("contains").is_some_and(|part| name.contains(part))
}
