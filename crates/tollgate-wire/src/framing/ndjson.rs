//! One JSON document a line: NDJSON, JSON Lines, and JSON text sequences (RFC 7464), whose
//! records begin with a byte of their own.
//!
//! A line is a frame whatever stands in it: whether it is sound JSON shows when the dialect parses
//! it. A document that spans lines, which text sequences allow, is therefore no document here.

use bytes::Bytes;
use memchr::memchr;
use serde::de::IgnoredAny;

use super::{Frame, FrameError, MessageType};

/// Begins a record of a JSON text sequence.
const RECORD_SEPARATOR: u8 = 0x1E;

/// Reads `chunk` up to the end of the line, and says where that is. A line needs no memory of what
/// came before.
pub(super) fn cut(chunk: &[u8]) -> Option<usize> {
    memchr(b'\n', chunk).map(|at| at + 1)
}

/// Reads a whole frame.
pub(super) fn read(raw: Bytes) -> Frame {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == RECORD_SEPARATOR;
    let start = raw.iter().position(|byte| !is_blank(byte)).unwrap_or(raw.len());
    let end = raw.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    Frame { data: raw.slice(start..end), event: Bytes::new(), kind: MessageType::Event, raw }
}

/// Reads what stands after the last line end of the body.
pub(super) fn read_last(raw: Bytes) -> Result<Frame, FrameError> {
    let frame = read(raw);
    let whole = frame.data.is_empty() || serde_json::from_slice::<IgnoredAny>(&frame.data).is_ok();
    if whole { Ok(frame) } else { Err(FrameError::Unfinished) }
}
