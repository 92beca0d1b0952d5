//! What is kept of a key: HMAC-SHA-256 of it, keyed with the pepper. Whoever steals the database
//! alone can neither use a key nor try out guesses. Keys are long and random, so a slow hash would
//! only slow down every call.

use std::fmt;

use aws_lc_rs::hmac;
use secrecy::SecretString;

/// The digest of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A short mark by which a log can tell keys apart. It cannot be made without the pepper.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0[..6].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Digest").field(&self.fingerprint()).finish()
    }
}

/// Makes digests with one pepper.
pub struct Digester(hmac::Key);

impl Digester {
    #[must_use]
    pub fn new(pepper: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, pepper))
    }

    #[must_use]
    pub fn digest(&self, key: &str) -> Digest {
        let tag = hmac::sign(&self.0, key.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        Digest(bytes)
    }
}

/// A key as AWS's SDKs want one. Both halves follow from the key's digest and the pepper, so that
/// nothing more is kept, and neither can be made from the database alone.
#[derive(Debug)]
pub struct AccessKey {
    /// Public; twenty letters, as AWS's own.
    pub id: String,
    pub secret: SecretString,
}

impl Digester {
    /// The key of that digest as AWS's SDKs want it.
    #[must_use]
    pub fn access_key(&self, digest: &Digest) -> AccessKey {
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let id = self.derived("aws access key id", digest);
        let id = id.iter().take(16).map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        let secret = self.derived("aws secret access key", digest);
        let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        AccessKey { id: format!("TGAK{}", id.collect::<String>()), secret: secret.into() }
    }

    /// By which a database recognises the pepper.
    pub(crate) fn mark(&self) -> Digest {
        Digest(self.derived("mark of the pepper", &Digest([0; 32])))
    }

    /// A keyed hash of a digest for one purpose. A key never begins with a zero byte, so none of
    /// these is ever the digest of a key.
    fn derived(&self, purpose: &str, digest: &Digest) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in [&b"\0"[..], purpose.as_bytes(), b"\0", digest.as_bytes()] {
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.sign().as_ref());
        bytes
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digester([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_the_key_and_on_the_pepper() {
        let (one, two) = (Digester::new(&[1; 32]), Digester::new(&[2; 32]));
        assert_eq!(one.digest("a"), one.digest("a"));
        assert_ne!(one.digest("a"), one.digest("b"));
        assert_ne!(one.digest("a"), two.digest("a"));
    }

    #[test]
    fn it_is_the_published_function() {
        // RFC 4231 has no vector with a 32-byte key of its own; this one was made with `openssl
        // dgst -mac HMAC`.
        let digest = Digester::new(&[0x0b; 32]).digest("Hi There");
        let hex: String = digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7");
    }

    #[test]
    fn an_access_key_follows_from_the_key_and_the_pepper() {
        use secrecy::ExposeSecret as _;
        let (one, two) = (Digester::new(&[1; 32]), Digester::new(&[2; 32]));
        let of = |digester: &Digester, key: &str| {
            let found = digester.access_key(&digester.digest(key));
            (found.id, found.secret.expose_secret().to_owned())
        };
        let (id, secret) = of(&one, "a");
        assert_eq!((id.clone(), secret.clone()), of(&one, "a"));
        assert!(id.starts_with("TGAK") && id.len() == 20 && secret.len() == 64);
        for other in [of(&one, "b"), of(&two, "a")] {
            assert!(other.0 != id && other.1 != secret);
        }
        let shown = format!("{:?}", one.access_key(&one.digest("a")));
        assert!(!shown.contains(&secret), "{shown}");
    }

    #[test]
    fn the_pepper_is_not_shown() {
        assert_eq!(format!("{:?}", Digester::new(&[7; 32])), "Digester([redacted])");
    }
}
