//! The server of llama.cpp.

use crate::Operation;
use crate::provider::Provider;

pub const ROW: Provider = Provider {
    kind: "llamacpp",
    base_url: "http://127.0.0.1:8080/v1",
    operations: &[
        Operation::Chat,
        Operation::CountTokens,
        Operation::Embed,
        Operation::Rerank,
        Operation::Transcribe,
    ],
    ..Provider::SERVER
};
