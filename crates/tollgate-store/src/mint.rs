//! The form of a key: `tg_`, 256 random bits, and a checksum, so that a key in a log or a
//! repository is recognised by a scanner, and a slip of the pen by anybody.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use secrecy::SecretString;

/// What every key begins with.
pub const KEY_PREFIX: &str = "tg_";

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 43 letters of 62 hold 256 bits.
const RANDOM_LETTERS: usize = 43;
const CHECK_LETTERS: usize = 6;

/// A new key.
pub(crate) fn key() -> Result<SecretString, Unspecified> {
    let mut key = format!("{KEY_PREFIX}{}", letters(RANDOM_LETTERS)?);
    key.push_str(&checksum(&key));
    Ok(SecretString::from(key))
}

/// A new name for a row.
pub(crate) fn id(prefix: &str) -> Result<String, Unspecified> {
    Ok(format!("{prefix}_{}", letters(20)?))
}

/// Whether `key` has the form of a key that a gateway made. It says nothing of whether the key is
/// known.
#[must_use]
pub fn is_well_formed(key: &str) -> bool {
    let Some((body, check)) = key.split_at_checked(key.len().saturating_sub(CHECK_LETTERS)) else {
        return false;
    };
    let Some(random) = body.strip_prefix(KEY_PREFIX) else { return false };
    random.len() == RANDOM_LETTERS
        && random.bytes().all(|letter| letter.is_ascii_alphanumeric())
        && check == checksum(body)
}

fn letters(count: usize) -> Result<String, Unspecified> {
    let mut text = String::with_capacity(count);
    let mut bytes = [0; 64];
    while text.len() < count {
        rand::fill(&mut bytes)?;
        // Bytes from 248 on would make the first letters likelier than the others.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        text.extend(
            fair.take(count - text.len()).map(|byte| char::from(ALPHABET[usize::from(byte % 62)])),
        );
    }
    Ok(text)
}

/// CRC-32 in six letters.
fn checksum(text: &str) -> String {
    let mut crc = !0_u32;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    let mut rest = !crc;
    let mut reversed = [0; CHECK_LETTERS];
    for letter in reversed.iter_mut().rev() {
        *letter = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    reversed.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn keys_are_well_formed_and_never_alike() {
        let keys: std::collections::BTreeSet<String> =
            (0..1000).map(|_| key().unwrap().expose_secret().to_owned()).collect();
        assert_eq!(keys.len(), 1000);
        for key in &keys {
            assert!(is_well_formed(key), "{key}");
            assert_eq!(key.len(), 52);
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_seen() {
        let key = key().unwrap().expose_secret().to_owned();
        for at in 3..key.len() {
            let mut slipped = key.clone().into_bytes();
            slipped[at] = if slipped[at] == b'a' { b'b' } else { b'a' };
            assert!(!is_well_formed(std::str::from_utf8(&slipped).unwrap()), "{at}");
        }
        for text in ["", "tg_", "sk-123", "tg_é", "éééééééé"] {
            assert!(!is_well_formed(text), "{text}");
        }
    }

    #[test]
    fn the_checksum_is_crc_32() {
        // The published check value of CRC-32 is CBF43926 for "123456789": 3421780262 in base 62.
        assert_eq!(checksum("123456789"), "3jZRME");
        let value = "3jZRME".bytes().fold(0_u64, |sum, letter| {
            sum * 62 + ALPHABET.iter().position(|known| *known == letter).unwrap() as u64
        });
        assert_eq!(value, 0xCBF4_3926);
    }
}
