//! Google AI Studio.

use crate::provider::{Base, Provider, Quirks, Speaks};
use crate::{Operation, auth::Auth};

pub const ROW: Provider = Provider {
    kind: "gemini",
    speaks: &[Speaks::of("gemini-generate", Base::Given)],
    base_url: "https://generativelanguage.googleapis.com",
    auth: Auth::ByDialect,
    key_env: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    key_optional: false,
    self_hosted: false,
    operations: &[Operation::Chat, Operation::CountTokens, Operation::Embed],
    serves: &["gemini-*"],
    sample_models: &["gemini-2.5-flash"],
    quirks: Quirks::NONE,
    ..Provider::PLAIN
};
