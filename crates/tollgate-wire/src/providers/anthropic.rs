//! Anthropic.

use tollgate_model::DataTerms;

use crate::provider::{Base, Provider, Quirks, Speaks, Terms};
use crate::{Operation, auth::Auth};

pub const ROW: Provider = Provider {
    kind: "anthropic",
    speaks: &[Speaks::of("anthropic-messages", Base::Given)],
    base_url: "https://api.anthropic.com",
    auth: Auth::ByDialect,
    key_env: &["ANTHROPIC_API_KEY"],
    key_optional: false,
    self_hosted: false,
    operations: &[Operation::Chat, Operation::CountTokens, Operation::Batches],
    serves: &["claude-*"],
    sample_models: &["claude-sonnet-4-5"],
    quirks: Quirks::NONE,
    terms: Terms {
        data: DataTerms {
            retention_days: Some(30),
            trains: Some(false),
            baa: Some(true),
            ..DataTerms::UNKNOWN
        },
        source: "https://platform.claude.com/docs/en/manage-claude/api-and-data-retention",
        read: "2026-11-25",
        note: "files and batches rest longer",
    },
    ..Provider::PLAIN
};
