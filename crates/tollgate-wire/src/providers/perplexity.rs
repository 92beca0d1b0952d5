//! Perplexity. Its chat completions ended in September 2026; what is there now speaks Responses.

use crate::provider::{Base, Provider, Quirks, Speaks};

pub const ROW: Provider = Provider {
    kind: "perplexity",
    speaks: &[Speaks::of("openai-responses", Base::Given)],
    base_url: "https://api.perplexity.ai/v1",
    key_env: &["PERPLEXITY_API_KEY", "PPLX_API_KEY"],
    serves: &["sonar", "sonar-*"],
    sample_models: &["perplexity/sonar"],
    quirks: Quirks { top_k: true, penalties: true, ..Quirks::SPARE },
    notes: &[
        "Its embeddings are not reached: they stand beside a dialect that it no longer speaks.",
    ],
    ..Provider::PLAIN
};
