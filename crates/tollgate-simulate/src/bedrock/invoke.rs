//! Claude in its own dialect, as Bedrock's InvokeModel carries it: the model in the path, the version in
//! the body, and streams as frames with Anthropic's events in base64 inside. Models that make vectors and
//! rankings answer here too.

use super::{Bedrock, eventstream, head, signing, vectors};
use crate::anthropic;
use crate::dialect::{Call, Dialect, Headers, Operation, State, Vendor, always};
use crate::refusal::Refusal;
use crate::routes::NotACall;
use crate::script::{Frame, Reply, Request, Script};
use crate::simulator::percent_decoded;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;

#[derive(Debug)]
pub(crate) struct Invoke;

const CLAUDE: Dialect = &anthropic::Anthropic;
const OWN: Dialect = &Bedrock;

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "bedrock-invoke",
        method: "POST",
        paths: &["/model/{model+}/invoke"],
        when: always,
        answer: |call, state| invoke(call, state, false),
    },
    Operation {
        name: "bedrock-invoke-stream",
        method: "POST",
        paths: &["/model/{model+}/invoke-with-response-stream"],
        when: always,
        answer: |call, state| invoke(call, state, true),
    },
];

impl Vendor for Invoke {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn refused(&self, refusal: &Refusal) -> (Headers, String) {
        OWN.refused(refusal)
    }

    fn trouble(&self, status: u16, quota: bool) -> Refusal {
        OWN.trouble(status, quota)
    }

    fn no_such_call(&self, request: &Request, wrong: NotACall) -> Script {
        OWN.no_such_call(request, wrong)
    }

    fn framed(&self, _event: &str, data: &str) -> Bytes {
        chunk(data.as_bytes(), 8)
    }

    fn broken(&self) -> Bytes {
        OWN.broken()
    }

    fn error_event(&self) -> Bytes {
        OWN.error_event()
    }

    fn delta(&self, text: &str) -> String {
        CLAUDE.delta(text)
    }
}

fn invoke(call: &Call<'_>, state: &mut State, stream: bool) -> Result<Reply, Refusal> {
    let model = percent_decoded(call.named.get("model").unwrap_or_default());
    if let Some(answer) = vectors::answerer(&model) {
        let (told, counted) = answer(&super::body(call.request)?, &model)?;
        return Ok(vectors::whole(call.request, &told, counted));
    }
    signing::verify(call.request)?;
    let request = anthropic::vertex::unwrapped(call, "bedrock-2023-05-31", |body| {
        body.insert("model".to_owned(), model.into());
        body.insert("stream".to_owned(), stream.into());
    });
    let reply = request.and_then(|request| anthropic::messages(&request, &mut state.cache));
    // The model behind says why; the host says that it is so.
    let mut reply = reply.map_err(|refusal| Refusal { kind: "ValidationException", ..refusal })?;
    let content_type =
        if stream { "application/vnd.amazon.eventstream" } else { "application/json" };
    reply.headers = head(&call.request.body, content_type);
    if stream {
        let wrap = |(at, frame): (usize, &Frame)| {
            let text = String::from_utf8_lossy(&frame.bytes).into_owned();
            let data = text.lines().find_map(|line| line.strip_prefix("data: "))?;
            let data = data.trim_end();
            // Bedrock sends no pings.
            (!data.contains("\"ping\"")).then(|| Frame::new(frame.part, chunk(data.as_bytes(), at)))
        };
        reply.frames = reply.frames.iter().enumerate().filter_map(wrap).collect();
    }
    Ok(reply)
}

fn chunk(event: &[u8], at: usize) -> Bytes {
    const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let long = at * 7 % PADDING.len() + 1;
    let payload = json!({"bytes": STANDARD.encode(event), "p": PADDING[..long]});
    eventstream::event("chunk", payload.to_string().as_bytes())
}
