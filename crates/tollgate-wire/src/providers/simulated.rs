//! The simulated provider of this program: speaks every dialect.

use crate::provider::{Base, Provider, Speaks};
use crate::{Operation, auth::Auth};
use tollgate_model::DialectId;

pub const ROW: Provider = Provider {
    kind: "simulated",
    speaks: &[
        Speaks { dialect: DialectId("openai-chat"), base: Base::Given },
        Speaks { dialect: DialectId("anthropic-messages"), base: Base::Root },
        Speaks { dialect: DialectId("gemini-generate"), base: Base::Root },
    ],
    base_url: "",
    auth: Auth::ByDialect,
    key_env: &[],
    key_optional: true,
    self_hosted: true,
    operations: &[Operation::Chat, Operation::CountTokens, Operation::Embed],
    serves: &[],
    sample_models: &["hello"],
    // Strict as OpenAI itself is, where it speaks that dialect.
    quirks: super::openai::ROW.quirks,
};
