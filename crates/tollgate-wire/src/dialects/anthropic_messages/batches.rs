//! Message batches: the lines stand in the request that makes one, the answered ones below it.

use serde_json::Value;
use tollgate_model::Usage;

use super::usage::Statement;
use crate::Quirks;
use crate::batches::{Batches, Lines};

pub const BATCHES: Batches = Batches {
    lines: Lines::InBatch { requests: "requests", results: "results", told: "results_url" },
    asks: "params",
    answers: ["result", "message"],
    usage: stated,
};

fn stated(usage: &Value, _: &Quirks) -> Usage {
    let mut statement = Statement::default();
    statement.merge(usage.clone());
    statement.read()
}
