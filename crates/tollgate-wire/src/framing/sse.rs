//! Server-sent events, by the WHATWG standard: where an event ends, and its name and data.
//!
//! `id` and `retry` are not kept: no provider resumes a stream by them. They stay in `raw`.

use std::ops::Range;

use bytes::Bytes;
use memchr::{memchr, memchr2};
use serde::de::IgnoredAny;

use super::{Frame, FrameError};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Finds the blank lines. Every blank line ends a frame, so a heartbeat of bare line ends is not
/// held back.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    /// The line that is open has bytes.
    text: bool,
    /// The last byte was a CR; an LF may yet follow.
    carriage_return: Option<Line>,
    /// A line of this frame ended with a lone CR.
    lone: bool,
    /// The first frame was read: what looks like a byte order mark is none.
    begun: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    Blank,
    Text,
}

impl Cutter {
    /// Reads `chunk` up to the end of the frame, and says where that is.
    ///
    /// A CR that ends a chunk is undecided: its LF may come. Where the line before ended with a
    /// lone CR, the stream is taken to end its lines so, and its event is not held back for a byte
    /// that may be long in coming; should an LF come after all, it is a blank line more, which
    /// means nothing.
    pub(super) fn cut(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            if let Some(line) = self.carriage_return {
                let lone = *chunk.get(at)? != b'\n';
                self.carriage_return = None;
                self.lone = lone;
                at += usize::from(!lone);
                if line == Line::Blank {
                    return Some(self.close(at));
                }
            }
            let rest = chunk.get(at..)?;
            let Some(length) = memchr2(b'\n', b'\r', rest) else {
                self.text |= !rest.is_empty();
                return None;
            };
            let line = if self.text || length > 0 { Line::Text } else { Line::Blank };
            self.text = false;
            at += length + 1;
            if rest[length] == b'\n' {
                self.lone = false;
                if line == Line::Blank {
                    return Some(self.close(at));
                }
            } else if line == Line::Blank && self.lone {
                return Some(self.close(at));
            } else {
                self.carriage_return = Some(line);
            }
        }
    }

    fn close(&mut self, at: usize) -> usize {
        self.lone = false;
        at
    }

    /// Reads a whole frame.
    pub(super) fn read(&mut self, raw: Bytes) -> Frame {
        let from = if self.begun { 0 } else { byte_order_mark(&raw) };
        self.begun = true;
        let mut event = 0..0;
        let mut data = Data::None;
        for field in fields(&raw, from) {
            match &raw[field.name] {
                b"data" => data.add(&raw, field.value),
                b"event" => event = field.value,
                _ => {}
            }
        }
        let data = match data {
            Data::None => Bytes::new(),
            Data::Line(range) => raw.slice(range),
            Data::Lines(joined) => Bytes::from(joined),
        };
        let event = if event.is_empty() { Bytes::new() } else { raw.slice(event) };
        Frame { event, data, raw, ..Frame::default() }
    }

    /// Reads what stands after the last blank line of the body.
    pub(super) fn read_last(&mut self, raw: Bytes) -> Result<Frame, FrameError> {
        let closed = self.carriage_return == Some(Line::Blank);
        let frame = self.read(raw);
        if closed || is_whole(&frame.data) { Ok(frame) } else { Err(FrameError::Unfinished) }
    }
}

/// The data of a frame, copied only when it has several lines.
enum Data {
    None,
    Line(Range<usize>),
    Lines(Vec<u8>),
}

impl Data {
    fn add(&mut self, raw: &[u8], line: Range<usize>) {
        *self = match std::mem::replace(self, Self::None) {
            Self::None => Self::Line(line),
            Self::Line(first) => Self::Lines([&raw[first], b"\n", &raw[line]].concat()),
            Self::Lines(mut joined) => {
                joined.push(b'\n');
                joined.extend_from_slice(&raw[line]);
                Self::Lines(joined)
            }
        }
    }
}

/// Whether data can be trusted to have come in full: JSON that ends, or a word in brackets.
fn is_whole(data: &[u8]) -> bool {
    data.is_empty() || data == b"[DONE]" || serde_json::from_slice::<IgnoredAny>(data).is_ok()
}

fn byte_order_mark(raw: &[u8]) -> usize {
    if raw.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

/// One line of a frame that is neither blank nor a comment.
pub(super) struct Field {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
}

/// The fields of `raw` from `at` on, in order.
pub(super) fn fields(raw: &[u8], mut at: usize) -> impl Iterator<Item = Field> {
    std::iter::from_fn(move || {
        while at < raw.len() {
            let start = at;
            let length = memchr2(b'\n', b'\r', &raw[at..]).unwrap_or(raw.len() - at);
            at += length + 1;
            let line = &raw[start..start + length];
            let colon = memchr(b':', line).unwrap_or(length);
            if colon > 0 {
                let space = usize::from(line.get(colon + 1) == Some(&b' '));
                let value = (start + colon + 1 + space).min(start + length)..start + length;
                return Some(Field { name: start..start + colon, value });
            }
        }
        None
    })
}
