//! vLLM.

use crate::Operation;
use crate::provider::{Provider, Quirks};

pub const ROW: Provider = Provider {
    kind: "vllm",
    operations: &[
        Operation::Chat,
        Operation::Embed,
        Operation::Rerank,
        Operation::Speak,
        Operation::Transcribe,
        Operation::TranslateSpeech,
    ],
    quirks: Quirks { developer_role: true, ..Quirks::SERVER },
    ..Provider::SERVER
};
