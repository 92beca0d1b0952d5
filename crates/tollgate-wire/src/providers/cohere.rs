//! Cohere.

use crate::Operation;
use crate::provider::{Base, Provider, Speaks};

pub const ROW: Provider = Provider {
    kind: "cohere",
    speaks: &[Speaks::of("cohere-v2", Base::Given)],
    base_url: "https://api.cohere.com",
    key_env: &["COHERE_API_KEY", "CO_API_KEY"],
    operations: &[Operation::Chat, Operation::Embed, Operation::Rerank],
    serves: &[
        "command-*",
        "c4ai-aya-*",
        "embed-v4*",
        "embed-english-*",
        "embed-multilingual-*",
        "rerank-v*",
        "rerank-english-*",
        "rerank-multilingual-*",
    ],
    sample_models: &["command-a-03-2025"],
    ..Provider::PLAIN
};
