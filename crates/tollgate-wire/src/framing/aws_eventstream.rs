//! Amazon's binary event stream: a prelude with two lengths, typed headers, a payload, and a
//! checksum over each of prelude and message. Both are verified: a frame that was damaged on its
//! way is never read.
//!
//! Of the headers only those that say what a frame is are kept; the rest stays in `raw`.

#[cfg(test)]
mod tests;

use std::ops::Range;

use bytes::Bytes;

use super::{Frame, FrameError, MessageType};

/// Two lengths and their checksum.
const PRELUDE: usize = 12;
/// The checksum of the whole, at the end.
const CHECKSUM: usize = 4;
/// The type of a header whose value is a string.
const STRING: u8 = 7;

/// Appends one event.
pub fn write_event(event: &str, payload: &[u8], out: &mut Vec<u8>) {
    write(":event-type", event, "event", payload, out);
}

/// Appends one exception: the stream ends with it.
pub fn write_exception(exception: &str, payload: &[u8], out: &mut Vec<u8>) {
    write(":exception-type", exception, "exception", payload, out);
}

fn write(name: &str, value: &str, message_type: &str, payload: &[u8], out: &mut Vec<u8>) {
    let mut headers = Vec::with_capacity(96);
    let json = (":content-type", "application/json");
    for (name, value) in [(name, value), json, (":message-type", message_type)] {
        headers.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        headers.extend_from_slice(name.as_bytes());
        headers.push(STRING);
        headers.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    seal(&headers, payload, out);
}

/// Appends a frame of these headers, already written, and this payload.
pub fn seal(headers: &[u8], payload: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    out.extend_from_slice(&length(PRELUDE + headers.len() + payload.len() + CHECKSUM));
    out.extend_from_slice(&length(headers.len()));
    out.extend_from_slice(&crc32fast::hash(&out[start..]).to_be_bytes());
    out.extend_from_slice(headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out[start..]).to_be_bytes());
}

/// Finds the ends of the frames by their own word, which its checksum must bear out.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    prelude: [u8; PRELUDE],
    /// Bytes of the prelude that came.
    known: usize,
    /// Bytes of the frame that are still to come after the prelude.
    missing: usize,
    /// Bytes that the headers take.
    headers: usize,
}

impl Cutter {
    /// Reads `chunk` up to the end of the frame, and says where that is.
    pub(super) fn cut(&mut self, chunk: &[u8]) -> Result<Option<usize>, FrameError> {
        let mut at = 0;
        if self.known < PRELUDE {
            at = chunk.len().min(PRELUDE - self.known);
            self.prelude[self.known..self.known + at].copy_from_slice(&chunk[..at]);
            self.known += at;
            if self.known < PRELUDE {
                return Ok(None);
            }
            self.open()?;
        }
        let here = self.missing.min(chunk.len() - at);
        self.missing -= here;
        if self.missing > 0 {
            return Ok(None);
        }
        self.known = 0;
        Ok(Some(at + here))
    }

    /// Believes the prelude, now that it is whole.
    fn open(&mut self) -> Result<(), FrameError> {
        let [total, headers, checksum] = [0, 4, 8].map(|at| number(&self.prelude, at));
        if crc32fast::hash(&self.prelude[..8]) != checksum {
            return Err(FrameError::Checksum);
        }
        let (total, headers) = (total as usize, headers as usize);
        let rest = total.checked_sub(PRELUDE + CHECKSUM).ok_or(FrameError::Malformed)?;
        if headers > rest {
            return Err(FrameError::Malformed);
        }
        (self.headers, self.missing) = (headers, total - PRELUDE);
        Ok(())
    }

    /// Reads a whole frame.
    pub(super) fn read(&self, raw: Bytes) -> Result<Frame, FrameError> {
        let end = raw.len() - CHECKSUM;
        if crc32fast::hash(&raw[..end]) != number(&raw, end) {
            return Err(FrameError::Checksum);
        }
        let body = PRELUDE + self.headers;
        let said = Said::read(&raw[..body])?;
        let kind = match &raw[said.message_type] {
            b"event" | b"" => MessageType::Event,
            b"exception" => MessageType::Exception,
            b"error" => MessageType::Error,
            _ => return Err(FrameError::Malformed),
        };
        let (event, data) = match kind {
            MessageType::Event => (said.event_type, body..end),
            MessageType::Exception => (said.exception_type, body..end),
            MessageType::Error => (said.error_code, said.error_message),
        };
        let part = |range: Range<usize>| {
            if range.is_empty() { Bytes::new() } else { raw.slice(range) }
        };
        Ok(Frame { event: part(event), data: part(data), kind, raw: raw.clone() })
    }

    /// No frame is open.
    pub(super) fn is_closed(&self) -> bool {
        self.known == 0
    }
}

/// Where in a frame the headers stand that say what it is; empty where they are missing.
#[derive(Default)]
struct Said {
    message_type: Range<usize>,
    event_type: Range<usize>,
    exception_type: Range<usize>,
    error_code: Range<usize>,
    error_message: Range<usize>,
}

impl Said {
    /// Walks the headers, which fill the frame from its prelude on.
    fn read(frame: &[u8]) -> Result<Self, FrameError> {
        let mut said = Self::default();
        let mut rest = Rest { frame, at: PRELUDE };
        while rest.at < frame.len() {
            let length = rest.length::<1>()?;
            let name = rest.take(length)?;
            let [kind] = rest.bytes()?;
            let size = match kind {
                0 | 1 => 0,                        // true, false
                2 => 1,                            // byte
                3 => 2,                            // short
                4 => 4,                            // integer
                5 | 8 => 8,                        // long, timestamp
                6 | STRING => rest.length::<2>()?, // bytes, string
                9 => 16,                           // uuid
                _ => return Err(FrameError::Malformed),
            };
            let value = rest.take(size)?;
            let place = match &frame[name] {
                b":message-type" => &mut said.message_type,
                b":event-type" => &mut said.event_type,
                b":exception-type" => &mut said.exception_type,
                b":error-code" => &mut said.error_code,
                b":error-message" => &mut said.error_message,
                _ => continue,
            };
            if kind != STRING {
                return Err(FrameError::Malformed);
            }
            *place = value;
        }
        Ok(said)
    }
}

/// Headers that were not read yet.
struct Rest<'a> {
    frame: &'a [u8],
    at: usize,
}

impl Rest<'_> {
    fn take(&mut self, length: usize) -> Result<Range<usize>, FrameError> {
        let range = self.at..self.at + length;
        if range.end > self.frame.len() {
            return Err(FrameError::Malformed);
        }
        self.at = range.end;
        Ok(range)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let range = self.take(N)?;
        self.frame[range].try_into().map_err(|_| FrameError::Malformed)
    }

    /// A length of `N` bytes.
    fn length<const N: usize>(&mut self) -> Result<usize, FrameError> {
        let bytes: [u8; N] = self.bytes()?;
        Ok(bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }
}

/// The number at that place, which is inside.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}
