//! Pages that are made: they say what the sources say now.

use super::{Finding, Tree};
use crate::providers;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    // A tree of a test holds no pages.
    if tree.get("Cargo.toml").is_none() {
        return Vec::new();
    }
    match tree.get(providers::PAGE) {
        Some(page) if page.text == providers::page() => Vec::new(),
        Some(page) => vec![page.finding(0, "it is stale: `cargo run -p xtask -- providers`")],
        None => vec![Finding {
            path: providers::PAGE.to_owned(),
            line: 0,
            what: "it is not there: `cargo run -p xtask -- providers`".to_owned(),
        }],
    }
}
