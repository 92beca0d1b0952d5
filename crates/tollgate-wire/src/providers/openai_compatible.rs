//! Any host that speaks OpenAI Chat Completions.

use crate::provider::{Base, Provider, Quirks, Speaks};
use crate::{Operation, auth::Auth};
use tollgate_model::DialectId;

pub const ROW: Provider = Provider {
    kind: "openai-compatible",
    speaks: &[Speaks { dialect: DialectId("openai-chat"), base: Base::Given }],
    base_url: "",
    auth: Auth::Bearer,
    key_env: &[],
    key_optional: true,
    self_hosted: true,
    operations: &[Operation::Chat, Operation::Embed],
    serves: &[],
    sample_models: &[],
    quirks: Quirks { developer_role: true, ..Quirks::NONE },
};
