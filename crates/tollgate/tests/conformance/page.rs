//! The page: a table for each dialect, with what was lost or refused below it.

use std::collections::BTreeMap;
use std::process::Command;

use crate::asks::FEATURES;
use crate::cell::Cell;

pub(crate) fn written(cells: &BTreeMap<(String, String, usize), Cell>) -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok();
        output
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .unwrap_or_default()
    };
    let (day, commit) =
        (said("date", &["-u", "+%Y-%m-%d"]), said("git", &["rev-parse", "--short", "HEAD"]));
    let mut out = format!(
        "# Conformance\n\n<!-- Made by `make conformance`. -->\n\nObserved on {day} at commit {commit}: the program between a caller of each dialect and each kind of provider.\n\
         The providers are simulated, and judge requests as strictly as the vendors; each is heard through a host with the\n\
         quirks of its row, which refuses what the row says is not understood there and answers with its oddities. Answers are\n\
         read with the gateway's own codecs; independent readers judge them in [the corpus](corpus.md).\n\n\
         `✓` all that was asked for came. `✓1` it came, and the fields of note 1 were lost and told in `x-tollgate-loss`.\n\
         `–1` it did not come, as the loss of note 1 told. `✗1` refused with the words of note 1. `·` nothing to observe:\n\
         callers of the dialect cannot ask for it, or the simulated host has none of it.\n"
    );
    let mut dialects: Vec<&str> = cells.keys().map(|(dialect, ..)| dialect.as_str()).collect();
    dialects.dedup();
    for dialect in dialects {
        table(dialect, cells, &mut out);
    }
    out
}

fn table(dialect: &str, cells: &BTreeMap<(String, String, usize), Cell>, out: &mut String) {
    let mut notes: Vec<String> = Vec::new();
    let mut note = |text: String| match notes.iter().position(|known| *known == text) {
        Some(at) => at + 1,
        None => {
            notes.push(text);
            notes.len()
        }
    };
    let features: Vec<&str> = FEATURES.iter().map(|feature| feature.as_str()).collect();
    *out += &format!(
        "\n## {dialect}\n\n| provider | {} |\n|---|{}\n",
        features.join(" | "),
        "---|".repeat(features.len())
    );
    let mut kinds: Vec<&str> =
        cells.keys().filter(|(of, ..)| of == dialect).map(|(_, kind, _)| kind.as_str()).collect();
    kinds.dedup();
    for kind in kinds {
        let shown: Vec<String> = (0..FEATURES.len())
            .map(|column| match cells.get(&(dialect.to_owned(), kind.to_owned(), column)) {
                Some(Cell::Well(losses)) if losses.is_empty() => "✓".to_owned(),
                Some(Cell::Well(losses)) => format!("✓{}", note(losses.join(", "))),
                Some(Cell::Lost(losses)) => format!("–{}", note(losses.join(", "))),
                Some(Cell::Refused(why)) => format!("✗{}", note(why.clone())),
                Some(Cell::Failed(why)) => format!("!{}", note(why.chars().take(200).collect())),
                Some(Cell::Nothing(_)) | None => "·".to_owned(),
            })
            .collect();
        *out += &format!("| {kind} | {} |\n", shown.join(" | "));
    }
    if !notes.is_empty() {
        out.push('\n');
    }
    for (at, text) in notes.iter().enumerate() {
        *out += &format!("{}. {}\n", at + 1, text.replace('\n', " "));
    }
}
