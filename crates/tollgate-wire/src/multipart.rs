//! A `multipart/form-data` body, read along while it passes: which parts it has, and what the few
//! fields hold that decide where it goes. Files are looked through for the end of their part and
//! never kept.
//!
//! It is deliberately strict: a body that two readers could take apart differently is refused,
//! since the gateway decides by one reading and the provider acts on another.

use std::ops::Range;

use memchr::memmem;

/// RFC 2046, 5.1.1.
const LONGEST_BOUNDARY: usize = 70;
/// All header lines of one part together.
const MOST_HEAD_BYTES: usize = 8 << 10;
/// What a field that is kept may hold.
const MOST_FIELD_BYTES: usize = 64 << 10;
/// More than any vendor's form has.
const MOST_PARTS: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    #[error("the content type names no boundary, or one that is none")]
    Boundary,
    #[error("the body does not begin with its boundary")]
    Beginning,
    #[error("a boundary is followed by something else than a line break")]
    Delimiter,
    #[error("the head of a part is longer than {MOST_HEAD_BYTES} bytes")]
    LongHead,
    #[error("the head of a part cannot be read")]
    Head,
    #[error("the field is longer than {MOST_FIELD_BYTES} bytes")]
    LongField,
    #[error("there are more than {MOST_PARTS} parts")]
    ManyParts,
    #[error("the field `{0}` is there twice")]
    Twice(&'static str),
    #[error("`{0}` is sent as a file and must be a plain field")]
    File(&'static str),
    #[error("something follows the last boundary")]
    Epilogue,
    #[error("the body ends before its last boundary")]
    Unfinished,
}

/// A field that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub value: Vec<u8>,
    /// Where the value stands in the body.
    pub at: Range<u64>,
}

/// A part that holds a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePart {
    pub name: String,
    /// Where its content stands in the body; the end is known when the part is over.
    pub from: u64,
    pub to: Option<u64>,
}

/// A form, as far as it was read.
#[derive(Debug)]
pub struct Form {
    boundary: Vec<u8>,
    /// `\r\n--` and the boundary.
    needle: memmem::Finder<'static>,
    wanted: &'static [&'static str],
    place: Place,
    /// How many bytes were read.
    read: u64,
    /// A head, a delimiter or the end of a part's data, as far as it was read.
    carry: Vec<u8>,
    fields: Vec<Field>,
    /// The value of the field that is being read.
    value: Option<Field>,
    files: Vec<FilePart>,
    parts: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first boundary.
    Start,
    /// Behind a boundary.
    Delimiter,
    Head,
    Data,
    Over,
}

impl Form {
    /// `content_type` is the header's value; `wanted` are the fields whose values are kept.
    ///
    /// # Errors
    /// When the header names no usable boundary.
    pub fn new(content_type: &str, wanted: &'static [&'static str]) -> Result<Self, FormError> {
        let boundary = boundary(content_type).ok_or(FormError::Boundary)?;
        let needle = [b"\r\n--", boundary.as_slice()].concat();
        Ok(Self {
            needle: memmem::Finder::new(&needle).into_owned(),
            boundary,
            wanted,
            place: Place::Start,
            read: 0,
            carry: Vec::new(),
            fields: Vec::new(),
            value: None,
            files: Vec::new(),
            parts: 0,
        })
    }

    /// Reads on.
    ///
    /// # Errors
    /// When the body cannot be one that every reader takes apart alike, or a field that was asked
    /// for is there twice.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), FormError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = match self.place {
                Place::Start => self.start(rest)?,
                Place::Delimiter => self.delimiter(rest)?,
                Place::Head => self.head(rest)?,
                Place::Data => self.data(rest)?,
                Place::Over => self.epilogue(rest)?,
            };
            self.read += taken as u64;
            if self.place == Place::Data && self.carry.is_empty() {
                self.open();
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// The body has ended.
    ///
    /// # Errors
    /// `Unfinished`, when the last boundary is missing.
    pub fn end(&self) -> Result<(), FormError> {
        if self.place == Place::Over { Ok(()) } else { Err(FormError::Unfinished) }
    }

    /// The field of that name, once it was read to its end.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Every field that was asked for is there.
    #[must_use]
    pub fn has_all(&self) -> bool {
        self.wanted.iter().all(|name| self.field(name).is_some())
    }

    /// Files so far.
    #[must_use]
    pub fn files(&self) -> &[FilePart] {
        &self.files
    }

    /// A further field, to be put before all others.
    #[must_use]
    pub fn written_field(&self, name: &str, value: &str) -> Vec<u8> {
        let mut out = b"--".to_vec();
        out.extend_from_slice(&self.boundary);
        out.extend_from_slice(b"\r\nContent-Disposition: form-data; name=\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\"\r\n\r\n");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
        out
    }

    /// The first line, with nothing before it.
    fn start(&mut self, bytes: &[u8]) -> Result<usize, FormError> {
        let line = self.needle.needle().get(2..).unwrap_or_default();
        let taken = (line.len() - self.carry.len()).min(bytes.len());
        let (begun, piece) = (self.carry.len(), bytes.get(..taken).unwrap_or_default());
        if line.get(begun..begun + taken) != Some(piece) {
            return Err(FormError::Beginning);
        }
        self.carry.extend_from_slice(piece);
        if self.carry.len() == line.len() {
            self.carry.clear();
            self.place = Place::Delimiter;
        }
        Ok(taken)
    }

    /// A line break, or the two dashes of the end.
    fn delimiter(&mut self, bytes: &[u8]) -> Result<usize, FormError> {
        let taken = (2 - self.carry.len()).min(bytes.len());
        self.carry.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if self.carry.len() == 2 {
            self.place = match self.carry.as_slice() {
                b"\r\n" => Place::Head,
                b"--" => Place::Over,
                _ => return Err(FormError::Delimiter),
            };
            self.carry.clear();
            self.parts += 1;
            if self.parts > MOST_PARTS {
                return Err(FormError::ManyParts);
            }
        }
        Ok(taken)
    }

    fn head(&mut self, bytes: &[u8]) -> Result<usize, FormError> {
        let before = self.carry.len();
        let room = MOST_HEAD_BYTES.saturating_sub(before).min(bytes.len());
        if room == 0 {
            return Err(FormError::LongHead);
        }
        // The end may lie across two pieces.
        let from = before.saturating_sub(3);
        self.carry.extend_from_slice(bytes.get(..room).unwrap_or_default());
        let found = self.carry.get(from..).and_then(|tail| memmem::find(tail, b"\r\n\r\n"));
        let Some(found) = found else { return Ok(room) };
        let end = from + found + 4;
        let head = std::mem::take(&mut self.carry);
        self.part(head.get(..end - 4).unwrap_or_default())?;
        self.place = Place::Data;
        Ok(end - before)
    }

    /// A part begins: a field that is wanted, a file, or something else.
    fn part(&mut self, head: &[u8]) -> Result<(), FormError> {
        let Disposition { name, is_file } = disposition(head).ok_or(FormError::Head)?;
        // Some readers take `model[]` for `model`.
        let plain = name.split('[').next().unwrap_or_default();
        if let Some(wanted) = self.wanted.iter().copied().find(|wanted| *wanted == plain) {
            if is_file {
                return Err(FormError::File(wanted));
            }
            if name != wanted || self.field(wanted).is_some() {
                return Err(FormError::Twice(wanted));
            }
            self.value = Some(Field { name: wanted, value: Vec::new(), at: 0..0 });
        } else if is_file {
            self.files.push(FilePart { name, from: 0, to: None });
        }
        Ok(())
    }

    /// The data of a part begins right here.
    fn open(&mut self) {
        if let Some(value) = &mut self.value
            && value.at.start == 0
        {
            value.at.start = self.read;
        }
        if let Some(file) = self.files.last_mut()
            && file.from == 0
        {
            file.from = self.read;
        }
    }

    /// Looks for the boundary that ends the part.
    fn data(&mut self, bytes: &[u8]) -> Result<usize, FormError> {
        let length = self.needle.needle().len();
        let found =
            self.straddling(bytes).or_else(|| self.needle.find(bytes).map(|at| at + length));
        let taken = found.unwrap_or(bytes.len());
        let piece = bytes.get(..taken).unwrap_or_default();
        if let Some(field) = &mut self.value {
            field.value.extend_from_slice(piece);
            if field.value.len() > MOST_FIELD_BYTES + length {
                return Err(FormError::LongField);
            }
        }
        if found.is_none() {
            // The beginning of a boundary may be the last that is there.
            let keep = length - 1;
            self.carry.extend_from_slice(
                piece.get(piece.len().saturating_sub(keep)..).unwrap_or_default(),
            );
            let surplus = self.carry.len().saturating_sub(keep);
            self.carry.drain(..surplus);
            return Ok(taken);
        }
        self.carry.clear();
        self.place = Place::Delimiter;
        let end = self.read + taken as u64 - length as u64;
        if let Some(mut field) = self.value.take() {
            field.value.truncate(field.value.len().saturating_sub(length));
            field.at.end = end;
            self.fields.push(field);
        } else if let Some(file) = self.files.last_mut()
            && file.to.is_none()
        {
            file.to = Some(end);
        }
        Ok(taken)
    }

    /// How much of `bytes` ends a boundary that began before them.
    fn straddling(&self, bytes: &[u8]) -> Option<usize> {
        let length = self.needle.needle().len();
        let before = self.carry.len();
        if before == 0 {
            return None;
        }
        let mut joint = self.carry.clone();
        joint.extend_from_slice(bytes.get(..(length - 1).min(bytes.len())).unwrap_or_default());
        let at = self.needle.find(&joint)?;
        (at < before).then(|| at + length - before)
    }

    fn epilogue(&mut self, bytes: &[u8]) -> Result<usize, FormError> {
        self.carry.extend_from_slice(bytes.get(..bytes.len().min(3)).unwrap_or_default());
        if b"\r\n".starts_with(&self.carry) { Ok(bytes.len()) } else { Err(FormError::Epilogue) }
    }
}

/// The boundary that a `multipart/form-data` header names.
fn boundary(content_type: &str) -> Option<Vec<u8>> {
    let (essence, parameters) = content_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut found = None;
    for (name, value) in self::parameters(parameters)? {
        if name.eq_ignore_ascii_case("boundary") {
            if found.is_some() {
                return None;
            }
            found = Some(value);
        }
    }
    let found = found?;
    let sound = (1..=LONGEST_BOUNDARY).contains(&found.len())
        && found.bytes().all(|b| b.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&b));
    sound.then(|| found.into_bytes())
}

struct Disposition {
    name: String,
    is_file: bool,
}

/// What the head of a part says of it. Heads in which a name could be read in two ways are none.
fn disposition(head: &[u8]) -> Option<Disposition> {
    let head = std::str::from_utf8(head).ok()?;
    let mut found = None;
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':')?;
        let token = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if !token || value.contains(['\r', '\n', '\0']) {
            return None;
        }
        if name.eq_ignore_ascii_case("content-disposition") {
            if found.is_some() {
                return None;
            }
            found = Some(value.trim());
        }
    }
    let (kind, rest) = found?.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (mut name, mut is_file) = (None, false);
    for (key, value) in parameters(rest)? {
        match key.to_ascii_lowercase().as_str() {
            "name" if name.is_none() => name = Some(value),
            "name" | "name*" => return None,
            "filename" | "filename*" => is_file = true,
            _ => {}
        }
    }
    Some(Disposition { name: name?, is_file })
}

/// `a=b; c="d \" e"`. `None` for anything else.
fn parameters(text: &str) -> Option<Vec<(&str, String)>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim();
        if name.is_empty() || name.contains([';', '"', ' ', ',']) {
            return None;
        }
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                let value = after.get(..end)?.trim();
                if value.is_empty() || value.contains(['"', ' ', '\t']) {
                    return None;
                }
                (value.to_owned(), after.get(end..)?)
            }
        };
        found.push((name, value));
        let after = after.trim_start();
        rest = match after.strip_prefix(';') {
            Some(after) => after.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(found)
}

/// The text up to the closing quote, and what follows it.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..)?)),
            // Windows paths are written with bare backslashes by some: only these two escape.
            '\\' if text.get(at + 1..)?.starts_with(['"', '\\']) => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests;
