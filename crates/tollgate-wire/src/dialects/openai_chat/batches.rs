//! Batches: lines in files.

use super::measure;
use crate::batches::{Batches, Lines};

pub const BATCHES: Batches = Batches {
    lines: Lines::InFiles { purpose: "batch", written: &["output_file_id", "error_file_id"] },
    asks: "body",
    answers: ["response", "body"],
    usage: measure::of_text,
};
