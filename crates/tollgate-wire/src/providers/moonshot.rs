//! Moonshot (Kimi), international.

use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks, ToolDemand};

pub const ROW: Provider = Provider {
    kind: "moonshot",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("anthropic-messages", Base::Path("/anthropic")),
    ],
    base_url: "https://api.moonshot.ai/v1",
    key_env: &["MOONSHOT_API_KEY"],
    serves: &["kimi-*", "moonshot-*"],
    sample_models: &["kimi-k2.6"],
    quirks: Quirks {
        seed_field: None,
        logprobs: false,
        end_user_field: None,
        parallel_tool_calls: false,
        tool_choice: ToolDemand::ByName,
        reasoning_switch: ReasoningSwitch::Thinking,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    notes: &[
        "Mainland China: `base_url: https://api.moonshot.cn/v1`, with keys of its own.",
        "Kimi models fix `temperature`, `top_p`, `n` and the penalties, and refuse others.",
    ],
    ..Provider::PLAIN
};
