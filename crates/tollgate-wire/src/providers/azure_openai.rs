//! Azure OpenAI: deployments for models, and errors of a content filter. With an `api_version` its
//! older paths are called, else those under `/openai/v1`.

use crate::Operation;
use crate::auth::{Auth, Identity};
use crate::carriage::{self, Carriage};
use crate::provider::{Base, Need, Provider, Setting, Speaks};

pub const ROW: Provider = Provider {
    kind: "azure-openai",
    speaks: &[
        Speaks::of("openai-chat", Base::Below("/openai/deployments/{model}"))
            .with("api_version")
            .carried(&DEPLOYMENT),
        Speaks::of("openai-chat", Base::Below("/openai/v1")).carried(&V1),
        Speaks::of("openai-responses", Base::Below("/openai/v1")).carried(&V1),
    ],
    base_url: "https://{resource}.openai.azure.com",
    base_env: &["AZURE_OPENAI_ENDPOINT"],
    settings: &[
        Setting::of("resource", &["AZURE_OPENAI_RESOURCE"]),
        Setting { need: Need::Never, ..Setting::of("api_version", &["OPENAI_API_VERSION"]) },
    ],
    auth: Auth::Header("api-key"),
    identity: Identity::Entra { scope: "https://cognitiveservices.azure.com/.default" },
    key_env: &["AZURE_OPENAI_API_KEY"],
    operations: &[
        Operation::Chat,
        Operation::Compact,
        Operation::Embed,
        Operation::MakeImage,
        Operation::EditImage,
        Operation::Speak,
        Operation::Transcribe,
        Operation::TranslateSpeech,
        Operation::Resting,
    ],
    sample_models: &["gpt-4o-mini"],
    quirks: super::openai::ROW.quirks,
    notes: &[
        "The model is the name of a deployment.",
        "What a content filter found stands in `innererror`, for callers of OpenAI's dialects.",
    ],
    ..Provider::PLAIN
};

/// The version stands in the query.
const DEPLOYMENT: Carriage = Carriage {
    query: "api-version={api_version}",
    request_id: "apim-request-id",
    ..carriage::PLAIN
};

const V1: Carriage = Carriage { request_id: "apim-request-id", ..carriage::PLAIN };
