//! The server of llama.cpp.

use crate::provider::{Base, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks, Terms};
use crate::{Operation, auth::Auth};

pub const ROW: Provider = Provider {
    kind: "llamacpp",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("anthropic-messages", Base::Root),
        Speaks::of("openai-responses", Base::Given),
        Speaks::of("openai-completions", Base::Given),
    ],
    base_url: "http://127.0.0.1:8080/v1",
    auth: Auth::Bearer,
    key_env: &[],
    key_optional: true,
    self_hosted: true,
    operations: &[
        Operation::Chat,
        Operation::CountTokens,
        Operation::Embed,
        Operation::Rerank,
        Operation::Transcribe,
    ],
    serves: &[],
    sample_models: &[],
    quirks: Quirks {
        top_k: true,
        reasoning_switch: ReasoningSwitch::Template,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    terms: Terms::OWN_MACHINE,
    ..Provider::PLAIN
};
