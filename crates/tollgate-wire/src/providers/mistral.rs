//! Mistral.

use crate::Operation;
use crate::provider::{
    Base, CallId, MaxTokens, Provider, Quirks, ReasoningBack, Speaks, ToolDemand,
};

pub const ROW: Provider = Provider {
    kind: "mistral",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("openai-completions", Base::Given).models(&["codestral*"]),
    ],
    base_url: "https://api.mistral.ai/v1",
    key_env: &["MISTRAL_API_KEY"],
    operations: &[
        Operation::Chat,
        Operation::Embed,
        Operation::Moderate,
        Operation::Speak,
        Operation::Transcribe,
    ],
    serves: &[
        "mistral-*",
        "ministral-*",
        "codestral-*",
        "magistral-*",
        "pixtral-*",
        "devstral-*",
        "open-mistral-*",
    ],
    sample_models: &["mistral-small-latest"],
    quirks: Quirks {
        max_tokens_field: MaxTokens::OnlyMaxTokens,
        seed_field: Some("random_seed"),
        logprobs: false,
        end_user_field: None,
        message_name: false,
        reasoning_back: ReasoningBack::Part,
        tool_choice: ToolDemand::All("any"),
        call_id: CallId::Nine,
        document_url: true,
        effort_models: &["mistral-small"],
        completions_path: "/fim/completions",
        ..Quirks::NONE
    },
    ..Provider::PLAIN
};
