//! LM Studio.

use crate::Operation;
use crate::provider::{Provider, Quirks, ReasoningSwitch};

pub const ROW: Provider = Provider {
    kind: "lmstudio",
    base_url: "http://127.0.0.1:1234/v1",
    operations: &[Operation::Chat, Operation::Embed, Operation::Resting],
    quirks: Quirks {
        choices: false,
        logprobs: false,
        parallel_tool_calls: false,
        reasoning_switch: ReasoningSwitch::None,
        ..Quirks::SERVER
    },
    ..Provider::SERVER
};
