//! Together.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, ReasoningBack, Speaks};

pub const ROW: Provider = Provider {
    kind: "together",
    speaks: &[
        Speaks::of("openai-chat", Base::Given),
        Speaks::of("openai-completions", Base::Given),
    ],
    base_url: "https://api.together.xyz/v1",
    key_env: &["TOGETHER_API_KEY"],
    operations: &[
        Operation::Chat,
        Operation::Embed,
        Operation::Rerank,
        Operation::MakeImage,
        Operation::Speak,
    ],
    sample_models: &["meta-llama/Llama-3.3-70B-Instruct-Turbo"],
    quirks: Quirks {
        top_k: true,
        logprobs: false,
        parallel_tool_calls: false,
        end_user_field: None,
        message_name: false,
        reasoning_back: ReasoningBack::Reasoning,
        ..Quirks::NONE
    },
    notes: &["`logprobs` is a number here; only a caller of the same dialect can say it."],
    ..Provider::PLAIN
};
