//! OpenAI's completions from before there were chats (`/v1/completions`): a text is gone on with.
//! Several hosts still speak it, some of them to fill a gap in code (`suffix`).
//!
//! Errors, usage and the reading of answers are those of OpenAI Chat Completions.

use http::Method;
use tollgate_model::DialectId;

use super::openai_chat::{self, fault, reply as answer};
use crate::dialect::{Faults, Replies, Requests, Rules};
use crate::stream::Streams;
use crate::{Dialect, Framing, Operation, Route};

mod logprobs;
mod reply;
mod request;
mod stream;

pub const ID: DialectId = DialectId("openai-completions");

pub static OPENAI_COMPLETIONS: Dialect = Dialect {
    id: ID,
    requests: Requests { decode: request::decode, encode: request::encode },
    replies: Replies { decode: answer::decode, skim: answer::skim, encode: reply::encode },
    rules: Rules {
        routes: &[Route::open(Method::POST, "/v1/completions", None, Operation::Chat)],
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
    },
    streams: Streams::of::<openai_chat::stream::Decoder, stream::Encoder>(),
    faults: Faults { decode: fault::decode, encode: fault::encode },
};
