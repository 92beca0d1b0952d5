//! The table: provider × dialect × ingress, and what failed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Kind, Verdict};
use crate::readers::Shape;

/// How many passed, of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub all: usize,
}

impl Tally {
    pub fn count(&mut self, passed: bool) {
        self.all += 1;
        self.passed += usize::from(passed);
    }

    /// In per mille, rounded down.
    #[must_use]
    pub fn per_mille(self) -> usize {
        (self.passed * 1000).checked_div(self.all).unwrap_or(1000)
    }
}

/// Rows by name, columns by ingress.
pub type Table = BTreeMap<(Kind, String), BTreeMap<&'static str, Tally>>;

/// One row per provider and dialect.
#[must_use]
pub fn by_provider(verdicts: &[Verdict]) -> Table {
    let mut table = Table::new();
    for verdict in verdicts {
        let name = format!("{} {}", verdict.dialect, verdict.provider);
        count(&mut table, verdict, name);
    }
    table
}

/// One row per dialect.
#[must_use]
pub fn by_dialect(verdicts: &[Verdict]) -> Table {
    let mut table = Table::new();
    for verdict in verdicts {
        count(&mut table, verdict, verdict.dialect.clone());
    }
    table
}

/// One row per dialect and feature of the recording.
#[must_use]
pub fn by_feature(verdicts: &[Verdict]) -> Table {
    let mut table = Table::new();
    for verdict in verdicts {
        for feature in &verdict.features {
            count(&mut table, verdict, format!("{} {feature}", verdict.dialect));
        }
    }
    table
}

/// One row per dialect and differing field: how many failed by it.
#[must_use]
pub fn by_field(
    verdicts: &[Verdict],
) -> BTreeMap<(Kind, String, &'static str, &'static str), usize> {
    let mut counts = BTreeMap::new();
    for verdict in verdicts {
        let mut fields: Vec<_> = verdict.differences.iter().map(|d| d.field).collect();
        fields.sort_unstable();
        fields.dedup();
        for field in fields {
            let row = (verdict.kind, verdict.dialect.clone(), verdict.ingress, field);
            *counts.entry(row).or_default() += 1;
        }
    }
    counts
}

/// Why requests were refused: how many for each reason.
#[must_use]
pub fn refusals(verdicts: &[Verdict]) -> BTreeMap<(String, &'static str, String), usize> {
    let mut counts = BTreeMap::new();
    for verdict in verdicts {
        if let Some(reason) = &verdict.refused {
            let row = (verdict.dialect.clone(), verdict.ingress, reason.clone());
            *counts.entry(row).or_default() += 1;
        }
    }
    counts
}

fn count(table: &mut Table, verdict: &Verdict, name: String) {
    let row = table.entry((verdict.kind, name)).or_default();
    row.entry(verdict.ingress).or_default().count(verdict.passed());
}

/// The table as text.
#[must_use]
pub fn text(table: &Table) -> String {
    let judged = |shape: &&Shape| table.values().any(|row| row.contains_key(shape.as_str()));
    let columns: Vec<_> = Shape::ALL.iter().filter(judged).map(|shape| shape.as_str()).collect();
    let mut out = String::new();
    let width = table.keys().map(|(_, name)| name.len()).max().unwrap_or(0).max(20);
    let _ = write!(out, "{:8} {:width$}", "", "");
    for column in &columns {
        let _ = write!(out, " {column:>18}");
    }
    out.push('\n');
    for ((kind, name), row) in table {
        let _ = write!(out, "{:8} {name:width$}", kind.as_str());
        for column in &columns {
            let cell = row.get(*column).map_or_else(String::new, |tally| {
                let share = tally.per_mille();
                format!("{}/{} {:>3}.{}%", tally.passed, tally.all, share / 10, share % 10)
            });
            let _ = write!(out, " {cell:>18}");
        }
        out.push('\n');
    }
    out
}
