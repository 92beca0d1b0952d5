//! Perplexity.

use crate::provider::{Base, Provider, Quirks, Speaks};

pub const ROW: Provider = Provider {
    kind: "perplexity",
    speaks: &[Speaks::of("openai-chat", Base::Root)],
    base_url: "https://api.perplexity.ai/v1",
    key_env: &["PERPLEXITY_API_KEY", "PPLX_API_KEY"],
    serves: &["sonar", "sonar-*"],
    sample_models: &["sonar"],
    quirks: Quirks { top_k: true, penalties: true, ..Quirks::SPARE },
    notes: &["Its citations and search results are told as citations of the answer."],
    ..Provider::PLAIN
};
