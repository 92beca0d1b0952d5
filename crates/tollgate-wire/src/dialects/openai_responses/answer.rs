//! An answer as this dialect writes it: the response object and the items in it. Whole answers and
//! streams are made of the same pieces.

use serde_json::{Map, Value, json};
use tollgate_model::{Citation, FinishReason, TokenLogprob, Usage};

use super::{ID, usage};
use crate::ReplyContext;

/// What is said of an answer as a whole.
#[derive(Debug, Default)]
pub(super) struct Answer<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) model: Option<&'a str>,
    pub(super) created: Option<u64>,
    pub(super) status: &'a str,
    /// Why it is incomplete.
    pub(super) why: Option<&'a str>,
    pub(super) error: Option<Value>,
    pub(super) output: Vec<Value>,
    pub(super) usage: Option<&'a Usage>,
}

impl Answer<'_> {
    pub(super) fn object(self, context: &ReplyContext) -> Value {
        let id = self.id.map_or_else(|| format!("resp_{}", tail(context)), str::to_owned);
        let tier = self.usage.and_then(|usage| usage.service_tier.as_deref());
        json!({
            "id": id,
            "object": "response",
            "created_at": self.created.unwrap_or(context.created),
            "status": self.status,
            "background": false,
            "error": self.error,
            "incomplete_details": self.why.map(|why| json!({"reason": why})),
            "instructions": null,
            "max_output_tokens": null,
            "metadata": {},
            "model": self.model.unwrap_or(&context.model),
            "output": self.output,
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "reasoning": {"effort": null, "summary": null},
            "service_tier": tier,
            // Nothing of it rests anywhere.
            "store": false,
            "temperature": null,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": null,
            "truncation": "disabled",
            "usage": self.usage.map(usage::encode),
            "user": null,
        })
    }
}

/// The letters of made-up ids.
pub(super) fn tail(context: &ReplyContext) -> String {
    context.id.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The id of the item at `index`.
pub(super) fn item_id(prefix: &str, context: &ReplyContext, index: u32) -> String {
    format!("{prefix}_{}{index}", tail(context))
}

/// The status for a reason, and why an answer is incomplete.
pub(super) fn status_of(reason: FinishReason) -> (&'static str, Option<&'static str>) {
    match reason {
        FinishReason::Length => ("incomplete", Some("max_output_tokens")),
        // A refusal that the model wrote itself is a `refusal` that completes; one that cut the
        // answer off is the filter's.
        FinishReason::ContentFilter | FinishReason::Refusal => {
            ("incomplete", Some("content_filter"))
        }
        FinishReason::Stop
        | FinishReason::ToolCalls
        | FinishReason::Pause
        | FinishReason::Other => ("completed", None),
    }
}

pub(super) fn message(id: &str, status: &str, content: Vec<Value>) -> Value {
    json!({
        "id": id, "type": "message", "status": status, "role": "assistant", "content": content,
    })
}

pub(super) fn text_part(text: &str, annotations: &[Value], logprobs: &[Value]) -> Value {
    json!({
        "type": "output_text", "text": text, "annotations": annotations, "logprobs": logprobs,
    })
}

pub(super) fn refusal_part(text: &str) -> Value {
    json!({"type": "refusal", "refusal": text})
}

pub(super) fn summary_part(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

/// A thought. `summary`: what can be read of it, if there is a place for that.
pub(super) fn thought(id: &str, summary: Option<&str>, sealed: Option<&str>) -> Value {
    let summary: Vec<Value> = summary.into_iter().map(summary_part).collect();
    let mut out = json!({"id": id, "type": "reasoning", "summary": summary});
    if let (Some(sealed), Value::Object(out)) = (sealed, &mut out) {
        out.insert("encrypted_content".into(), sealed.into());
    }
    out
}

pub(super) fn call(
    (id, call_id): (&str, &str),
    name: &str,
    arguments: &str,
    status: &str,
) -> Value {
    json!({
        "id": id,
        "type": "function_call",
        "status": status,
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    })
}

/// A citation of the text, which ends at character `end`.
pub(super) fn annotation(citation: &Citation, end: u64) -> Value {
    if let Some((ID, native)) = &citation.native
        && native.is_object()
    {
        return native.clone();
    }
    let title = citation.title.as_deref().unwrap_or_default();
    match &citation.url {
        Some(url) => json!({
            "type": "url_citation",
            "url": url,
            "title": title,
            "start_index": citation.start.unwrap_or_default(),
            "end_index": citation.end.unwrap_or(end),
        }),
        None => json!({
            "type": "file_citation",
            "file_id": "",
            "filename": title,
            "index": citation.end.unwrap_or(end),
        }),
    }
}

pub(super) fn logprobs(tokens: &[TokenLogprob]) -> Vec<Value> {
    let one = |token: &TokenLogprob| {
        let bytes = token.bytes.clone().unwrap_or_else(|| token.token.as_bytes().to_vec());
        json!({"token": token.token, "logprob": token.logprob, "bytes": bytes})
    };
    let all = tokens.iter().map(|token| {
        let mut out = one(token);
        out["top_logprobs"] = token.top.iter().map(one).collect::<Vec<_>>().into();
        out
    });
    all.collect()
}

/// An object's fields, whatever it was made of.
pub(super) fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
