//! The rows as a whole: every provider that was recorded has one, and none says what cannot be.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;
use tollgate_wire::{PROVIDERS, provider};

/// Names of the recordings that are not kinds: which kind stands for them.
const MEANT: &[(&str, &str)] = &[("azure", "azure-openai"), ("other-openai", "openai-compatible")];

#[test]
fn every_provider_that_was_recorded_has_its_row() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = PathBuf::from(std::env::var("TOLLGATE_SHARED").unwrap_or(beside.to_owned()));
    let index = shared.join("corpus/index.jsonl");
    if !index.is_file() {
        assert!(std::env::var("STRICT").is_err(), "no recordings at {}", index.display());
        println!("skipped: no recordings at {}", index.display());
        return;
    }
    let text = std::fs::read_to_string(index).unwrap();
    let recorded: BTreeSet<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|row| row["provider"].as_str().unwrap().to_owned())
        .collect();
    assert!(recorded.len() > 40, "{recorded:?}");
    let without: Vec<&String> = recorded
        .iter()
        .filter(|name| {
            let meant = MEANT.iter().find(|(recorded, _)| recorded == name);
            let kind = meant.map_or(name.as_str(), |(_, kind)| kind);
            provider::find(kind).is_none()
        })
        .collect();
    assert!(without.is_empty(), "no row: {without:?}");
}

#[test]
fn rows_make_sense() {
    let mut keys = BTreeSet::new();
    for row in PROVIDERS {
        assert!(row.speaks.is_empty() == row.operations.is_empty(), "{}", row.kind);
        assert!(row.base_url.is_empty() || row.base_url.contains("://"), "{}", row.kind);
        assert!(row.self_hosted || !row.base_url.starts_with("http://"), "{}", row.kind);
        let terms = &row.terms;
        let said = terms.data != tollgate_model::DataTerms::UNKNOWN;
        assert!(!said || terms.source.starts_with("https://"), "{}: terms of nowhere", row.kind);
        assert!(!said || terms.read.len() == 10, "{}: terms of no day", row.kind);
        for key in row.key_env {
            // One cloud may be reached in two ways with one key.
            let shared = *key == "AWS_BEARER_TOKEN_BEDROCK";
            assert!(keys.insert(*key) || shared, "{key} is taken twice");
        }
    }
}
