//! Streamed answers, read and written.

mod decode;
mod encode;
mod write;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;
