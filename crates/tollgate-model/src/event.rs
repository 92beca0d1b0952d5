//! A piece of an answer. A buffered answer decodes to the same events as a streamed one, so that
//! guarding, metering and translating exist once.
//!
//! Order: `Start` first, `End` or `Fault` last. Between them pieces of each choice in the order
//! the model wrote them; `Finish` of a choice after all its pieces; `Usage` anywhere (each one
//! replaces what it states, see [`Usage::update`]).

use serde_json::Value;

use crate::{DialectId, Fault, Media, Signature, Usage};

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Start {
        id: Option<String>,
        /// The model that answers, as the provider names it.
        model: Option<String>,
        /// Unix seconds.
        created: Option<u64>,
    },
    Text {
        choice: u32,
        text: String,
    },
    Refusal {
        choice: u32,
        text: String,
    },
    Reasoning {
        choice: u32,
        text: String,
    },
    /// Closes and signs the reasoning that went before it (which may be empty).
    ReasoningSignature {
        choice: u32,
        signature: Signature,
    },
    RedactedReasoning {
        choice: u32,
        data: Signature,
    },
    ToolCallStart {
        choice: u32,
        /// Counts the calls of this choice from 0.
        index: u32,
        /// Empty where the provider gives none; encoders that need one make it up.
        id: String,
        name: String,
        signature: Option<Signature>,
    },
    /// A piece of the call's arguments: JSON text that need not be whole.
    ToolCallDelta {
        choice: u32,
        index: u32,
        arguments: String,
    },
    /// Belongs to the text that went before it.
    Citation {
        choice: u32,
        citation: Citation,
    },
    Logprobs {
        choice: u32,
        tokens: Vec<TokenLogprob>,
    },
    /// An image, audio or file made by the model.
    Media {
        choice: u32,
        media: Media,
    },
    /// A piece that only `dialect` understands (a tool the provider ran, search results, …).
    Native {
        choice: u32,
        dialect: DialectId,
        json: Value,
    },
    Usage(Usage),
    Finish {
        choice: u32,
        reason: FinishReason,
        /// The provider's own word.
        word: Option<String>,
        stop_sequence: Option<String>,
    },
    /// The answer is broken: nothing follows.
    Fault(Fault),
    /// The answer is whole: nothing follows.
    End,
}

impl Event {
    /// The choice that a piece belongs to; `None` for what belongs to the whole answer.
    #[must_use]
    pub fn choice(&self) -> Option<u32> {
        match self {
            Self::Text { choice, .. }
            | Self::Refusal { choice, .. }
            | Self::Reasoning { choice, .. }
            | Self::ReasoningSignature { choice, .. }
            | Self::RedactedReasoning { choice, .. }
            | Self::ToolCallStart { choice, .. }
            | Self::ToolCallDelta { choice, .. }
            | Self::Citation { choice, .. }
            | Self::Logprobs { choice, .. }
            | Self::Media { choice, .. }
            | Self::Native { choice, .. }
            | Self::Finish { choice, .. } => Some(*choice),
            Self::Start { .. } | Self::Usage(_) | Self::Fault(_) | Self::End => None,
        }
    }

    /// Metering and endings need it; everything else is content.
    #[must_use]
    pub fn is_metered(&self) -> bool {
        matches!(
            self,
            Self::Start { .. } | Self::Usage(_) | Self::Finish { .. } | Self::Fault(_) | Self::End
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    Stop,
    Length,
    ToolCalls,
    ContentFilter,
    Refusal,
    /// The provider paused a long turn; sending the answer back resumes it.
    Pause,
    Other,
}

impl FinishReason {
    /// The word used in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Refusal => "refusal",
            Self::Pause => "pause",
            Self::Other => "other",
        }
    }
}

/// Where a statement comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Citation {
    pub url: Option<String>,
    pub title: Option<String>,
    /// The passage that is cited.
    pub cited_text: Option<String>,
    /// Which of the caller's documents, from 0.
    pub document: Option<u32>,
    /// Characters of the answer that the citation supports.
    pub start: Option<u64>,
    pub end: Option<u64>,
    /// The citation as its dialect wrote it.
    pub native: Option<(DialectId, Value)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TokenLogprob {
    pub token: String,
    pub logprob: f64,
    /// UTF-8 bytes of the token, where stated.
    pub bytes: Option<Vec<u8>>,
    pub top: Vec<TokenLogprob>,
}
