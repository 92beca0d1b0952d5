//! mistral.rs.

use crate::Operation;
use crate::provider::{Base, Provider, Quirks, ReasoningSwitch, Speaks};

pub const ROW: Provider = Provider {
    kind: "mistralrs",
    speaks: &[Speaks::of("openai-chat", Base::Given), Speaks::of("openai-responses", Base::Given)],
    base_url: "http://127.0.0.1:1234/v1",
    operations: &[Operation::Chat, Operation::Embed],
    quirks: Quirks { reasoning_switch: ReasoningSwitch::Enable, ..Quirks::SERVER },
    ..Provider::SERVER
};
