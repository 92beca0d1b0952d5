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
        "Its embeddings are not reached: it gives whole numbers from -128 to 127 or bits, in Base64 (`base64_int8`, `base64_binary`), and no fractions, which callers of OpenAI's embeddings expect. `/providers/NAME/v1/embeddings` passes them on as they are.",
    ],
    ..Provider::PLAIN
};
