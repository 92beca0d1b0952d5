//! Anthropic.

use crate::provider::{Base, Provider, Speaks, Terms};
use crate::{Operation, auth::Auth};

pub const ROW: Provider = Provider {
    kind: "anthropic",
    speaks: &[Speaks::of("anthropic-messages", Base::Given)],
    base_url: "https://api.anthropic.com",
    auth: Auth::ByDialect,
    key_env: &["ANTHROPIC_API_KEY"],
    operations: &[Operation::Chat, Operation::CountTokens, Operation::Batches],
    serves: &["claude-*"],
    sample_models: &["claude-sonnet-4-5"],
    terms: Terms {
        data: Terms::KEPT_A_MONTH,
        source: "https://platform.claude.com/docs/en/manage-claude/api-and-data-retention",
        read: "2026-11-25",
        note: "files and batches rest longer",
    },
    ..Provider::PLAIN
};
