//! Anthropic.

use crate::provider::{Base, Provider, Quirks, Speaks};
use crate::{Operation, auth::Auth};

pub const ROW: Provider = Provider {
    kind: "anthropic",
    speaks: &[Speaks::of("anthropic-messages", Base::Given)],
    base_url: "https://api.anthropic.com",
    auth: Auth::ByDialect,
    key_env: &["ANTHROPIC_API_KEY"],
    key_optional: false,
    self_hosted: false,
    operations: &[Operation::Chat, Operation::CountTokens],
    serves: &["claude-*"],
    sample_models: &["claude-sonnet-4-5"],
    quirks: Quirks::NONE,
    ..Provider::PLAIN
};
