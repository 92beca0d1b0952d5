//! DeepSeek.

use crate::provider::{Base, MaxTokens, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks};
use crate::{Operation, auth::Auth};

pub const ROW: Provider = Provider {
    kind: "deepseek",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("anthropic-messages", Base::Path("/anthropic")),
        Speaks::of("openai-responses", Base::Given),
    ],
    base_url: "https://api.deepseek.com",
    auth: Auth::ByDialect,
    key_env: &["DEEPSEEK_API_KEY"],
    operations: &[Operation::Chat],
    serves: &["deepseek-*"],
    sample_models: &["deepseek-chat"],
    quirks: Quirks {
        max_tokens_field: MaxTokens::OnlyMaxTokens,
        choices: false,
        end_user_field: None,
        json_schema: false,
        reasoning_switch: ReasoningSwitch::Thinking,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    ..Provider::PLAIN
};
