//! Chores of the house: `catalogue` makes what is known of models, `corpus` prints how recorded traffic comes through, `tidy` checks the
//! house rules.
//!
//! Deliberately absent: anything the gateway needs to run.

#![expect(clippy::print_stdout, reason = "a command line that reports to whoever typed it")]

use std::process::ExitCode;

use anyhow::{Result, bail};

mod catalogue;
mod corpus;
mod providers;
mod tidy;

const USAGE: &str = "usage: cargo run -p xtask -- COMMAND

  catalogue --from DIR
      makes the catalogue of models that the program carries from three public ones
  corpus [--features] [--fields] [--failures N] [--field NAME] [--dialect NAME] [--ingress NAME]
      replays recorded traffic through every pair of dialects and prints what came through
  providers
      writes docs/providers.md from the rows
  tidy
      checks the house rules over the sources and prints what breaks them";

fn main() -> Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    match command.as_deref() {
        Some("catalogue") => catalogue::run(&rest),
        Some("corpus") => corpus::run(&rest),
        Some("providers") => providers::run(),
        Some("tidy") => tidy::run(),
        Some(other) => bail!("unknown command `{other}`\n{USAGE}"),
        None => {
            println!("{USAGE}");
            Ok(ExitCode::FAILURE)
        }
    }
}
