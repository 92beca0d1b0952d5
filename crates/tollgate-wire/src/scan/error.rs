//! Why a body was refused, and where: byte, line and column.
//!
//! Of the body's content it holds at most a key, shortened.

use std::fmt;

/// A body that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset} (line {line}, column {column})")]
pub struct ScanError {
    pub kind: ScanErrorKind,
    /// In bytes, from 0.
    pub offset: usize,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanErrorKind {
    /// There is nothing but white space.
    Empty,
    /// The body begins with U+FEFF, which JSON in transit may not.
    ByteOrderMark,
    NotUtf8,
    /// The body ended early.
    Ended {
        wanted: &'static str,
    },
    Unexpected {
        found: char,
        wanted: &'static str,
    },
    /// A character below U+0020 in a string that is not escaped.
    ControlCharacter,
    UnknownEscape,
    /// Half of a surrogate pair, which is no character.
    LoneSurrogate,
    /// Digits that are no number by JSON: `01`, `1.`, `-`.
    BadNumber,
    /// Something follows the value.
    Trailing,
    TooDeep(usize),
    TooManyKeys(usize),
    /// The body is longer than places can be counted.
    TooLong,
    DuplicateKey(String),
    WrongType {
        key: &'static str,
        wanted: &'static str,
    },
}

/// A refusal inside the pass: small, so that the way of sound bodies stays in registers.
pub(super) type Fail = Box<(ScanErrorKind, usize)>;

#[cold]
pub(super) fn fail(kind: ScanErrorKind, at: usize) -> Fail {
    Box::new((kind, at))
}

impl ScanError {
    #[cold]
    pub(crate) fn at(kind: ScanErrorKind, offset: usize, body: &[u8]) -> Self {
        let before = body.get(..offset).unwrap_or(body);
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let starts_character = |byte: &&u8| **byte & 0xC0 != 0x80;
        Self {
            kind,
            offset,
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: before[start..].iter().filter(starts_character).count() + 1,
        }
    }
}

impl ScanErrorKind {
    /// The longest part of a key that is repeated to the caller, in bytes.
    const KEY_SHOWN: usize = 64;

    #[cold]
    pub(super) fn duplicate(key: &[u8]) -> Self {
        let mut shown =
            String::from_utf8_lossy(&key[..key.len().min(Self::KEY_SHOWN)]).into_owned();
        if key.len() > Self::KEY_SHOWN {
            shown.push('…');
        }
        Self::DuplicateKey(shown)
    }

    /// What stands at `at`, where something else was wanted.
    #[cold]
    pub(super) fn unexpected(body: &[u8], at: usize, wanted: &'static str) -> Self {
        let rest = body.get(at..).unwrap_or_default();
        match rest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
            Some(found) => Self::Unexpected { found, wanted },
            None => Self::Ended { wanted },
        }
    }
}

impl fmt::Display for ScanErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the body is empty"),
            Self::ByteOrderMark => write!(f, "a byte order mark before the JSON"),
            Self::NotUtf8 => write!(f, "bytes that are not UTF-8"),
            Self::Ended { wanted } => write!(f, "the body ends where {wanted} should stand,"),
            Self::Unexpected { found, wanted } => write!(f, "{found:?} instead of {wanted}"),
            Self::ControlCharacter => write!(f, "a control character in a string, not escaped,"),
            Self::UnknownEscape => write!(f, "an escape that JSON does not have"),
            Self::LoneSurrogate => write!(f, "half of a surrogate pair"),
            Self::BadNumber => write!(f, "a number that is not written as JSON writes numbers"),
            Self::Trailing => write!(f, "something after the end of the JSON"),
            Self::TooDeep(most) => write!(f, "more than {most} levels of arrays and objects"),
            Self::TooManyKeys(most) => write!(f, "more than {most} keys"),
            Self::TooLong => write!(f, "the body is too long to be read"),
            Self::DuplicateKey(key) => write!(f, "duplicate key {key:?}"),
            Self::WrongType { key, wanted } => write!(f, "{key:?} must be {wanted}"),
        }
    }
}
