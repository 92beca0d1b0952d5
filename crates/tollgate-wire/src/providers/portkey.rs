//! Portkey.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, Speaks};

pub const ROW: Provider = Provider {
    kind: "portkey",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    base_url: "https://api.portkey.ai/v1",
    key_env: &["PORTKEY_API_KEY"],
    operations: &[Operation::Chat, Operation::Embed],
    quirks: Quirks {
        developer_role: true,
        service_tier: true,
        cache_control: true,
        ..Quirks::NONE
    },
    notes: &["A model is written `@provider/model`, with a provider of the Portkey workspace."],
    ..Provider::PLAIN
};
