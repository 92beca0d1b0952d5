//! Replicate. It speaks no dialect of this gateway; its calls pass as they are.

use crate::provider::Provider;

pub const ROW: Provider = Provider {
    kind: "replicate",
    base_url: "https://api.replicate.com/v1",
    key_env: &["REPLICATE_API_TOKEN"],
    operations: &[],
    notes: &["Reached under `/providers/NAME/…` only."],
    ..Provider::PLAIN
};
