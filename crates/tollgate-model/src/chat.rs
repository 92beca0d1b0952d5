//! A request for one answer of a model, in no vendor's words.
//!
//! A field stands here only when two dialects have it and a stage or another dialect needs it.
//! Everything else is an [`Extras`] of the dialect that said it.

use serde_json::Value;

use crate::{DialectId, Extras};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chat {
    /// The model as the caller named it.
    pub model: String,
    pub stream: bool,
    /// The caller asked for usage at the end of the stream (only one dialect makes it optional).
    pub stream_usage: bool,
    /// In the caller's order; system and developer messages stand where they were written.
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: Option<ToolChoice>,
    /// `Some(false)`: at most one tool call in an answer.
    pub parallel_tool_calls: Option<bool>,
    pub sampling: Sampling,
    /// Cap on output tokens, thinking included.
    pub max_output_tokens: Option<u64>,
    pub stop: Vec<String>,
    /// How many answers are wanted.
    pub choices: Option<u32>,
    /// Log-probabilities are wanted.
    pub logprobs: Option<bool>,
    /// How many alternatives per token, with their log-probabilities.
    pub top_logprobs: Option<u32>,
    pub output: OutputFormat,
    pub reasoning: Option<Reasoning>,
    pub service_tier: Option<String>,
    /// An opaque id of the person on whose behalf the caller calls.
    pub end_user: Option<String>,
    /// A field without which nothing would be asked, and the one dialect that can carry it.
    pub only: Option<(DialectId, &'static str)>,
    pub extras: Extras,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u64>,
    pub seed: Option<i64>,
    pub frequency_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    Developer,
    User,
    Assistant,
    /// Carries tool results. Dialects without such a role put them into a user message.
    Tool,
}

/// How the caller spelled a content: dialects that allow a bare string for one text keep it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    #[default]
    List,
    /// A bare string.
    Text,
    /// `null`.
    Null,
    /// The field was not there.
    Absent,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub role: Role,
    /// Name of the participant, where a dialect has one.
    pub name: Option<String>,
    pub parts: Vec<Part>,
    pub shape: Shape,
    pub extras: Extras,
}

impl Message {
    #[must_use]
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { role, name: None, parts, shape: Shape::List, extras: Extras::default() }
    }

    #[must_use]
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        let parts = vec![Part::text(text)];
        Self { shape: Shape::Text, ..Self::new(role, parts) }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub kind: PartKind,
    /// The prompt may be cached up to and including this part.
    pub cache: Option<CacheMark>,
    pub extras: Extras,
}

impl Part {
    #[must_use]
    pub fn new(kind: PartKind) -> Self {
        Self { kind, cache: None, extras: Extras::default() }
    }

    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(PartKind::Text(text.into()))
    }
}

impl From<PartKind> for Part {
    fn from(kind: PartKind) -> Self {
        Self::new(kind)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum PartKind {
    Text(String),
    Media(Media),
    /// Thinking, given back by the caller or made by the model.
    Reasoning {
        text: String,
        signature: Option<Signature>,
    },
    /// Thinking that only its provider can read.
    RedactedReasoning(Signature),
    ToolCall {
        /// Empty where the dialect has no call ids.
        id: String,
        name: String,
        /// JSON text, exactly as the model wrote it; it need not parse (cut answers).
        arguments: String,
        /// A signature over the call (Gemini).
        signature: Option<Signature>,
    },
    ToolResult {
        call_id: String,
        /// Name of the tool, where the dialect states it.
        name: Option<String>,
        parts: Vec<Part>,
        shape: Shape,
        is_error: Option<bool>,
    },
    Refusal(String),
    /// A part that only `dialect` understands (server tools, search results, …): kept whole for
    /// it, a loss for every other.
    Native {
        dialect: DialectId,
        json: Value,
    },
}

/// An opaque proof or ciphertext made by a provider. It is valid only for the dialect that made
/// it; crossing another dialect it travels tagged with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub origin: DialectId,
    pub data: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    pub kind: MediaKind,
    pub source: MediaSource,
    /// File name or title.
    pub name: Option<String>,
    /// `low`, `high`, `auto` …: how closely an image is to be looked at.
    pub detail: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    Image,
    Document,
    Audio,
    Video,
}

#[derive(Clone, Debug, PartialEq)]
pub enum MediaSource {
    /// Base64 in the standard alphabet, with padding.
    Base64 {
        mime: String,
        data: String,
    },
    Url {
        url: String,
        mime: Option<String>,
    },
    /// A file the provider holds, by its id there.
    File {
        id: String,
        mime: Option<String>,
    },
    /// A document given as plain text.
    Text {
        mime: String,
        text: String,
    },
}

/// A place up to which the provider may cache the prompt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CacheMark {
    /// Lifetime as written (`5m`, `1h`); `None` is the provider's default.
    pub ttl: Option<String>,
    pub extras: Extras,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    pub kind: ToolKind,
    pub cache: Option<CacheMark>,
    pub extras: Extras,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ToolKind {
    /// A function that the caller runs.
    Function {
        name: String,
        description: Option<String>,
        /// JSON Schema of the arguments.
        parameters: Option<Value>,
        strict: Option<bool>,
    },
    /// A tool that only `dialect` knows (run by the provider, or of a type of its own).
    Native { dialect: DialectId, json: Value },
}

#[derive(Clone, Debug, PartialEq)]
pub enum ToolChoice {
    Auto,
    /// No tool may be called.
    None,
    /// Some tool must be called.
    Required,
    /// This function must be called.
    Function(String),
    /// One of these functions; `required` says whether a call must be made.
    Among {
        names: Vec<String>,
        required: bool,
    },
    /// A choice that only `dialect` knows.
    Native {
        dialect: DialectId,
        json: Value,
    },
}

#[derive(Clone, Debug, Default, PartialEq)]
pub enum OutputFormat {
    #[default]
    Text,
    /// Any JSON object.
    Json,
    /// JSON that fits a schema.
    Schema {
        name: Option<String>,
        description: Option<String>,
        schema: Value,
        strict: Option<bool>,
    },
}

/// How much thinking is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reasoning {
    /// `Some(false)` forbids thinking, `Some(true)` asks for it, `None` leaves it to the rest.
    pub enabled: Option<bool>,
    pub effort: Option<ReasoningEffort>,
    /// Cap on thinking tokens.
    pub budget_tokens: Option<u64>,
    /// Thoughts (or their summary) are to be shown.
    pub visible: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasoningEffort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    /// A word of the dialect that the hub does not rank (`xhigh`, `max`, …).
    Other(String),
}

impl ReasoningEffort {
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "none" => Self::None,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            other => Self::Other(other.to_owned()),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Other(word) => word,
        }
    }
}
