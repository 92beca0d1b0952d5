//! Ollama's own chat API (`/api/chat`): one message whole, or as lines of JSON.
//!
//! Not the OpenAI dialect that the same server speaks under `/v1`, and not `/api/generate`.

use http::{HeaderMap, Method};
use tollgate_model::{Chat, DialectId, Event, Fault, Reply};

use crate::{
    Claim, Dialect, Encoded, EncodedFault, Framing, Incoming, Operation, Outgoing, Quirks,
    Recipient, ReplyContext, Route, Rules, Snapshot, StreamDecoder, StreamEncoder,
};

pub mod embed;
mod fault;
mod history;
mod image;
mod messages;
pub mod models;
mod pieces;
mod reply;
mod request;
mod stream;
mod tools;

pub const ID: DialectId = DialectId("ollama-chat");

#[derive(Debug)]
pub struct OllamaChat;

const RULES: Rules = Rules {
    routes: &[
        route(Method::POST, "/api/chat", Operation::Chat),
        route(Method::POST, "/api/embed", Operation::Embed),
        route(Method::GET, "/api/tags", Operation::ListModels),
    ],
    model_in_body: true,
    framing: Framing::Ndjson,
    streams_unless_told: true,
    usage_is_optional: false,
    request_headers: &[],
    query: &[],
    response_headers: &[],
    path: |_, _| CHAT.to_owned(),
    disturbs: |_, _, _| false,
    request_id: "x-request-id",
};

const CHAT: &str = "/api/chat";

const fn route(method: Method, prefix: &'static str, operation: Operation) -> Route {
    Route { method, prefix, suffix: None, claim: Claim::Open, operation, stream: false }
}

impl Dialect for OllamaChat {
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
        Ok(request::encode(chat, to))
    }

    fn decode_reply(&self, body: &[u8], _: &Quirks) -> Result<Vec<Event>, Fault> {
        reply::decode(body)
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

    fn encode_fault(&self, fault: &Fault, _: &str) -> EncodedFault {
        fault::encode(fault)
    }
}
