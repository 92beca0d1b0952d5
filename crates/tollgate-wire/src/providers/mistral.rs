//! Mistral.

use crate::provider::{Base, Provider, Quirks, Speaks};
use crate::{Operation, auth::Auth};
use tollgate_model::DialectId;

pub const ROW: Provider = Provider {
    kind: "mistral",
    speaks: &[Speaks { dialect: DialectId("openai-chat"), base: Base::Given }],
    base_url: "https://api.mistral.ai/v1",
    auth: Auth::Bearer,
    key_env: &["MISTRAL_API_KEY"],
    key_optional: false,
    self_hosted: false,
    operations: &[Operation::Chat, Operation::Embed],
    sample_models: &["mistral-small-latest"],
    quirks: Quirks::NONE,
};
