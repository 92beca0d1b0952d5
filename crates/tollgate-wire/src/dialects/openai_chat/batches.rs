//! The files of batches, line by line: what a line asks for, and what an answered one used.

use std::ops::Range;

use serde_json::Value;
use tollgate_model::Usage;

use super::measure;
use crate::Quirks;
use crate::scan::{Limits, scan};

/// What a batch is called when a file is uploaded for one.
pub const PURPOSE: &str = "batch";

/// Members of a batch that name files which it wrote.
pub const WRITTEN: &[&str] = &["output_file_id", "error_file_id"];

/// More lines than any vendor takes.
pub const MOST_LINES: usize = 100_000;

/// The model that a line asks for, and where its name stands in the line, quotes included.
/// `None`: it is no line of a batch.
#[must_use]
pub fn asked(line: &[u8], seed: u64) -> Option<(String, Range<usize>)> {
    let limits = Limits::seeded(seed);
    let outer = scan(line, &limits).ok()?;
    let body = outer.member(line, "body")?.value();
    let written = line.get(body.clone())?;
    let inner = scan(written, &limits).ok()?;
    let model = inner.string(written, "model").ok()??.into_owned();
    let at = inner.member(written, "model")?.value();
    Some((model, body.start + at.start..body.start + at.end))
}

/// What an answered line used, and the model that answered it.
#[must_use]
pub fn used(line: &[u8], quirks: &Quirks) -> Option<(Usage, Option<String>)> {
    let line: Value = serde_json::from_slice(line).ok()?;
    let body = line.get("response")?.get("body")?;
    let usage = measure::of_text(body.get("usage")?, quirks);
    Some((usage, body.get("model").and_then(Value::as_str).map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_a_line_is_found_where_it_stands() {
        let line = br#"{"custom_id": "model", "model": "x", "body": {"messages": [{"model": 1}], "model": "gpt-4o\u002dmini"}}"#;
        let (model, at) = asked(line, 7).unwrap();
        assert_eq!(model, "gpt-4o-mini");
        assert_eq!(&line[at], br#""gpt-4o\u002dmini""#);
        for none in [&b"{}"[..], b"", b"[]", br#"{"body": []}"#, br#"{"body": {"model": 1}}"#] {
            assert_eq!(asked(none, 7), None);
        }
        // Two readers could differ about which one is meant.
        assert_eq!(asked(br#"{"body": {"model": "a", "model": "b"}}"#, 7), None);
    }

    #[test]
    fn an_answered_line_says_what_it_used() {
        let line = br#"{"response": {"status_code": 200, "body": {"model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}}}"#;
        let (usage, model) = used(line, &Quirks::NONE).unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(3), Some(4)));
        assert_eq!(model.as_deref(), Some("m"));
        assert_eq!(used(br#"{"response": null, "error": {}}"#, &Quirks::NONE), None);
    }
}
