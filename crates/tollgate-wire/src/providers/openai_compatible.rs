//! Any host that speaks OpenAI Chat Completions.

use crate::provider::{Base, Provider, Quirks, Speaks};
use crate::{Operation, auth::Auth};

pub const ROW: Provider = Provider {
    kind: "openai-compatible",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
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
        Operation::Moderate,
        Operation::MakeImage,
        Operation::EditImage,
        Operation::VaryImage,
        Operation::Speak,
        Operation::Transcribe,
        Operation::TranslateSpeech,
        Operation::Files,
        Operation::Batches,
    ],
    serves: &[],
    sample_models: &[],
    quirks: Quirks { developer_role: true, ..Quirks::NONE },
    ..Provider::PLAIN
};
