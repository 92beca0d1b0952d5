//! One HTTP/1 request after another, by RFC 9112 without its leniencies: where each begins and
//! ends, and whether every line is one. It keeps no more than a line that is not whole yet.

use memchr::memchr;

/// A line that is longer has been refused by the parser already.
const LONGEST_LINE: usize = 1 << 20;
/// More digits than any length or chunk size needs.
const MOST_DIGITS: usize = 15;

/// What anybody could want of a gateway. Another word may be one of another protocol.
const METHODS: [&[u8]; 7] = [b"POST", b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"PATCH"];

/// Where in the conversation the next byte stands.
#[derive(Debug, Default)]
pub(super) struct Message {
    place: Place,
    framing: Framing,
    /// The beginning of a line whose end has not arrived.
    begun: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a request line.
    #[default]
    Start,
    Head,
    /// In a body, or a chunk with its CRLF still to come.
    Body(u64),
    Chunk(u64),
    ChunkEnd,
    ChunkSize,
    Trailers,
    /// The connection changes its protocol or ends: nothing that follows is a request.
    Over,
}

/// What a head says about its body and its host.
#[derive(Debug, Default, Clone, Copy)]
struct Framing {
    /// HTTP/1.0 knows no chunks.
    old: bool,
    length: Option<u64>,
    chunked: bool,
    upgrade: bool,
    host: bool,
}

/// Not HTTP as it is written.
struct Refused;

impl Message {
    /// Reads on. `Err` holds how many of the bytes are sound.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            at += match self.place {
                Place::Over => return Err(at),
                Place::Body(left) => self.skip(left, rest.len(), Place::Body, Place::Start),
                Place::Chunk(left) => self.skip(left, rest.len(), Place::Chunk, Place::ChunkEnd),
                _ => self.read_line(rest).map_err(|sound| at + sound)?,
            };
        }
        Ok(())
    }

    /// Passes over content; gives how much of it was there.
    fn skip(&mut self, left: u64, there: usize, within: fn(u64) -> Place, after: Place) -> usize {
        let passed = usize::try_from(left).unwrap_or(usize::MAX).min(there);
        let left = left - passed as u64;
        self.place = if left > 0 { within(left) } else { self.after_body(after) };
        passed
    }

    fn after_body(&self, place: Place) -> Place {
        match place {
            Place::Start if self.framing.upgrade => Place::Over,
            place => place,
        }
    }

    /// Reads up to the end of a line, or all there is of it.
    fn read_line(&mut self, rest: &[u8]) -> Result<usize, usize> {
        let Some(end) = memchr(b'\n', rest) else {
            if self.begun.len() + rest.len() > LONGEST_LINE {
                return Err(0);
            }
            self.begun.extend_from_slice(rest);
            return Ok(rest.len());
        };
        let part = &rest[..end];
        let judged = if self.begun.is_empty() {
            self.line(part)
        } else {
            let mut whole = std::mem::take(&mut self.begun);
            whole.extend_from_slice(part);
            self.line(&whole)
        };
        // All but the LF: whatever stands before it, a line was not ended.
        judged.map(|()| end + 1).map_err(|Refused| end)
    }

    /// A line without its LF.
    fn line(&mut self, line: &[u8]) -> Result<(), Refused> {
        let line = line.strip_suffix(b"\r").ok_or(Refused)?;
        self.place = match self.place {
            // RFC 9112, 2.2: an empty line before a request is ignored.
            Place::Start if line.is_empty() => Place::Start,
            Place::Start => {
                self.framing = Framing { old: request_line(line)?, ..Framing::default() };
                Place::Head
            }
            Place::Head if line.is_empty() => self.framing.body()?,
            Place::Head => {
                let (name, value) = field(line)?;
                self.framing.learn(name, value)?;
                Place::Head
            }
            Place::ChunkSize => match number(line, 16)? {
                0 => Place::Trailers,
                size => Place::Chunk(size),
            },
            Place::ChunkEnd if line.is_empty() => Place::ChunkSize,
            Place::Trailers if line.is_empty() => self.after_body(Place::Start),
            Place::Trailers => {
                let mut late = Framing::default();
                let (name, value) = field(line)?;
                late.learn(name, value)?;
                if late.length.is_some() || late.chunked {
                    return Err(Refused);
                }
                Place::Trailers
            }
            Place::ChunkEnd | Place::Body(_) | Place::Chunk(_) | Place::Over => {
                return Err(Refused);
            }
        };
        Ok(())
    }
}

impl Framing {
    fn learn(&mut self, name: &[u8], value: &[u8]) -> Result<(), Refused> {
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.length.is_some() || self.chunked {
                return Err(Refused);
            }
            self.length = Some(number(value, 10)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let known = value.eq_ignore_ascii_case(b"chunked");
            if !known || self.old || self.length.is_some() || self.chunked {
                return Err(Refused);
            }
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.upgrade = true;
        } else if name.eq_ignore_ascii_case(b"host") {
            // RFC 9112, 3.2: two of them are refused.
            if self.host {
                return Err(Refused);
            }
            self.host = true;
        }
        Ok(())
    }

    /// Where the next byte stands after the head.
    fn body(&self) -> Result<Place, Refused> {
        Ok(match (self.length, self.chunked) {
            (_, true) => Place::ChunkSize,
            (Some(length @ 1..), _) => Place::Body(length),
            _ if self.upgrade => Place::Over,
            _ => Place::Start,
        })
    }
}

/// `METHOD SP target SP HTTP/1.x`; whether it is HTTP/1.0.
fn request_line(line: &[u8]) -> Result<bool, Refused> {
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Refused);
    };
    let sound = METHODS.contains(&method)
        && !target.is_empty()
        && target.iter().all(|byte| byte.is_ascii_graphic());
    match version {
        b"HTTP/1.1" if sound => Ok(false),
        b"HTTP/1.0" if sound => Ok(true),
        _ => Err(Refused),
    }
}

/// `name: value`, on one line. The value is given without the blanks around it.
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Refused> {
    let colon = memchr(b':', line).ok_or(Refused)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let sound = !name.is_empty()
        && is_token(name)
        && value.iter().fold(true, |sound, byte| {
            sound & ((*byte >= b' ') & (*byte != 0x7f) | (*byte == b'\t'))
        });
    if sound { Ok((name, value.trim_ascii())) } else { Err(Refused) }
}

/// Digits and nothing else, and not absurdly many.
fn number(text: &[u8], radix: u32) -> Result<u64, Refused> {
    if text.is_empty() || text.len() > MOST_DIGITS {
        return Err(Refused);
    }
    text.iter().try_fold(0, |number, byte| {
        let digit = char::from(*byte).to_digit(radix).ok_or(Refused)?;
        Ok(number * u64::from(radix) + u64::from(digit))
    })
}

/// RFC 9110, 5.6.2.
fn is_token(text: &[u8]) -> bool {
    text.iter().all(|byte| TOKEN[usize::from(*byte)])
}

static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};
