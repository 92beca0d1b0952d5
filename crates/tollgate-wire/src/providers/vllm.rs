//! vLLM.

use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks, Terms};
use crate::{Operation, auth::Auth};

pub const ROW: Provider = Provider {
    kind: "vllm",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("anthropic-messages", Base::Root),
        Speaks::of("openai-responses", Base::Given),
        Speaks::of("openai-completions", Base::Given),
    ],
    base_url: "",
    auth: Auth::Bearer,
    key_env: &[],
    key_optional: true,
    self_hosted: true,
    operations: &[
        Operation::Chat,
        Operation::Embed,
        Operation::Rerank,
        Operation::Speak,
        Operation::Transcribe,
        Operation::TranslateSpeech,
    ],
    serves: &[],
    sample_models: &[],
    quirks: Quirks {
        developer_role: true,
        top_k: true,
        reasoning_switch: ReasoningSwitch::Template,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    terms: Terms::OWN_MACHINE,
    ..Provider::PLAIN
};
