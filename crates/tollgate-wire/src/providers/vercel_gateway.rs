//! Vercel AI Gateway.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, Speaks};

pub const ROW: Provider = Provider {
    kind: "vercel-gateway",
    speaks: &[Speaks::of("openai-chat", Base::Given), Speaks::of("anthropic-messages", Base::Root)],
    base_url: "https://ai-gateway.vercel.sh/v1",
    key_env: &["AI_GATEWAY_API_KEY"],
    operations: &[Operation::Chat, Operation::Embed],
    sample_models: &["openai/gpt-5"],
    quirks: Quirks::EXTENDED,
    notes: &["Who serves a model decides about its data too."],
    ..Provider::PLAIN
};
