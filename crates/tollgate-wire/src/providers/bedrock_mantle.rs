//! The OpenAI-shaped endpoint of Amazon Bedrock.

use crate::provider::{Base, MaxTokens, Provider, Quirks, ReasoningBack, Speaks};

pub const ROW: Provider = Provider {
    kind: "bedrock-mantle",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    key_env: &["AWS_BEARER_TOKEN_BEDROCK"],
    quirks: Quirks {
        max_tokens_field: MaxTokens::MaxCompletionTokens,
        reasoning_back: ReasoningBack::Reasoning,
        ..Quirks::NONE
    },
    notes: &[
        "`base_url` is `https://bedrock-mantle.REGION.api.aws/v1`; the key is a Bedrock bearer key.",
    ],
    ..Provider::PLAIN
};
