//! Any host that speaks Anthropic Messages.

use crate::provider::{Base, Provider, Quirks, Speaks};
use crate::{Operation, auth::Auth};

pub const ROW: Provider = Provider {
    kind: "anthropic-compatible",
    speaks: &[Speaks::of("anthropic-messages", Base::Given)],
    base_url: "",
    auth: Auth::ByDialect,
    key_env: &[],
    key_optional: true,
    self_hosted: true,
    operations: &[Operation::Chat, Operation::CountTokens],
    serves: &[],
    sample_models: &[],
    quirks: Quirks::NONE,
    ..Provider::PLAIN
};
