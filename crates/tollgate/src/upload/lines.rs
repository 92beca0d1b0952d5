//! The lines of a file that was kept, one at a time.

use std::ops::Range;

use bytes::BytesMut;
use memchr::memchr;
use tollgate_model::Fault;

use super::Patch;
use super::kept::{self, Kept};

/// Gives every line to `look`; it waits for the disk.
pub(super) fn look(
    kept: &Kept,
    place: Range<u64>,
    longest: usize,
    mut look: impl FnMut(u64, &[u8]) -> Result<Option<Patch>, Fault>,
) -> Result<Vec<Patch>, Fault> {
    let mut patches = Vec::new();
    let (mut line, mut begins, mut at) = (BytesMut::new(), place.start, place.start);
    let mut found = |line: &[u8], begins: u64| -> Result<(), Fault> {
        let blank = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let text = line.get(blank..).unwrap_or_default().trim_ascii_end();
        if !text.is_empty() {
            patches.extend(look(begins + blank as u64, text)?);
        }
        Ok(())
    };
    while at < place.end {
        let piece = match kept {
            Kept::Memory(bytes) => {
                let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                bytes.slice(index(at)..index(place.end))
            }
            Kept::File(file, _) => kept::piece(file, at, place.end).map_err(|error| {
                Fault::internal("a kept upload cannot be read").with_note(error.to_string())
            })?,
        };
        at += piece.len() as u64;
        let mut rest = &piece[..];
        while let Some(end) = memchr(b'\n', rest) {
            line.extend_from_slice(rest.get(..end).unwrap_or_default());
            found(&line, begins)?;
            begins += line.len() as u64 + 1;
            line.clear();
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        line.extend_from_slice(rest);
        if line.len() > longest {
            return Err(Fault::invalid(format!("A line is longer than {longest} bytes.")));
        }
    }
    found(&line, begins)?;
    Ok(patches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn lines_are_found_with_their_places() {
        let kept = Kept::Memory(Bytes::from_static(b"head a\n\n  b c \r\nd tail"));
        let mut seen = Vec::new();
        let patches = look(&kept, 5..18, 100, |at, line| {
            seen.push((at, String::from_utf8_lossy(line).into_owned()));
            Ok(None)
        });
        assert!(patches.unwrap().is_empty());
        assert_eq!(seen, [(5, "a".into()), (10, "b c".into()), (16, "d ".trim_end().to_owned())]);
        assert!(look(&kept, 0..20, 3, |_, _| Ok(None)).is_err());
    }
}
