//! A provider is a row of data: which dialects it speaks, where, how it is authenticated and
//! which quirks it has. The rows stand in `providers/`, one file each.

use tollgate_model::DialectId;

use crate::{Operation, auth::Auth, providers};

/// Every kind of provider, sorted by name.
pub const PROVIDERS: &[&Provider] = &[
    &providers::anthropic::ROW,
    &providers::anthropic_compatible::ROW,
    &providers::deepseek::ROW,
    &providers::gemini::ROW,
    &providers::groq::ROW,
    &providers::llamacpp::ROW,
    &providers::mistral::ROW,
    &providers::ollama::ROW,
    &providers::openai::ROW,
    &providers::openai_compatible::ROW,
    &providers::openrouter::ROW,
    &providers::simulated::ROW,
    &providers::vllm::ROW,
    &providers::xai::ROW,
];

/// The row of that kind.
#[must_use]
pub fn find(kind: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().copied().find(|row| row.kind == kind)
}

#[derive(Debug)]
pub struct Provider {
    /// As written in the configuration.
    pub kind: &'static str,
    /// Preferred first; a caller's own dialect is preferred over all.
    pub speaks: &'static [Speaks],
    /// What the vendor's own SDK takes as its base URL. Empty: the configuration must give it.
    pub base_url: &'static str,
    pub auth: Auth,
    /// Environment variables that hold the key; the first that is set is taken.
    pub key_env: &'static [&'static str],
    /// A call without a key can succeed.
    pub key_optional: bool,
    /// Runs where its users decide: plain `http` is allowed.
    pub self_hosted: bool,
    pub operations: &'static [Operation],
    /// Models to show in examples and in the first call; not a limit.
    pub sample_models: &'static [&'static str],
    pub quirks: Quirks,
}

impl Provider {
    /// The row's entry for a dialect.
    #[must_use]
    pub fn speaks(&self, dialect: DialectId) -> Option<&'static Speaks> {
        self.speaks.iter().find(|speaks| speaks.dialect == dialect)
    }
}

#[derive(Debug)]
pub struct Speaks {
    pub dialect: DialectId,
    pub base: Base,
}

/// Where a dialect is served, relative to the base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Right there.
    Given,
    /// There, less a trailing `/v1`.
    Root,
    /// At this path of the same host.
    Path(&'static str),
}

/// Where a provider departs from its dialect. Each field is one departure; the default is none.
#[derive(Debug)]
pub struct Quirks {
    /// The name of the output cap.
    pub max_tokens_field: MaxTokens,
}

/// How a provider of the OpenAI dialect names the cap on output tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxTokens {
    /// `max_tokens`, as every compatible host understands.
    MaxTokens,
    /// `max_completion_tokens`, as OpenAI's reasoning models demand.
    MaxCompletionTokens,
}

impl Quirks {
    /// No departure.
    pub const NONE: Self = Self { max_tokens_field: MaxTokens::MaxTokens };
}
