//! Heroku Managed Inference.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, ReasoningSwitch, Speaks};

pub const ROW: Provider = Provider {
    kind: "heroku",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    base_url: "https://us.inference.heroku.com/v1",
    key_env: &["INFERENCE_KEY"],
    operations: &[Operation::Chat, Operation::Embed],
    sample_models: &["claude-4-5-sonnet"],
    quirks: Quirks { json_schema: false, reasoning_switch: ReasoningSwitch::None, ..Quirks::SPARE },
    notes: &["Resources in Europe: `base_url: https://eu.inference.heroku.com/v1`."],
    ..Provider::PLAIN
};
