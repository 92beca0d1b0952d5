//! `prices`: what models cost the organisation, where that is not what their vendors publish.

use std::collections::BTreeMap;

use tollgate_model::{Day, Meter, Price, Rate, Tier};

use super::check::Check;
use super::nearest::suggestion;
use super::place::Path;
use super::{Pattern, ProviderConfig, written};

/// Picodollars in a dollar; and, of a price for a million, for one.
const FOR_ONE: u32 = 12;
const FOR_A_MILLION: u32 = 6;

/// What models of these names cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRule {
    /// Of `provider/model`.
    pub models: Pattern,
    /// `None`: nobody charges for them.
    pub price: Option<Price>,
}

pub(super) fn check(
    check: &mut Check<'_>,
    written: Vec<written::Price>,
    providers: &BTreeMap<String, ProviderConfig>,
) -> Vec<PriceRule> {
    let path = Path::top().key("prices");
    let mut rules: Vec<PriceRule> = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let path = path.index(index);
        let models = match Pattern::parse(&written.models) {
            Ok(models) => models,
            Err(error) => {
                let message = format!("{:?} cannot name models: {error}", written.models);
                check.refuse(&path.key("models"), message, "such as `openai/gpt-5` or `openai/*`");
                continue;
            }
        };
        let reaches = |name: &String| models.reaches_under(&format!("{name}/"));
        if !providers.keys().any(reaches) && !check.refused_any() {
            let provider = written.models.split('/').next().unwrap_or_default();
            let names = providers.keys().map(String::as_str);
            let hint = suggestion(provider, names, "providers of this file");
            let message = format!("`{}` is no model of a provider of this file", written.models);
            check.refuse(&path.key("models"), message, hint);
        }
        let Some(price) = price(check, &path, written) else { continue };
        let same = |rule: &&PriceRule| {
            let when = |price: &Option<Price>| {
                price.as_ref().map(|price| (price.tier, price.from, price.above))
            };
            rule.models == models
                && (rule.price.is_none() || price.is_none() || when(&rule.price) == when(&price))
        };
        if rules.iter().any(|rule| same(&rule)) {
            let hint = "tell them apart by `from`, `tier` or `above`, or remove one";
            check.refuse(&path, "another entry is for the same models at the same time", hint);
        }
        rules.push(PriceRule { models, price });
    }
    rules
}

/// The price that is written; `Some(None)`: free.
#[expect(clippy::option_option, reason = "refused, free, and priced: three answers")]
fn price(check: &mut Check<'_>, path: &Path, written: &written::Price) -> Option<Option<Price>> {
    let mut rates = rates(check, path, written)?;
    if written.free == Some(true) {
        if !rates.is_empty() || written.tier.is_some() || written.above.is_some() {
            check.refuse(path, "it is free and has a price", "remove `free`, or everything else");
        }
        return Some(None);
    }
    if rates.is_empty() {
        let hint = "such as `{ models: \"openai/gpt-5\", input: 1.25, output: 10 }`, in dollars for a million tokens, or `free: true`";
        check.refuse(path, "it does not say what they cost", hint);
        return None;
    }
    let from = match written.from.as_deref().map(Day::parse) {
        None => Day::default(),
        Some(Some(day)) => day,
        Some(None) => {
            check.refuse(&path.key("from"), "it is no day", "such as `2026-01-01`");
            return None;
        }
    };
    let tier = match written.tier {
        Some(written::Tier::Batch) => Tier::Batch,
        Some(written::Tier::Flex) => Tier::Flex,
        Some(written::Tier::Priority) => Tier::Priority,
        Some(written::Tier::Standard) | None => Tier::Standard,
    };
    rates.sort_by_key(|(meter, _)| *meter);
    Some(Some(Price { tier, from, above: written.above.unwrap_or_default(), rates }))
}

fn rates(
    check: &mut Check<'_>,
    path: &Path,
    written: &written::Price,
) -> Option<Vec<(Meter, Rate)>> {
    let all = [
        ("input", Meter::Input, written.input),
        ("cache_read_input", Meter::CacheReadInput, written.cache_read_input),
        ("cache_write_input", Meter::CacheWriteInput, written.cache_write_input),
        ("cache_write_1h_input", Meter::CacheWrite1hInput, written.cache_write_1h_input),
        ("audio_input", Meter::AudioInput, written.audio_input),
        ("image_input", Meter::ImageInput, written.image_input),
        ("output", Meter::Output, written.output),
        ("reasoning_output", Meter::ReasoningOutput, written.reasoning_output),
        ("audio_output", Meter::AudioOutput, written.audio_output),
        ("image_output", Meter::ImageOutput, written.image_output),
        ("character", Meter::Character, written.character),
        ("call", Meter::Call, written.call),
        ("image_made", Meter::ImageMade, written.image_made),
        ("second_sent", Meter::SecondSent, written.second_sent),
    ];
    let mut rates = Vec::new();
    for (name, meter, dollars) in all {
        let Some(dollars) = dollars else { continue };
        let million = meter.is_tokens() || meter == Meter::Character;
        let places = if million { FOR_A_MILLION } else { FOR_ONE };
        let Some(rate) = exact(dollars, places) else {
            let hint = format!("a sum from 0 on with at most {places} decimal places");
            check.refuse(&path.key(name), format!("`{dollars}` is no price"), hint);
            return None;
        };
        rates.push((meter, Rate(rate)));
    }
    Some(rates)
}

/// The number as it was written, times ten to the power of `places`; `None` where that is no whole
/// number, or too large. A number's shortest text is what stood in the file.
fn exact(number: f64, places: u32) -> Option<u64> {
    let text = number.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let zeros = usize::try_from(places).ok()?.checked_sub(part.len())?;
    let digits = format!("{whole}{part}{}", "0".repeat(zeros));
    digits.parse().ok().filter(|rate| *rate <= 1_000_000_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_what_was_written() {
        for (written, places, rate) in [
            (1.25, 6, Some(1_250_000)),
            (0.075, 6, Some(75_000)),
            (0.1, 12, Some(100_000_000_000)),
            (15.0, 6, Some(15_000_000)),
            (0.0, 6, Some(0)),
            (0.000_000_1, 6, None),
            (-1.0, 6, None),
            (1e300, 6, None),
        ] {
            assert_eq!(exact(written, places), rate, "{written}");
        }
    }
}
