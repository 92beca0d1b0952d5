//! OpenAI.

use crate::provider::{Base, MaxTokens, Provider, Quirks, Speaks, Terms};
use crate::{Operation, operation};

/// What its other models are asked for as a completion becomes a chat.
const LEGACY: &[&str] = &["gpt-3.5-turbo-instruct*", "davinci-*", "babbage-*"];

pub const ROW: Provider = Provider {
    kind: "openai",
    speaks: &[
        Speaks::of("openai-chat", Base::Given).but(RESPONSES_ONLY),
        Speaks::of("openai-responses", Base::Given),
        Speaks::of("openai-completions", Base::Given).models(LEGACY),
    ],
    base_url: "https://api.openai.com/v1",
    key_env: &["OPENAI_API_KEY"],
    operations: &operation::both::<{ operation::OF_OPENAI.len() + 3 }>(
        operation::OF_OPENAI,
        &[Operation::CountTokens, Operation::Compact, Operation::Resting],
    ),
    serves: &[
        "gpt-*",
        "chatgpt-*",
        "babbage-*",
        "davinci-*",
        "o1*",
        "o3*",
        "o4*",
        "text-embedding-3-*",
        "text-embedding-ada-*",
        "omni-moderation-*",
        "text-moderation-*",
        "dall-e-*",
        "tts-1*",
        "whisper-1",
    ],
    sample_models: &["gpt-4o-mini"],
    quirks: Quirks {
        max_tokens_field: MaxTokens::MaxCompletionTokens,
        developer_role: true,
        service_tier: true,
        allowed_tools: true,
        effort_models: &["codex", "gpt-5", "gpt-6", "o1", "o3", "o4"],
        ..Quirks::NONE
    },
    terms: Terms {
        data: Terms::KEPT_A_MONTH,
        source: "https://developers.openai.com/api/docs/guides/your-data",
        read: "2026-11-25",
        note: "logs against abuse; stored objects rest until they are deleted",
    },
    ..Provider::PLAIN
};

/// Models that answer in no other dialect.
pub(super) const RESPONSES_ONLY: &[&str] = &[
    "codex-*",
    "computer-use-preview*",
    "gpt-*-codex*",
    "gpt-*-pro*",
    "o1-pro*",
    "o3-pro*",
    "*-deep-research*",
];
