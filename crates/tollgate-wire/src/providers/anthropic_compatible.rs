//! Any host that speaks Anthropic Messages.

use crate::provider::{Base, Provider, Speaks};
use crate::{Operation, auth::Auth};

pub const ROW: Provider = Provider {
    kind: "anthropic-compatible",
    speaks: &[Speaks::of("anthropic-messages", Base::Given)],
    auth: Auth::ByDialect,
    key_optional: true,
    self_hosted: true,
    operations: &[Operation::Chat, Operation::CountTokens],
    ..Provider::PLAIN
};
