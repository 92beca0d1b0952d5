//! Bedrock's dialect: Converse and its stream of binary frames. Signed requests are verified when they
//! are signed with the key that is known here; any other key is good.

pub(crate) mod eventstream;
pub(crate) mod invoke;
mod messages_rules;
mod read;
mod reply;
mod rules;
mod signing;
mod stream;
mod tables;
mod tools_rules;
mod trouble;
mod vectors;
mod wording;

use crate::answer;
use crate::dialect::{Call, Headers, Operation, State, Vendor, always};
use crate::ids;
use crate::refusal::Refusal;
use crate::routes::NotACall;
use crate::script::{Frame, Part, Reply, Request, Script};
use crate::simulator::{percent_decoded, refused};
use bytes::Bytes;
use serde_json::{Value, json};

pub use signing::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

#[derive(Debug)]
pub(crate) struct Bedrock;

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "bedrock-converse",
        method: "POST",
        paths: &["/model/{model+}/converse"],
        when: always,
        answer: |call, state| converse(call, state, false),
    },
    Operation {
        name: "bedrock-converse-stream",
        method: "POST",
        paths: &["/model/{model+}/converse-stream"],
        when: always,
        answer: |call, state| converse(call, state, true),
    },
];

impl Vendor for Bedrock {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn refused(&self, refusal: &Refusal) -> (Headers, String) {
        let kind = format!("{}:http://internal.amazon.com/coral/com.amazon.bedrock/", refusal.kind);
        let mut headers = head(refusal.message.as_bytes(), "application/json");
        headers.push(("x-amzn-errortype".to_owned(), kind));
        (headers, json!({"message": refusal.message}).to_string())
    }

    fn trouble(&self, status: u16, quota: bool) -> Refusal {
        trouble::trouble(status, quota)
    }

    fn no_such_call(&self, _request: &Request, wrong: NotACall) -> Script {
        let refusal = match wrong {
            NotACall::UnknownPath => Refusal::new(404, "UnknownOperationException", ""),
            NotACall::WrongMethod => {
                Refusal::new(405, "UnknownOperationException", "Method Not Allowed")
            }
        };
        refused(&Self, &refusal)
    }

    fn framed(&self, event: &str, data: &str) -> Bytes {
        let event = if event == "content_block_delta" { "contentBlockDelta" } else { event };
        eventstream::event(event, data.as_bytes())
    }

    fn broken(&self) -> Bytes {
        let mut frame = eventstream::event("contentBlockDelta", self.delta("spoilt").as_bytes());
        eventstream::spoil(&mut frame);
        frame
    }

    fn error_event(&self) -> Bytes {
        let told = json!({"message": self.trouble(500, false).message}).to_string();
        eventstream::exception("internalServerException", told.as_bytes())
    }

    fn delta(&self, text: &str) -> String {
        format!("{{\"contentBlockIndex\":0,\"delta\":{{\"text\":\"{text}\"}},\"p\":\"abcdefgh\"}}")
    }
}

/// Answers a conversation, or says why not.
fn converse(call: &Call<'_>, state: &mut State, stream: bool) -> Result<Reply, Refusal> {
    let request = call.request;
    let model = percent_decoded(call.named.get("model").unwrap_or_default());
    let body = body(request)?;
    rules::converse(&body, &model)?;
    let mut asked = read::asked(&body, &request.body, &model);
    asked.stream = stream;
    let answer = answer::answer(&asked);
    let cached = state.cache.marked(&asked.prefixes);
    let facts = reply::Facts::of(&body, &asked, &answer, cached);
    let (content_type, frames) = if stream {
        ("application/vnd.amazon.eventstream", stream::frames(&facts, &answer))
    } else {
        let whole = reply::whole(&facts, &answer).to_string();
        ("application/json", vec![Frame::new(Part::Content, whole)])
    };
    Ok(Reply {
        headers: head(&request.body, content_type),
        frames,
        streamed: stream,
        input_tokens: asked.input_tokens,
        output_tokens: answer.output_tokens,
    })
}

/// The head of every answer, which names the request.
pub(crate) fn head(of: &[u8], content_type: &str) -> Headers {
    let seed = ids::hash(of);
    let id = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        seed >> 32,
        seed >> 16 & 0xffff,
        seed & 0xfff,
        seed >> 12 & 0xfff,
        ids::mix(seed, b"id") & 0xffff_ffff_ffff
    );
    crate::dialect::headers([("content-type", content_type), ("x-amzn-requestid", &id)])
}

/// The body of a call that is signed or bears a key.
pub(crate) fn body(request: &Request) -> Result<Value, Refusal> {
    signing::verify(request)?;
    match serde_json::from_slice(&request.body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(Refusal::new(
            400,
            "SerializationException",
            "Unexpected token in the request body.",
        )),
    }
}
