//! Cloudflare Workers AI.

use crate::Operation;
use crate::provider::{Base, MaxTokens, Provider, Quirks, Speaks};

pub const ROW: Provider = Provider {
    kind: "cloudflare",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    key_env: &["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY"],
    operations: &[Operation::Chat, Operation::Embed],
    sample_models: &["@cf/meta/llama-3.3-70b-instruct-fp8-fast"],
    quirks: Quirks {
        max_tokens_field: MaxTokens::OnlyMaxTokens,
        top_k: true,
        choices: false,
        logprobs: false,
        end_user_field: None,
        message_name: false,
        parallel_tool_calls: false,
        ..Quirks::NONE
    },
    notes: &[
        "`base_url` is `https://api.cloudflare.com/client/v4/accounts/ACCOUNT/ai/v1`.",
        "With a schema the answer holds an object where text belongs; it is told as its text.",
    ],
    ..Provider::PLAIN
};
