//! One validating pass over a JSON body that copies nothing.
//!
//! What passes is JSON by RFC 8259, in UTF-8, without duplicate keys at any level, within bounds
//! of depth and number. [`Scan`] says where the top-level members stand, so that a body can be
//! read and spliced in place. Numbers stay text: `1e400` is JSON, and whether it is a sensible
//! temperature is for the dialect to say.
//!
//! Deliberately absent: a tree. A stage that wants one asks the dialect.

mod error;
mod inline;
mod keys;
mod pass;
pub(crate) mod reader;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;
use std::ops::Range;

pub use error::{ScanError, ScanErrorKind};

use inline::Inline;
pub(crate) use text::plain;

/// Bounds of a scan, and what its hashes are keyed with.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many arrays and objects may be open at once.
    pub depth: usize,
    /// How many keys a body may have, all its objects together.
    pub keys: usize,
    /// Random, one for the life of the process: without it a caller could choose keys whose hashes
    /// collide.
    pub seed: u64,
}

impl Limits {
    /// The usual bounds.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self { depth: 128, keys: 250_000, seed }
    }
}

/// What a scan found. It holds places, not text: every question is put with the scanned body.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// Just after the opening brace, when the body is an object.
    inside: Option<u32>,
    members: Inline<Member, 16>,
    /// Some top-level key is written with an escape, so keys have to be unescaped to be compared.
    escaped: bool,
}

/// Where one member of the top-level object stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Member {
    key: (u32, u32),
    value: (u32, u32),
}

impl Member {
    /// The key, without its quotes.
    #[must_use]
    pub fn key(&self) -> Range<usize> {
        self.key.0 as usize..self.key.1 as usize
    }

    /// The value, with its quotes if it has some.
    #[must_use]
    pub fn value(&self) -> Range<usize> {
        self.value.0 as usize..self.value.1 as usize
    }
}

/// Scans a whole body.
///
/// # Errors
/// When it is no JSON, has a key twice, or exceeds a limit.
pub fn scan(body: &[u8], limits: &Limits) -> Result<Scan, ScanError> {
    pass::run(body, limits).map_err(|fail| {
        let (kind, offset) = *fail;
        ScanError::at(kind, offset, body)
    })
}

impl Scan {
    /// The body is an object (and not a list, a string …).
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.inside.is_some()
    }

    /// Where a member can be inserted before all others: just after the opening brace.
    #[must_use]
    pub fn inside(&self) -> Option<usize> {
        self.inside.map(|at| at as usize)
    }

    /// The members of the top-level object, in the order of the body.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter()
    }

    /// The keys of the top-level object, without their escapes.
    pub fn keys<'a>(&self, body: &'a [u8]) -> impl Iterator<Item = Cow<'a, [u8]>> {
        let escaped = self.escaped;
        self.members().map(move |member| {
            let written = body.get(member.key()).unwrap_or_default();
            if escaped { text::unescape(written) } else { Cow::Borrowed(written) }
        })
    }

    #[must_use]
    pub fn member(&self, body: &[u8], key: &str) -> Option<&Member> {
        self.members().find(|member| {
            let written = body.get(member.key()).unwrap_or_default();
            written == key.as_bytes()
                || (self.escaped && text::unescape(written).as_ref() == key.as_bytes())
        })
    }

    /// A member's value as it is written; `None` when it is absent or `null`.
    #[must_use]
    pub fn written<'a>(&self, body: &'a [u8], key: &str) -> Option<&'a [u8]> {
        body.get(self.member(body, key)?.value()).filter(|value| *value != b"null")
    }

    /// A member that is a string.
    ///
    /// # Errors
    /// When it is something else; absent and `null` are `None`.
    pub fn string<'a>(
        &self,
        body: &'a [u8],
        key: &'static str,
    ) -> Result<Option<Cow<'a, str>>, ScanError> {
        let read = |value: &'a [u8]| match value {
            [b'"', inner @ .., b'"'] => text::string(text::unescape(inner)),
            _ => None,
        };
        self.typed(body, key, "a string", read)
    }

    /// A member that is `true` or `false`.
    ///
    /// # Errors
    /// When it is something else; absent and `null` are `None`.
    pub fn flag(&self, body: &[u8], key: &'static str) -> Result<Option<bool>, ScanError> {
        self.typed(body, key, "true or false", |value| match value {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        })
    }

    /// A member that is a whole number, not negative.
    ///
    /// # Errors
    /// When it is something else; absent and `null` are `None`.
    pub fn count(&self, body: &[u8], key: &'static str) -> Result<Option<u64>, ScanError> {
        self.typed(body, key, "a whole number", |value| {
            std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok())
        })
    }

    fn typed<'a, T>(
        &self,
        body: &'a [u8],
        key: &'static str,
        wanted: &'static str,
        read: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<Option<T>, ScanError> {
        let Some(member) = self.member(body, key) else { return Ok(None) };
        let value = body.get(member.value()).unwrap_or_default();
        if value == b"null" {
            return Ok(None);
        }
        let wrong =
            || ScanError::at(ScanErrorKind::WrongType { key, wanted }, member.value().start, body);
        read(value).map(Some).ok_or_else(wrong)
    }
}
