//! A new body from an old one and a few edits, in one allocation; all else stays byte for byte.
//!
//! [`splice`] is the bare operation. [`Splice`] knows JSON objects: it sets and removes members of
//! a scanned body, and gathers what has to be inserted so that commas come out right.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use crate::scan::{Limits, Scan, ScanError, ScanErrorKind};

/// One replacement; an empty range is an insertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit<'a> {
    pub range: Range<usize>,
    pub with: Cow<'a, [u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// Places of another body, most likely.
    #[error("an edit of bytes {start} to {end} does not fit a body of {length} bytes")]
    OutOfBounds { start: usize, end: usize, length: usize },
    #[error("two edits of the same bytes, at {0}")]
    Overlap(usize),
}

/// The body with its edits made. They may come in any order; insertions at one place stay in
/// theirs.
///
/// # Errors
/// When two edits overlap or one does not fit the body.
pub fn splice(body: &[u8], edits: &mut [Edit<'_>]) -> Result<Bytes, SpliceError> {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let (mut length, mut from) = (body.len(), 0);
    for Edit { range, with } in edits.iter() {
        let (start, end) = (range.start, range.end);
        if start > end || end > body.len() {
            return Err(SpliceError::OutOfBounds { start, end, length: body.len() });
        }
        if start < from {
            return Err(SpliceError::Overlap(start));
        }
        from = end;
        length = length - (end - start) + with.len();
    }
    let mut new = Vec::with_capacity(length);
    let mut from = 0;
    for edit in edits.iter() {
        new.extend_from_slice(&body[from..edit.range.start]);
        new.extend_from_slice(&edit.with);
        from = edit.range.end;
    }
    new.extend_from_slice(&body[from..]);
    Ok(Bytes::from(new))
}

/// Edits of the members of a scanned object, made all at once by [`finish`](Self::finish).
#[derive(Debug)]
pub struct Splice<'a> {
    body: &'a [u8],
    scan: &'a Scan,
    edits: Vec<Edit<'a>>,
    /// New members, with commas between them.
    inserted: Vec<u8>,
    /// Where the keys of members stand that are to go.
    removed: Vec<usize>,
}

impl<'a> Splice<'a> {
    /// `scan` is the scan of this very body.
    #[must_use]
    pub fn new(body: &'a [u8], scan: &'a Scan) -> Self {
        Self { body, scan, edits: Vec::new(), inserted: Vec::new(), removed: Vec::new() }
    }

    /// Sets a member to a value that is written already: in place when it is there, else before
    /// all others.
    #[must_use]
    pub fn set(mut self, key: &str, written: impl Into<Cow<'a, [u8]>>) -> Self {
        let with = written.into();
        if let Some(member) = self.scan.member(self.body, key) {
            self.edits.push(Edit { range: member.value(), with });
        } else {
            if !self.inserted.is_empty() {
                self.inserted.push(b',');
            }
            self.inserted.extend_from_slice(&quoted(key));
            self.inserted.push(b':');
            self.inserted.extend_from_slice(&with);
        }
        self
    }

    /// Takes a member out, with its comma; no edit when it is not there.
    #[must_use]
    pub fn remove(mut self, key: &str) -> Self {
        self.removed.extend(self.scan.member(self.body, key).map(|member| member.key().start));
        self
    }

    /// The body has such a member, whatever its value.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.scan.member(self.body, key).is_some()
    }

    /// Nothing is to be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.inserted.is_empty() && self.removed.is_empty()
    }

    /// Names another model.
    #[must_use]
    pub fn set_model(self, model: &str) -> Self {
        self.set("model", quoted(model))
    }

    /// Asks for usage at the end of an OpenAI stream, which metering needs; no edit when the
    /// caller asked too.
    ///
    /// # Errors
    /// When the caller's `stream_options` is no object, or its `include_usage` no flag.
    pub fn ask_for_stream_usage(self) -> Result<Self, ScanError> {
        let Some(options) = options(self.body, self.scan)? else {
            return Ok(self.set(OPTIONS, &b"{\"include_usage\":true}"[..]));
        };
        if options.flag(USAGE)? == Some(true) {
            return Ok(self);
        }
        let extended = Splice::new(options.written, &options.scan).set(USAGE, &b"true"[..]);
        // The places are those of this very text, so the edit fits.
        let extended = extended.finish().unwrap_or_default();
        Ok(self.set(OPTIONS, Vec::from(extended)))
    }

    /// The body with all edits made; the body itself when there are none.
    ///
    /// # Errors
    /// When the scan is not of this body, or a member was set twice, or set and removed.
    pub fn finish(mut self) -> Result<Bytes, SpliceError> {
        let some_stay = self.take_out();
        if !self.inserted.is_empty()
            && let Some(at) = self.scan.inside()
        {
            if some_stay {
                self.inserted.push(b',');
            }
            let with = Cow::Owned(std::mem::take(&mut self.inserted));
            self.edits.push(Edit { range: at..at, with });
        }
        splice(self.body, &mut self.edits)
    }

    /// Turns what is to go into edits, one for each run of neighbours. Whether any member stays.
    fn take_out(&mut self) -> bool {
        if self.removed.is_empty() {
            return self.scan.members().next().is_some();
        }
        // Where the last member that stays ends, and where the run after it begins.
        let (mut stays, mut run): (Option<usize>, Option<usize>) = (None, None);
        let mut end = 0;
        for member in self.scan.members() {
            // The key stands in quotes.
            let start = member.key().start.saturating_sub(1);
            if self.removed.contains(&member.key().start) {
                run = run.or(Some(start));
            } else {
                if let Some(from) = run.take() {
                    self.edits.push(Edit { range: from..start, with: Cow::Borrowed(b"") });
                }
                stays = Some(member.value().end);
            }
            end = member.value().end;
        }
        if let Some(from) = run {
            let from = stays.unwrap_or(from);
            self.edits.push(Edit { range: from..end, with: Cow::Borrowed(b"") });
        }
        stays.is_some()
    }
}

const OPTIONS: &str = "stream_options";
const USAGE: &str = "include_usage";

/// Whether the caller of an OpenAI stream asked for usage at its end.
///
/// # Errors
/// When `stream_options` is no object, or its `include_usage` no flag.
pub fn wants_stream_usage(body: &[u8], scan: &Scan) -> Result<bool, ScanError> {
    let Some(options) = options(body, scan)? else { return Ok(false) };
    Ok(options.flag(USAGE)?.unwrap_or(false))
}

/// An object inside a body, scanned for itself.
struct Inner<'a> {
    body: &'a [u8],
    at: usize,
    written: &'a [u8],
    scan: Scan,
}

/// `None` when there are none, or `null`.
fn options<'a>(body: &'a [u8], scan: &Scan) -> Result<Option<Inner<'a>>, ScanError> {
    let Some(written) = scan.written(body, OPTIONS) else { return Ok(None) };
    let at = scan.member(body, OPTIONS).map_or(0, |member| member.value().start);
    // Part of what was scanned already: nothing can collide or be too deep.
    let inner = crate::scan::scan(written, &Limits::seeded(0));
    match inner {
        Ok(inner) if inner.is_object() => Ok(Some(Inner { body, at, written, scan: inner })),
        _ => {
            let kind = ScanErrorKind::WrongType { key: OPTIONS, wanted: "an object" };
            Err(ScanError::at(kind, at, body))
        }
    }
}

impl Inner<'_> {
    fn flag(&self, key: &'static str) -> Result<Option<bool>, ScanError> {
        // Told where it stands in the whole body.
        let placed =
            |error: ScanError| ScanError::at(error.kind, self.at + error.offset, self.body);
        self.scan.flag(self.written, key).map_err(placed)
    }
}

fn quoted(text: &str) -> Vec<u8> {
    serde_json::Value::from(text).to_string().into_bytes()
}
