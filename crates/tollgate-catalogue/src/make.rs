//! Making the text from three public catalogues. Each says what it knows; where they disagree, what
//! two say holds, else what the newest says.
//!
//! A rate is rounded to the nearest picodollar for a unit. Rates that are all zero are taken for
//! "not stated", but for models whose name ends in `:free`.

mod claim;
mod genai;
mod kinds;
mod litellm;
mod models_dev;

use std::collections::{BTreeMap, BTreeSet};

use tollgate_model::{Ability, Day, Meter, Price, Rate, Tier};

use crate::entry::{self, Entry};
use crate::text::TITLE;
use claim::{Claim, Claims, Group};

/// The texts of the three, and the days of which they are.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    pub genai: &'a str,
    pub litellm: &'a str,
    pub models_dev: &'a str,
}

/// Where each comes from; newest first, which is the order in which they are believed.
pub const ORIGINS: [(&str, Day); 3] = [
    ("pydantic/genai-prices 47df840a5ab1, MIT, (c) Pydantic Services Inc.", Day(20_260_821)),
    (
        "BerriAI/litellm model_prices_and_context_window.json, MIT, (c) 2023 Berri AI",
        Day(20_260_801),
    ),
    ("anomalyco/models.dev f3fc69229967, MIT, (c) 2025 models.dev", Day(20_260_702)),
];

/// The text, and what its making found.
#[derive(Debug)]
pub struct Made {
    pub text: String,
    pub models: usize,
    pub aliases: usize,
    /// Models without any price.
    pub unpriced: usize,
    /// Rates on which no two agree.
    pub disputed: usize,
}

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{source_name}: {error}")]
pub struct Unmade {
    pub source_name: &'static str,
    pub error: serde_json::Error,
}

/// # Errors
/// A source that is no JSON of its shape.
pub fn make(sources: &Sources<'_>) -> Result<Made, Unmade> {
    let unmade = |source_name| move |error| Unmade { source_name, error };
    let genai = genai::read(sources.genai).map_err(unmade("genai-prices"))?;
    let litellm = litellm::read(sources.litellm).map_err(unmade("litellm"))?;
    let models_dev = models_dev::read(sources.models_dev).map_err(unmade("models.dev"))?;

    let mut keys: BTreeSet<&(String, String)> = litellm.keys().chain(models_dev.keys()).collect();
    keys.extend(genai.claims.keys());
    let nothing = Claim::default();
    let mut made = Made { text: title(), models: 0, aliases: 0, unpriced: 0, disputed: 0 };
    let mut lines: BTreeMap<(String, String), String> = BTreeMap::new();
    for key in keys {
        let (kind, name) = key;
        let said = |claims: &'_ Claims| claims.get(key).cloned();
        let first = said(&genai.claims).or_else(|| genai.matching(kind, name));
        let votes = [
            &first.unwrap_or_else(|| nothing.clone()),
            litellm.get(key).unwrap_or(&nothing),
            models_dev.get(key).unwrap_or(&nothing),
        ];
        let (line, tally) = decided(kind, name, votes);
        made.models += 1;
        made.unpriced += usize::from(!tally.priced);
        made.disputed += tally.disputed;
        lines.insert(key.clone(), line);
    }
    for ((kind, alias), name) in genai.aliases {
        let known = lines.contains_key(&(kind.clone(), name.clone()));
        let key = (kind, alias);
        if known && !lines.contains_key(&key) {
            let line = format!("{}\t{}\t=\t{name}", key.0, key.1);
            made.aliases += 1;
            lines.insert(key, line);
        }
    }
    for line in lines.values() {
        made.text.push_str(line);
        made.text.push('\n');
    }
    Ok(made)
}

fn title() -> String {
    let mut text = format!("{TITLE}\n# made from");
    for (origin, day) in ORIGINS {
        text += &format!("\n#   {origin}, as of {day}");
    }
    text += "\n# where two agree, theirs; else the newest's. Rates: picodollars for a unit, which of tokens is\n# microdollars for a million, rounded to the nearest. Of contexts, models.dev's.\n# kind, name, use, context, input, output, abilities, released, retires, prices, disputed\n";
    text
}

struct Tally {
    priced: bool,
    disputed: usize,
}

fn decided(kind: &str, name: &str, votes: [&Claim; 3]) -> (String, Tally) {
    let figure = |of: fn(&Claim) -> Option<u64>| agreed(votes.map(of)).0;
    let mut entry = Entry {
        kind,
        name,
        used_for: votes.iter().find_map(|claim| claim.used_for).unwrap_or_default(),
        // One list gives the whole, one what may be sent, and one is older than it looks.
        context: agreed([votes[2].context, votes[1].max_input, votes[0].context]).0,
        max_input: figure(|claim| claim.max_input),
        max_output: figure(|claim| claim.max_output),
        released: votes.iter().find_map(|claim| claim.released),
        retires: votes.iter().find_map(|claim| claim.retires),
        ..Entry::default()
    };
    for ability in Ability::ALL {
        let said = votes.map(|claim| claim.abilities.get(ability));
        // It can when anybody says so: a list that lacks a flag is no denial.
        if said.contains(&Some(true)) {
            entry.abilities.set(ability, true);
        } else if said.contains(&Some(false)) {
            entry.abilities.set(ability, false);
        }
    }
    let (prices, disputed) = prices(name, votes);
    let tally = Tally { priced: !prices.is_empty(), disputed: disputed.len() };
    (entry::write(&entry, &prices, &disputed), tally)
}

/// What two say, else what the first says that says anything; and whether that is disputed.
fn agreed<T: Copy + PartialEq>(votes: [Option<T>; 3]) -> (Option<T>, bool) {
    let said: Vec<T> = votes.into_iter().flatten().collect();
    let pair = said.iter().enumerate().find(|(at, vote)| said[..*at].contains(vote));
    match pair {
        Some((_, vote)) => (Some(*vote), false),
        None => (said.first().copied(), said.len() > 1),
    }
}

/// Every group of rates that anybody knows. The histories are the first source's; the others speak
/// of what is in force.
fn prices(name: &str, votes: [&Claim; 3]) -> (Vec<Price>, Vec<Meter>) {
    let today = ORIGINS[0].1;
    let in_force = votes[0].prices.keys().map(|group| group.from).filter(|day| *day <= today).max();
    let in_force = in_force.unwrap_or_default();
    let mut groups: BTreeMap<Group, BTreeMap<Meter, [Option<Rate>; 3]>> = BTreeMap::new();
    for (voter, claim) in votes.iter().enumerate() {
        let free = claim.prices.values().flatten().all(|(_, rate)| *rate == Rate(0));
        if free && !name.ends_with(":free") {
            continue;
        }
        for (group, rates) in &claim.prices {
            let group = if voter == 0 { *group } else { Group { from: in_force, ..*group } };
            let meters = groups.entry(group).or_default();
            for (meter, rate) in rates {
                meters.entry(*meter).or_default()[voter] = Some(*rate);
            }
        }
    }
    let now = Group { tier: Tier::Standard, from: in_force, above: 0 };
    let mut disputed = Vec::new();
    let mut prices: Vec<Price> = Vec::new();
    for (group, meters) in groups {
        let mut rates = Vec::new();
        for (meter, votes) in meters {
            let (rate, open) = agreed(votes);
            rates.extend(rate.map(|rate| (meter, rate)));
            if open && group == now {
                disputed.push(meter);
            }
        }
        // Beyond a bound what is not dearer costs what it costs below.
        let below = prices.iter().find(|price| {
            (price.tier, price.from, price.above) == (group.tier, group.from, 0) && group.above > 0
        });
        for (meter, rate) in below.map(|price| price.rates.as_slice()).unwrap_or_default() {
            if !rates.iter().any(|(known, _)| known == meter) {
                rates.push((*meter, *rate));
            }
        }
        rates.sort_unstable();
        drop_repeated(&mut rates);
        if !rates.is_empty() {
            prices.push(Price { tier: group.tier, from: group.from, above: group.above, rates });
        }
    }
    (prices, disputed)
}

/// A rate that is that of the class it is part of says nothing new.
fn drop_repeated(rates: &mut Vec<(Meter, Rate)>) {
    let all = Price { rates: rates.clone(), ..Price::default() };
    let parts = [Meter::ReasoningOutput, Meter::AudioInput, Meter::ImageInput, Meter::AudioOutput];
    rates.retain(|(meter, rate)| {
        let whole = meter.part_of().and_then(|whole| all.rate(whole));
        !(parts.contains(meter) && whole == Some(*rate))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_who_agree_are_believed_and_else_the_newest() {
        assert_eq!(agreed([Some(1), Some(2), Some(2)]), (Some(2), false));
        assert_eq!(agreed([Some(1), Some(2), Some(1)]), (Some(1), false));
        assert_eq!(agreed([Some(1), Some(2), Some(3)]), (Some(1), true));
        assert_eq!(agreed([None, Some(2), Some(3)]), (Some(2), true));
        assert_eq!(agreed([None, None, Some(3)]), (Some(3), false));
        assert_eq!(agreed::<u8>([None; 3]), (None, false));
    }

    const GENAI: &str = r#"[{"id": "openai", "models": [
        {"id": "o9", "match": {"or": [{"equals": "o9"}, {"equals": "o9-old"}, {"starts_with": "o9-2"}]},
         "context_window": 1000,
         "prices": [{"prices": {"input_mtok": 10, "output_mtok": 40}},
                    {"constraint": {"start_date": "2026-06-10"}, "prices": {"input_mtok": 2, "cache_read_mtok": 0.5,
                     "output_mtok": {"base": 8, "tiers": [{"start": 200000, "price": 12}]}}}]}]}]"#;
    const LITELLM: &str = r#"{"o9": {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 1000,
        "input_cost_per_token": 0.000003, "output_cost_per_token": 0.000008, "input_cost_per_token_batches": 0.000001,
        "supports_vision": true},
        "o9-2026-01-01": {"litellm_provider": "openai", "mode": "chat"},
        "sample_spec": {"mode": "one of these", "input_cost_per_token": 0.0}}"#;
    const MODELS_DEV: &str = r#"{"providers": {"openai": {"models": {"o9": {"tool_call": true, "reasoning": true,
        "modalities": {"input": ["text"], "output": ["text"]}, "release_date": "2025-04-16",
        "limit": {"context": 1000, "output": 50}, "cost": {"input": 3, "output": 8, "reasoning": 8}}}}}}"#;

    #[test]
    fn three_sources_become_one_line() {
        let sources = Sources { genai: GENAI, litellm: LITELLM, models_dev: MODELS_DEV };
        let made = make(&sources).unwrap();
        let rows: Vec<&str> = made.text.lines().filter(|line| !line.starts_with('#')).collect();
        let [whole, dated, alias] = rows.as_slice() else { panic!("{rows:#?}") };
        assert_eq!(
            *whole,
            "openai\to9\tchat\t1000\t1000\t50\tTVdamRiu\t20250416\t\t\
             i10000000,o40000000 @20260610:i3000000,r500000,o8000000 \
             >200000@20260610:i3000000,r500000,o12000000 b@20260610:i1000000"
        );
        assert!(dated.contains("@20260610:i2000000"), "matched by a rule: {dated}");
        assert_eq!(*alias, "openai\to9-old\t=\to9");
        assert_eq!((made.models, made.aliases, made.disputed), (2, 1, 0));
        assert!(crate::Catalogue::read(made.text).is_ok());
    }

    #[test]
    fn what_is_free_everywhere_has_no_price_unless_it_is_called_so() {
        let models = r#"{"providers": {"openrouter": {"models": {
            "a/b:free": {"cost": {"input": 0, "output": 0}}, "a/c": {"cost": {"input": 0, "output": 0}}}}}}"#;
        let made = make(&Sources { genai: "[]", litellm: "{}", models_dev: models }).unwrap();
        let rows: Vec<&str> = made.text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(rows[0].ends_with("i0,o0"), "{rows:?}");
        assert_eq!(made.unpriced, 1);
    }

    #[test]
    fn a_source_that_is_none_is_named() {
        let broken = Sources { genai: "[]", litellm: "no", models_dev: "{}" };
        assert!(make(&broken).unwrap_err().to_string().starts_with("litellm: "));
    }
}
