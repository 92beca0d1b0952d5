//! Streams: what Bedrock sends, read; what its callers read, written.

mod decode;
mod encode;
mod write;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;
pub(super) use write::Writer;
