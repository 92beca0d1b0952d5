//! OpenAI Responses: a conversation as a flat list of items, an answer as another, a stream as
//! numbered events about them.
//!
//! Items that only this dialect knows (tools that the provider runs, shells, patches, computers)
//! stay whole for it. What rests at a provider between two calls is not kept here: `rests` finds
//! what a request refers to.

use http::{HeaderMap, Method};
use tollgate_model::{Chat, DialectId, Event, Fault, Losses, Reply};

use super::openai_chat::fault;
use crate::{
    Dialect, Encoded, EncodedFault, Framing, Incoming, Operation, Outgoing, Quirks, Recipient,
    ReplyContext, Route, Rules, Snapshot, StreamDecoder, StreamEncoder,
};

mod answer;
pub mod compact;
mod content;
pub mod count_tokens;
mod custom;
mod foreign;
mod history;
mod items;
mod outgoing;
mod reading;
mod reply;
mod request;
pub mod rests;
mod seal;
mod skimmed;
mod stream;
mod tools;
mod usage;

pub const ID: DialectId = DialectId("openai-responses");

#[derive(Debug)]
pub struct OpenaiResponses;

const RULES: Rules = Rules {
    // What rests is told apart by its whole path: see `resting`.
    routes: &[
        Route::open(Method::POST, "/v1/responses", None, Operation::Chat),
        Route::open(Method::POST, "/v1/responses/input_tokens", None, Operation::CountTokens),
        Route::open(Method::POST, "/v1/responses/compact", None, Operation::Compact),
        Route::open(Method::GET, "/v1/responses/", REST, Operation::Resting),
        Route::open(Method::POST, "/v1/responses/", REST, Operation::Resting),
        Route::open(Method::DELETE, "/v1/responses/", REST, Operation::Resting),
        Route::open(Method::POST, "/v1/conversations", None, Operation::Resting),
        Route::open(Method::GET, "/v1/conversations/", REST, Operation::Resting),
        Route::open(Method::POST, "/v1/conversations/", REST, Operation::Resting),
        Route::open(Method::DELETE, "/v1/conversations/", REST, Operation::Resting),
    ],
    model_in_body: true,
    request_headers: &["openai-beta", "idempotency-key", "x-client-request-id"],
    // Of what is asked about things that rest.
    query: &[
        "after",
        "before",
        "include",
        "include%5B%5D",
        "include[]",
        "include_obfuscation",
        "limit",
        "order",
        "starting_after",
        "stream",
    ],
    response_headers: &["x-ratelimit-*", "openai-processing-ms", "openai-version"],
    path: |_, _| "/responses".to_owned(),
    framing: Framing::Sse,
    streams_unless_told: false,
    usage_is_optional: false,
    disturbs: |_, body, _| foreign::is_in(body),
    request_id: fault::REQUEST_ID,
};

/// Whatever follows.
const REST: Option<&str> = Some("");

/// A request in the making.
#[derive(Debug)]
struct Writing<'a> {
    /// The chat was read from this dialect: it is written as it was.
    own: bool,
    quirks: &'a Quirks,
    losses: Losses,
}

impl Dialect for OpenaiResponses {
    fn id(&self) -> DialectId {
        ID
    }

    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<Chat, Fault> {
        request::decode(incoming)
    }

    fn encode_request(&self, chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        outgoing::encode(chat, to, outgoing::Purpose::Answer)
    }

    fn decode_reply(&self, body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
        reply::decode(body, quirks)
    }

    fn skim_reply(&self, body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
        reply::skim(body, quirks)
    }

    fn encode_reply(&self, reply: &Reply, context: &ReplyContext) -> Encoded {
        reply::encode(reply, context)
    }

    fn decode_stream(&self, quirks: &'static Quirks) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(quirks))
    }

    fn encode_stream(
        &self,
        context: ReplyContext,
        resume: Option<Snapshot>,
    ) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(context, resume))
    }

    fn decode_fault(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> Fault {
        fault::decode(status, headers, body)
    }

    fn encode_fault(&self, fault: &Fault, request_id: &str) -> EncodedFault {
        fault::encode(fault, request_id)
    }
}
