//! SambaNova.

use crate::Operation;
use crate::provider::{Base, MaxTokens, Provider, Quirks, ReasoningSwitch, Speaks};

pub const ROW: Provider = Provider {
    kind: "sambanova",
    speaks: &[Speaks::of("openai-chat", Base::Given), Speaks::of("anthropic-messages", Base::Root)],
    base_url: "https://api.sambanova.ai/v1",
    key_env: &["SAMBANOVA_API_KEY"],
    operations: &[Operation::Chat, Operation::Embed],
    sample_models: &["Meta-Llama-3.3-70B-Instruct"],
    quirks: Quirks {
        max_tokens_field: MaxTokens::OnlyMaxTokens,
        top_k: true,
        penalties: false,
        logprobs: false,
        choices: false,
        message_name: false,
        reasoning_switch: ReasoningSwitch::Template,
        ..Quirks::NONE
    },
    ..Provider::PLAIN
};
