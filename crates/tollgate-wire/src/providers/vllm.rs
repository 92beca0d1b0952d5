//! vLLM.

use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks};
use crate::{Operation, auth::Auth};
use tollgate_model::DialectId;

pub const ROW: Provider = Provider {
    kind: "vllm",
    speaks: &[
        Speaks { dialect: DialectId("openai-chat"), base: Base::Given },
        Speaks { dialect: DialectId("anthropic-messages"), base: Base::Root },
    ],
    base_url: "",
    auth: Auth::Bearer,
    key_env: &[],
    key_optional: true,
    self_hosted: true,
    operations: &[Operation::Chat, Operation::Embed],
    serves: &[],
    sample_models: &[],
    quirks: Quirks {
        developer_role: true,
        top_k: true,
        reasoning_switch: ReasoningSwitch::Template,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
};
