//! AWS Bedrock: Claude in Anthropic's own dialect, as `InvokeModel` carries it, and every model in
//! Converse.

use crate::Operation;
use crate::auth::{Auth, Identity};
use crate::carriage::{self, Carriage, Envelope, Way};
use crate::provider::{Base, Provider, Setting, Speaks};

pub const ROW: Provider = Provider {
    kind: "bedrock",
    speaks: &[
        Speaks::of("anthropic-messages", Base::Given).models(&["*anthropic.*"]).carried(&INVOKE),
        Speaks::of("bedrock-converse", Base::Given),
    ],
    base_url: "https://bedrock-runtime.{region}.amazonaws.com",
    settings: &[Setting::of("region", &["AWS_REGION", "AWS_DEFAULT_REGION"])],
    auth: Auth::Bearer,
    identity: Identity::Aws { service: "bedrock" },
    key_env: &["AWS_BEARER_TOKEN_BEDROCK"],
    operations: &[Operation::Chat],
    sample_models: &["us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    ..Provider::PLAIN
};

/// The model stands in the path, the version and the betas in the body; streams come as frames of
/// AWS's own with Anthropic's events inside.
pub const INVOKE: Carriage = Carriage {
    ways: &[Way {
        operation: Operation::Chat,
        path: "/model/{model}/invoke",
        stream_path: "/model/{model}/invoke-with-response-stream",
        without: &["model", "stream"],
    }],
    members: &[("anthropic_version", "\"bedrock-2023-05-31\"")],
    lifted: &[("anthropic-beta", "anthropic_beta")],
    dropped: &[("anthropic-version", "2023-06-01")],
    envelope: Envelope::AwsChunks,
    request_id: "x-amzn-requestid",
    ..carriage::PLAIN
};
