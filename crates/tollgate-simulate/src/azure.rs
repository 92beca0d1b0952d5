//! OpenAI's dialect as Azure serves it: deployments in the path, the version in the query, its own words
//! for keys and limits, and what its content filter adds. The answers are OpenAI's.

use crate::dialect::{Call, Dialect, Headers, Operation, State, Vendor};
use crate::openai;
use crate::refusal::Refusal;
use crate::routes::NotACall;
use crate::script::{Frame, Part, Reply, Request, Script};
use crate::simulator::percent_decoded;
use bytes::Bytes;
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct Azure;

const OPENAI: Dialect = &openai::OpenAi;

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "openai-chat",
        method: "POST",
        paths: &["/openai/deployments/{model}/chat/completions", "/openai/v1/chat/completions"],
        when: crate::dialect::always,
        answer: chat,
    },
    Operation {
        name: "openai-embeddings",
        method: "POST",
        paths: &["/openai/deployments/{model}/embeddings", "/openai/v1/embeddings"],
        when: crate::dialect::always,
        answer: |call, _| openai::embeddings(&bare(call)?),
    },
];

impl Vendor for Azure {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    /// What the gate before the model says has a code and a message alone.
    fn refused(&self, refusal: &Refusal) -> (Headers, String) {
        if refusal.kind != GATE {
            return OPENAI.refused(refusal);
        }
        let body = json!({"error": {"code": refusal.code, "message": refusal.message}});
        (crate::dialect::headers([("content-type", "application/json")]), body.to_string())
    }

    fn trouble(&self, status: u16, quota: bool) -> Refusal {
        match status {
            401 => gate(
                401,
                "401",
                "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.",
            ),
            404 => gate(
                404,
                "DeploymentNotFound",
                "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.",
            ),
            429 if !quota => gate(
                429,
                "429",
                "Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after 1 second.",
            ),
            _ => OPENAI.trouble(status, quota),
        }
    }

    fn no_such_call(&self, _request: &Request, _wrong: NotACall) -> Script {
        crate::simulator::refused(self_row(), &gate(404, "404", "Resource not found"))
    }

    fn framed(&self, event: &str, data: &str) -> Bytes {
        OPENAI.framed(event, data)
    }

    fn error_inside(&self) -> String {
        OPENAI.error_inside()
    }

    fn delta(&self, text: &str) -> String {
        OPENAI.delta(text)
    }
}

const GATE: &str = "gate";

fn self_row() -> Dialect {
    &Azure
}

fn gate(status: u16, code: &str, message: &str) -> Refusal {
    Refusal::new(status, GATE, message).code(code)
}

/// The call as OpenAI would get it: the deployment is the model.
fn bare(call: &Call<'_>) -> Result<Request, Refusal> {
    let mut request = call.request.clone();
    let Some(deployment) = call.named.get("model") else { return Ok(request) };
    if request.query_value("api-version").is_none() {
        return Err(gate(404, "404", "Resource not found"));
    }
    if let Ok(Value::Object(mut body)) = serde_json::from_slice(&request.body) {
        body.entry("model").or_insert_with(|| Value::from(percent_decoded(deployment)));
        request.body = Value::Object(body).to_string().into();
    }
    Ok(request)
}

/// OpenAI's answer, with what the filter thinks of prompt and answer.
fn chat(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let mut reply = openai::chat(&bare(call)?, &mut state.cache)?;
    let safe = json!({
        "hate": {"filtered": false, "severity": "safe"},
        "self_harm": {"filtered": false, "severity": "safe"},
        "sexual": {"filtered": false, "severity": "safe"},
        "violence": {"filtered": false, "severity": "safe"},
    });
    let prompt = json!([{"prompt_index": 0, "content_filter_results": safe}]);
    if reply.streamed {
        let first = json!({"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": prompt});
        reply.frames.insert(0, Frame::new(Part::Opening, format!("data: {first}\n\n")));
        return Ok(reply);
    }
    for frame in &mut reply.frames {
        let Ok(mut whole) = serde_json::from_slice::<Value>(&frame.bytes) else { continue };
        whole["prompt_filter_results"] = prompt.clone();
        for choice in whole["choices"].as_array_mut().into_iter().flatten() {
            choice["content_filter_results"] = safe.clone();
        }
        frame.bytes = whole.to_string().into();
    }
    Ok(reply)
}
