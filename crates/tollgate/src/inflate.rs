//! Undoes a content encoding within a bound, so that a small bomb stays small.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// No encoding that is understood here.
    Unknown,
    /// More than the bound.
    TooLarge,
    /// Not what the encoding says.
    Broken,
}

/// Reads the body twice: a first time only to count, so that a bomb is given no room at all and an
/// honest body exactly its own.
///
/// # Errors
/// See [`Error`].
pub fn inflate(encoding: &str, body: &[u8], most: usize) -> Result<Bytes, Error> {
    // One more than may be: it tells a body that fits from one that does not.
    let bound = most.saturating_add(1) as u64;
    let counted = io::copy(&mut reader(encoding, body)?.take(bound), &mut io::sink());
    let size = usize::try_from(counted.map_err(|_| Error::Broken)?).unwrap_or(usize::MAX);
    if size > most {
        return Err(Error::TooLarge);
    }
    let mut out = Vec::with_capacity(size);
    let read = reader(encoding, body)?.take(size as u64).read_to_end(&mut out);
    read.map_err(|_| Error::Broken)?;
    Ok(out.into())
}

fn reader<'a>(encoding: &str, body: &'a [u8]) -> Result<Box<dyn Read + 'a>, Error> {
    match encoding.to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => Ok(Box::new(MultiGzDecoder::new(body))),
        "deflate" => Ok(Box::new(ZlibDecoder::new(body))),
        _ => Err(Error::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_bomb_stops_at_the_bound() {
        let bomb = gzip(&vec![0; 10 << 20]);
        assert!(bomb.len() < 20_000);
        assert_eq!(inflate("gzip", &bomb, 1 << 20), Err(Error::TooLarge));
    }

    #[test]
    fn what_fits_is_inflated_and_what_lies_is_refused() {
        assert_eq!(inflate("GZIP", &gzip(b"hi"), 2).as_deref(), Ok(&b"hi"[..]));
        let long: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        for most in [long.len(), long.len() + 1, 2 * long.len()] {
            assert_eq!(inflate("gzip", &gzip(&long), most).as_deref(), Ok(&long[..]));
        }
        assert_eq!(inflate("gzip", &gzip(&long), long.len() - 1), Err(Error::TooLarge));
        assert_eq!(inflate("gzip", b"{}", 9), Err(Error::Broken));
        assert_eq!(inflate("br", b"{}", 9), Err(Error::Unknown));
    }
}
