//! OpenAI Responses: a conversation as a flat list of items, an answer as another, a stream as
//! numbered events about them.
//!
//! Items that only this dialect knows (tools that the provider runs, shells, patches, computers)
//! stay whole for it. What rests at a provider between two calls is not kept here: `rests` finds
//! what a request refers to.

use http::Method;
use tollgate_model::DialectId;

use super::openai_chat::fault;
use crate::dialect::{Faults, Replies, Requests, Rules};
use crate::stream::Streams;
use crate::{Dialect, Framing, Operation, Route};

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

pub static OPENAI_RESPONSES: Dialect = Dialect {
    id: ID,
    requests: Requests {
        decode: request::decode,
        encode: |chat, to| outgoing::encode(chat, to, outgoing::Purpose::Answer),
    },
    replies: Replies { decode: reply::decode, skim: reply::skim, encode: reply::encode },
    rules: Rules {
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
    },
    streams: Streams::of::<stream::Decoder, stream::Encoder>(),
    faults: Faults { decode: fault::decode, encode: fault::encode },
};

/// Whatever follows.
const REST: Option<&str> = Some("");
