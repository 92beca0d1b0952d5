//! Fireworks.

use crate::Operation;
use tollgate_model::DataTerms;

use crate::provider::{Base, Provider, Quirks, ReasoningBack, Speaks, Terms};

pub const ROW: Provider = Provider {
    kind: "fireworks",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("anthropic-messages", Base::Root),
        Speaks::of("openai-completions", Base::Given),
    ],
    base_url: "https://api.fireworks.ai/inference/v1",
    key_env: &["FIREWORKS_API_KEY"],
    operations: &[Operation::Chat, Operation::Embed, Operation::Rerank],
    sample_models: &["accounts/fireworks/models/gpt-oss-120b"],
    quirks: Quirks {
        top_k: true,
        message_name: false,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    terms: Terms {
        data: DataTerms { retention_days: Some(0), ..DataTerms::UNKNOWN },
        source: "https://docs.fireworks.ai/guides/security_compliance/data_handling",
        read: "2026-11-25",
        note: "of open models; stored responses rest for 30 days",
    },
    ..Provider::PLAIN
};
