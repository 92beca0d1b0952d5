//! Undoes a content encoding within a bound, so that a small bomb stays small.

use std::io::Read;

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

/// # Errors
/// See [`Error`].
pub fn inflate(encoding: &str, body: &[u8], most: usize) -> Result<Bytes, Error> {
    let mut reader: Box<dyn Read> = match encoding.to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(body)),
        "deflate" => Box::new(ZlibDecoder::new(body)),
        _ => return Err(Error::Unknown),
    };
    let mut out = Vec::new();
    let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    reader.by_ref().take(bound).read_to_end(&mut out).map_err(|_| Error::Broken)?;
    if out.len() > most { Err(Error::TooLarge) } else { Ok(out.into()) }
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
        assert_eq!(inflate("gzip", b"{}", 9), Err(Error::Broken));
        assert_eq!(inflate("br", b"{}", 9), Err(Error::Unknown));
    }
}
