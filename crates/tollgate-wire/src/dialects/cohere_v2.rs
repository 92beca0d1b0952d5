//! Cohere's chat API of the second version (`/v2/chat`), whole or as typed events.
//!
//! The first version (`/v1/chat`, `/v1/generate`) is not spoken: its callers send one message and
//! a history instead of messages.

use http::{HeaderMap, Method};
use tollgate_model::{Chat, DialectId, Event, Fault, Reply};

use crate::{
    Claim, Dialect, Encoded, EncodedFault, Framing, Incoming, Operation, Outgoing, Quirks,
    Recipient, ReplyContext, Route, Rules, Snapshot, StreamDecoder, StreamEncoder,
};

mod citation;
mod content;
mod document;
pub mod embed;
mod fault;
mod finish;
mod history;
mod logprobs;
mod messages;
mod reply;
mod request;
pub mod rerank;
mod stream;
mod tools;
mod usage;

pub const ID: DialectId = DialectId("cohere-v2");

#[derive(Debug)]
pub struct CohereV2;

const RULES: Rules = Rules {
    routes: &[
        route("/v2/chat", Operation::Chat),
        route("/v2/embed", Operation::Embed),
        route("/v2/rerank", Operation::Rerank),
    ],
    model_in_body: true,
    framing: Framing::Sse,
    streams_unless_told: false,
    usage_is_optional: false,
    request_headers: &["x-client-name"],
    query: &[],
    response_headers: &["num_chars", "num_tokens", "x-api-warning", "x-trial-endpoint-call-*"],
    path: |_, _| CHAT.to_owned(),
    disturbs: |_, _, _| false,
    request_id: "x-debug-trace-id",
};

const CHAT: &str = "/v2/chat";

const fn route(prefix: &'static str, operation: Operation) -> Route {
    let method = Method::POST;
    Route { method, prefix, suffix: None, claim: Claim::Open, operation, stream: false }
}

impl Dialect for CohereV2 {
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

    fn encode_fault(&self, fault: &Fault, request_id: &str) -> EncodedFault {
        fault::encode(fault, request_id)
    }
}
