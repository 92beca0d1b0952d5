//! One vendor's wire format for chats, read and written: a row of functions, and the list of all.
//!
//! Streams stand in `stream.rs`, other operations (embeddings, token counts, model lists) in
//! `operation.rs`.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use tollgate_model::{Chat, DialectId, Event, Fault, Losses, Reply};

use crate::scan::Scan;
use crate::stream::Streams;
use crate::{Framing, Quirks, Route, Snapshot, StreamDecoder, StreamEncoder, dialects};

/// Every dialect, sorted by name.
pub const DIALECTS: &[&Dialect] = &[
    &dialects::anthropic_messages::ANTHROPIC_MESSAGES,
    &dialects::bedrock_converse::BEDROCK_CONVERSE,
    &dialects::cohere_v2::COHERE_V2,
    &dialects::gemini_generate::GEMINI_GENERATE,
    &dialects::ollama_chat::OLLAMA_CHAT,
    &dialects::openai_chat::OPENAI_CHAT,
    &dialects::openai_completions::OPENAI_COMPLETIONS,
    &dialects::openai_responses::OPENAI_RESPONSES,
];

/// The dialect of that name.
#[must_use]
pub fn dialect(id: DialectId) -> Option<&'static Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.id == id)
}

/// What a dialect is: its facts, and for each thing that is said in it a pair of functions.
#[derive(Debug)]
pub struct Dialect {
    pub(crate) id: DialectId,
    pub(crate) requests: Requests,
    pub(crate) replies: Replies,
    pub(crate) rules: Rules,
    pub(crate) streams: Streams,
    pub(crate) faults: Faults,
}

#[derive(Debug)]
pub(crate) struct Requests {
    pub decode: fn(&Incoming<'_>) -> Result<Chat, Fault>,
    pub encode: fn(&Chat, &Recipient<'_>) -> Result<Outgoing, Fault>,
}

#[derive(Debug)]
pub(crate) struct Replies {
    pub decode: fn(&[u8], &Quirks) -> Result<Vec<Event>, Fault>,
    /// The same as `decode` where nothing is gained by looking less closely.
    pub skim: fn(&[u8], &Quirks) -> Result<Vec<Event>, Fault>,
    pub encode: fn(&Reply, &ReplyContext) -> Encoded,
}

#[derive(Debug)]
pub(crate) struct Faults {
    pub decode: fn(u16, &HeaderMap, &[u8]) -> Fault,
    pub encode: fn(&Fault, &str) -> EncodedFault,
}

impl Dialect {
    #[must_use]
    pub const fn id(&self) -> DialectId {
        self.id
    }

    /// What callers of this dialect call, and what of their head travels on.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Reads a whole request. The body is known to be valid JSON without duplicate keys.
    ///
    /// # Errors
    /// `InvalidRequest` naming the field, when the body does not fit the dialect.
    pub fn decode_request(&self, incoming: &Incoming<'_>) -> Result<Chat, Fault> {
        (self.requests.decode)(incoming)
    }

    /// Writes a request for `to`. Given the `Chat` of a request of this very dialect, the body is
    /// that request's JSON again (but for the model), unknown fields included.
    ///
    /// # Errors
    /// `Unsupported`, when leaving something out would change what is asked beyond recognition.
    pub fn encode_request(&self, chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        (self.requests.encode)(chat, to)
    }

    /// Reads a buffered answer. The events end with `End`.
    ///
    /// # Errors
    /// What the provider said, when the body is its error object under a 200; `BadUpstream` when
    /// the body is no answer at all.
    pub fn decode_reply(&self, body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
        (self.replies.decode)(body, quirks)
    }

    /// As [`decode_reply`](Self::decode_reply), but only what metering needs: `Start`, `Usage`,
    /// `Finish`, `End`.
    ///
    /// # Errors
    /// As `decode_reply`.
    pub fn skim_reply(&self, body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
        (self.replies.skim)(body, quirks)
    }

    /// Writes a buffered answer.
    #[must_use]
    pub fn encode_reply(&self, reply: &Reply, context: &ReplyContext) -> Encoded {
        (self.replies.encode)(reply, context)
    }

    #[must_use]
    pub fn decode_stream(&self, quirks: &'static Quirks) -> StreamDecoder {
        self.streams.decoder(quirks)
    }

    /// An encoder for a new stream, or for the rest of one that was passed on as it came.
    #[must_use]
    pub fn encode_stream(&self, context: ReplyContext, resume: Option<Snapshot>) -> StreamEncoder {
        self.streams.encoder(context, resume)
    }

    /// Reads an error answer. What is not a well-formed error of the dialect gives a fault that
    /// holds nothing of the body.
    #[must_use]
    pub fn decode_fault(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> Fault {
        (self.faults.decode)(status, headers, body)
    }

    /// Writes an error answer, in the shape that the callers' SDKs turn into their exception.
    #[must_use]
    pub fn encode_fault(&self, fault: &Fault, request_id: &str) -> EncodedFault {
        (self.faults.encode)(fault, request_id)
    }
}

/// A dialect's facts that are data.
#[derive(Debug)]
pub struct Rules {
    pub routes: &'static [Route],
    /// The model stands in the body's `model` (else in the path).
    pub model_in_body: bool,
    /// Request headers that travel on to a provider of the same dialect. An allow-list; names in
    /// lower case.
    pub request_headers: &'static [&'static str],
    /// Query parameters that travel on to a provider of the same dialect.
    pub query: &'static [&'static str],
    /// Response headers of a provider of the same dialect that travel back; a name that ends in
    /// `*` stands for all that begin so.
    pub response_headers: &'static [&'static str],
    /// Where a call goes, below the base URL that the vendor's own SDK takes.
    pub path: fn(model: &str, stream: bool) -> String,
    /// How its callers read a stream.
    pub framing: Framing,
    /// A request that says nothing of `stream` asks for one.
    pub streams_unless_told: bool,
    /// A stream states usage only when it is asked to (`stream_options.include_usage`).
    pub usage_is_optional: bool,
    /// Whether a provider with such quirks would take a body of this dialect amiss as it stands,
    /// so that it is written anew for it.
    pub disturbs: fn(&Quirks, &[u8], &Scan) -> bool,
    /// The response header that names the provider's own id of the call.
    pub request_id: &'static str,
}

/// A request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    pub route: &'static Route,
    /// The model named in the path, percent-decoded.
    pub model: Option<&'a str>,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// For whom a request is written.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The model's name there.
    pub model: &'a str,
    pub quirks: &'static Quirks,
}

/// A request in the making.
#[derive(Debug)]
pub(crate) struct Writing<'a> {
    /// The chat was read from this dialect: it is written as it was.
    pub own: bool,
    pub quirks: &'a Quirks,
    pub losses: Losses,
}

impl<'a> Writing<'a> {
    pub(crate) fn to(recipient: &Recipient<'a>, own: bool) -> Self {
        Self { own, quirks: recipient.quirks, losses: Losses::default() }
    }
}

/// A request as it leaves.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// Below the base URL, with its query; begins with `/`.
    pub path: String,
    /// Headers that the dialect itself demands (never credentials).
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
    pub losses: Losses,
}

impl Outgoing {
    /// A JSON object, with no headers of its own.
    pub(crate) fn json(path: &str, body: Map<String, Value>, losses: Losses) -> Self {
        let body = Bytes::from(Value::Object(body).to_string());
        Self { path: path.to_owned(), headers: Vec::new(), body, losses }
    }
}

/// What an answer's writer needs and the answer does not say.
#[derive(Clone, Debug, Default)]
pub struct ReplyContext {
    /// Stands in where the provider gave no id. Letters, digits and `-` only.
    pub id: String,
    /// Stands in where the provider gave no time. Unix seconds.
    pub created: u64,
    /// Stands in where the provider did not name the model.
    pub model: String,
    /// How long the call took until its answer began.
    pub latency_ms: u64,
    /// The caller wants usage at the end of a stream, where the dialect makes it optional.
    pub stream_usage: bool,
    /// The caller wants a stream as one JSON array instead of server-sent events.
    pub json_array: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Encoded {
    pub body: Bytes,
    pub losses: Losses,
}

#[derive(Clone, Debug)]
pub struct EncodedFault {
    pub status: u16,
    /// Headers in which the dialect's callers look for what went wrong.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
}
