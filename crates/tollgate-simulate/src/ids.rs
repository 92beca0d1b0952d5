//! Ids that look like a vendor's and depend on nothing but the request. Not random, not secret.

/// FNV-1a over the bytes: short, steady, good enough to tell requests apart.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    mix(0xcbf2_9ce4_8422_2325, bytes)
}

/// Goes on hashing from `seed`.
pub(crate) fn mix(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// `prefix` and `length` letters or digits made from `seed` and `index`.
pub(crate) fn id(prefix: &str, seed: u64, index: u64, length: usize) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = mix(mix(0x9e37_79b9_7f4a_7c15, &seed.to_le_bytes()), &index.to_le_bytes());
    let mut out = String::from(prefix);
    for _ in 0..length {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from((state >> 33) % 62).unwrap_or(0);
        out.push(char::from(LETTERS[at]));
    }
    out
}
