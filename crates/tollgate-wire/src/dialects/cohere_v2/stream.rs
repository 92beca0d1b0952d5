//! The stream of an answer: typed events, read and written.

mod decode;
mod encode;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;

/// Tells an open call from an open content block, in a snapshot's number of the open one.
const CALL: u32 = 1 << 31;
