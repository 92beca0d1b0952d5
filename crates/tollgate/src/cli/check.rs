//! `tollgate check`: everything that is wrong with a configuration, for people or for programs. It
//! starts nothing.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::say;
use tollgate_model::DataTerms;

use crate::config::{Config, ProviderConfig, Refusals};

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
        (Ok(config), false) => {
            format!("{} is good: {}{}", check.file.display(), summary(config), data(config))
        }
        (Err(refusals), false) => format!("{refusals}\n{}", verdict(refusals)),
        (Ok(config), true) => json!({
            "file": check.file, "valid": true, "refusals": [], "providers": providers(config),
        })
        .to_string(),
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

/// What becomes of what each provider is sent, as far as it is known.
fn data(config: &Config) -> String {
    let lines = config.providers.values().map(|provider| {
        let DataTerms { region, retention_days, trains, baa } = &provider.data;
        let said = [
            region.as_ref().map(|region| format!("processed in {region}")),
            retention_days.map(|days| format!("kept {}", counted(days as usize, "day"))),
            trains.map(|trains| if trains { "trained on" } else { "not trained on" }.to_owned()),
            baa.map(|baa| if baa { "with a BAA" } else { "without a BAA" }.to_owned()),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        let said = if said.is_empty() { "nothing is known".to_owned() } else { said.join(", ") };
        format!("\n  {} ({}): data {said}", provider.name, provider.provider.kind)
    });
    lines.collect()
}

fn providers(config: &Config) -> Vec<serde_json::Value> {
    let one = |provider: &ProviderConfig| {
        let DataTerms { region, retention_days, trains, baa } = &provider.data;
        json!({
            "name": provider.name,
            "kind": provider.provider.kind,
            "data": {
                "region": region,
                "retention_days": retention_days,
                "trains": trains,
                "baa": baa,
            },
        })
    };
    config.providers.values().map(one).collect()
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
