//! Databricks model serving.

use crate::Operation;
use crate::provider::{Base, MaxTokens, Provider, Quirks, Speaks};

pub const ROW: Provider = Provider {
    kind: "databricks",
    speaks: &[Speaks::of("openai-chat", Base::Given)],
    key_env: &["DATABRICKS_TOKEN"],
    operations: &[Operation::Chat, Operation::Embed],
    sample_models: &["databricks-claude-3-7-sonnet"],
    quirks: Quirks {
        max_tokens_field: MaxTokens::OnlyMaxTokens,
        top_k: true,
        seed_field: None,
        penalties: false,
        end_user_field: None,
        message_name: false,
        parallel_tool_calls: false,
        ..Quirks::NONE
    },
    notes: &["`base_url` is `https://WORKSPACE.cloud.databricks.com/serving-endpoints`."],
    ..Provider::PLAIN
};
