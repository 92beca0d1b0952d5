//! The command line: what each command is called and takes. What a command does stands in its own
//! file below.

mod at;
mod catalogue;
mod check;
mod follow;
mod import;
mod keys;
mod log;
mod say;
mod schema;
mod serve;
mod signals;
mod simulate;
mod usage;
mod welcome;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// One API over every model, with the keys, limits and records of your organisation.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, propagate_version = true, subcommand_required = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway
    Serve(at::At),
    /// Check a configuration, and say everything that is wrong with it
    Check(check::Check),
    /// Print the JSON Schema of a configuration, for editors
    Schema,
    /// Run the simulated providers alone, for tests of applications
    Simulate(simulate::Simulate),
    /// Show, make or fetch what is known of models
    Catalogue(catalogue::Show),
    /// Translate another gateway's configuration, and say what could not be carried
    Import(import::Import),
    /// Show what was used and what it cost
    Usage(usage::Usage),
    /// List single calls of the ledger
    Calls(usage::Calls),
    /// Make, list and revoke the keys that callers show
    Keys(keys::Keys),
}

/// Runs the command that the arguments name.
#[must_use]
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(at) => serve::run(&at),
        Command::Check(check) => check::run(&check),
        Command::Catalogue(show) => catalogue::run(&show),
        Command::Schema => schema::run(),
        Command::Simulate(simulate) => simulate::run(&simulate),
        Command::Import(import) => import::run(&import),
        Command::Usage(asked) => usage::usage(&asked),
        Command::Calls(asked) => usage::calls(&asked),
        Command::Keys(keys) => keys::run(&keys),
    };
    done.unwrap_or_else(|error| {
        say::fault(&error);
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent() {
        super::Cli::command().debug_assert();
    }
}
