//! What is known not to come out as recorded, and why: the rows of `exceptions.tsv`.
//!
//! An exception never covers text, tool calls or the finish of an answer, and one that excuses
//! nothing any more is stale.

use crate::digest::Difference;
use crate::judge::Verdict;

const FILE: &str = include_str!("../exceptions.tsv");

/// Fields of an answer that no exception may cover.
const SACRED: &[&str] =
    &["text", "tool_name", "tool_id", "tool_arguments", "finish", "shape", "panic", "cuts"];

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The id of a recording, or `provider:name`, `dialect:name`.
    pub rule: String,
    /// The shape it was written in, or `*`; `reader` for a reader's own.
    pub ingress: String,
    pub field: String,
    pub reason: String,
}

/// The rows of the file.
///
/// # Errors
/// A row that has not four columns, or covers what no exception may cover.
pub fn all() -> Result<Vec<Exception>, String> {
    parse(FILE)
}

fn parse(file: &str) -> Result<Vec<Exception>, String> {
    let rows = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|line| {
        let columns: Vec<_> = line.split('\t').map(str::trim).collect();
        let [rule, ingress, field, reason] = columns.as_slice() else {
            return Err(format!("not four columns: {line}"));
        };
        if SACRED.contains(field) {
            return Err(format!("no exception may cover {field}: {line}"));
        }
        if reason.is_empty() {
            return Err(format!("no reason: {line}"));
        }
        let (rule, ingress) = ((*rule).to_owned(), (*ingress).to_owned());
        let (field, reason) = ((*field).to_owned(), (*reason).to_owned());
        Ok(Exception { rule, ingress, field, reason })
    })
    .collect()
}

impl Exception {
    fn covers(&self, verdict: &Verdict, difference: &Difference) -> bool {
        let by_rule = match self.rule.split_once(':') {
            Some(("provider", name)) => verdict.provider == name,
            Some(("dialect", name)) => verdict.dialect == name,
            _ => verdict.id == self.rule,
        };
        by_rule
            && (self.ingress == "*" || self.ingress == verdict.ingress)
            && self.field == difference.field
    }
}

/// Takes out every difference that an exception covers, and gives the exceptions that covered
/// none.
#[must_use]
pub fn excuse(verdicts: &mut [Verdict], exceptions: &[Exception]) -> Vec<Exception> {
    let mut used = vec![false; exceptions.len()];
    for verdict in verdicts {
        let mut differences = std::mem::take(&mut verdict.differences);
        differences.retain(|difference| {
            let mut covered = false;
            for (at, exception) in exceptions.iter().enumerate() {
                if exception.covers(verdict, difference) {
                    used[at] = true;
                    covered = true;
                }
            }
            !covered
        });
        verdict.differences = differences;
    }
    let unused = exceptions.iter().zip(used).filter(|(_, used)| !used);
    unused.map(|(exception, _)| exception.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_four_columns_a_reason_and_covers_nothing_sacred() {
        assert_eq!(parse("# comment\n\na\t*\tusage.cached\twhy").unwrap().len(), 1);
        for bad in ["a\t*\tusage.cached", "a\t*\tusage.cached\t", "a\t*\ttext\twhy"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        all().unwrap();
    }
}
