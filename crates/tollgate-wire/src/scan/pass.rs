//! The pass itself: a loop and a stack of its own, so that depth costs no call stack.

use super::error::{Fail, fail};
use super::inline::Inline;
use super::keys::{Keys, Object};
use super::{Limits, Member, Scan, ScanErrorKind, text};

struct Pass<'a> {
    body: &'a [u8],
    at: usize,
    limits: &'a Limits,
    /// The innermost array or object, and those around it.
    level: Level,
    around: Inline<Level, 16>,
    keys: Keys<'a>,
    counted: usize,
    scan: Scan,
}

#[derive(Clone, Copy, Debug, Default)]
enum Level {
    /// Nothing is open.
    #[default]
    Outside,
    Array,
    Object(Object),
}

pub(super) fn run(body: &[u8], limits: &Limits) -> Result<Scan, Fail> {
    // Places are kept in 32 bits.
    if u32::try_from(body.len()).is_err() {
        return Err(fail(ScanErrorKind::TooLong, 0));
    }
    if !body.is_ascii() {
        check_characters(body)?;
    }
    let mut pass = Pass {
        body,
        at: 0,
        limits,
        level: Level::Outside,
        around: Inline::default(),
        keys: Keys::new(body, limits.seed),
        counted: 0,
        scan: Scan::default(),
    };
    if pass.next().is_none() {
        return Err(fail(ScanErrorKind::Empty, pass.at));
    }
    pass.value()?;
    match pass.next() {
        None => Ok(pass.scan),
        Some(_) => Err(fail(ScanErrorKind::Trailing, pass.at)),
    }
}

fn check_characters(body: &[u8]) -> Result<(), Fail> {
    if body.starts_with(b"\xEF\xBB\xBF") {
        return Err(fail(ScanErrorKind::ByteOrderMark, 0));
    }
    std::str::from_utf8(body)
        .map(|_| ())
        .map_err(|error| fail(ScanErrorKind::NotUtf8, error.valid_up_to()))
}

impl Pass<'_> {
    /// One value with all that is in it.
    fn value(&mut self) -> Result<(), Fail> {
        loop {
            let open = match self.next() {
                Some(b'"') => self.string(),
                Some(b'{') => self.open_object(),
                Some(b'[') => self.open_array(),
                Some(b'-' | b'0'..=b'9') => self.number(),
                Some(b't') => self.word(b"true"),
                Some(b'f') => self.word(b"false"),
                Some(b'n') => self.word(b"null"),
                _ => Err(self.unexpected("a value")),
            }?;
            if !open && !self.go_on()? {
                return Ok(());
            }
        }
    }

    /// After a value: closes what closes, up to where the next value begins. False when there is
    /// none, since all is closed.
    #[inline]
    fn go_on(&mut self) -> Result<bool, Fail> {
        loop {
            if self.around.len() == 1
                && let Some(member) = self.scan.members.last_mut()
            {
                member.value.1 = self.at as u32;
            }
            match self.level {
                Level::Outside => return Ok(false),
                Level::Array => match self.next() {
                    Some(b',') => {
                        self.at += 1;
                        return Ok(true);
                    }
                    Some(b']') => {}
                    _ => return Err(self.unexpected("\",\" or \"]\"")),
                },
                Level::Object(object) => match self.next() {
                    Some(b',') => {
                        self.at += 1;
                        self.next();
                        self.key(object)?;
                        return Ok(true);
                    }
                    Some(b'}') => self.keys.close(object),
                    _ => return Err(self.unexpected("\",\" or \"}\"")),
                },
            }
            self.close();
        }
    }

    /// True when a value must follow; false when the object was empty.
    #[inline]
    fn open_object(&mut self) -> Result<bool, Fail> {
        let object = self.keys.open();
        self.open(Level::Object(object))?;
        if self.around.len() == 1 {
            self.scan.inside = Some(self.at as u32);
        }
        if self.next() == Some(b'}') {
            self.close();
            return Ok(false);
        }
        self.key(object)?;
        Ok(true)
    }

    #[inline]
    fn open_array(&mut self) -> Result<bool, Fail> {
        self.open(Level::Array)?;
        if self.next() == Some(b']') {
            self.close();
            return Ok(false);
        }
        Ok(true)
    }

    #[inline]
    fn open(&mut self, level: Level) -> Result<(), Fail> {
        if self.around.len() == self.limits.depth {
            return Err(fail(ScanErrorKind::TooDeep(self.limits.depth), self.at));
        }
        self.around.push(std::mem::replace(&mut self.level, level));
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn close(&mut self) {
        self.at += 1;
        self.level = self.around.pop().unwrap_or_default();
    }

    /// A key and its colon.
    #[inline]
    fn key(&mut self, mut object: Object) -> Result<(), Fail> {
        let quote = self.at;
        if self.body.get(quote) != Some(&b'"') {
            return Err(self.unexpected("a key in quotes"));
        }
        let (end, escaped) = text::skip(self.body, quote + 1)?;
        let place = (quote as u32 + 1, end as u32);
        self.counted += 1;
        if self.counted > self.limits.keys {
            return Err(fail(ScanErrorKind::TooManyKeys(self.limits.keys), quote));
        }
        if !self.keys.add(&mut object, place, escaped) {
            let key = text::unescape(&self.body[quote + 1..end]);
            return Err(fail(ScanErrorKind::duplicate(&key), quote));
        }
        self.level = Level::Object(object);
        self.at = end + 1;
        if self.next() != Some(b':') {
            return Err(self.unexpected("\":\""));
        }
        self.at += 1;
        if self.around.len() == 1 {
            self.next();
            let value = (self.at as u32, self.at as u32);
            self.scan.members.push(Member { key: place, value });
            self.scan.escaped |= escaped;
        }
        Ok(())
    }

    #[inline]
    fn string(&mut self) -> Result<bool, Fail> {
        let (end, _) = text::skip(self.body, self.at + 1)?;
        self.at = end + 1;
        Ok(false)
    }

    fn word(&mut self, word: &'static [u8]) -> Result<bool, Fail> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(self.unexpected("a value"));
        }
        self.at += word.len();
        Ok(false)
    }

    fn number(&mut self) -> Result<bool, Fail> {
        let start = self.at;
        let bad = || fail(ScanErrorKind::BadNumber, start);
        self.at += usize::from(self.body[start] == b'-');
        let leading_zero = self.body.get(self.at) == Some(&b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(bad());
        }
        if self.body.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(bad());
            }
        }
        if let Some(b'e' | b'E') = self.body.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.body.get(self.at) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(bad());
            }
        }
        Ok(false)
    }

    #[inline]
    fn digits(&mut self) -> usize {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    /// Skips white space and looks at what comes.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        loop {
            match self.body.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    #[cold]
    fn unexpected(&self, wanted: &'static str) -> Fail {
        fail(ScanErrorKind::unexpected(self.body, self.at, wanted), self.at)
    }
}
