//! Costs, against what a script works out from published prices (`fixtures/prices`), and laws.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const CASES: &str = include_str!("../../../../fixtures/prices/cases.json");

fn today() -> Day {
    Day(20_260_901)
}

fn price(written: &Value) -> Price {
    let tier = Tier::ALL.into_iter().find(|tier| written["tier"] == tier.as_str()).unwrap();
    let rates = written["rates"].as_object().unwrap().iter().map(|(name, rate)| {
        let meter = Meter::ALL.into_iter().find(|meter| meter.as_str() == name).unwrap();
        (meter, Rate(rate.as_u64().unwrap()))
    });
    let mut rates: Vec<_> = rates.collect();
    rates.sort_unstable();
    let from = Day(u32::try_from(written["from"].as_u64().unwrap()).unwrap());
    Price { tier, from, above: written["above"].as_u64().unwrap(), rates }
}

fn usage(written: &Value) -> Usage {
    let count = |name: &str| written.get(name).map(|count| count.as_u64().unwrap());
    let usage = Usage {
        input_tokens: count("input_tokens"),
        cache_read_input_tokens: count("cache_read_input_tokens"),
        cache_write_input_tokens: count("cache_write_input_tokens"),
        cache_write_1h_input_tokens: count("cache_write_1h_input_tokens"),
        audio_input_tokens: count("audio_input_tokens"),
        image_input_tokens: count("image_input_tokens"),
        output_tokens: count("output_tokens"),
        reasoning_output_tokens: count("reasoning_output_tokens"),
        audio_output_tokens: count("audio_output_tokens"),
        image_output_tokens: count("image_output_tokens"),
        search_units: count("search_units"),
        input_audio_ms: count("input_audio_ms"),
        input_characters: count("input_characters"),
        output_images: count("output_images"),
        ..Usage::default()
    };
    let units = usage.units().iter().filter(|(_, count)| count.is_some()).count();
    let classes = usage.classes().iter().filter(|(_, count)| count.is_some()).count();
    let read = units + classes + usize::from(usage.search_units.is_some());
    assert_eq!(read, written.as_object().unwrap().len(), "{written}");
    usage
}

#[test]
fn every_case_costs_what_the_script_works_out() {
    let fixture: Value = serde_json::from_str(CASES).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    for case in cases {
        let rows = fixture["prices"][case["model"].as_str().unwrap()].as_array().unwrap();
        let list = PriceList::new(rows.iter().map(price).collect());
        let day = Day(u32::try_from(case["day"].as_u64().unwrap()).unwrap());
        let mut usage = usage(&case["usage"]);
        let expected = Ok(MicroUsd(case["micro_usd"].as_u64().unwrap()));
        let tier = case["tier"].as_str();
        assert_eq!(list.cost(&usage, tier, day), expected, "asked for: {case}");
        // What the provider says of the tier goes before what was asked for.
        usage.service_tier = Some(tier.unwrap_or("default").to_owned());
        assert_eq!(list.cost(&usage, Some("flex"), day), expected, "served: {case}");
    }
    assert!(cases.len() >= 60, "{} cases", cases.len());
}

fn list(rates: &[(Meter, u64)]) -> PriceList {
    let rates = rates.iter().map(|(meter, rate)| (*meter, Rate(*rate))).collect();
    PriceList::new(vec![Price { rates, ..Price::default() }])
}

#[test]
fn what_is_not_known_has_a_reason_and_no_cost() {
    let known = list(&[(Meter::Input, 3), (Meter::CacheWriteInput, 4), (Meter::Output, 9)]);
    let used = || Usage { input_tokens: Some(1), output_tokens: Some(1), ..Usage::default() };
    let why = |list: &PriceList, usage: Usage, tier| list.cost(&usage, tier, today()).unwrap_err();
    assert_eq!(why(&PriceList::default(), used(), None), Unpriced::NoPrice);
    assert_eq!(why(&known, Usage::default(), None), Unpriced::NoUsage);
    assert_eq!(why(&known, used(), Some("scale")), Unpriced::UnknownTier);
    assert_eq!(why(&known, used(), Some("flex")), Unpriced::NoPriceForTier(Tier::Flex));
    let half = Usage { output_tokens: None, ..used() };
    assert_eq!(why(&known, half, None), Unpriced::PartOfUsage(Meter::Output));
    let hour = Usage { cache_write_1h_input_tokens: Some(1), ..used() };
    assert_eq!(why(&known, hour, None), Unpriced::NoRate(Meter::CacheWrite1hInput));
    let picture = Usage { image_output_tokens: Some(1), ..used() };
    assert_eq!(why(&known, picture, None), Unpriced::NoRate(Meter::ImageOutput));
    let spoken = Usage { input_audio_ms: Some(5), ..Usage::default() };
    let letters = list(&[(Meter::Character, 3)]);
    assert_eq!(why(&letters, spoken, None), Unpriced::NoRate(Meter::SecondSent));
    let much = Usage { input_tokens: Some(u64::MAX), ..used() };
    let dear = list(&[(Meter::Input, u64::MAX), (Meter::Output, 0)]);
    assert_eq!(why(&dear, much, None), Unpriced::TooMuch);
    let later = Price { from: Day(20_270_101), ..known.prices[0].clone() };
    assert_eq!(why(&PriceList::new(vec![later]), used(), None), Unpriced::NoPriceThen);
}

#[test]
fn a_price_of_zero_is_a_price() {
    let free = list(&[(Meter::Input, 0), (Meter::Output, 0)]);
    let used = Usage { input_tokens: Some(7), ..Usage::default() };
    assert_eq!(free.cost(&used, None, today()), Ok(MicroUsd(0)));
}

fn classes() -> impl Strategy<Value = [u64; 10]> {
    proptest::array::uniform10(0u64..1 << 40)
}

fn of(classes: [u64; 10]) -> Usage {
    let [input, read, write, hour, audio, image, output, thought, spoken, drawn] =
        classes.map(Some);
    Usage {
        input_tokens: input,
        cache_read_input_tokens: read,
        cache_write_input_tokens: write,
        cache_write_1h_input_tokens: hour,
        audio_input_tokens: audio,
        image_input_tokens: image,
        output_tokens: output,
        reasoning_output_tokens: thought,
        audio_output_tokens: spoken,
        image_output_tokens: drawn,
        ..Usage::default()
    }
}

fn rated(rates: [u64; 10]) -> PriceList {
    let meters = Meter::ALL.into_iter().zip(rates);
    list(&meters.collect::<Vec<_>>())
}

proptest! {
    /// The classes are disjoint: a call costs what its classes cost one by one, but for rounding.
    #[test]
    fn a_sum_is_that_of_its_lines(used in classes(), rates in proptest::array::uniform10(0u64..1 << 40)) {
        let (list, usage) = (rated(rates), of(used));
        let whole = list.cost(&usage, None, today()).unwrap();
        let lines = list.lines(&usage, None, today()).unwrap();
        let by_hand: u128 = used.iter().zip(rates).map(|(n, r)| u128::from(*n) * u128::from(r)).sum();
        let from_lines: u128 = lines.iter().map(|line| line.femtodollars().unwrap()).sum();
        prop_assert_eq!(from_lines, by_hand * 1000);
        prop_assert_eq!(u128::from(whole.0), (by_hand + 500_000) / 1_000_000);
    }

    /// Who uses more of anything never pays less.
    #[test]
    fn more_never_costs_less(used in classes(), more in 0u64..1 << 40, at in 0usize..10, rates in proptest::array::uniform10(0u64..1 << 40)) {
        let list = rated(rates);
        let mut grown = used;
        grown[at] += more;
        let less = list.cost(&of(used), None, today()).unwrap();
        prop_assert!(less <= list.cost(&of(grown), None, today()).unwrap());
    }

    /// Nothing that can be counted or asked makes the sum wrap.
    #[test]
    fn nothing_overflows(used in any::<[u64; 10]>(), rates in any::<[u64; 10]>()) {
        let all: Option<u128> = used.iter().zip(rates).try_fold(0u128, |sum, (n, rate)| {
            sum.checked_add(u128::from(*n) * u128::from(rate))
        });
        let micro = all.map(|pico| pico / 1_000_000 + u128::from(pico % 1_000_000 >= 500_000));
        match rated(rates).cost(&of(used), None, today()) {
            Ok(cost) => prop_assert_eq!(Some(u128::from(cost.0)), micro),
            Err(why) => {
                prop_assert_eq!(why, Unpriced::TooMuch);
                prop_assert!(micro.is_none_or(|micro| micro > u128::from(u64::MAX)));
            }
        }
    }
}
