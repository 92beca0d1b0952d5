//! The catalogue's rates are those that were written down by hand in `fixtures/prices`; where two
//! differ, it is named here. Neither is proof of what a vendor publishes; two that agree are some.

use serde_json::Value;
use tollgate_catalogue::Catalogue;
use tollgate_model::{Meter, Rate, Tier};

const CASES: &str = include_str!("../../../fixtures/prices/cases.json");

/// Sound at the rate of text, and text at the rate of images: it is the sources that look wrong.
const WRONG: [(&str, &str); 2] =
    [("gemini/gemini-2.5-flash-image", "output"), ("openai/gpt-4o-audio-preview", "audio.input")];

#[test]
fn rates_are_those_that_were_written_down_apart() {
    let fixture: Value = serde_json::from_str(CASES).unwrap();
    let catalogue = Catalogue::built_in();
    let (mut seen, mut wrong) = (0, Vec::new());
    for (label, rows) in fixture["prices"].as_object().unwrap() {
        let (kind, name) = label.split_once('/').unwrap();
        let known = catalogue.exactly(kind, name).unwrap().prices();
        for row in rows.as_array().unwrap() {
            let tier = Tier::ALL.into_iter().find(|tier| row["tier"] == tier.as_str()).unwrap();
            let price = known.iter().find(|price| {
                price.tier == tier && row["from"] == price.from.0 && row["above"] == price.above
            });
            for (meter, rate) in row["rates"].as_object().unwrap() {
                let meter = Meter::ALL.into_iter().find(|one| one.as_str() == meter).unwrap();
                let found = price.and_then(|price| price.rate(meter));
                seen += 1;
                if found != rate.as_u64().map(Rate) {
                    wrong.push((label.as_str(), meter.as_str()));
                }
            }
        }
    }
    assert!(seen > 60, "{seen} rates");
    wrong.sort_unstable();
    assert_eq!(wrong, WRONG);
}
