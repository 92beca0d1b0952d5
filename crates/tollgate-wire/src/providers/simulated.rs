//! The simulated provider of this program: speaks every dialect.

use crate::provider::{Base, Provider, Speaks, Terms};
use crate::{Operation, auth::Auth, operation};

pub const ROW: Provider = Provider {
    kind: "simulated",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("openai-responses", Base::Given),
        Speaks::of("anthropic-messages", Base::Root),
        Speaks::of("gemini-generate", Base::Root),
        Speaks::of("cohere-v2", Base::Root),
        Speaks::of("ollama-chat", Base::Root),
        Speaks::of("openai-completions", Base::Given),
        Speaks::of("bedrock-converse", Base::Root),
    ],
    auth: Auth::ByDialect,
    key_optional: true,
    self_hosted: true,
    operations: &operation::both::<{ operation::OF_OPENAI.len() + 4 }>(
        operation::OF_OPENAI,
        &[Operation::CountTokens, Operation::Compact, Operation::Rerank, Operation::Resting],
    ),
    sample_models: &["hello"],
    // Strict as OpenAI itself is, where it speaks that dialect.
    quirks: super::openai::ROW.quirks,
    terms: Terms::OWN_MACHINE,
    ..Provider::PLAIN
};
