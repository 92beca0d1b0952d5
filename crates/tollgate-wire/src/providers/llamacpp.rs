//! The server of llama.cpp.

use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks};
use crate::{Operation, auth::Auth};
use tollgate_model::DialectId;

pub const ROW: Provider = Provider {
    kind: "llamacpp",
    speaks: &[
        Speaks { dialect: DialectId("openai-chat"), base: Base::Given },
        Speaks { dialect: DialectId("anthropic-messages"), base: Base::Root },
    ],
    base_url: "http://127.0.0.1:8080/v1",
    auth: Auth::Bearer,
    key_env: &[],
    key_optional: true,
    self_hosted: true,
    operations: &[Operation::Chat, Operation::CountTokens, Operation::Embed],
    serves: &[],
    sample_models: &[],
    quirks: Quirks {
        top_k: true,
        reasoning_switch: ReasoningSwitch::Template,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
};
