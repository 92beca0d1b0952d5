//! Hugging Face Inference Providers (the router).

use crate::provider::{Base, Provider, Quirks, ReasoningBack, Speaks};

pub const ROW: Provider = Provider {
    kind: "huggingface",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("openai-completions", Base::Given),
    ],
    base_url: "https://router.huggingface.co/v1",
    key_env: &["HF_TOKEN"],
    sample_models: &["openai/gpt-oss-120b"],
    quirks: Quirks {
        message_name: false,
        reasoning_back: ReasoningBack::Reasoning,
        ..Quirks::NONE
    },
    notes: &[
        "`:groq`, `:fastest` or `:cheapest` behind a model chooses who serves it; it is part of the name.",
        "Who serves a model decides about its data too.",
    ],
    ..Provider::PLAIN
};
