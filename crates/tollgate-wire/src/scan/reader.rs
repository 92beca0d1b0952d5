//! Reads JSON from front to back, in one validating pass that builds nothing: each value is taken or
//! skipped as it comes. `None` is said of whatever is unsound, and of what is sound but odd (a key
//! that holds an escape, levels beyond measure), so that who asked can read it with more patience.
//!
//! For answers of providers, whose keys may come twice: the last one counts.

use std::borrow::Cow;

use super::text;

/// Levels within a value that is skipped.
const MOST_LEVELS: u32 = 64;

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(crate) fn read(&self) -> usize {
        self.at
    }

    /// The first byte of what comes next; `None` at the end.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    /// Nothing may come any more.
    pub(crate) fn end(&mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    /// An object: `member` is given each key and takes its value.
    #[inline]
    pub(crate) fn object(
        &mut self,
        mut member: impl FnMut(&'a [u8], &mut Self) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        if self.peek()? == b'}' {
            return self.take(b'}');
        }
        loop {
            let (key, escaped) = self.key()?;
            if escaped {
                return None;
            }
            member(key, self)?;
            match self.peek()? {
                b',' => self.at += 1,
                _ => return self.take(b'}'),
            }
        }
    }

    /// A list: `item` takes each value.
    #[inline]
    pub(crate) fn list(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        if self.peek()? == b']' {
            return self.take(b']');
        }
        loop {
            item(self)?;
            match self.peek()? {
                b',' => self.at += 1,
                _ => return self.take(b']'),
            }
        }
    }

    /// What a text says, inside `None` for `null`; nothing else is taken.
    #[inline]
    pub(crate) fn text(&mut self) -> Option<Option<Cow<'a, str>>> {
        if self.peek()? != b'"' {
            return self.null().map(|()| None);
        }
        let (written, escaped) = self.string()?;
        if escaped && !has_whole_escapes(written) {
            return None;
        }
        let text = if escaped { text::unescape(written) } else { Cow::Borrowed(written) };
        text::string(text).map(Some)
    }

    /// A number in digits alone, inside `None` for `null`; nothing else is taken.
    pub(crate) fn count(&mut self) -> Option<Option<u64>> {
        if self.peek()?.is_ascii_digit() {
            count(self.number()?).map(Some)
        } else {
            self.null().map(|()| None)
        }
    }

    pub(crate) fn null(&mut self) -> Option<()> {
        self.word(b"null")
    }

    /// Passes over one value with all that is in it, and gives it as it is written.
    pub(crate) fn skip(&mut self) -> Option<&'a [u8]> {
        self.peek()?;
        let start = self.at;
        // A bit for each open level: set for an object.
        let (mut levels, mut depth) = (0u64, 0);
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'-' | b'0'..=b'9' => drop(self.number()?),
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                opening @ (b'{' | b'[') => {
                    self.at += 1;
                    if self.peek()? != opening + 2 {
                        depth += 1;
                        levels = levels << 1 | u64::from(opening == b'{');
                        if depth > MOST_LEVELS {
                            return None;
                        }
                        if opening == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                    self.at += 1;
                }
                _ => return None,
            }
            loop {
                if depth == 0 {
                    return self.bytes.get(start..self.at);
                }
                let object = levels & 1 == 1;
                let next = self.peek()?;
                self.at += 1;
                match next {
                    b',' if object => {
                        self.key()?;
                        break;
                    }
                    b',' => break,
                    b'}' if object => {}
                    b']' if !object => {}
                    _ => return None,
                }
                (levels, depth) = (levels >> 1, depth - 1);
            }
        }
    }

    #[inline]
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// A key and its colon; whether the key holds an escape.
    #[inline]
    fn key(&mut self) -> Option<(&'a [u8], bool)> {
        if self.peek()? != b'"' {
            return None;
        }
        let key = self.string()?;
        self.take(b':')?;
        Some(key)
    }

    /// What stands between quotes; whether there is an escape in it.
    #[inline]
    fn string(&mut self) -> Option<(&'a [u8], bool)> {
        let start = self.at + 1;
        let mut escaped = false;
        self.at = start;
        loop {
            self.at += text::plain(self.bytes.get(self.at..)?);
            match self.bytes.get(self.at)? {
                b'"' => {
                    let written = self.bytes.get(start..self.at)?;
                    self.at += 1;
                    return Some((written, escaped));
                }
                b'\\' => {
                    escaped = true;
                    self.at += match self.bytes.get(self.at + 1)? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                        b'u' => {
                            let unit = self.bytes.get(self.at + 2..self.at + 6)?;
                            unit.iter().all(u8::is_ascii_hexdigit).then_some(6)?
                        }
                        _ => return None,
                    };
                }
                _ => return None,
            }
        }
    }

    /// A number as it is written.
    pub(crate) fn number(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        self.at += usize::from(self.bytes.get(self.at) == Some(&b'-'));
        let zero = self.bytes.get(self.at) == Some(&b'0');
        let whole = self.digits();
        if whole == 0 || (zero && whole > 1) {
            return None;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return None;
            }
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return None;
            }
        }
        self.bytes.get(start..self.at)
    }

    #[inline]
    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - from
    }

    pub(crate) fn word(&mut self, word: &[u8]) -> Option<()> {
        self.peek()?;
        self.bytes.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }
}

/// The value of digits alone.
#[inline]
pub(crate) fn count(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |count, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        count.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// No half of a pair stands alone: what such an escape means is nobody's to say.
fn has_whole_escapes(written: &[u8]) -> bool {
    let mut quoted = Vec::with_capacity(written.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(written);
    quoted.push(b'"');
    text::skip(&quoted, 1).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One value and nothing more.
    fn is_sound(text: &str) -> bool {
        let mut reader = Reader::new(text.as_bytes());
        reader.skip().is_some() && reader.end().is_some()
    }

    #[test]
    fn what_is_skipped_is_json() {
        for good in [
            "1",
            "-0",
            "0.5e+3",
            "\"a\\n\\u00e9\\ud800\"",
            "[]",
            "{}",
            " [ 1 , [ ] , { } ] ",
            r#"{"a":{"b":[true,false,null,{"c":"}"}]},"d":[[1],[2]]}"#,
        ] {
            assert!(is_sound(good), "{good}");
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "01",
            "1.",
            "1e",
            "-",
            "+1",
            "tru",
            "nul",
            "\"a",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\n\"",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[1 2]",
            "]",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "[1}",
            "{\"a\":1]",
            "{1:2}",
            "1 2",
            "[]]",
        ] {
            assert!(!is_sound(bad), "{bad}");
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn levels_have_a_bound() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(is_sound(&nested(64)));
        assert!(!is_sound(&nested(65)));
    }
}
