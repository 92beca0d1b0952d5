//! A conversation made shorter: the caller's own turns stay, everything else goes under one seal.

use super::stored::{self, normal};
use super::{read, reply, rules, sealed};
use crate::dialect::{Call, State};
use crate::refusal::Refusal;
use crate::script::{Frame, Part, Reply};
use crate::{ids, openai, tokens};
use serde_json::{Value, json};

const CREATED: u64 = 1_735_689_600;

/// `POST /v1/responses/compact`.
pub(super) fn compact(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let body = openai::body(call.request)?;
    rules::create(&body)?;
    let history = stored::history(&state.responses, &body)?;
    let seed = ids::hash(&call.request.body);
    let mut items = history.items.clone();
    items.extend(normal(&body["input"], seed));
    let (mut output, others): (Vec<Value>, Vec<Value>) =
        items.into_iter().partition(|item| item["role"] == "user");
    let sealed = sealed::seal(&Value::Array(others).to_string());
    let written = tokens::count(&sealed);
    output.push(json!({
        "id": ids::id("cmp_", seed, 0, 48).to_lowercase(), "type": "compaction",
        "encrypted_content": sealed,
    }));
    let asked = read::asked(&body, &history, &call.request.body);
    let told = json!({
        "id": ids::id("resp_", seed, 0, 48).to_lowercase(), "object": "response.compaction",
        "created_at": CREATED, "output": output,
        "usage": reply::usage((asked.input_tokens, 0), (written, 0)),
    });
    Ok(Reply {
        headers: openai::head(call.request, "application/json"),
        frames: vec![Frame::new(Part::Content, told.to_string())],
        streamed: false,
        input_tokens: asked.input_tokens,
        output_tokens: written,
    })
}
