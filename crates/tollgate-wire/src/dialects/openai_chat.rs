//! OpenAI Chat Completions, as OpenAI and the many hosts of the same dialect speak it.
//!
//! What hosts do differently in requests is data ([`Quirks`](crate::Quirks)); what they do
//! differently in answers is understood from all of them alike.

use http::Method;
use tollgate_model::DialectId;

use crate::dialect::{Faults, Replies, Requests, Rules};
use crate::stream::Streams;
use crate::{Dialect, Framing, Operation, Route};

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
pub(in crate::dialects) mod stream;
pub(in crate::dialects) mod tools;
pub(in crate::dialects) mod usage;

pub const ID: DialectId = DialectId("openai-chat");

pub static OPENAI_CHAT: Dialect = Dialect {
    id: ID,
    requests: Requests { decode: request::decode, encode: outgoing::encode },
    replies: Replies { decode: reply::decode, skim: reply::skim, encode: reply::encode },
    rules: Rules {
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
    },
    streams: Streams::of::<stream::Decoder, stream::Encoder>(),
    faults: Faults { decode: fault::decode, encode: fault::encode },
};
