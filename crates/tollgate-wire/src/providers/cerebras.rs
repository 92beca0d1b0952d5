//! Cerebras.

use crate::provider::{Base, MaxTokens, Provider, Quirks, ReasoningBack, Speaks};

pub const ROW: Provider = Provider {
    kind: "cerebras",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    base_url: "https://api.cerebras.ai/v1",
    key_env: &["CEREBRAS_API_KEY"],
    sample_models: &["gpt-oss-120b"],
    quirks: Quirks {
        max_tokens_field: MaxTokens::MaxCompletionTokens,
        penalties: false,
        choices: false,
        message_name: false,
        parallel_tool_calls: false,
        effort_models: &["gpt-oss"],
        reasoning_back: ReasoningBack::Reasoning,
        ..Quirks::NONE
    },
    ..Provider::PLAIN
};
