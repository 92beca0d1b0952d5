//! `tollgate check`: everything that is wrong with a configuration, for people or for programs. It
//! starts nothing.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::say;
use crate::config::{Config, Refusals};

#[derive(Debug, Args)]
pub(super) struct Check {
    /// The configuration
    file: PathBuf,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(check: &Check) -> anyhow::Result<ExitCode> {
    let outcome = Config::load(&check.file).map(|loaded| loaded.config);
    let said = match (&outcome, check.json) {
        (Ok(config), false) => format!("{} is good: {}", check.file.display(), summary(config)),
        (Err(refusals), false) => format!("{refusals}\n{}", verdict(refusals)),
        (Ok(_), true) => json!({ "file": check.file, "valid": true, "refusals": [] }).to_string(),
        (Err(Refusals { file, refusals }), true) => {
            json!({ "file": file, "valid": false, "refusals": refusals }).to_string()
        }
    };
    say::line(&said)?;
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn summary(config: &Config) -> String {
    let parts = [
        counted(config.providers.len(), "provider"),
        counted(config.models.len(), "model"),
        counted(config.teams.len(), "team"),
        counted(config.keys.len(), "key"),
    ];
    parts.join(", ")
}

fn verdict(refusals: &Refusals) -> String {
    format!(
        "{} refused: {} to mend",
        refusals.file.display(),
        counted(refusals.refusals.len(), "fault")
    )
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
