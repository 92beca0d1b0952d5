//! mistral.rs.

use crate::Operation;
use crate::provider::{
    Base, MaxTokens, Provider, Quirks, ReasoningBack, ReasoningSwitch, Speaks, Terms,
};

pub const ROW: Provider = Provider {
    kind: "mistralrs",
    speaks: &[Speaks::of("openai-chat", Base::Given), Speaks::of("openai-responses", Base::Given)],
    base_url: "http://127.0.0.1:1234/v1",
    key_optional: true,
    self_hosted: true,
    operations: &[Operation::Chat, Operation::Embed],
    quirks: Quirks {
        max_tokens_field: MaxTokens::MaxTokens,
        top_k: true,
        reasoning_switch: ReasoningSwitch::Enable,
        reasoning_back: ReasoningBack::Content,
        ..Quirks::NONE
    },
    terms: Terms::OWN_MACHINE,
    ..Provider::PLAIN
};
