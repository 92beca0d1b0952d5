//! A response as one JSON document, and the items that the stream shares with it.

use super::sealed;
use crate::answer::{Answer, Call, Finish};
use crate::asked::Asked;
use crate::ids;
use crate::openai::token_logprobs;
use serde_json::{Value, json};

/// The response as it is echoed: everything but its output, its end and its usage.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) seed: u64,
    pub(super) obfuscate: bool,
    base: Value,
    output: Vec<Value>,
    end: (&'static str, Value),
    usage: Value,
    service_tier: &'static str,
}

impl Facts {
    pub(super) fn of(body: &mut Value, asked: &Asked, answer: &Answer, cached: u64) -> Self {
        let seed = ids::mix(asked.seed, &asked.prefixes.len().to_le_bytes());
        let incomplete = |reason: &str| ("incomplete", json!({"reason": reason}));
        let end = match answer.finish {
            Finish::Length => incomplete("max_output_tokens"),
            Finish::Filtered => incomplete("content_filter"),
            _ => ("completed", Value::Null),
        };
        Self {
            seed,
            obfuscate: body["stream_options"]["include_obfuscation"] != false,
            base: base(body, seed),
            output: output(body, answer, seed, end.0),
            end,
            usage: usage(
                (asked.input_tokens, cached),
                (answer.output_tokens, answer.reasoning_tokens),
            ),
            service_tier: match body["service_tier"].as_str() {
                Some("flex") => "flex",
                Some("priority" | "fast") => "priority",
                _ => "default",
            },
        }
    }

    /// As it is when nothing has been said yet.
    pub(super) fn begun(&self) -> Value {
        self.base.clone()
    }

    /// As it waits in the background.
    pub(super) fn queued(&self) -> Value {
        let mut queued = self.base.clone();
        queued["status"] = json!("queued");
        queued
    }

    /// The whole response.
    pub(super) fn finished(&self) -> Value {
        let mut whole = self.base.clone();
        whole["status"] = json!(self.end.0);
        whole["incomplete_details"] = self.end.1.clone();
        if self.end.0 == "completed" {
            whole["completed_at"] = json!(1_735_689_601);
        }
        whole["output"] = json!(self.output);
        whole["usage"] = self.usage.clone();
        whole["service_tier"] = json!(self.service_tier);
        whole
    }
}

fn base(body: &Value, seed: u64) -> Value {
    let or = |name: &str, other: Value| {
        if body[name].is_null() { other } else { body[name].clone() }
    };
    let format = &body["text"]["format"];
    let mut base = json!({
        "id": ids::id("resp_", seed, 0, 48).to_lowercase(),
        "object": "response",
        "created_at": 1_735_689_600,
        "status": "in_progress",
        "background": or("background", json!(false)),
        "completed_at": null,
        "error": null,
        "frequency_penalty": 0.0,
        "incomplete_details": null,
        "instructions": body["instructions"],
        "max_output_tokens": body["max_output_tokens"],
        "max_tool_calls": body["max_tool_calls"],
        "model": body["model"],
        "output": [],
        "parallel_tool_calls": or("parallel_tool_calls", json!(true)),
        "presence_penalty": 0.0,
        "previous_response_id": body["previous_response_id"],
        "prompt_cache_key": body["prompt_cache_key"],
        "prompt_cache_retention": body["prompt_cache_retention"],
        "reasoning": {"effort": body["reasoning"]["effort"], "summary": body["reasoning"]["summary"]},
        "safety_identifier": body["safety_identifier"],
        "service_tier": or("service_tier", json!("auto")),
        "store": or("store", json!(true)),
        "temperature": or("temperature", json!(1.0)),
        "text": {
            "format": if format.is_null() { json!({"type": "text"}) } else { format.clone() },
            "verbosity": if body["text"]["verbosity"].is_null() { json!("medium") } else { body["text"]["verbosity"].clone() },
        },
        "tool_choice": or("tool_choice", json!("auto")),
        "tools": or("tools", json!([])),
        "top_logprobs": or("top_logprobs", json!(0)),
        "top_p": or("top_p", json!(1.0)),
        "truncation": or("truncation", json!("disabled")),
        "usage": null,
        "user": body["user"],
        "metadata": or("metadata", json!({})),
    });
    if let Some(id) = body["conversation"].as_str().or_else(|| body["conversation"]["id"].as_str())
    {
        base["conversation"] = json!({"id": id});
    }
    base
}

fn included(body: &Value, word: &str) -> bool {
    body["include"].as_array().is_some_and(|i| i.iter().any(|w| w == word))
}

fn output(body: &Value, answer: &Answer, seed: u64, status: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let id = |prefix: &str, at: usize| ids::id(prefix, seed, at as u64 + 1, 48).to_lowercase();
    if let Some(thought) = &answer.reasoning {
        let shown = !body["reasoning"]["summary"].is_null()
            || !body["reasoning"]["generate_summary"].is_null();
        let summary = if shown && !thought.is_empty() {
            json!([{"type": "summary_text", "text": thought}])
        } else {
            json!([])
        };
        let mut item = json!({"id": id("rs_", 0), "type": "reasoning", "summary": summary});
        if included(body, "reasoning.encrypted_content") {
            item["encrypted_content"] = json!(sealed::seal(thought));
        }
        items.push(item);
    }
    if let Some(part) = part(body, answer) {
        items.push(json!({
            "id": id("msg_", items.len()),
            "type": "message",
            "status": status,
            "content": [part],
            "role": "assistant",
        }));
    }
    for (at, call) in answer.calls.iter().enumerate() {
        items.push(called(body, call, &id, at + 10));
    }
    items
}

fn part(body: &Value, answer: &Answer) -> Option<Value> {
    if let Some(refusal) = &answer.refusal {
        return Some(json!({"type": "refusal", "refusal": refusal}));
    }
    if answer.text.is_empty() {
        return None;
    }
    let top = body["top_logprobs"].as_u64().unwrap_or(0);
    let wanted = top > 0 || included(body, "message.output_text.logprobs");
    let logprobs = if wanted { token_logprobs(&answer.text, top) } else { json!([]) };
    Some(
        json!({"type": "output_text", "annotations": [], "logprobs": logprobs, "text": answer.text}),
    )
}

fn called(body: &Value, call: &Call, id: &dyn Fn(&str, usize) -> String, at: usize) -> Value {
    let tools = body["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    let within = tools.iter().find(|t| {
        t["type"] == "namespace"
            && t["tools"].as_array().is_some_and(|i| i.iter().any(|i| i["name"] == *call.name))
    });
    let inner = within.and_then(|n| n["tools"].as_array()).into_iter().flatten();
    let tool =
        tools.iter().chain(inner).find(|t| t["name"] == *call.name && t["type"] != "namespace");
    let call_id = id("call_", at + 500).chars().take(29).collect::<String>();
    let mut item = if tool.is_some_and(|t| t["type"] == "custom") {
        json!({"id": id("ctc_", at), "type": "custom_tool_call", "status": "completed", "call_id": call_id, "input": "text", "name": call.name})
    } else {
        json!({"id": id("fc_", at), "type": "function_call", "status": "completed", "arguments": call.arguments.to_string(), "call_id": call_id, "name": call.name})
    };
    if let Some(namespace) = within {
        item["namespace"] = namespace["name"].clone();
    }
    item
}

/// What went in, and what of it was cached; what came out, and what of it was thought.
pub(super) fn usage((input, cached): (u64, u64), (output, thought): (u64, u64)) -> Value {
    json!({
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": input + output,
    })
}
