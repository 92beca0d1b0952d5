//! Voyage: embeddings and rerankers.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, Speaks};

pub const ROW: Provider = Provider {
    kind: "voyage",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    base_url: "https://api.voyageai.com/v1",
    key_env: &["VOYAGE_API_KEY"],
    operations: &[Operation::Embed, Operation::Rerank],
    serves: &["voyage-*", "rerank-2*"],
    quirks: Quirks { end_user_field: None, rerank_limit: "top_k", ..Quirks::NONE },
    ..Provider::PLAIN
};
