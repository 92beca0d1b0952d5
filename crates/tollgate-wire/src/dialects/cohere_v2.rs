//! Cohere's chat API of the second version (`/v2/chat`), whole or as typed events.
//!
//! The first version (`/v1/chat`, `/v1/generate`) is not spoken: its callers send one message and
//! a history instead of messages.

use http::Method;
use tollgate_model::DialectId;

use crate::dialect::{Faults, Replies, Requests, Rules};
use crate::stream::Streams;
use crate::{Dialect, Framing, Operation, Route};

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

pub static COHERE_V2: Dialect = Dialect {
    id: ID,
    requests: Requests {
        decode: request::decode,
        encode: |chat, to| Ok(request::encode(chat, to)),
    },
    replies: Replies { decode: reply::decode, skim: reply::decode, encode: reply::encode },
    rules: Rules {
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
    },
    streams: Streams::of::<stream::Decoder, stream::Encoder>(),
    faults: Faults { decode: fault::decode, encode: fault::encode },
};

const CHAT: &str = "/v2/chat";

const fn route(path: &'static str, operation: Operation) -> Route {
    Route::open(Method::POST, path, None, operation)
}
