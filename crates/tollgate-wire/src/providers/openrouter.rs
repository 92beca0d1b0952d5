//! OpenRouter.

use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks};
use crate::{Operation, auth::Auth};

pub const ROW: Provider = Provider {
    kind: "openrouter",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("anthropic-messages", Base::Root),
        Speaks::of("openai-responses", Base::Given),
        Speaks::of("openai-completions", Base::Given),
    ],
    base_url: "https://openrouter.ai/api/v1",
    auth: Auth::Bearer,
    key_env: &["OPENROUTER_API_KEY"],
    key_optional: false,
    self_hosted: false,
    operations: &[
        Operation::Chat,
        Operation::Embed,
        Operation::Rerank,
        Operation::Speak,
        Operation::Transcribe,
    ],
    serves: &[],
    sample_models: &["openrouter/auto"],
    quirks: Quirks {
        developer_role: true,
        top_k: true,
        cache_control: true,
        reasoning_switch: ReasoningSwitch::Object,
        reasoning_back: ReasoningBack::Details,
        service_tier: true,
        file_url: true,
        ..Quirks::NONE
    },
    ..Provider::PLAIN
};
