//! The stream of an answer, read and written.

mod decode;
mod encode;
mod plain;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;
