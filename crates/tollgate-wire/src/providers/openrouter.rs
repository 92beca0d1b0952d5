//! OpenRouter.

use crate::Operation;
use crate::provider::{Provider, Quirks};

pub const ROW: Provider = Provider {
    kind: "openrouter",
    speaks: Provider::SERVER.speaks,
    base_url: "https://openrouter.ai/api/v1",
    key_env: &["OPENROUTER_API_KEY"],
    operations: &[
        Operation::Chat,
        Operation::Embed,
        Operation::Rerank,
        Operation::Speak,
        Operation::Transcribe,
    ],
    sample_models: &["openrouter/auto"],
    quirks: Quirks { service_tier: true, file_url: true, ..Quirks::EXTENDED },
    ..Provider::PLAIN
};
