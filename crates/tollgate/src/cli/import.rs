//! `tollgate import`: another gateway's configuration as one of this gateway, on standard output or
//! in a file; what became of it, on standard error.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::say;
use crate::config::import;

#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(subcommand)]
    from: Other,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// Translate a configuration of the LiteLLM proxy
    Litellm {
        /// Its config.yaml
        file: PathBuf,
        /// Where this gateway's is written [default: standard output]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

pub(super) fn run(import: &Import) -> anyhow::Result<ExitCode> {
    let Other::Litellm { file, output } = &import.from;
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let made = match import::litellm(file, &text, &|name| std::env::var(name).ok()) {
        Ok(made) => made,
        Err(refusals) => {
            writeln!(std::io::stderr().lock(), "{refusals}")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut report = String::new();
    for note in &made.report {
        report += &format!("{}:{note}\n", file.display());
    }
    let said = format!(
        "{report}{} models at {} providers carried; {} things changed or not carried\n",
        made.models,
        made.providers,
        made.report.len()
    );
    std::io::stderr().lock().write_all(said.as_bytes())?;
    match output {
        Some(output) => {
            std::fs::write(output, &made.yaml).with_context(|| output.display().to_string())?;
        }
        None => say::line(made.yaml.trim_end())?,
    }
    Ok(ExitCode::SUCCESS)
}
