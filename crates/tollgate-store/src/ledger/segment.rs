//! One line of the journal: a checksum, what it is, and a entry as JSON.
//!
//! ```text
//! 7f3a09c1+{"id":"…", …}     the call is about to leave; what stands if nothing follows
//! 02b4e6d8={"id":"…", …}     how it ended
//! ```
//!
//! The checksum is CRC-32 of everything after it, in hexadecimal digits. A line that ends without a
//! line feed was being written when the machine stopped.

use std::io::Write as _;

use tollgate_model::RecordId;

use super::entry::Entry;

/// How an entry's JSON begins: its id is its first field.
const BEGIN: &[u8] = b"{\"id\":\"";

/// No line is longer: entries are bounded.
pub(super) const MOST_LINE: usize = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Intent,
    Outcome,
}

impl Kind {
    const fn sign(self) -> u8 {
        match self {
            Self::Intent => b'+',
            Self::Outcome => b'=',
        }
    }
}

/// Writes the line into `out`, which is emptied first. `false`: it cannot be written.
#[must_use]
pub(super) fn write(out: &mut Vec<u8>, kind: Kind, entry: &Entry<'_>) -> bool {
    out.clear();
    out.extend_from_slice(b"00000000");
    out.push(kind.sign());
    if serde_json::to_writer(&mut *out, entry).is_err() || out.len() >= MOST_LINE {
        return false;
    }
    let sum = crc32fast::hash(&out[8..]);
    let mut digits = &mut out[..8];
    let written = write!(digits, "{sum:08x}").is_ok();
    out.push(b'\n');
    written
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line<'l> {
    /// Nearly every intent is followed by its outcome, so that it is read only when it is not: as
    /// JSON.
    Intent(RecordId, &'l [u8]),
    Outcome(Box<Entry<'static>>),
}

/// Reads a line without its line feed. `None`: it is not as it was written.
#[must_use]
pub(super) fn read(line: &[u8]) -> Option<Line<'_>> {
    let (sum, rest) = line.split_at_checked(8)?;
    let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
    if crc32fast::hash(rest) != sum {
        return None;
    }
    match rest.split_first()? {
        (b'+', json) => {
            let digits = json.strip_prefix(BEGIN)?.get(..32)?;
            Some(Line::Intent(RecordId::parse(std::str::from_utf8(digits).ok()?)?, json))
        }
        (b'=', json) => Some(Line::Outcome(Box::new(serde_json::from_slice(json).ok()?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry<'static> {
        Entry {
            id: RecordId::new(1_700_000_000_000_000, 7, 9),
            request_id: "req-\u{1F600}\n".into(),
            at_us: 1_700_000_000_000_000,
            team: Some("search".into()),
            usage: std::array::from_fn(|at| (at % 2 == 0).then_some(at as u64)),
            cost_micro_usd: Some(u64::MAX),
            ..Entry::default()
        }
    }

    #[test]
    fn a_line_says_what_was_written() {
        let mut line = Vec::new();
        for kind in [Kind::Intent, Kind::Outcome] {
            assert!(write(&mut line, kind, &entry()));
            assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            match read(&line[..line.len() - 1]).unwrap() {
                Line::Intent(id, json) => {
                    assert_eq!((kind, id), (Kind::Intent, entry().id));
                    assert_eq!(serde_json::from_slice::<Entry<'_>>(json).unwrap(), entry());
                }
                Line::Outcome(read) => assert_eq!((kind, *read), (Kind::Outcome, entry())),
            }
        }
    }

    #[test]
    fn a_line_that_was_changed_in_any_bit_is_none() {
        let mut line = Vec::new();
        assert!(write(&mut line, Kind::Outcome, &entry()));
        line.pop();
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut changed = line.clone();
                changed[at] ^= 1 << bit;
                // Hexadecimal digits may be written large.
                let same = at < 8 && changed[at].eq_ignore_ascii_case(&line[at]);
                assert_eq!(read(&changed).is_some(), same, "byte {at}, bit {bit}");
            }
        }
        for end in 0..line.len() {
            assert_eq!(read(&line[..end]), None, "cut at {end}");
        }
    }
}
