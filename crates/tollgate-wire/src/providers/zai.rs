//! Z.AI (GLM), international.

use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks, ToolDemand};

pub const ROW: Provider = Provider {
    kind: "zai",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("anthropic-messages", Base::Path("/api/anthropic")),
    ],
    base_url: "https://api.z.ai/api/paas/v4",
    key_env: &["ZAI_API_KEY", "ZHIPUAI_API_KEY"],
    serves: &["glm-*"],
    sample_models: &["glm-4.7"],
    quirks: Quirks {
        end_user_field: Some("user_id"),
        json_schema: false,
        tool_choice: ToolDemand::Never,
        reasoning_switch: ReasoningSwitch::Thinking,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::SPARE
    },
    notes: &["Subscriptions for coding: `base_url: https://api.z.ai/api/coding/paas/v4`."],
    ..Provider::PLAIN
};
