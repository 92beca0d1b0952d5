//! GitHub Models.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, Speaks};

pub const ROW: Provider = Provider {
    kind: "github-models",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    base_url: "https://models.github.ai/inference",
    key_env: &["GITHUB_MODELS_TOKEN"],
    operations: &[Operation::Chat, Operation::Embed],
    sample_models: &["openai/gpt-4.1-mini"],
    quirks: Quirks {
        developer_role: true,
        choices: false,
        end_user_field: None,
        message_name: false,
        effort_models: &["openai/gpt-5", "openai/o1", "openai/o3", "openai/o4"],
        ..Quirks::NONE
    },
    notes: &[
        "`GITHUB_TOKEN` is not taken from the environment by itself: many machines have it for other ends. Write `api_key: \"${env:GITHUB_TOKEN}\"`.",
    ],
    ..Provider::PLAIN
};
