//! Writer.

use crate::Operation;
use crate::carriage::{self, Carriage, Way};
use crate::provider::{Base, Provider, Quirks, ReasoningSwitch, Speaks, ToolDemand};

pub const ROW: Provider = Provider {
    kind: "writer",
    speaks: &[Speaks::of("openai-chat", Base::Given).carried(&CHAT)],
    base_url: "https://api.writer.com/v1",
    key_env: &["WRITER_API_KEY"],
    serves: &["palmyra-*"],
    sample_models: &["palmyra-x5"],
    quirks: Quirks {
        json_schema: true,
        tool_choice: ToolDemand::Never,
        reasoning_switch: ReasoningSwitch::None,
        ..Quirks::SPARE
    },
    notes: &["Its older completions, which stream `{\"value\": …}`, are not spoken."],
    ..Provider::PLAIN
};

/// Chats are called at a path of its own.
const CHAT: Carriage = Carriage {
    ways: &[Way { operation: Operation::Chat, path: "/chat", stream_path: "/chat", without: &[] }],
    ..carriage::PLAIN
};
