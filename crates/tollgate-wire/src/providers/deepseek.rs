//! DeepSeek.

use crate::provider::{Base, MaxTokens, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks};
use crate::{Operation, auth::Auth};
use tollgate_model::DialectId;

pub const ROW: Provider = Provider {
    kind: "deepseek",
    speaks: &[
        Speaks { dialect: DialectId("openai-chat"), base: Base::Given },
        Speaks { dialect: DialectId("anthropic-messages"), base: Base::Path("/anthropic") },
    ],
    base_url: "https://api.deepseek.com",
    auth: Auth::ByDialect,
    key_env: &["DEEPSEEK_API_KEY"],
    key_optional: false,
    self_hosted: false,
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
};
