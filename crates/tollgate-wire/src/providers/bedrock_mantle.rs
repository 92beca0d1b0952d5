//! The OpenAI-shaped endpoint of Amazon Bedrock.

use crate::Operation;
use crate::provider::{Base, MaxTokens, Provider, Quirks, ReasoningBack, Setting, Speaks};

pub const ROW: Provider = Provider {
    kind: "bedrock-mantle",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("openai-responses", Base::Path("/openai/v1")),
    ],
    base_url: "https://bedrock-mantle.{region}.api.aws/v1",
    settings: &[Setting::of("region", &["AWS_REGION", "AWS_DEFAULT_REGION"])],
    key_env: &["AWS_BEARER_TOKEN_BEDROCK"],
    operations: &[Operation::Chat, Operation::Resting],
    quirks: Quirks {
        max_tokens_field: MaxTokens::MaxCompletionTokens,
        reasoning_back: ReasoningBack::Reasoning,
        ..Quirks::NONE
    },
    notes: &["The key is a Bedrock API key."],
    ..Provider::PLAIN
};
