//! Groq.

use crate::provider::{Base, Provider, Quirks, Speaks};
use crate::{Operation, auth::Auth};
use tollgate_model::DialectId;

pub const ROW: Provider = Provider {
    kind: "groq",
    speaks: &[Speaks { dialect: DialectId("openai-chat"), base: Base::Given }],
    base_url: "https://api.groq.com/openai/v1",
    auth: Auth::Bearer,
    key_env: &["GROQ_API_KEY"],
    key_optional: false,
    self_hosted: false,
    operations: &[Operation::Chat],
    sample_models: &["llama-3.3-70b-versatile"],
    quirks: Quirks::NONE,
};
