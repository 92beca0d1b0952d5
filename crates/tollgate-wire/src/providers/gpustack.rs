//! GPUStack.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, ReasoningSwitch, Speaks};

pub const ROW: Provider = Provider {
    kind: "gpustack",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    operations: &[Operation::Chat, Operation::Embed, Operation::Rerank],
    quirks: Quirks { reasoning_switch: ReasoningSwitch::Enable, ..Quirks::SERVER },
    ..Provider::SERVER
};
