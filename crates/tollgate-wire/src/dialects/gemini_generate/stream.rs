//! A streamed answer, both ways. Every frame is a whole response object; there is no terminator
//! but `finishReason`.

mod decode;
mod encode;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;
