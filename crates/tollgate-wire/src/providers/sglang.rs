//! SGLang.

use crate::Operation;
use crate::provider::Provider;

pub const ROW: Provider = Provider {
    kind: "sglang",
    base_url: "http://127.0.0.1:30000/v1",
    operations: &[Operation::Chat, Operation::Embed, Operation::Rerank],
    ..Provider::SERVER
};
