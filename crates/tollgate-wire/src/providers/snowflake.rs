//! Snowflake Cortex.

use crate::provider::{Base, MaxTokens, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks};

pub const ROW: Provider = Provider {
    kind: "snowflake",
    speaks: &[Speaks::of("openai-chat", Base::Given), Speaks::of("anthropic-messages", Base::Root)],
    key_env: &["SNOWFLAKE_PAT"],
    sample_models: &["claude-sonnet-4-6"],
    quirks: Quirks {
        max_tokens_field: MaxTokens::MaxCompletionTokens,
        choices: false,
        message_name: false,
        reasoning_switch: ReasoningSwitch::Object,
        reasoning_back: ReasoningBack::Details,
        cache_control: true,
        ..Quirks::NONE
    },
    notes: &[
        "`base_url` is `https://ORGANISATION-ACCOUNT.snowflakecomputing.com/api/v2/cortex/v1`; the key is a programmatic access token.",
        "The Anthropic dialect reaches Claude models only.",
        "It may end an answer with an empty word; what the answer holds then says how it ended.",
    ],
    ..Provider::PLAIN
};
