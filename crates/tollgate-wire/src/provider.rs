//! A provider is a row of data: which dialects it speaks, where, how it is authenticated and
//! which quirks it has. The rows stand in `providers/`, one file each.

use tollgate_model::{DataTerms, DialectId};

use crate::auth::{Auth, Identity};
use crate::carriage::{self, Carriage};
use crate::{Operation, glob, providers};

mod setting;

pub use setting::{Need, Setting, Settings, filled};

/// Every kind of provider, sorted by name.
pub const PROVIDERS: &[&Provider] = &[
    &providers::alibaba::ROW,
    &providers::anthropic::ROW,
    &providers::anthropic_compatible::ROW,
    &providers::azure_openai::ROW,
    &providers::bedrock::ROW,
    &providers::bedrock_mantle::ROW,
    &providers::cerebras::ROW,
    &providers::chatgpt::ROW,
    &providers::cloudflare::ROW,
    &providers::cohere::ROW,
    &providers::copilot::ROW,
    &providers::crusoe::ROW,
    &providers::databricks::ROW,
    &providers::deepseek::ROW,
    &providers::doubleword::ROW,
    &providers::fireworks::ROW,
    &providers::gemini::ROW,
    &providers::github_models::ROW,
    &providers::gpustack::ROW,
    &providers::groq::ROW,
    &providers::heroku::ROW,
    &providers::huggingface::ROW,
    &providers::llamacpp::ROW,
    &providers::lmstudio::ROW,
    &providers::mistral::ROW,
    &providers::mistralrs::ROW,
    &providers::moonshot::ROW,
    &providers::nvidia::ROW,
    &providers::ollama::ROW,
    &providers::openai::ROW,
    &providers::openai_compatible::ROW,
    &providers::openrouter::ROW,
    &providers::perplexity::ROW,
    &providers::portkey::ROW,
    &providers::replicate::ROW,
    &providers::sambanova::ROW,
    &providers::sglang::ROW,
    &providers::simulated::ROW,
    &providers::snowflake::ROW,
    &providers::together::ROW,
    &providers::venice::ROW,
    &providers::vercel_gateway::ROW,
    &providers::vertex::ROW,
    &providers::vllm::ROW,
    &providers::voyage::ROW,
    &providers::writer::ROW,
    &providers::xai::ROW,
    &providers::zai::ROW,
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
    /// `{region}` stands for the setting of that name.
    pub base_url: &'static str,
    /// Environment variables that hold the base URL, where there is no file.
    pub base_env: &'static [&'static str],
    /// What it must be told besides, to know whose account or which place is meant.
    pub settings: &'static [Setting],
    /// How a key is shown.
    pub auth: Auth,
    /// What stands in for a key that is not given.
    pub identity: Identity,
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
    pub terms: Terms,
    /// What a reader of the documentation must know besides.
    pub notes: &'static [&'static str],
}

impl Provider {
    /// The usual: what a row does not say.
    pub const PLAIN: Self = Self {
        kind: "",
        speaks: &[],
        base_url: "",
        base_env: &[],
        settings: &[],
        auth: Auth::Bearer,
        identity: Identity::None,
        key_env: &[],
        key_optional: false,
        self_hosted: false,
        operations: &[Operation::Chat],
        serves: &[],
        sample_models: &[],
        quirks: Quirks::NONE,
        terms: Terms::UNKNOWN,
        notes: &[],
    };

    /// A server that its users run themselves, as most of them are.
    pub const SERVER: Self = Self {
        speaks: &[
            Speaks::of("openai-chat", Base::Given),
            Speaks::of("anthropic-messages", Base::Root),
            Speaks::of("openai-responses", Base::Given),
            Speaks::of("openai-completions", Base::Given),
        ],
        key_optional: true,
        self_hosted: true,
        quirks: Quirks::SERVER,
        terms: Terms::OWN_MACHINE,
        ..Self::PLAIN
    };

    /// The row's first entry for a dialect.
    #[must_use]
    pub fn speaks(&self, dialect: DialectId) -> Option<&'static Speaks> {
        self.speaks.iter().find(|speaks| speaks.dialect == dialect)
    }
}

/// A dialect that a provider speaks, for some of its models, at some place, in some wrapping.
#[derive(Debug)]
pub struct Speaks {
    pub dialect: DialectId,
    pub base: Base,
    /// The models it is spoken for; a `*` stands for any run of letters. Empty: all.
    pub models: &'static [&'static str],
    /// The models among those that it is not spoken for, written likewise.
    pub but: &'static [&'static str],
    /// How it travels there.
    pub carriage: &'static Carriage,
    /// The setting without which it is not spoken.
    pub needs: Option<&'static str>,
}

impl Speaks {
    /// For all models, as its own vendor has it.
    #[must_use]
    pub const fn of(dialect: &'static str, base: Base) -> Self {
        let (carriage, needs) = (&carriage::PLAIN, None);
        Self { dialect: DialectId(dialect), base, models: &[], but: &[], carriage, needs }
    }

    /// For these models only.
    #[must_use]
    pub const fn models(self, models: &'static [&'static str]) -> Self {
        Self { models, ..self }
    }

    /// Not for these.
    #[must_use]
    pub const fn but(self, but: &'static [&'static str]) -> Self {
        Self { but, ..self }
    }

    /// In this wrapping.
    #[must_use]
    pub const fn carried(self, carriage: &'static Carriage) -> Self {
        Self { carriage, ..self }
    }

    /// Only where this setting is given.
    #[must_use]
    pub const fn with(self, setting: &'static str) -> Self {
        Self { needs: Some(setting), ..self }
    }

    /// Whether it is spoken for a model.
    #[must_use]
    pub fn fits(&self, model: &str) -> bool {
        let among = |all: &[&str]| all.iter().any(|pattern| glob::matches(pattern, model));
        (self.models.is_empty() || among(self.models)) && !among(self.but)
    }
}

/// Where a dialect is served, relative to the base URL. In a path `{region}` stands for the setting
/// of that name, and `{model}` for the model that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Right there.
    Given,
    /// There, less a trailing `/v1`.
    Root,
    /// There, with a trailing `/v1`.
    V1,
    /// At this path of the same host.
    Path(&'static str),
    /// At this path below it.
    Below(&'static str),
}

/// What the vendor's public terms say about the data it is sent, where they say it, and when that
/// was read.
#[derive(Debug)]
pub struct Terms {
    pub data: DataTerms,
    pub source: &'static str,
    pub read: &'static str,
    /// What a word or a number does not say.
    pub note: &'static str,
}

impl Terms {
    /// Nobody looked, or nothing is said.
    pub const UNKNOWN: Self = Self { data: DataTerms::UNKNOWN, source: "", read: "", note: "" };

    /// Kept for a month and not trained on; a BAA can be signed.
    pub const KEPT_A_MONTH: DataTerms = DataTerms {
        retention_days: Some(30),
        trains: Some(false),
        baa: Some(true),
        ..DataTerms::UNKNOWN
    };

    /// Of a server that its users run themselves: nobody but they can say.
    pub const OWN_MACHINE: Self =
        Self { note: "runs where you run it: say what holds there", ..Self::UNKNOWN };
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
    /// Which demands for tool calls it understands.
    pub tool_choice: ToolDemand,
    /// Understands a choice among several tools (`allowed_tools`).
    pub allowed_tools: bool,
    /// What an id of a tool call must look like.
    pub call_id: CallId,
    /// Where completions are had.
    pub completions_path: &'static str,
    /// The field that says how many documents of a ranking are wanted.
    pub rerank_limit: &'static str,
    /// Counts thinking beside the output tokens instead of inside them.
    pub reasoning_beside_output: bool,
    /// Counts a whole request inside `generateContentRequest`; others take its fields as they are.
    pub counts_wrapped: bool,
    /// Embeds a list of texts in one call; others one text only.
    pub embeds_lists: bool,
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
    /// `enable_thinking: true`.
    Enable,
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

/// Which demands for tool calls a provider of the OpenAI dialect understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolDemand {
    /// All; with this word for "some call".
    All(&'static str),
    /// None, or a call of one tool; but not "some call".
    ByName,
    /// None at all: the model decides.
    Never,
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
        tool_choice: ToolDemand::All("required"),
        allowed_tools: false,
        call_id: CallId::Any,
        completions_path: "/completions",
        rerank_limit: "top_n",
        reasoning_beside_output: false,
        counts_wrapped: true,
        embeds_lists: true,
    };

    /// Servers that fill in a model's own template.
    pub const SERVER: Self = Self {
        top_k: true,
        reasoning_switch: ReasoningSwitch::Template,
        reasoning_back: ReasoningBack::Content,
        ..Self::NONE
    };

    /// The dialect as OpenRouter took it further, and others after it.
    pub const EXTENDED: Self = Self {
        developer_role: true,
        top_k: true,
        cache_control: true,
        reasoning_switch: ReasoningSwitch::Object,
        reasoning_back: ReasoningBack::Details,
        ..Self::NONE
    };

    /// Hosts that took the oldest fields only.
    pub const SPARE: Self = Self {
        max_tokens_field: MaxTokens::OnlyMaxTokens,
        seed_field: None,
        penalties: false,
        logprobs: false,
        choices: false,
        parallel_tool_calls: false,
        end_user_field: None,
        message_name: false,
        ..Self::NONE
    };

    /// That model takes `reasoning_effort`.
    #[must_use]
    pub fn takes_effort(&self, model: &str) -> bool {
        self.effort_models.is_empty()
            || self.effort_models.iter().any(|begin| model.starts_with(begin))
    }
}
