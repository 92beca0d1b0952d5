//! What one source says of one model.

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate_model::{Abilities, Day, Meter, Rate, Tier};

use crate::Use;

/// By kind of provider and name.
pub(super) type Claims = BTreeMap<(String, String), Claim>;

#[derive(Clone, Debug, Default)]
pub(super) struct Claim {
    pub(super) used_for: Option<Use>,
    pub(super) context: Option<u64>,
    pub(super) max_input: Option<u64>,
    pub(super) max_output: Option<u64>,
    pub(super) abilities: Abilities,
    pub(super) released: Option<Day>,
    pub(super) retires: Option<Day>,
    pub(super) prices: BTreeMap<Group, Vec<(Meter, Rate)>>,
}

/// Rates that hold together. Ordered as they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) tier: Tier,
    pub(super) from: Day,
    pub(super) above: u64,
}

impl Claim {
    pub(super) fn price(&mut self, group: Group, meter: Meter, rate: Option<Rate>) {
        let Some(rate) = rate else { return };
        let rates = self.prices.entry(group).or_default();
        match rates.iter_mut().find(|(known, _)| *known == meter) {
            // Of two, the dearer: by the hour of the day, or by size.
            Some((_, known)) => *known = (*known).max(rate),
            None => rates.push((meter, rate)),
        }
    }
}

/// A price in dollars for `units` of something, as picodollars for one.
pub(super) fn rate(value: &Value, units: f64) -> Option<Rate> {
    let dollars = value.as_f64().filter(|dollars| (0.0..1e6).contains(dollars))?;
    let picodollars = (dollars * (1e12 / units)).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and bounded above"
    )]
    Some(Rate(picodollars as u64))
}

/// A count; zero is "not stated".
pub(super) fn count(value: Option<&Value>) -> Option<u64> {
    value.and_then(Value::as_u64).filter(|count| *count > 0)
}

pub(super) fn day(value: Option<&Value>) -> Option<Day> {
    Day::parse(value?.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rates_are_exact_and_rounded_to_the_nearest() {
        for (value, units, expected) in [
            (json!(2.5), 1e6, Some(2_500_000)),
            (json!(0.0375), 1e6, Some(37_500)),
            (json!(1.5e-7), 1.0, Some(150_000)),
            (json!(8.333_333e-9), 1.0, Some(8_333)),
            (json!(5), 1e3, Some(5_000_000_000)),
            (json!(0.04), 1.0, Some(40_000_000_000)),
            (json!(-1), 1.0, None),
            (json!("2"), 1.0, None),
        ] {
            assert_eq!(rate(&value, units), expected.map(Rate), "{value}");
        }
    }
}
