//! Groq.

use tollgate_model::DataTerms;

use crate::Operation;
use crate::provider::{Base, MaxTokens, Provider, Quirks, ReasoningBack, Speaks, Terms};

pub const ROW: Provider = Provider {
    kind: "groq",
    speaks: &[Speaks::of("openai-chat", Base::Given), Speaks::of("openai-responses", Base::Given)],
    base_url: "https://api.groq.com/openai/v1",
    key_env: &["GROQ_API_KEY"],
    operations: &[
        Operation::Chat,
        Operation::Speak,
        Operation::Transcribe,
        Operation::TranslateSpeech,
        Operation::Files,
        Operation::Batches,
    ],
    sample_models: &["llama-3.3-70b-versatile"],
    quirks: Quirks {
        max_tokens_field: MaxTokens::MaxCompletionTokens,
        logprobs: false,
        message_name: false,
        penalties: false,
        service_tier: true,
        reasoning_back: ReasoningBack::Reasoning,
        effort_models: &["openai/gpt-oss"],
        ..Quirks::NONE
    },
    terms: Terms {
        data: DataTerms { retention_days: Some(30), ..DataTerms::UNKNOWN },
        source: "https://console.groq.com/docs/your-data",
        read: "2026-11-25",
        note: "kept only to look into failures and abuse, else not at all",
    },
    ..Provider::PLAIN
};
