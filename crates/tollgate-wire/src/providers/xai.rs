//! xAI.

use crate::provider::{Base, MaxTokens, Provider, Quirks, Speaks};
use crate::{Operation, auth::Auth};
use tollgate_model::DialectId;

pub const ROW: Provider = Provider {
    kind: "xai",
    speaks: &[Speaks { dialect: DialectId("openai-chat"), base: Base::Given }],
    base_url: "https://api.x.ai/v1",
    auth: Auth::Bearer,
    key_env: &["XAI_API_KEY"],
    key_optional: false,
    self_hosted: false,
    operations: &[Operation::Chat],
    serves: &["grok-*"],
    sample_models: &["grok-4"],
    quirks: Quirks {
        max_tokens_field: MaxTokens::MaxCompletionTokens,
        reasoning_beside_output: true,
        ..Quirks::NONE
    },
};
