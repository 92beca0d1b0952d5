//! GitHub Copilot.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, Speaks};

pub const ROW: Provider = Provider {
    kind: "copilot",
    speaks: &[Speaks::of("openai-chat", Base::Given), Speaks::of("openai-responses", Base::Given)],
    base_url: "https://api.githubcopilot.com",
    key_env: &["GITHUB_COPILOT_API_KEY"],
    operations: &[Operation::Chat, Operation::Embed],
    quirks: Quirks { end_user_field: None, message_name: false, ..Quirks::NONE },
    notes: &[
        "The key is the short-lived token of a Copilot session, which the gateway does not renew.",
        "It serves only requests with headers that name an editor; the gateway has none to name.",
    ],
    ..Provider::PLAIN
};
