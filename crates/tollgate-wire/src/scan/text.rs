//! What stands between quotes: where it ends, whether it is sound, what it says.

use std::borrow::Cow;

use memchr::memchr;

use super::ScanErrorKind;
use super::error::{Fail, fail};

/// Reads a string from just after its opening quote. Gives the place of the closing quote, and
/// whether an escape came before it.
#[inline]
pub(super) fn skip(body: &[u8], start: usize) -> Result<(usize, bool), Fail> {
    let mut at = start;
    let mut escaped = false;
    loop {
        at += plain(body.get(at..).unwrap_or_default());
        match body.get(at) {
            Some(b'"') => return Ok((at, escaped)),
            Some(b'\\') => {
                escaped = true;
                at = escape(body, at)?;
            }
            Some(_) => return Err(fail(ScanErrorKind::ControlCharacter, at)),
            None => return Err(fail(ScanErrorKind::Ended { wanted: "the end of a string" }, at)),
        }
    }
}

/// How many bytes come before the first quote, backslash or control character.
#[inline]
pub(crate) fn plain(text: &[u8]) -> usize {
    let mut at = 0;
    // Short strings, keys above all, end within the first words.
    for _ in 0..2 {
        let Some(word) = text.get(at..).and_then(|rest| rest.first_chunk()) else { break };
        let marks = marks(*word);
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    // Long ones go by blocks that the compiler turns into vector instructions.
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
        if block.iter().fold(false, |found, byte| found | is_special(*byte)) {
            break;
        }
        at += 32;
    }
    while let Some(word) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let marks = marks(*word);
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len())
}

#[inline]
fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// A word whose lowest set bit is in the first special byte of these eight (bytes after it may be
/// marked falsely: the subtraction borrows).
#[inline]
fn marks(eight: [u8; 8]) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let word = u64::from_le_bytes(eight);
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (control | zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5C))) & HIGH
}

/// Reads an escape from its backslash; gives the place after it.
fn escape(body: &[u8], at: usize) -> Result<usize, Fail> {
    match body.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            let unit = hex(body, at)?;
            match unit {
                0xD800..=0xDBFF => {
                    let pair = body.get(at + 6..at + 8) == Some(b"\\u")
                        && (0xDC00..=0xDFFF).contains(&hex(body, at + 6)?);
                    if pair { Ok(at + 12) } else { Err(fail(ScanErrorKind::LoneSurrogate, at)) }
                }
                0xDC00..=0xDFFF => Err(fail(ScanErrorKind::LoneSurrogate, at)),
                _ => Ok(at + 6),
            }
        }
        Some(_) => Err(fail(ScanErrorKind::UnknownEscape, at)),
        None => Err(fail(ScanErrorKind::Ended { wanted: "the end of a string" }, at + 1)),
    }
}

/// The unit of a `\uXXXX` whose backslash stands at `at`.
fn hex(body: &[u8], at: usize) -> Result<u32, Fail> {
    let digits = body.get(at + 2..).unwrap_or_default();
    let mut unit = 0;
    for place in 0..4 {
        let Some(digit) = digits.get(place) else {
            let ended = ScanErrorKind::Ended { wanted: "the end of a string" };
            return Err(fail(ended, at + 2 + place));
        };
        let Some(value) = char::from(*digit).to_digit(16) else {
            return Err(fail(ScanErrorKind::UnknownEscape, at));
        };
        unit = unit << 4 | value;
    }
    Ok(unit)
}

/// What a sound string says; a copy only when it has escapes.
pub(super) fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr(b'\\', text) else { return Cow::Borrowed(text) };
    let mut said = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut next = Some(first);
    while let Some(at) = next {
        said.extend_from_slice(&rest[..at]);
        let (character, length) = meaning(rest, at);
        said.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = rest.get(at + length..).unwrap_or_default();
        next = memchr(b'\\', rest);
    }
    said.extend_from_slice(rest);
    Cow::Owned(said)
}

/// The character that the escape at `at` means, and its length. Never met by unsound text; if it
/// were, a replacement character would stand for it.
fn meaning(text: &[u8], at: usize) -> (char, usize) {
    let simple = match text.get(at + 1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let unit = hex(text, at).unwrap_or(0xFFFD);
            return match unit {
                0xD800..=0xDBFF => {
                    let low = hex(text, at + 6).unwrap_or(0xDC00);
                    let code = 0x10000 + ((unit & 0x3FF) << 10) + (low & 0x3FF);
                    (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
                }
                _ => (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
            };
        }
        Some(byte) => char::from(*byte),
        None => char::REPLACEMENT_CHARACTER,
    };
    (simple, 2)
}

/// The same as characters; `None` never happens to the text of a scanned body.
pub(super) fn string(text: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    match text {
        Cow::Borrowed(text) => std::str::from_utf8(text).ok().map(Cow::Borrowed),
        Cow::Owned(text) => String::from_utf8(text).ok().map(Cow::Owned),
    }
}
