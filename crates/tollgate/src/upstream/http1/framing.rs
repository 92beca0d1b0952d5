//! Where the body of an answer ends: by its length, by chunks, or with its connection. Bytes in,
//! bytes out; it reads no socket.

use bytes::{Buf, Bytes, BytesMut};

/// Longer lines between chunks, and more trailers than that, are refused.
const LONGEST_LINE: usize = 4 << 10;
const MOST_TRAILER_BYTES: usize = 16 << 10;
/// More digits than any chunk needs.
const MOST_DIGITS: usize = 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes are to come.
    Length(u64),
    Chunked(Chunk),
    UntilClosed,
    /// Nothing is to come.
    Over,
}

/// What comes next of a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    Size,
    Content(u64),
    /// The line end after a chunk.
    End,
    /// So many bytes of trailers were read.
    Trailers(usize),
}

/// The chunks are not framed as chunks are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Framing {
    pub(super) fn chunked() -> Self {
        Self::Chunked(Chunk::Size)
    }

    /// The next content in `buffer`, which is taken out of it. `None`: more must be read, or the
    /// body is over.
    pub(super) fn take(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        loop {
            match self {
                Self::Over => return Ok(None),
                _ if buffer.is_empty() => return Ok(None),
                Self::UntilClosed => return Ok(Some(buffer.split().freeze())),
                Self::Length(left) => {
                    let content = content(left, buffer);
                    if *left == 0 {
                        *self = Self::Over;
                    }
                    return Ok(Some(content));
                }
                Self::Chunked(Chunk::Content(left)) => {
                    let content = content(left, buffer);
                    if *left == 0 {
                        *self = Self::Chunked(Chunk::End);
                    }
                    return Ok(Some(content));
                }
                Self::Chunked(chunk) => {
                    let Some(line) = line(buffer)? else { return Ok(None) };
                    *self = after(*chunk, &buffer[..line])?;
                    buffer.advance(line + 2);
                }
            }
        }
    }
}

fn content(left: &mut u64, buffer: &mut BytesMut) -> Bytes {
    let there = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
    *left -= there as u64;
    if there == buffer.len() { buffer.split().freeze() } else { buffer.split_to(there).freeze() }
}

/// The length of the line at the beginning, without its end; `None` when that is not there yet.
fn line(buffer: &[u8]) -> Result<Option<usize>, Malformed> {
    match memchr::memchr(b'\n', buffer) {
        Some(end) if end > 0 && buffer[end - 1] == b'\r' => Ok(Some(end - 1)),
        None if buffer.len() <= LONGEST_LINE => Ok(None),
        _ => Err(Malformed),
    }
}

/// What comes after such a line.
fn after(chunk: Chunk, line: &[u8]) -> Result<Framing, Malformed> {
    Ok(match chunk {
        Chunk::Size => match size(line)? {
            0 => Framing::Chunked(Chunk::Trailers(0)),
            size => Framing::Chunked(Chunk::Content(size)),
        },
        Chunk::End if line.is_empty() => Framing::chunked(),
        Chunk::Trailers(_) if line.is_empty() => Framing::Over,
        Chunk::Trailers(read) if read + line.len() <= MOST_TRAILER_BYTES => {
            Framing::Chunked(Chunk::Trailers(read + line.len()))
        }
        _ => return Err(Malformed),
    })
}

/// The size of a chunk; what stands behind it says nothing here.
fn size(line: &[u8]) -> Result<u64, Malformed> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
    if digits.is_empty() || digits.len() > MOST_DIGITS {
        return Err(Malformed);
    }
    digits.iter().try_fold(0, |size, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(Malformed)?;
        Ok(size << 4 | u64::from(digit))
    })
}
