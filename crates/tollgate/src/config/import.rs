//! Another gateway's configuration, as one of this gateway. Nothing is dropped in silence: what is
//! not carried stands in the report, with its place and the reason.

mod deployment;
mod kinds;
mod left;
mod litellm;
mod yaml_out;

use std::fmt;

use super::place::{Path, Place};

pub use litellm::litellm;

/// A configuration, and what became of the other one.
#[derive(Debug)]
pub struct Imported {
    pub yaml: String,
    /// In the order of the other file.
    pub report: Vec<Note>,
    /// Names of models that lead somewhere.
    pub models: usize,
    pub providers: usize,
}

/// What became of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub line: u64,
    pub column: u64,
    pub path: String,
    pub fate: Fate,
    pub why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is there, but not quite as it was.
    Changed,
    /// It is not there.
    Left,
}

impl Note {
    pub(super) fn new(at: Place, path: &Path, fate: Fate, why: impl Into<String>) -> Self {
        let Place { line, column } = at;
        Self { line, column, path: path.to_string(), fate, why: why.into() }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, path, fate, why } = self;
        let fate = match fate {
            Fate::Changed => "changed",
            Fate::Left => "not carried",
        };
        write!(f, "{line}:{column}: {path}: {fate}: {why}")
    }
}
