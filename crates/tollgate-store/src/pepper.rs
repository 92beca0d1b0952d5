//! The pepper: 32 random bytes in the data directory, readable by the gateway's user only, or given
//! from outside. Without it no stored key can be recognised, so it is made once and never replaced.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use aws_lc_rs::rand;

use crate::digest::Digester;

const FILE: &str = "pepper";

#[derive(Clone, PartialEq, Eq)]
pub struct Pepper([u8; 32]);

impl Pepper {
    /// Reads 64 hexadecimal digits: what the file holds, as text.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let pairs = text.as_bytes().as_chunks::<2>().0;
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    pub(crate) fn digester(&self) -> Digester {
        Digester::new(&self.0)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper([redacted])")
    }
}

/// The pepper of `directory`, if it has one.
pub(crate) fn read(directory: &Path) -> io::Result<Option<Pepper>> {
    let file = directory.join(FILE);
    let bytes = match fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    keep_private(&file);
    let pepper =
        bytes.try_into().map_err(|_| io::Error::other("the pepper is not 32 bytes long"))?;
    Ok(Some(Pepper(pepper)))
}

/// Makes the pepper of `directory`, or returns the one that another process made at the same time.
pub(crate) fn make(directory: &Path) -> io::Result<Pepper> {
    let mut pepper = [0; 32];
    rand::fill(&mut pepper).map_err(io::Error::other)?;
    let draft = directory.join(format!("{FILE}.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(&pepper)?;
    file.sync_all()?;
    // A link, unlike a rename, never replaces what is there.
    let linked = fs::hard_link(&draft, directory.join(FILE));
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(Pepper(pepper)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read(directory)?.ok_or_else(|| io::Error::other("the pepper was there and is gone"))
        }
        Err(error) => Err(error),
    }
}

/// A file that others may read is closed to them again, as well as this user may.
fn keep_private(file: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let open = fs::metadata(file).is_ok_and(|about| about.permissions().mode() & 0o077 != 0);
        if open {
            // Not ours to change on some volumes; the mode is then the operator's choice.
            let _ = fs::set_permissions(file, fs::Permissions::from_mode(0o600));
        }
    }
    #[cfg(not(unix))]
    let _ = file;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_pepper_is_the_file_in_hexadecimal() {
        let hex: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
        let bytes: Vec<u8> = (0..32).collect();
        assert_eq!(Pepper::from_hex(&hex).unwrap().0.as_slice(), bytes);
        for text in ["", "00", &hex[..63], &format!("{hex}00"), &hex.replace("00", "+0")] {
            assert!(Pepper::from_hex(text).is_none(), "{text}");
        }
        assert_eq!(format!("{:?}", Pepper([7; 32])), "Pepper([redacted])");
    }
}
