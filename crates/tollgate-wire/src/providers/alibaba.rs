//! Alibaba Cloud Model Studio (Qwen), international.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks, ToolDemand};

pub const ROW: Provider = Provider {
    kind: "alibaba",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("anthropic-messages", Base::Path("/apps/anthropic")),
    ],
    base_url: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    key_env: &["DASHSCOPE_API_KEY"],
    operations: &[Operation::Chat, Operation::Embed],
    serves: &["qwen-*", "qwen3-*", "qwq-*", "qvq-*"],
    sample_models: &["qwen-plus"],
    quirks: Quirks {
        top_k: true,
        end_user_field: None,
        message_name: false,
        tool_choice: ToolDemand::ByName,
        reasoning_switch: ReasoningSwitch::Enable,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    notes: &[
        "Keys belong to a region: for mainland China write `base_url: https://dashscope.aliyuncs.com/compatible-mode/v1`.",
    ],
    ..Provider::PLAIN
};
