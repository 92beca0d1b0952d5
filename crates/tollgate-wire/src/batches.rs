//! Batches as dialects have them, as data: where the lines of one come from, what a line asks for,
//! and what an answered one used. A line of either kind is an object; what is asked and what was
//! answered stand somewhere inside it.

use std::ops::Range;

use serde_json::Value;
use tollgate_model::{DialectId, Usage};

use crate::scan::reader::Reader;
use crate::scan::{Limits, scan};
use crate::{Codec, Operation, Quirks, Scan, codec};

/// More lines than any vendor takes.
pub const MOST_LINES: usize = 100_000;

/// The tier of what is answered in a batch, whatever the answer says.
const TIER: &str = "batch";

/// One dialect's batches.
#[derive(Debug)]
pub struct Batches {
    pub lines: Lines,
    /// The member of a line that holds what is asked.
    pub asks: &'static str,
    /// The members, one in the other, that lead to what was answered.
    pub answers: [&'static str; 2],
    /// Reads the object `usage` of an answer.
    pub usage: fn(&Value, &Quirks) -> Usage,
}

/// Where the lines are, and where the answered ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// In a file that was uploaded for this purpose, and in files that these members of a batch
    /// name.
    InFiles { purpose: &'static str, written: &'static [&'static str] },
    /// In this member of the request that makes a batch, and on a path below the batch, which a
    /// member of it tells.
    InBatch { requests: &'static str, results: &'static str, told: &'static str },
}

/// Those of a dialect.
#[must_use]
pub fn of(dialect: DialectId) -> Option<&'static Batches> {
    match codec(dialect, Operation::Batches)? {
        Codec::Batches(batches) => Some(batches),
        _ => None,
    }
}

impl Batches {
    /// The model that a line asks for, and where its name stands in the line, quotes included.
    /// `None`: it is no line of a batch.
    #[must_use]
    pub fn asked(&self, line: &[u8], seed: u64) -> Option<(String, Range<usize>)> {
        let limits = Limits::seeded(seed);
        let outer = scan(line, &limits).ok()?;
        let body = outer.member(line, self.asks)?.value();
        let written = line.get(body.clone())?;
        let inner = scan(written, &limits).ok()?;
        let model = inner.string(written, "model").ok()??.into_owned();
        let at = inner.member(written, "model")?.value();
        Some((model, body.start + at.start..body.start + at.end))
    }

    /// The lines that stand in a request which makes a batch, with their places in it. `None`:
    /// there is no list of them.
    #[must_use]
    pub fn inside<'b>(&self, body: &'b [u8], scan: &Scan) -> Option<Vec<(usize, &'b [u8])>> {
        let Lines::InBatch { requests, .. } = self.lines else { return None };
        let place = scan.member(body, requests)?.value();
        let mut lines = Vec::new();
        let mut reader = Reader::new(body.get(place.clone())?);
        reader.list(|reader| {
            let line = reader.skip()?;
            lines.push((place.start + reader.read() - line.len(), line));
            Some(())
        })?;
        Some(lines)
    }

    /// The model of the first line that stands in such a request.
    #[must_use]
    pub fn first_asked(&self, body: &[u8], scan: &Scan, seed: u64) -> Option<String> {
        let Lines::InBatch { requests, .. } = self.lines else { return None };
        let mut reader = Reader::new(body.get(scan.member(body, requests)?.value())?);
        let mut first = None;
        // The first is enough: the rest is left unread.
        reader.list(|reader| {
            first = self.asked(reader.skip()?, seed);
            None
        });
        first.map(|(model, _)| model)
    }

    /// What an answered line used, and the model that answered it.
    #[must_use]
    pub fn used(&self, line: &[u8], quirks: &Quirks) -> Option<(Usage, Option<String>)> {
        let line: Value = serde_json::from_slice(line).ok()?;
        let answer = self.answers.iter().try_fold(&line, |at, name| at.get(name))?;
        let mut usage = (self.usage)(answer.get("usage")?, quirks);
        usage.service_tier = Some(TIER.to_owned());
        Some((usage, answer.get("model").and_then(Value::as_str).map(str::to_owned)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::anthropic_messages::batches::BATCHES as IN_BATCH;
    use crate::dialects::openai_chat::batches::BATCHES as IN_FILES;

    #[test]
    fn the_model_of_a_line_is_found_where_it_stands() {
        let line = br#"{"custom_id": "model", "model": "x", "body": {"messages": [{"model": 1}], "model": "gpt-4o\u002dmini"}}"#;
        let (model, at) = IN_FILES.asked(line, 7).unwrap();
        assert_eq!(model, "gpt-4o-mini");
        assert_eq!(&line[at], br#""gpt-4o\u002dmini""#);
        for none in [&b"{}"[..], b"", b"[]", br#"{"body": []}"#, br#"{"body": {"model": 1}}"#] {
            assert_eq!(IN_FILES.asked(none, 7), None);
        }
        // Two readers could differ about which one is meant.
        assert_eq!(IN_FILES.asked(br#"{"body": {"model": "a", "model": "b"}}"#, 7), None);
    }

    #[test]
    fn lines_inside_a_request_are_found_with_their_places() {
        let body = br#"{"x": [1], "requests" : [ {"custom_id": "a", "params": {"model": "m"}},
            {"params": {"max_tokens": 1, "model" : "n"}} ]}"#;
        let scan = scan(body, &Limits::seeded(7)).unwrap();
        let found = IN_BATCH.inside(body, &scan).unwrap();
        let models = found.iter().map(|(at, line)| {
            let (model, place) = IN_BATCH.asked(line, 7).unwrap();
            assert_eq!(&body[at + place.start..at + place.end], format!("\"{model}\"").as_bytes());
            model
        });
        assert_eq!(models.collect::<Vec<_>>(), ["m", "n"]);
        assert_eq!(IN_BATCH.first_asked(body, &scan, 7).as_deref(), Some("m"));
        for none in [&br#"{"requests": {}}"#[..], br#"{"requests": null}"#, b"{}"] {
            let scan = super::scan(none, &Limits::seeded(7)).unwrap();
            assert_eq!(IN_BATCH.inside(none, &scan), None);
            assert_eq!(IN_BATCH.first_asked(none, &scan, 7), None);
        }
        assert_eq!(IN_FILES.inside(body, &scan), None);
    }

    #[test]
    fn an_answered_line_says_what_it_used() {
        let line = br#"{"response": {"status_code": 200, "body": {"model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}}}"#;
        let (usage, model) = IN_FILES.used(line, &Quirks::NONE).unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(3), Some(4)));
        assert_eq!((model.as_deref(), usage.service_tier.as_deref()), (Some("m"), Some("batch")));
        assert_eq!(IN_FILES.used(br#"{"response": null, "error": {}}"#, &Quirks::NONE), None);
        let line = br#"{"custom_id": "a", "result": {"type": "succeeded", "message": {"model": "m", "usage": {"input_tokens": 3, "cache_read_input_tokens": 5, "output_tokens": 4}}}}"#;
        let (usage, model) = IN_BATCH.used(line, &Quirks::NONE).unwrap();
        assert_eq!((usage.cache_read_input_tokens, usage.output_tokens), (Some(5), Some(4)));
        assert_eq!(model.as_deref(), Some("m"));
        let line = br#"{"custom_id": "a", "result": {"type": "errored", "error": {}}}"#;
        assert_eq!(IN_BATCH.used(line, &Quirks::NONE), None);
    }
}
