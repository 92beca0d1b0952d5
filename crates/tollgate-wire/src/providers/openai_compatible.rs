//! Any host that speaks OpenAI Chat Completions.

use crate::provider::{Base, Provider, Quirks, Speaks};
use crate::{Operation, operation};

pub const ROW: Provider = Provider {
    kind: "openai-compatible",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("openai-completions", Base::Given),
    ],
    key_optional: true,
    self_hosted: true,
    operations: &operation::both::<{ operation::OF_OPENAI.len() + 1 }>(
        operation::OF_OPENAI,
        &[Operation::Rerank],
    ),
    quirks: Quirks { developer_role: true, ..Quirks::NONE },
    ..Provider::PLAIN
};
