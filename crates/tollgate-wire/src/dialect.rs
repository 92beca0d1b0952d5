//! The dialect trait: one vendor's wire format for chats, read and written, and the list of all.
//!
//! Other operations (embeddings, token counts, model lists) stand in `operation.rs`.

use std::fmt::Debug;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use tollgate_model::{Chat, DialectId, Event, Fault, Losses, Reply};

use crate::scan::Scan;
use crate::{Frame, Framing, Quirks, Route, dialects};

/// Every dialect, sorted by name.
pub const DIALECTS: &[&dyn Dialect] = &[
    &dialects::anthropic_messages::AnthropicMessages,
    &dialects::bedrock_converse::BedrockConverse,
    &dialects::cohere_v2::CohereV2,
    &dialects::gemini_generate::GeminiGenerate,
    &dialects::ollama_chat::OllamaChat,
    &dialects::openai_chat::OpenaiChat,
    &dialects::openai_completions::OpenaiCompletions,
    &dialects::openai_responses::OpenaiResponses,
];

/// The dialect of that name.
#[must_use]
pub fn dialect(id: DialectId) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.id() == id)
}

pub trait Dialect: Debug + Send + Sync {
    fn id(&self) -> DialectId;

    /// What callers of this dialect call, and what of their head travels on.
    fn rules(&self) -> &'static Rules;

    /// Reads a whole request. The body is known to be valid JSON without duplicate keys.
    ///
    /// # Errors
    /// `InvalidRequest` naming the field, when the body does not fit the dialect.
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<Chat, Fault>;

    /// Writes a request for `to`. Given the `Chat` of a request of this very dialect, the body is
    /// that request's JSON again (but for the model), unknown fields included.
    ///
    /// # Errors
    /// `Unsupported`, when leaving something out would change what is asked beyond recognition.
    fn encode_request(&self, chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault>;

    /// Reads a buffered answer. The events end with `End`.
    ///
    /// # Errors
    /// What the provider said, when the body is its error object under a 200; `BadUpstream` when
    /// the body is no answer at all.
    fn decode_reply(&self, body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault>;

    /// As [`decode_reply`](Self::decode_reply), but only what metering needs: `Start`, `Usage`,
    /// `Finish`, `End`.
    ///
    /// # Errors
    /// As `decode_reply`.
    fn skim_reply(&self, body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
        self.decode_reply(body, quirks)
    }

    /// Writes a buffered answer.
    fn encode_reply(&self, reply: &Reply, context: &ReplyContext) -> Encoded;

    fn decode_stream(&self, quirks: &'static Quirks) -> Box<dyn StreamDecoder>;

    /// An encoder for a new stream, or for the rest of one that was passed on as it came.
    fn encode_stream(
        &self,
        context: ReplyContext,
        resume: Option<Snapshot>,
    ) -> Box<dyn StreamEncoder>;

    /// Reads an error answer. What is not a well-formed error of the dialect gives a fault that
    /// holds nothing of the body.
    fn decode_fault(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> Fault;

    /// Writes an error answer, in the shape that the callers' SDKs turn into their exception.
    fn encode_fault(&self, fault: &Fault, request_id: &str) -> EncodedFault;
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

/// Reads the frames of a stream.
pub trait StreamDecoder: Debug + Send {
    /// Reads one frame. After a `Fault` or `End` nothing more is read.
    fn read(&mut self, frame: &Frame, out: &mut Vec<Event>);

    /// As [`read`](Self::read), but only what metering and [`snapshot`](Self::snapshot) need:
    /// `Start`, `Usage`, `Finish`, `Fault`, `End`.
    fn skim(&mut self, frame: &Frame, out: &mut Vec<Event>) {
        let from = out.len();
        self.read(frame, out);
        keep_metered(from, out);
    }

    /// The body has ended. Gives `End` when the stream was whole, else a `Fault`; nothing when
    /// either was given before.
    fn end(&mut self, out: &mut Vec<Event>);

    /// Where the stream stands, so that an encoder can go on from here.
    fn snapshot(&self) -> Snapshot;
}

/// Of the events since `from`, leaves those that metering needs.
pub(crate) fn keep_metered(from: usize, out: &mut Vec<Event>) {
    let mut at = 0;
    out.retain(|event| {
        at += 1;
        at <= from || event.is_metered()
    });
}

/// Where a stream stands after any of its frames.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    pub id: Option<String>,
    pub model: Option<String>,
    pub created: Option<u64>,
    /// The opening frames were sent.
    pub started: bool,
    /// The block that is open, by its index, where the dialect has blocks.
    pub open_block: Option<u32>,
    /// The index of the next block or choice.
    pub next_block: u32,
    /// Choices that were finished.
    pub finished: Vec<u32>,
    pub usage: tollgate_model::Usage,
    /// The number of the next event, where the dialect counts them.
    pub sequence: u64,
    /// Items that are open, where several can be at once.
    pub open_items: Vec<OpenItem>,
}

/// An item that was announced in a stream and is not closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenItem {
    pub index: u32,
    pub id: String,
    /// The dialect's word for its type.
    pub kind: String,
    /// The part of it that is open: its index, and the dialect's word for its type.
    pub part: Option<(u32, String)>,
}

/// Writes events as the frames of a stream.
pub trait StreamEncoder: Debug + Send {
    /// Appends what `event` looks like. `End` closes the stream properly; `Fault` writes the
    /// dialect's error event and never a clean end.
    fn write(&mut self, event: Event, out: &mut Vec<u8>);

    /// What could not be carried so far.
    fn losses(&self) -> &Losses;
}
