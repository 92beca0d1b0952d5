//! OpenRouter.

use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks};
use crate::{Operation, auth::Auth};
use tollgate_model::DialectId;

pub const ROW: Provider = Provider {
    kind: "openrouter",
    speaks: &[
        Speaks { dialect: DialectId("openai-chat"), base: Base::Given },
        Speaks { dialect: DialectId("anthropic-messages"), base: Base::Root },
    ],
    base_url: "https://openrouter.ai/api/v1",
    auth: Auth::Bearer,
    key_env: &["OPENROUTER_API_KEY"],
    key_optional: false,
    self_hosted: false,
    operations: &[Operation::Chat, Operation::Embed],
    serves: &[],
    sample_models: &["openrouter/auto"],
    quirks: Quirks {
        developer_role: true,
        top_k: true,
        cache_control: true,
        reasoning_switch: ReasoningSwitch::Object,
        reasoning_back: ReasoningBack::Details,
        service_tier: true,
        file_url: true,
        ..Quirks::NONE
    },
};
