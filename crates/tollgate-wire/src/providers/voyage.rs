//! Voyage: embeddings.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, Speaks};

pub const ROW: Provider = Provider {
    kind: "voyage",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    base_url: "https://api.voyageai.com/v1",
    key_env: &["VOYAGE_API_KEY"],
    operations: &[Operation::Embed],
    serves: &["voyage-*"],
    quirks: Quirks { end_user_field: None, ..Quirks::NONE },
    ..Provider::PLAIN
};
