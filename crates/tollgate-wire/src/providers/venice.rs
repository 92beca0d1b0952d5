//! Venice.

use crate::Operation;
use crate::provider::{Base, MaxTokens, Provider, Quirks, ReasoningBack, Speaks};

pub const ROW: Provider = Provider {
    kind: "venice",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    base_url: "https://api.venice.ai/api/v1",
    key_env: &["VENICE_API_KEY"],
    operations: &[Operation::Chat, Operation::Embed],
    sample_models: &["qwen3-5-9b"],
    quirks: Quirks {
        top_k: true,
        max_tokens_field: MaxTokens::MaxTokens,
        service_tier: false,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    ..Provider::PLAIN
};
