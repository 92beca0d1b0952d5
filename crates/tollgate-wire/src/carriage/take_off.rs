//! The way in: a request as a cloud's own SDK wraps it becomes one that the dialect reads.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Carriage;
use crate::scan::Scan;
use crate::splice::{Splice, SpliceError};

/// A request line without its wrapping.
#[derive(Clone, Copy, Debug)]
pub struct Bare<'a> {
    /// The model, where the path names it.
    pub model: Option<&'a str>,
    /// The path asks for a stream; a body of the dialect says so itself.
    pub stream: bool,
}

impl Carriage {
    /// Edits a wrapped body into one of the dialect, and puts into the headers what the dialect
    /// has there. `scan` is the scan of this very body.
    ///
    /// # Errors
    /// When the scan is not of this body.
    pub fn take_off(
        &self,
        bare: Bare<'_>,
        body: &Bytes,
        scan: &Scan,
        headers: &mut HeaderMap,
    ) -> Result<Bytes, SpliceError> {
        let mut splice = Splice::new(body, scan);
        for (member, _) in self.members {
            splice = splice.remove(member);
        }
        for (header, member) in self.lifted {
            let words = scan.written(body, member).map(words).unwrap_or_default();
            for word in words {
                if let Ok(value) = HeaderValue::from_str(&word) {
                    headers.append(HeaderName::from_static(header), value);
                }
            }
            splice = splice.remove(member);
        }
        for (header, meant) in self.dropped {
            let meant = HeaderValue::from_static(meant);
            headers.entry(HeaderName::from_static(header)).or_insert(meant);
        }
        if let Some(model) = bare.model
            && scan.string(body, "model").ok().flatten().as_deref() != Some(model)
        {
            splice = splice.set_model(model);
        }
        if bare.stream && scan.flag(body, "stream").ok().flatten() != Some(true) {
            splice = splice.set("stream", Cow::Borrowed(&b"true"[..]));
        }
        if splice.is_empty() { Ok(body.clone()) } else { splice.finish() }
    }
}

/// The strings of a JSON list; nothing of what is none.
fn words(written: &[u8]) -> Vec<String> {
    serde_json::from_slice(written).unwrap_or_default()
}
