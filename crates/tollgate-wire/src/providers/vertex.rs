//! Google Vertex AI: Gemini in its own dialect, Claude in Anthropic's, and models that are named
//! after their publisher in OpenAI's.

use crate::Operation;
use crate::auth::{Auth, Identity};
use crate::carriage::{self, Carriage, Way};
use crate::provider::{Base, Need, Provider, Quirks, Setting, Speaks, Terms};
use tollgate_model::DataTerms;

pub const ROW: Provider = Provider {
    kind: "vertex",
    speaks: &[
        Speaks::of(
            "gemini-generate",
            Base::Below("/v1/projects/{project}/locations/{location}/publishers/google"),
        )
        .models(&["gemini-*", "gemma-*"])
        .with("project")
        .carried(&GEMINI),
        // With a key of "express mode" there is no project.
        Speaks::of("gemini-generate", Base::Below("/v1/publishers/google"))
            .models(&["gemini-*", "gemma-*"])
            .carried(&GEMINI),
        Speaks::of(
            "anthropic-messages",
            Base::Below("/v1/projects/{project}/locations/{location}/publishers/anthropic"),
        )
        .models(&["claude-*"])
        .with("project")
        .carried(&ANTHROPIC),
        Speaks::of(
            "openai-chat",
            Base::Below("/v1/projects/{project}/locations/{location}/endpoints/openapi"),
        )
        .models(&["*/*"])
        .with("project"),
    ],
    base_url: "https://{location}-aiplatform.googleapis.com",
    settings: &[
        Setting { need: Need::WithoutKey, ..Setting::of("project", &["GOOGLE_CLOUD_PROJECT"]) },
        Setting {
            need: Need::WithoutKey,
            addresses: &[
                ("", "https://aiplatform.googleapis.com"),
                ("eu", "https://aiplatform.eu.rep.googleapis.com"),
                ("global", "https://aiplatform.googleapis.com"),
                ("us", "https://aiplatform.us.rep.googleapis.com"),
            ],
            ..Setting::of("location", &["GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION"])
        },
    ],
    auth: Auth::Header("x-goog-api-key"),
    identity: Identity::Google { scope: "https://www.googleapis.com/auth/cloud-platform" },
    operations: &[Operation::Chat, Operation::CountTokens, Operation::Embed],
    quirks: Quirks { counts_wrapped: false, embeds_lists: false, ..Quirks::NONE },
    notes: &[
        "Embeddings are those of models that know `embedContent`, one text in a call.",
        "Project and location come from the configuration; those in a caller's path are not listened to.",
    ],
    sample_models: &["gemini-2.5-flash"],
    terms: Terms {
        data: DataTerms { trains: Some(false), ..DataTerms::UNKNOWN },
        source: "https://docs.cloud.google.com/gemini-enterprise-agent-platform/resources/zero-data-retention",
        read: "2026-11-25",
        note: "",
    },
    ..Provider::PLAIN
};

/// Gemini's paths begin with the publisher instead of a version.
pub const GEMINI: Carriage = Carriage { less: "/v1beta", ..carriage::PLAIN };

/// The model stands in the path and the version in the body.
pub const ANTHROPIC: Carriage = Carriage {
    ways: &[
        Way {
            operation: Operation::Chat,
            path: "/models/{model}:rawPredict",
            stream_path: "/models/{model}:streamRawPredict",
            without: &["model"],
        },
        Way {
            operation: Operation::CountTokens,
            path: "/models/count-tokens:rawPredict",
            stream_path: "/models/count-tokens:rawPredict",
            without: &[],
        },
    ],
    members: &[("anthropic_version", "\"vertex-2023-10-16\"")],
    dropped: &[("anthropic-version", "2023-06-01")],
    ..carriage::PLAIN
};
