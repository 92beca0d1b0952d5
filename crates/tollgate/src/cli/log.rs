//! The log of the process: to standard error, so that it never mixes with what a command says.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Libraries that handle credentials, and whose finer words say too much about requests.
const QUIET: [&str; 6] = [
    "aws_config=info",
    "aws_runtime=info",
    "aws_sigv4=info",
    "aws_smithy_runtime=info",
    "google_cloud_auth=info",
    "reqwest=info",
];

/// Begins the log. `RUST_LOG` chooses what is logged; without it, what an operator needs.
pub(super) fn start(log: Log) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = QUIET
        .iter()
        .filter_map(|rule| rule.parse().ok())
        .fold(filter, |filter, rule| filter.add_directive(rule));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // Started twice in one process, as tests may do, the first stays.
    let _ = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
        LogFormat::Text => lines.with_ansi(false).try_init(),
    };
}
