//! Ollama's own chat API (`/api/chat`): one message whole, or as lines of JSON.
//!
//! Not the OpenAI dialect that the same server speaks under `/v1`, and not `/api/generate`.

use http::Method;
use tollgate_model::DialectId;

use crate::dialect::{Faults, Replies, Requests, Rules};
use crate::stream::Streams;
use crate::{Dialect, Framing, Operation, Route};

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

pub static OLLAMA_CHAT: Dialect = Dialect {
    id: ID,
    requests: Requests {
        decode: request::decode,
        encode: |chat, to| Ok(request::encode(chat, to)),
    },
    replies: Replies { decode: reply::decode, skim: reply::decode, encode: reply::encode },
    rules: Rules {
        routes: &[
            Route::open(Method::POST, "/api/chat", None, Operation::Chat),
            Route::open(Method::POST, "/api/embed", None, Operation::Embed),
            Route::open(Method::GET, "/api/tags", None, Operation::ListModels),
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
    },
    streams: Streams::of::<stream::Decoder, stream::Encoder>(),
    faults: Faults { decode: fault::decode, encode: |fault, _| fault::encode(fault) },
};

const CHAT: &str = "/api/chat";
