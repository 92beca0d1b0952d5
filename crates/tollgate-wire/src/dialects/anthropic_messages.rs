//! Anthropic Messages.

use http::{HeaderMap, Method};
use tollgate_model::{Chat, DialectId, Event, Fault, Reply};

use crate::{
    Dialect, Encoded, EncodedFault, Framing, Incoming, Operation, Outgoing, Quirks, Recipient,
    ReplyContext, Route, Rules, Snapshot, StreamDecoder, StreamEncoder,
};

pub mod batches;
mod citation;
pub mod count_tokens;
mod fault;
mod fields;
mod foreign;
pub mod models;
mod pieces;
mod reply;
mod request;
mod stop;
mod stream;
mod usage;

pub const ID: DialectId = DialectId("anthropic-messages");

/// The `anthropic-version` of requests that no caller of this dialect wrote.
const VERSION: &str = "2023-06-01";

const VERSION_HEADER: &str = "anthropic-version";

const BATCHES: &str = "/v1/messages/batches";
const ONE_BATCH: &str = "/v1/messages/batches/";

#[derive(Debug)]
pub struct AnthropicMessages;

const RULES: Rules = Rules {
    routes: &[
        Route::open(Method::POST, "/v1/messages", None, Operation::Chat),
        Route::open(Method::POST, "/v1/messages/count_tokens", None, Operation::CountTokens),
        Route::open(Method::POST, BATCHES, None, Operation::Batches),
        Route::open(Method::GET, BATCHES, None, Operation::Batches),
        Route::open(Method::GET, ONE_BATCH, Some(""), Operation::Batches),
        Route::open(Method::DELETE, ONE_BATCH, Some(""), Operation::Batches),
        Route::open(Method::POST, ONE_BATCH, Some("/cancel"), Operation::Batches),
        Route::claimed(VERSION_HEADER, Method::GET, "/v1/models", None, Operation::ListModels),
        Route::claimed(VERSION_HEADER, Method::GET, "/v1/models/", Some(""), Operation::GetModel),
    ],
    model_in_body: true,
    request_headers: &["anthropic-beta", VERSION_HEADER],
    query: &["beta"],
    response_headers: &[
        "anthropic-fast-*",
        "anthropic-priority-*",
        "anthropic-ratelimit-*",
        "request-id",
    ],
    path: |_, _| "/v1/messages".to_owned(),
    framing: Framing::Sse,
    streams_unless_told: false,
    usage_is_optional: false,
    disturbs: |_, body, _| foreign::is_in(body),
    request_id: "request-id",
};

impl Dialect for AnthropicMessages {
    fn id(&self) -> DialectId {
        ID
    }

    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<Chat, Fault> {
        request::decode(incoming.body, request::Purpose::Answer)
    }

    fn encode_request(&self, chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        request::encode(chat, to, request::Purpose::Answer)
    }

    fn decode_reply(&self, body: &[u8], _: &Quirks) -> Result<Vec<Event>, Fault> {
        reply::decode(body)
    }

    fn skim_reply(&self, body: &[u8], _: &Quirks) -> Result<Vec<Event>, Fault> {
        reply::skim(body)
    }

    fn encode_reply(&self, reply: &Reply, context: &ReplyContext) -> Encoded {
        reply::encode(reply, context)
    }

    fn decode_stream(&self, _: &'static Quirks) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::default())
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
