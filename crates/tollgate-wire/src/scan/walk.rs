//! Walks values that a scan has found sound: the members of an object, the items of a list, each as
//! it is written. It checks nothing again, and takes no more of a value apart than it is asked to.

use std::borrow::Cow;

use super::text;

/// The members of an object; `None` when the value is none. Keys are given as they are written.
pub(crate) fn members(value: &[u8]) -> Option<impl Iterator<Item = (&[u8], &[u8])>> {
    let mut walk = Walk::into(value, b'{')?;
    Some(std::iter::from_fn(move || {
        let key = walk.value()?;
        // A colon is all that stands between the two.
        walk.at += usize::from(walk.next() == Some(b':'));
        let key = key.get(1..key.len() - 1)?;
        Some((key, walk.value()?))
    }))
}

/// The items of a list; `None` when the value is none.
pub(crate) fn items(value: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let mut walk = Walk::into(value, b'[')?;
    Some(std::iter::from_fn(move || walk.value()))
}

/// What a string says; `None` when the value is none.
pub(crate) fn text(value: &[u8]) -> Option<Cow<'_, str>> {
    match value {
        [b'"', inner @ .., b'"'] => text::string(text::unescape(inner)),
        _ => None,
    }
}

/// A number written in digits alone; `None` when the value is none.
pub(crate) fn count(value: &[u8]) -> Option<u64> {
    value.iter().try_fold(0u64, |count, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        count.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn into(value: &'a [u8], opening: u8) -> Option<Self> {
        (value.first() == Some(&opening)).then_some(Self { bytes: value, at: 1 })
    }

    /// The next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    /// The next value, after the comma before it; `None` when the list or object ends.
    fn value(&mut self) -> Option<&'a [u8]> {
        if self.next() == Some(b',') {
            self.at += 1;
            self.next();
        }
        let start = self.at;
        match self.bytes.get(start)? {
            b'}' | b']' => return None,
            b'"' => self.string()?,
            b'{' | b'[' => self.nested()?,
            _ => {
                let rest = self.bytes.get(start..)?;
                let ends =
                    |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
        self.bytes.get(start..self.at)
    }

    fn string(&mut self) -> Option<()> {
        self.at = text::skip(self.bytes, self.at + 1).ok()?.0 + 1;
        Some(())
    }

    fn nested(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.bytes.get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}
