//! `tollgate schema`.

use std::process::ExitCode;

use super::say;
use crate::config;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    say::line(&serde_json::to_string_pretty(&config::schema())?)?;
    Ok(ExitCode::SUCCESS)
}
