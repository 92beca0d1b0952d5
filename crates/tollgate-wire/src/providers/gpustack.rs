//! GPUStack.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks, Terms};

pub const ROW: Provider = Provider {
    kind: "gpustack",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    key_optional: true,
    self_hosted: true,
    operations: &[Operation::Chat, Operation::Embed, Operation::Rerank],
    quirks: Quirks {
        top_k: true,
        reasoning_switch: ReasoningSwitch::Enable,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    terms: Terms::OWN_MACHINE,
    ..Provider::PLAIN
};
