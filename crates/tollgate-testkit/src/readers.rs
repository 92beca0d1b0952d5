//! What a caller's SDK would make of an answer, and what a request says: a small reader for each
//! shape. A further shape costs its file and a line in [`Shape::ALL`].
//!
//! They read plain JSON, cut events and frames themselves, and share no code with `tollgate-wire`.
//! That they are right is proved first: each must read every recording of its own dialect as the
//! corpus says.

use std::fmt;

use serde_json::Value;

use crate::Digest;
use crate::judge::canary::Flock;
use crate::judge::said::Said;

pub mod anthropic_messages;
pub mod bedrock_converse;
pub mod cohere_v2;
pub mod eventstream;
pub mod gemini_generate;
pub mod ollama_chat;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_responses;
pub mod sse;

/// A shape, as its reader knows it.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    /// Callers of every provider are answered in it. The others are judged by their own recordings.
    pub ingress: bool,
    /// The corpus' digest counts neither choices nor log-probabilities of it: the reader does.
    pub uncounted: bool,
    pub buffered: fn(&Value, u16, Writer) -> Result<Digest, String>,
    pub stream: fn(&[u8], Writer) -> Result<Digest, String>,
    pub asking: Asking,
    pub can: Can,
}

/// How requests are written in a shape.
#[derive(Debug)]
pub struct Asking {
    /// Adds what a request says.
    pub said: fn(&mut Said, &Value),
    /// Puts canaries into every object that the dialect understands.
    pub canaries: fn(&mut Value, &mut Flock),
    /// Fields that the vendor documents at the top of a request. A provider refuses any other.
    pub fields: &'static [&'static str],
    /// A usual provider that speaks it.
    pub provider: &'static str,
}

/// What an answer of a shape can say.
#[derive(Debug)]
pub struct Can {
    /// It has a place of its own for a refusal; else that is what the model said.
    pub refusals: bool,
    /// More than one choice.
    pub choices: bool,
    pub logprobs: bool,
    /// A text may bear a signature; else only thinking and calls may.
    pub signed_texts: bool,
    /// What ids of calls hold beside letters and digits; `None`: anything.
    pub id_marks: Option<&'static str>,
    /// The figures of usage that it has a place for.
    pub figures: &'static [Figure],
    /// How it may say a finish, given whether there are calls.
    pub finishes: fn(&str, bool) -> &'static [&'static str],
    /// The types with which it says what a status means, in its own SDK's vocabulary.
    pub error_types: fn(u16) -> &'static [&'static str],
    /// The provider's own word may stand for the type of an error.
    pub free_types: bool,
    /// The header that says the type of an error, where the body does not.
    pub type_header: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    Input,
    Output,
    Cached,
    Reasoning,
    CacheWrite,
}

impl Figure {
    pub const ALL: &'static [Self] =
        &[Self::Input, Self::Output, Self::Cached, Self::Reasoning, Self::CacheWrite];
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

/// A shape in which an answer or a request is written.
#[derive(Clone, Copy)]
pub struct Shape(&'static Row);

impl Shape {
    /// Every shape, sorted by name.
    pub const ALL: &'static [Self] = &[
        Self(&anthropic_messages::ROW),
        Self(&bedrock_converse::ROW),
        Self(&cohere_v2::ROW),
        Self(&gemini_generate::ROW),
        Self(&ollama_chat::ROW),
        Self(&openai_chat::ROW),
        Self(&openai_completions::ROW),
        Self(&openai_responses::ROW),
    ];

    #[must_use]
    pub fn row(self) -> &'static Row {
        self.0
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.name
    }

    #[must_use]
    pub fn can(self) -> &'static Can {
        &self.0.can
    }

    #[must_use]
    pub fn asking(self) -> &'static Asking {
        &self.0.asking
    }

    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|shape| shape.as_str() == name)
    }

    /// The shapes into which a recording in this one is written: its own, and every caller's.
    pub fn passages(self) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |to| to.0.ingress || *to == self)
    }

    /// Reads an answer of this shape that came under `status`.
    ///
    /// # Errors
    /// Where the bytes are not what an SDK of this shape expects.
    pub fn read(self, answer: Answer<'_>, status: u16, by: Writer) -> Result<Digest, String> {
        match answer {
            Answer::Buffered(body) => (self.0.buffered)(&parsed(body)?, status, by),
            Answer::Stream(body) => (self.0.stream)(body, by),
        }
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Shape {}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn parsed(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|e| format!("not JSON: {e}"))
}

/// The elements of an array; nothing for anything else.
fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The elements of the list in `field`, to be changed; nothing where there is no list.
fn each<'v>(object: &'v mut Value, field: &str) -> impl Iterator<Item = &'v mut Value> {
    let list = object.get_mut(field).and_then(Value::as_array_mut);
    list.map(|list| list.iter_mut()).unwrap_or_default()
}

/// Adds up figures of which any may be unknown.
fn sum(figures: &[Option<u64>]) -> Option<u64> {
    figures.iter().flatten().fold(None, |total, figure| Some(total.unwrap_or(0) + figure))
}

/// Fails with `what` unless `holds`; for what an SDK relies on in answers of the gateway.
fn demand(by: Writer, holds: bool, what: &str) -> Result<(), String> {
    if by == Writer::Gateway && !holds { Err(what.to_owned()) } else { Ok(()) }
}

/// How a finish may be said where calls have a word of their own, in the corpus' vocabulary.
fn usual_finishes(finish: &str, calls: bool) -> &'static [&'static str] {
    match finish {
        "stop" | "tool_calls" if calls => &["tool_calls"],
        "stop" | "tool_calls" => &["stop"],
        "length" => &["length"],
        "content_filter" | "refusal" => &["content_filter"],
        // A call whose end has no word is a call.
        _ if calls => &["other", "stop", "tool_calls"],
        // No word for it: the provider's own passes, or the plain end.
        _ => &["other", "stop"],
    }
}
