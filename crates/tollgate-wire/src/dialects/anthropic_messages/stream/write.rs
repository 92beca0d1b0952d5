//! The frames of a stream, written. Pieces of text are written straight into the buffer: they are
//! most of what a stream is.

use std::io::Write as _;

use serde_json::Value;

use crate::written;

/// One event with its name.
pub(super) fn event(name: &str, data: &Value, out: &mut Vec<u8>) {
    begin(name, out);
    written::json_to(data, out);
    out.extend_from_slice(b"\n\n");
}

/// A piece of block `index`: `{"type": kind, field: text}`.
pub(super) fn piece(index: u32, kind: &str, field: &str, text: &str, out: &mut Vec<u8>) {
    begin("content_block_delta", out);
    // Writing into a vector cannot fail.
    let _ = write!(
        out,
        r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"{kind}","{field}":"#
    );
    written::text_to(text, out);
    out.extend_from_slice(b"}}\n\n");
}

/// The end of block `index`.
pub(super) fn stop(index: u32, out: &mut Vec<u8>) {
    begin("content_block_stop", out);
    let _ = write!(out, r#"{{"type":"content_block_stop","index":{index}}}"#);
    out.extend_from_slice(b"\n\n");
}

fn begin(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
}
