//! OpenAI Chat Completions, as OpenAI and the many hosts of the same dialect speak it.
//!
//! What hosts do differently in requests is data ([`Quirks`]); what they do differently in
//! answers is understood from all of them alike.

use http::{HeaderMap, Method};
use tollgate_model::{Chat, DialectId, Event, Fault, Losses, Reply};

use crate::{
    Dialect, Encoded, EncodedFault, Framing, Incoming, Operation, Outgoing, Quirks, Recipient,
    ReplyContext, Route, Rules, Snapshot, StreamDecoder, StreamEncoder,
};

pub mod audio;
pub mod batches;
pub mod embed;
pub(in crate::dialects) mod fault;
mod history;
pub mod images;
pub(in crate::dialects) mod measure;
mod messages;
pub mod models;
pub mod moderations;
pub(in crate::dialects) mod outgoing;
pub(in crate::dialects) mod parts;
pub(in crate::dialects) mod pieces;
mod quirks;
mod reasoning;
pub(in crate::dialects) mod reply;
mod request;
pub mod rerank;
mod skimmed;
mod stream;
pub(in crate::dialects) mod tools;
pub(in crate::dialects) mod usage;

pub const ID: DialectId = DialectId("openai-chat");

#[derive(Debug)]
pub struct OpenaiChat;

const RULES: Rules = Rules {
    routes: &[
        Route::open(Method::POST, "/v1/chat/completions", None, Operation::Chat),
        Route::open(Method::POST, "/v1/embeddings", None, Operation::Embed),
        Route::open(Method::POST, "/v1/rerank", None, Operation::Rerank),
        Route::open(Method::POST, "/v1/moderations", None, Operation::Moderate),
        Route::open(Method::POST, "/v1/images/generations", None, Operation::MakeImage),
        Route::open(Method::POST, "/v1/images/edits", None, Operation::EditImage),
        Route::open(Method::POST, "/v1/images/variations", None, Operation::VaryImage),
        Route::open(Method::POST, "/v1/audio/speech", None, Operation::Speak),
        Route::open(Method::POST, "/v1/audio/transcriptions", None, Operation::Transcribe),
        Route::open(Method::POST, "/v1/audio/translations", None, Operation::TranslateSpeech),
        Route::open(Method::GET, "/v1/realtime", None, Operation::Realtime),
        Route::open(Method::POST, "/v1/files", None, Operation::Files),
        Route::open(Method::GET, "/v1/files", None, Operation::Files),
        Route::open(Method::GET, "/v1/files/", Some(""), Operation::Files),
        Route::open(Method::DELETE, "/v1/files/", Some(""), Operation::Files),
        Route::open(Method::POST, "/v1/batches", None, Operation::Batches),
        Route::open(Method::GET, "/v1/batches", None, Operation::Batches),
        Route::open(Method::GET, "/v1/batches/", Some(""), Operation::Batches),
        Route::open(Method::POST, "/v1/batches/", Some("/cancel"), Operation::Batches),
        Route::open(Method::GET, "/v1/models", None, Operation::ListModels),
        Route::open(Method::GET, "/v1/models/", Some(""), Operation::GetModel),
    ],
    model_in_body: true,
    framing: Framing::Sse,
    streams_unless_told: false,
    usage_is_optional: true,
    // Organisation and project are settings of the provider, not of a call.
    request_headers: &["openai-beta", "idempotency-key", "x-client-request-id"],
    query: &[],
    response_headers: &["x-ratelimit-*", "openai-processing-ms", "openai-version"],
    path: |_, _| "/chat/completions".to_owned(),
    disturbs: quirks::disturbs,
    request_id: fault::REQUEST_ID,
};

/// A request in the making.
#[derive(Debug)]
struct Writing<'a> {
    /// The chat was read from this dialect: it is written as it was.
    own: bool,
    quirks: &'a Quirks,
    losses: Losses,
}

impl Dialect for OpenaiChat {
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
        outgoing::encode(chat, to)
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
