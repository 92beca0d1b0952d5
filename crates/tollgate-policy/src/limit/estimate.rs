//! What a call is thought to use before anybody knows: from what earlier calls of the same team
//! used. A guess decides only who waits; what is booked in the end is what the provider says.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Amounts;

/// Bytes of a request that make a token, until calls say otherwise: four, in 1/256.
const USUAL_BYTES: u32 = 4 << 8;
/// Tokens of an answer, until calls say otherwise.
const USUAL_OUTPUT: u32 = 256;
/// Bytes of a streamed answer on the wire for each token, in 1/256.
const USUAL_WIRE: u32 = 128 << 8;
/// What an image, a recording or a file in a request is counted as.
const MEDIA_BYTES: usize = 4096;
/// Shorter bodies are counted as they are.
const SHORT: usize = 16 << 10;
/// A text without any space or other sign that is not base64's, at its first so many bytes.
const RUN: usize = 512;

/// What earlier calls taught. Each call moves it by an eighth.
#[derive(Debug)]
pub struct Learnt {
    bytes: AtomicU32,
    output: AtomicU32,
    wire: AtomicU32,
}

impl Default for Learnt {
    fn default() -> Self {
        Self {
            bytes: AtomicU32::new(USUAL_BYTES),
            output: AtomicU32::new(USUAL_OUTPUT),
            wire: AtomicU32::new(USUAL_WIRE),
        }
    }
}

impl Learnt {
    /// For a request with so many bytes of text that is answered by a model.
    #[must_use]
    pub fn estimate(&self, text_bytes: u64) -> Amounts {
        let per_token = u64::from(self.bytes.load(Ordering::Relaxed).max(1));
        Amounts {
            input_tokens: (text_bytes << 8).div_ceil(per_token),
            output_tokens: u64::from(self.output.load(Ordering::Relaxed)),
        }
    }

    /// Tokens in so many bytes of a stream as it is sent.
    #[must_use]
    pub fn streamed(&self, wire_bytes: u64) -> u64 {
        (wire_bytes << 8) / u64::from(self.wire.load(Ordering::Relaxed).max(1))
    }

    /// Bytes of a stream for so many tokens.
    #[must_use]
    pub fn bytes_for(&self, tokens: u64) -> u64 {
        (tokens * u64::from(self.wire.load(Ordering::Relaxed))) >> 8
    }

    /// From a call whose usage was stated.
    pub fn learn(&self, text_bytes: u64, wire_bytes: Option<u64>, used: Amounts) {
        let ratio = |bytes: u64, tokens: u64| match tokens {
            0 => None,
            tokens => u32::try_from((bytes << 8) / tokens).ok(),
        };
        // Hidden prompts and media make any ratio; beyond these bounds it says nothing of text.
        let sound = |ratio: &u32| (1 << 7..=1 << 12).contains(ratio);
        if let Some(ratio) = ratio(text_bytes, used.input_tokens).filter(sound) {
            moved(&self.bytes, ratio);
        }
        if let Some(ratio) = wire_bytes.and_then(|bytes| ratio(bytes, used.output_tokens)) {
            moved(&self.wire, ratio.clamp(1 << 8, 1 << 18));
        }
        if used.output_tokens > 0 {
            moved(&self.output, u32::try_from(used.output_tokens).unwrap_or(u32::MAX));
        }
    }
}

/// An eighth of the way to what was seen. Two calls that move it at once may lose one of the steps.
fn moved(value: &AtomicU32, seen: u32) {
    let was = value.load(Ordering::Relaxed);
    let now = (u64::from(was) * 7 + u64::from(seen)).saturating_add(4) / 8;
    value.store(u32::try_from(now).unwrap_or(u32::MAX), Ordering::Relaxed);
}

/// How much of a body is text: what stands in base64 counts as a fixed amount each.
#[must_use]
pub fn text_bytes(body: &[u8]) -> u64 {
    if body.len() <= SHORT {
        return body.len() as u64;
    }
    let mut text = 0;
    let mut from = 0;
    for end in memchr::memchr_iter(b'"', body).chain([body.len()]) {
        let piece = &body[from..end];
        from = end + 1;
        let begins = piece.get(..RUN);
        // `data:image/png;base64,` may stand before it.
        let is_media = piece.len() > MEDIA_BYTES
            && begins.is_some_and(|begins| begins[64..].iter().all(is_base64));
        text += 1 + if is_media { MEDIA_BYTES } else { piece.len() };
    }
    text as u64
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}
