//! Crusoe Managed Inference.

use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks};

pub const ROW: Provider = Provider {
    kind: "crusoe",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    base_url: "https://api.inference.crusoecloud.com/v1",
    key_env: &["CRUSOE_API_KEY"],
    sample_models: &["meta-llama/Llama-3.3-70B-Instruct"],
    quirks: Quirks {
        top_k: true,
        reasoning_switch: ReasoningSwitch::Template,
        reasoning_back: ReasoningBack::Reasoning,
        ..Quirks::NONE
    },
    ..Provider::PLAIN
};
