//! ChatGPT, as its own coding agent calls it.

use crate::provider::{Base, Provider, Speaks};

pub const ROW: Provider = Provider {
    kind: "chatgpt",
    speaks: &[Speaks::of("openai-responses", Base::Given)],
    base_url: "https://chatgpt.com/backend-api/codex",
    sample_models: &["gpt-5.4"],
    notes: &[
        "The key is the access token of a session, which the gateway does not renew.",
        "It takes streams only, with `store: false` and with `instructions`.",
    ],
    ..Provider::PLAIN
};
