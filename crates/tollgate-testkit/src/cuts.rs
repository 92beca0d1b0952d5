//! Cuts bytes into pieces as a network might. Cuts are drawn from a seed, so that a failure can
//! be had again.

/// A small generator of numbers that only need to be scattered, not secret (SplitMix64).
#[derive(Clone, Debug)]
pub struct Seed(u64);

impl Seed {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed of its own for each name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `1..=most`.
    pub fn up_to(&mut self, most: usize) -> usize {
        let most = u64::try_from(most.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.draw() % most).unwrap_or(0) + 1
    }
}

/// Pieces of random length: many of a few bytes, some of a few hundred, rarely more.
pub fn random<'b>(bytes: &'b [u8], seed: &mut Seed) -> Vec<&'b [u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let most = match seed.draw() % 8 {
            0..=2 => 4,
            3..=5 => 64,
            6 => 512,
            _ => 4096,
        };
        let (piece, after) = rest.split_at(seed.up_to(most).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// One byte a piece.
#[must_use]
pub fn every_byte(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.chunks(1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_joined_are_the_bytes() {
        let bytes: Vec<u8> = (0..10_000u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        for seed in 0..50 {
            let pieces = random(&bytes, &mut Seed::new(seed));
            assert_eq!(pieces.concat(), bytes, "seed {seed}");
            assert!(pieces.iter().all(|piece| !piece.is_empty()), "seed {seed}");
        }
        assert_eq!(every_byte(&bytes).len(), bytes.len());
    }

    #[test]
    fn one_seed_gives_one_cut() {
        let cut = |seed| random(&[7; 999], &mut Seed::new(seed)).iter().map(|p| p.len()).collect();
        let (once, again, other): (Vec<_>, Vec<_>, Vec<_>) = (cut(1), cut(1), cut(2));
        assert_eq!(once, again);
        assert_ne!(once, other);
    }
}
