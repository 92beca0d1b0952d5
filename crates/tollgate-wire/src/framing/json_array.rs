//! A streamed JSON array: each element is a frame, handed out with its last byte.
//!
//! Reads no deeper than it takes to find where an element ends: whether the element itself is
//! sound JSON shows when the dialect parses it. Nothing recurses, so depth needs no bound here.

use std::ops::Range;

use bytes::Bytes;
use memchr::memchr2;

use super::{Frame, FrameError};

/// Finds the ends of the elements. The bracket, comma and white space before an element belong to
/// its frame; the closing bracket is a frame without data.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    state: State,
    /// Bytes of this frame read in earlier chunks.
    before: usize,
    /// Where in the frame that is open the element lies, as far as known.
    element: Range<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    /// Before the opening bracket.
    #[default]
    Start,
    /// After it: an element or the closing bracket.
    Opened,
    /// After a comma: an element.
    Comma,
    /// Inside an element that is an object or array; how many are open.
    Nested(usize),
    /// Inside a string, at this depth.
    Text(usize),
    /// After a backslash in such a string.
    Escape(usize),
    /// Inside a number, `true`, `false` or `null`, which end where something else begins.
    Word,
    /// After an element: a comma or the closing bracket.
    Element,
    Closed,
}

impl Cutter {
    /// Reads `chunk` up to the end of the frame, and says where that is.
    pub(super) fn cut(&mut self, chunk: &[u8]) -> Result<Option<usize>, FrameError> {
        let mut at = 0;
        while let Some(&byte) = chunk.get(at) {
            let here = self.before + at;
            at += 1;
            self.state = match (self.state, byte) {
                (State::Text(depth), _) => match memchr2(b'"', b'\\', &chunk[at - 1..]) {
                    None => {
                        at = chunk.len();
                        State::Text(depth)
                    }
                    Some(skipped) => {
                        at += skipped;
                        match (chunk[at - 1], depth) {
                            (b'"', 0) => return Ok(self.end_element(at)),
                            (b'"', _) => State::Nested(depth),
                            _ => State::Escape(depth),
                        }
                    }
                },
                (State::Escape(depth), _) => State::Text(depth),
                (State::Nested(depth), b'"') => State::Text(depth),
                (State::Nested(depth), b'{' | b'[') => State::Nested(depth + 1),
                (State::Nested(1), b'}' | b']') => return Ok(self.end_element(at)),
                (State::Nested(depth), b'}' | b']') => State::Nested(depth - 1),
                (State::Nested(depth), _) => State::Nested(depth),
                (State::Word, b' ' | b'\t' | b'\r' | b'\n' | b',' | b']') => {
                    return Ok(self.end_element(at - 1));
                }
                (State::Word, b'"' | b'{' | b'[' | b'}' | b':') => {
                    return Err(FrameError::Malformed);
                }
                (State::Word, _) => State::Word,
                (state, b' ' | b'\t' | b'\r' | b'\n') => state,
                (State::Start, b'[') => State::Opened,
                (State::Element, b',') => State::Comma,
                (State::Opened | State::Element, b']') => {
                    self.state = State::Closed;
                    return Ok(self.close(at, 0..0));
                }
                (State::Opened | State::Comma, _) => self.begin_element(here, byte)?,
                _ => return Err(FrameError::Malformed),
            };
        }
        self.before += chunk.len();
        Ok(None)
    }

    /// Reads a whole frame.
    pub(super) fn read(&mut self, raw: Bytes) -> Frame {
        let element = std::mem::take(&mut self.element);
        Frame { data: raw.slice(element), raw, ..Frame::default() }
    }

    /// The array is complete, or nothing of it ever came.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed | State::Start)
    }

    fn begin_element(&mut self, here: usize, byte: u8) -> Result<State, FrameError> {
        self.element.start = here;
        match byte {
            b'{' | b'[' => Ok(State::Nested(1)),
            b'"' => Ok(State::Text(0)),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => Ok(State::Word),
            _ => Err(FrameError::Malformed),
        }
    }

    fn end_element(&mut self, at: usize) -> Option<usize> {
        self.state = State::Element;
        let element = self.element.start..self.before + at;
        self.close(at, element)
    }

    fn close(&mut self, at: usize, element: Range<usize>) -> Option<usize> {
        self.before = 0;
        self.element = element;
        Some(at)
    }
}
