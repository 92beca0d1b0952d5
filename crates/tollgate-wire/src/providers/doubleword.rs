//! Doubleword.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, ReasoningBack, Speaks};

pub const ROW: Provider = Provider {
    kind: "doubleword",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    base_url: "https://api.doubleword.ai/v1",
    key_env: &["DOUBLEWORD_API_KEY"],
    operations: &[Operation::Chat, Operation::Embed],
    sample_models: &["openai/gpt-oss-20b"],
    quirks: Quirks { top_k: true, reasoning_back: ReasoningBack::Content, ..Quirks::NONE },
    ..Provider::PLAIN
};
