//! NVIDIA API catalogue (NIM).

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks};

pub const ROW: Provider = Provider {
    kind: "nvidia",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    base_url: "https://integrate.api.nvidia.com/v1",
    key_env: &["NVIDIA_API_KEY"],
    operations: &[Operation::Chat, Operation::Embed],
    sample_models: &["meta/llama-3.3-70b-instruct"],
    quirks: Quirks {
        top_k: true,
        end_user_field: None,
        message_name: false,
        reasoning_switch: ReasoningSwitch::Template,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    notes: &[
        "Models that embed queries and passages differently want `input_type`; only a caller of the same dialect can say it.",
        "NIM on your own machines: `kind: openai-compatible`.",
    ],
    ..Provider::PLAIN
};
