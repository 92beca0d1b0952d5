//! Cuts a streamed body into frames, whatever the network's own cuts were.
//!
//! Nothing is lost: the `raw` bytes of the frames, joined, are the body, so a lane that passes a
//! stream on sends them as they are. What a frame means is the dialect's to say, not read here.

pub mod aws_eventstream;
mod json_array;
mod ndjson;
mod sse;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::mem;

use bytes::{Buf, Bytes};

/// How a stream is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Amazon's binary event stream.
    AwsEventStream,
    /// Server-sent events.
    Sse,
    /// One JSON array whose elements are the events (Gemini without `alt=sse`).
    JsonArray,
    /// One JSON document a line (Ollama).
    Ndjson,
}

/// What hosts call a stream of JSON documents, one a line.
const LINES: &[&str] = &[
    "application/json-seq",
    "application/jsonl",
    "application/jsonlines",
    "application/ndjson",
    "application/x-jsonlines",
    "application/x-ndjson",
];

impl Framing {
    /// The framing that a `content-type` promises; `None` for a type that is no stream.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("text/event-stream") {
            Some(Self::Sse)
        } else if essence.eq_ignore_ascii_case("application/json") {
            Some(Self::JsonArray)
        } else if essence.eq_ignore_ascii_case("application/vnd.amazon.eventstream") {
            Some(Self::AwsEventStream)
        } else if LINES.iter().any(|lines| essence.eq_ignore_ascii_case(lines)) {
            Some(Self::Ndjson)
        } else {
            None
        }
    }

    /// The `content-type` of a stream in this framing.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::JsonArray => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::AwsEventStream => "application/vnd.amazon.eventstream",
        }
    }

    /// What ends an event whose own end is missing, so that what follows is another.
    #[must_use]
    pub fn terminator(self) -> &'static [u8] {
        match self {
            Self::Sse => b"\n\n",
            Self::JsonArray | Self::AwsEventStream => b"",
            Self::Ndjson => b"\n",
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
    /// What the framing itself says of the frame, where it does.
    pub kind: MessageType,
}

impl Frame {
    /// The data without white space around it; `None` of a comment or heartbeat.
    pub(crate) fn said(&self) -> Option<&[u8]> {
        Some(self.data.trim_ascii()).filter(|data| !data.is_empty())
    }
}

/// Whether a frame goes on with the stream or breaks it off; framings of text do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageType {
    #[default]
    Event,
    /// A fault that the service knows: `event` is its name, `data` what it says of it.
    Exception,
    /// A fault outside the service's own: `event` is its code, `data` its message.
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame outgrew its bound.
    #[error("an event of the stream is larger than {0} bytes")]
    TooLarge(usize),
    /// The bytes are no frames of this kind.
    #[error("the stream is not framed as announced")]
    Malformed,
    /// The bytes were changed on their way.
    #[error("a checksum of the stream does not agree with its bytes")]
    Checksum,
    /// The body ended where no frame ends.
    #[error("the stream ended inside an event")]
    Unfinished,
}

/// Cuts bytes into frames: [`push`](Self::push) a chunk, take frames until there is none, and at
/// the end of the body ask [`end`](Self::end) for the rest.
///
/// A frame that lies in one chunk is a slice of it. Only one that spans chunks is copied, once.
/// How the body was cut into chunks never shows: not in the frames, and not in the errors.
#[derive(Debug)]
pub struct Framer {
    cutter: Cutter,
    most: usize,
    /// The beginning of a frame whose end has not come; the cutter has read it.
    held: Vec<u8>,
    /// What came and the cutter has not read.
    chunks: VecDeque<Bytes>,
    /// An error is final: after it nothing can be told apart.
    broken: Option<FrameError>,
}

#[derive(Debug)]
enum Cutter {
    AwsEventStream(aws_eventstream::Cutter),
    Sse(sse::Cutter),
    JsonArray(json_array::Cutter),
    Ndjson,
}

impl Framer {
    /// `most`: bound on one frame in bytes.
    #[must_use]
    pub fn new(framing: Framing, most: usize) -> Self {
        let cutter = match framing {
            Framing::AwsEventStream => Cutter::AwsEventStream(aws_eventstream::Cutter::default()),
            Framing::Sse => Cutter::Sse(sse::Cutter::default()),
            Framing::JsonArray => Cutter::JsonArray(json_array::Cutter::default()),
            Framing::Ndjson => Cutter::Ndjson,
        };
        Self { cutter, most, held: Vec::new(), chunks: VecDeque::new(), broken: None }
    }

    /// Takes the next bytes of the body. Take the frames out before pushing more: what is pushed
    /// and not yet cut has no bound of its own.
    pub fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() && self.broken.is_none() {
            self.chunks.push_back(bytes);
        }
    }

    /// The next whole frame, if there is one.
    ///
    /// # Errors
    /// When a frame outgrows its bound or the bytes cannot be frames; then for good.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        self.cut().map_err(|error| self.give_up(error))
    }

    /// The body has ended: what was left over as a last frame, if it is one.
    ///
    /// Call it once `next_frame` gives nothing more. Of server-sent events, a last event whose
    /// blank line is missing counts when its data is whole (JSON, or a terminator such as
    /// `[DONE]`): several providers leave that line out. A browser would drop it. Comments and
    /// white space are handed out with empty data.
    ///
    /// # Errors
    /// `Unfinished` when the rest is the beginning of a frame.
    pub fn end(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        self.rest().map_err(|error| self.give_up(error))
    }

    fn cut(&mut self) -> Result<Option<Frame>, FrameError> {
        while let Some(chunk) = self.chunks.front_mut() {
            // One byte more than may be: so a frame is found too large at the same byte however
            // it was cut.
            let room = self.most.saturating_sub(self.held.len()).saturating_add(1);
            let window = &chunk[..chunk.len().min(room)];
            let end = match &mut self.cutter {
                Cutter::Sse(cutter) => cutter.cut(window),
                Cutter::JsonArray(cutter) => cutter.cut(window)?,
                Cutter::AwsEventStream(cutter) => cutter.cut(window)?,
                Cutter::Ndjson => ndjson::cut(window),
            };
            let more = end.unwrap_or(window.len());
            if self.held.len() + more > self.most {
                return Err(FrameError::TooLarge(self.most));
            }
            let raw = match end {
                Some(_) if self.held.is_empty() => Some(chunk.split_to(more)),
                _ => {
                    self.held.extend_from_slice(&chunk[..more]);
                    chunk.advance(more);
                    end.map(|_| Bytes::from(mem::take(&mut self.held)))
                }
            };
            if chunk.is_empty() {
                self.chunks.pop_front();
            }
            if let Some(raw) = raw {
                return self.read(raw).map(Some);
            }
        }
        Ok(None)
    }

    fn read(&mut self, raw: Bytes) -> Result<Frame, FrameError> {
        Ok(match &mut self.cutter {
            Cutter::Sse(cutter) => cutter.read(raw),
            Cutter::JsonArray(cutter) => cutter.read(raw),
            Cutter::AwsEventStream(cutter) => cutter.read(raw)?,
            Cutter::Ndjson => ndjson::read(raw),
        })
    }

    fn rest(&mut self) -> Result<Option<Frame>, FrameError> {
        let whole = match &self.cutter {
            Cutter::Sse(_) | Cutter::Ndjson => true,
            Cutter::JsonArray(cutter) => cutter.is_closed(),
            Cutter::AwsEventStream(cutter) => cutter.is_closed(),
        };
        if !whole {
            return Err(FrameError::Unfinished);
        }
        if self.held.is_empty() {
            return Ok(None);
        }
        let raw = Bytes::from(mem::take(&mut self.held));
        let frame = match &mut self.cutter {
            Cutter::Sse(cutter) => cutter.read_last(raw)?,
            Cutter::JsonArray(cutter) => cutter.read(raw),
            Cutter::AwsEventStream(cutter) => cutter.read(raw)?,
            Cutter::Ndjson => ndjson::read_last(raw)?,
        };
        Ok(Some(frame))
    }

    fn give_up(&mut self, error: FrameError) -> FrameError {
        self.broken = Some(error);
        self.held = Vec::new();
        self.chunks.clear();
        error
    }
}
