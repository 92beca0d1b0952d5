//! Ollama. Its own dialect comes first: what that cannot carry is told as a loss, while the same
//! server's OpenAI dialect overlooks `tool_choice`, `n` and more without a word, and takes neither
//! `top_k` nor earlier thinking.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, ReasoningBack, Speaks};

pub const ROW: Provider = Provider {
    kind: "ollama",
    speaks: &[
        Speaks::of("ollama-chat", Base::Root),
        Speaks::of("openai-chat", Base::V1),
        Speaks::of("openai-responses", Base::V1),
        Speaks::of("openai-completions", Base::V1),
    ],
    base_url: "http://127.0.0.1:11434",
    operations: &[Operation::Chat, Operation::Embed],
    sample_models: &["llama3.1"],
    quirks: Quirks {
        developer_role: true,
        choices: false,
        parallel_tool_calls: false,
        reasoning_back: ReasoningBack::Reasoning,
        ..Quirks::NONE
    },
    ..Provider::SERVER
};
