//! Google AI Studio.

use tollgate_model::DataTerms;

use crate::provider::{Base, Provider, Speaks, Terms};
use crate::{Operation, auth::Auth};

pub const ROW: Provider = Provider {
    kind: "gemini",
    speaks: &[Speaks::of("gemini-generate", Base::Given)],
    base_url: "https://generativelanguage.googleapis.com",
    auth: Auth::ByDialect,
    key_env: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    operations: &[Operation::Chat, Operation::CountTokens, Operation::Embed],
    serves: &["gemini-*"],
    sample_models: &["gemini-2.5-flash"],
    terms: Terms {
        data: DataTerms { retention_days: Some(55), ..DataTerms::UNKNOWN },
        source: "https://ai.google.dev/gemini-api/docs/zdr",
        read: "2026-11-25",
        note: "paid services are not used to improve products, unpaid ones are",
    },
    ..Provider::PLAIN
};
