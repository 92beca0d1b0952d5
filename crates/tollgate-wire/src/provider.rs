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
    /// Bare names that this vendor's own models have; a `*` at the end stands for any ending.
    pub serves: &'static [&'static str],
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
///
/// Quirks shape requests that are translated. One that arrives in the provider's own dialect says
/// what its caller wrote, but for what this provider is known to refuse (its dialect's `disturbs`
/// knows such bodies). The reading of usage follows the quirks always.
#[derive(Debug)]
pub struct Quirks {
    /// The name of the output cap.
    pub max_tokens_field: MaxTokens,
    /// The name of the seed; `None` where there is no such field.
    pub seed_field: Option<&'static str>,
    /// Understands the role `developer`; others get such messages as `system`.
    pub developer_role: bool,
    /// Understands `stream_options`.
    pub stream_options: bool,
    /// Understands `top_k`.
    pub top_k: bool,
    /// Understands frequency and presence penalties.
    pub penalties: bool,
    /// Understands `logprobs` and `top_logprobs`.
    pub logprobs: bool,
    /// Understands `n`.
    pub choices: bool,
    /// Understands `parallel_tool_calls`.
    pub parallel_tool_calls: bool,
    /// The field that names the end user; `None` where there is none.
    pub end_user_field: Option<&'static str>,
    /// Understands `service_tier`.
    pub service_tier: bool,
    /// Understands `cache_control` on parts and tools.
    pub cache_control: bool,
    /// Takes documents as parts of type `document_url` instead of `file`.
    pub document_url: bool,
    /// Fetches documents that a `file` part names by URL.
    pub file_url: bool,
    /// Understands a name on a message.
    pub message_name: bool,
    /// Understands `response_format` of type `json_schema`; others are asked for any JSON.
    pub json_schema: bool,
    /// How thinking is switched.
    pub reasoning_switch: ReasoningSwitch,
    /// Models, by how their names begin, that take `reasoning_effort`; others refuse it. Empty:
    /// all do.
    pub effort_models: &'static [&'static str],
    /// In which form earlier thinking is taken back.
    pub reasoning_back: ReasoningBack,
    /// The word that demands some tool call.
    pub required_word: &'static str,
    /// Understands a choice among several tools (`allowed_tools`).
    pub allowed_tools: bool,
    /// What an id of a tool call must look like.
    pub call_id: CallId,
    /// Counts thinking beside the output tokens instead of inside them.
    pub reasoning_beside_output: bool,
}

/// How a provider of the OpenAI dialect names the cap on output tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxTokens {
    /// `max_tokens`, as every compatible host understands; the other name may be too.
    MaxTokens,
    /// `max_tokens`, and the other name is refused or overlooked.
    OnlyMaxTokens,
    /// `max_completion_tokens`, as OpenAI's reasoning models demand.
    MaxCompletionTokens,
}

/// How a provider of the OpenAI dialect is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasoningSwitch {
    /// Not at all.
    None,
    /// `reasoning_effort: "low"`.
    Effort,
    /// `reasoning: {"effort": "low", "max_tokens": 1000, "exclude": false}`.
    Object,
    /// `thinking: {"type": "enabled"}`.
    Thinking,
    /// `chat_template_kwargs: {"enable_thinking": true}`.
    Template,
}

/// How a provider of the OpenAI dialect takes back thinking of earlier turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasoningBack {
    /// Not at all.
    None,
    /// As `reasoning_content` of the assistant's message.
    Content,
    /// As `reasoning` of the assistant's message.
    Reasoning,
    /// As `reasoning_details`, signatures included.
    Details,
    /// As a part of type `thinking`.
    Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallId {
    Any,
    /// Nine letters or digits.
    Nine,
}

impl Quirks {
    /// No departure.
    pub const NONE: Self = Self {
        max_tokens_field: MaxTokens::MaxTokens,
        seed_field: Some("seed"),
        developer_role: false,
        stream_options: true,
        top_k: false,
        penalties: true,
        logprobs: true,
        choices: true,
        parallel_tool_calls: true,
        end_user_field: Some("user"),
        service_tier: false,
        cache_control: false,
        document_url: false,
        file_url: false,
        message_name: true,
        json_schema: true,
        reasoning_switch: ReasoningSwitch::Effort,
        effort_models: &[],
        reasoning_back: ReasoningBack::None,
        required_word: "required",
        allowed_tools: false,
        call_id: CallId::Any,
        reasoning_beside_output: false,
    };

    /// That model takes `reasoning_effort`.
    #[must_use]
    pub fn takes_effort(&self, model: &str) -> bool {
        self.effort_models.is_empty()
            || self.effort_models.iter().any(|begin| model.starts_with(begin))
    }
}
