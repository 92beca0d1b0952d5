//! SGLang.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks, Terms};

pub const ROW: Provider = Provider {
    kind: "sglang",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("anthropic-messages", Base::Root),
        Speaks::of("openai-responses", Base::Given),
        Speaks::of("openai-completions", Base::Given),
    ],
    base_url: "http://127.0.0.1:30000/v1",
    key_optional: true,
    self_hosted: true,
    operations: &[Operation::Chat, Operation::Embed, Operation::Rerank],
    quirks: Quirks {
        top_k: true,
        reasoning_switch: ReasoningSwitch::Template,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    terms: Terms::OWN_MACHINE,
    ..Provider::PLAIN
};
