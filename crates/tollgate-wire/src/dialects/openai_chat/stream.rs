//! The stream of an answer, read and written.

mod decode;
mod encode;
mod plain;

pub(in crate::dialects) use decode::Decoder;
pub(super) use encode::Encoder;
