//! AWS Bedrock: Claude in Anthropic's own dialect and Cohere's vectors and rankings in Cohere's, as
//! `InvokeModel` carries them, and every model that talks in Converse.

use crate::Operation;
use crate::auth::Identity;
use crate::carriage::{self, Carriage, Envelope, Way};
use crate::provider::{Base, Provider, Setting, Speaks};

pub const ROW: Provider = Provider {
    kind: "bedrock",
    speaks: &[
        Speaks::of("anthropic-messages", Base::Given).models(&["*anthropic.*"]).carried(&INVOKE),
        Speaks::of("cohere-v2", Base::Given).models(&["*cohere.embed*"]).carried(&VECTORS),
        Speaks::of("cohere-v2", Base::Given).models(&["*cohere.rerank*"]).carried(&RANKING),
        Speaks::of("cohere-v2", Base::Given).models(&["*amazon.rerank*"]).carried(&AMAZONS_RANKING),
        Speaks::of("bedrock-converse", Base::Given),
    ],
    base_url: "https://bedrock-runtime.{region}.amazonaws.com",
    settings: &[Setting::of("region", &["AWS_REGION", "AWS_DEFAULT_REGION"])],
    identity: Identity::Aws { service: "bedrock" },
    key_env: &["AWS_BEARER_TOKEN_BEDROCK"],
    operations: &[Operation::Chat, Operation::Embed, Operation::Rerank],
    sample_models: &["us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    notes: &[
        "Titan embeds one text per request; a request with several is refused.",
        "Cohere's answers here state no tokens, so that its vectors are recorded without any.",
        "Rankings were tried against the simulated provider alone: their bodies are not confirmed by AWS's pages.",
    ],
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

/// Cohere's vectors: the model stands in the path.
pub const VECTORS: Carriage = Carriage {
    ways: &[invoked(Operation::Embed)],
    request_id: INVOKE.request_id,
    ..carriage::PLAIN
};

/// Cohere's rankings, which want their version in the body.
pub const RANKING: Carriage = Carriage {
    ways: &[invoked(Operation::Rerank)],
    members: &[("api_version", "2")],
    request_id: INVOKE.request_id,
    ..carriage::PLAIN
};

/// Amazon's own rankings take the same body, and know of no version.
pub const AMAZONS_RANKING: Carriage = Carriage { members: &[], ..RANKING };

const fn invoked(operation: Operation) -> Way {
    let path = "/model/{model}/invoke";
    Way { operation, path, stream_path: path, without: &["model"] }
}
