//! xAI.

use crate::Operation;
use crate::provider::{Base, MaxTokens, Provider, Quirks, ReasoningBack, Speaks};

pub const ROW: Provider = Provider {
    kind: "xai",
    speaks: &[Speaks::of("openai-chat", Base::Given), Speaks::of("openai-responses", Base::Given)],
    base_url: "https://api.x.ai/v1",
    key_env: &["XAI_API_KEY"],
    operations: &[Operation::Chat, Operation::MakeImage, Operation::EditImage, Operation::Resting],
    serves: &["grok-*"],
    sample_models: &["grok-4"],
    quirks: Quirks {
        max_tokens_field: MaxTokens::MaxCompletionTokens,
        reasoning_beside_output: true,
        penalties: false,
        effort_models: &["grok-3-mini", "grok-4.3", "grok-4.5", "grok-4.7"],
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    ..Provider::PLAIN
};
