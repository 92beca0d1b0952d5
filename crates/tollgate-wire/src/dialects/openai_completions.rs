//! OpenAI's completions from before there were chats (`/v1/completions`): a text is gone on with.
//! Several hosts still speak it, some of them to fill a gap in code (`suffix`).
//!
//! Errors, usage and the reading of answers are those of OpenAI Chat Completions.

use http::{HeaderMap, Method};
use tollgate_model::{Chat, DialectId, Event, Fault, Reply};

use super::openai_chat::{self, fault};
use crate::{
    Claim, Dialect, Encoded, EncodedFault, Framing, Incoming, Operation, Outgoing, Quirks,
    Recipient, ReplyContext, Route, Rules, Snapshot, StreamDecoder, StreamEncoder,
};

mod logprobs;
mod reply;
mod request;
mod stream;

pub const ID: DialectId = DialectId("openai-completions");

#[derive(Debug)]
pub struct OpenaiCompletions;

const RULES: Rules = Rules {
    routes: &[Route {
        method: Method::POST,
        prefix: "/v1/completions",
        suffix: None,
        claim: Claim::Open,
        operation: Operation::Chat,
        stream: false,
    }],
    model_in_body: true,
    framing: Framing::Sse,
    streams_unless_told: false,
    usage_is_optional: true,
    request_headers: &["idempotency-key", "x-client-request-id"],
    query: &[],
    response_headers: &["x-ratelimit-*", "openai-processing-ms", "openai-version"],
    path: |_, _| request::USUAL_PATH.to_owned(),
    // Where gaps are filled by a chat, the answer is one too.
    disturbs: |quirks, _, _| quirks.completions_path != request::USUAL_PATH,
    request_id: fault::REQUEST_ID,
};

impl Dialect for OpenaiCompletions {
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
        request::encode(chat, to)
    }

    fn decode_reply(&self, body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
        openai_chat::OpenaiChat.decode_reply(body, quirks)
    }

    fn skim_reply(&self, body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
        openai_chat::OpenaiChat.skim_reply(body, quirks)
    }

    fn encode_reply(&self, reply: &Reply, context: &ReplyContext) -> Encoded {
        reply::encode(reply, context)
    }

    fn decode_stream(&self, quirks: &'static Quirks) -> Box<dyn StreamDecoder> {
        openai_chat::OpenaiChat.decode_stream(quirks)
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
