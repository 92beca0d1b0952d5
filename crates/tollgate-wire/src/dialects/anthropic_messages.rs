//! Anthropic Messages.

use http::Method;
use tollgate_model::DialectId;

use crate::dialect::{Faults, Replies, Requests, Rules};
use crate::stream::Streams;
use crate::{Dialect, Framing, Operation, Route};

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

pub static ANTHROPIC_MESSAGES: Dialect = Dialect {
    id: ID,
    requests: Requests {
        decode: |incoming| request::decode(incoming.body, request::Purpose::Answer),
        encode: |chat, to| request::encode(chat, to, request::Purpose::Answer),
    },
    replies: Replies { decode: reply::decode, skim: reply::skim, encode: reply::encode },
    rules: Rules {
        routes: &[
            Route::open(Method::POST, "/v1/messages", None, Operation::Chat),
            Route::open(Method::POST, "/v1/messages/count_tokens", None, Operation::CountTokens),
            Route::open(Method::POST, BATCHES, None, Operation::Batches),
            Route::open(Method::GET, BATCHES, None, Operation::Batches),
            Route::open(Method::GET, ONE_BATCH, Some(""), Operation::Batches),
            Route::open(Method::DELETE, ONE_BATCH, Some(""), Operation::Batches),
            Route::open(Method::POST, ONE_BATCH, Some("/cancel"), Operation::Batches),
            Route::claimed(VERSION_HEADER, Method::GET, "/v1/models", None, Operation::ListModels),
            Route::claimed(
                VERSION_HEADER,
                Method::GET,
                "/v1/models/",
                Some(""),
                Operation::GetModel,
            ),
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
    },
    streams: Streams::of::<stream::Decoder, stream::Encoder>(),
    faults: Faults { decode: fault::decode, encode: fault::encode },
};
