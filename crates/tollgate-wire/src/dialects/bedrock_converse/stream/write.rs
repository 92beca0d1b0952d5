//! The frames of a stream, written. Pieces of text are written straight into the payload: they are
//! most of what a stream is.

use std::io::Write as _;

use serde_json::Value;

use crate::framing::aws_eventstream;

/// Writes frames; the payload's buffer is used again and again.
#[derive(Debug, Default)]
pub(in super::super) struct Writer {
    payload: Vec<u8>,
}

impl Writer {
    /// One event.
    pub(super) fn event(&mut self, name: &str, payload: &Value, out: &mut Vec<u8>) {
        self.payload.clear();
        // Writing into a vector cannot fail.
        let _ = serde_json::to_writer(&mut self.payload, payload);
        aws_eventstream::write_event(name, &self.payload, out);
    }

    /// A piece of block `index`: `text` inside `before` and `after`.
    pub(super) fn piece(
        &mut self,
        index: u32,
        (before, after): (&str, &str),
        text: &str,
        out: &mut Vec<u8>,
    ) {
        self.payload.clear();
        let _ = write!(self.payload, r#"{{"contentBlockIndex":{index},"delta":{before}"#);
        let _ = serde_json::to_writer(&mut self.payload, text);
        let _ = write!(self.payload, "{after}}}");
        aws_eventstream::write_event("contentBlockDelta", &self.payload, out);
    }
}
