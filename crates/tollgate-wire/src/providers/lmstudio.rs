//! LM Studio.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks, Terms};

pub const ROW: Provider = Provider {
    kind: "lmstudio",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("anthropic-messages", Base::Root),
        Speaks::of("openai-responses", Base::Given),
        Speaks::of("openai-completions", Base::Given),
    ],
    base_url: "http://127.0.0.1:1234/v1",
    key_optional: true,
    self_hosted: true,
    operations: &[Operation::Chat, Operation::Embed, Operation::Resting],
    quirks: Quirks {
        top_k: true,
        choices: false,
        logprobs: false,
        parallel_tool_calls: false,
        reasoning_switch: ReasoningSwitch::None,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    terms: Terms::OWN_MACHINE,
    ..Provider::PLAIN
};
