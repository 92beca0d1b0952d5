//! What a caller's SDK would make of an answer: a small reader for each shape that callers speak.
//!
//! They read plain JSON and cut server-sent events themselves, and share no code with
//! `tollgate-wire`. That they are right is proved first: each must read every recording of its own
//! dialect as the corpus says.

use serde_json::Value;

use crate::Digest;

pub mod anthropic_messages;
pub mod gemini_generate;
pub mod openai_chat;
pub mod sse;

/// A shape in which callers are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    AnthropicMessages,
    GeminiGenerate,
    OpenaiChat,
}

/// Who wrote the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// A provider, with whatever oddities it has.
    Provider,
    /// The gateway: every departure from the shape that an SDK relies on is an error.
    Gateway,
}

/// An answer as it lies on the wire.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'b> {
    Buffered(&'b [u8]),
    Stream(&'b [u8]),
}

impl Shape {
    pub const ALL: [Self; 3] = [Self::AnthropicMessages, Self::GeminiGenerate, Self::OpenaiChat];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AnthropicMessages => "anthropic-messages",
            Self::GeminiGenerate => "gemini-generate",
            Self::OpenaiChat => "openai-chat",
        }
    }

    #[must_use]
    pub fn of(dialect: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.as_str() == dialect)
    }

    /// The shape to whose family a dialect of the corpus belongs.
    #[must_use]
    pub fn family(dialect: &str) -> Option<Self> {
        Self::of(dialect).or(match dialect {
            "openai-embeddings" => Some(Self::OpenaiChat),
            "anthropic-count-tokens" => Some(Self::AnthropicMessages),
            "gemini-embed" | "gemini-count-tokens" => Some(Self::GeminiGenerate),
            _ => None,
        })
    }

    /// Reads an answer of this shape that came under `status`.
    ///
    /// # Errors
    /// Where the bytes are not what an SDK of this shape expects.
    pub fn read(self, answer: Answer<'_>, status: u16, by: Writer) -> Result<Digest, String> {
        match (self, answer) {
            (Self::OpenaiChat, Answer::Buffered(body)) => {
                openai_chat::buffered(&parsed(body)?, status, by)
            }
            (Self::OpenaiChat, Answer::Stream(body)) => openai_chat::stream(body, by),
            (Self::AnthropicMessages, Answer::Buffered(body)) => {
                anthropic_messages::buffered(&parsed(body)?, status, by)
            }
            (Self::AnthropicMessages, Answer::Stream(body)) => anthropic_messages::stream(body, by),
            (Self::GeminiGenerate, Answer::Buffered(body)) => {
                gemini_generate::buffered(&parsed(body)?, status, by)
            }
            (Self::GeminiGenerate, Answer::Stream(body)) => gemini_generate::stream(body, by),
        }
    }
}

fn parsed(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|e| format!("not JSON: {e}"))
}

/// The elements of an array; nothing for anything else.
fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Adds up figures of which any may be unknown.
fn sum(figures: &[Option<u64>]) -> Option<u64> {
    figures.iter().flatten().fold(None, |total, figure| Some(total.unwrap_or(0) + figure))
}

/// Fails with `what` unless `holds`; for what an SDK relies on in answers of the gateway.
fn demand(by: Writer, holds: bool, what: &str) -> Result<(), String> {
    if by == Writer::Gateway && !holds { Err(what.to_owned()) } else { Ok(()) }
}
