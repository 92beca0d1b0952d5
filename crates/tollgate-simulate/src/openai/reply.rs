//! A chat completion as one JSON document, and the pieces that the stream shares with it.

use crate::answer::{Answer, Call, Finish};
use crate::asked::Asked;
use crate::{ids, tokens};
use serde_json::{Value, json};

/// What an answer needs to know of its request.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) seed: u64,
    pub(super) choices: u64,
    /// How many alternatives per token; `None` without logprobs.
    pub(super) logprobs: Option<u64>,
    pub(super) include_usage: bool,
    pub(super) obfuscate: bool,
    pub(super) service_tier: &'static str,
    /// Tools called the old way, by `function_call`.
    pub(super) old_functions: bool,
    /// Tools of type `custom`: their input is text.
    pub(super) custom: Vec<String>,
}

impl Facts {
    pub(super) fn of(body: &Value, asked: &Asked) -> Self {
        let custom = body["tools"].as_array().into_iter().flatten();
        let custom = custom.filter_map(|t| t["custom"]["name"].as_str());
        Self {
            id: ids::id("chatcmpl-", asked.seed, 0, 29),
            model: asked.model.clone(),
            seed: asked.seed,
            choices: asked.choices,
            logprobs: (body["logprobs"] == true)
                .then(|| body["top_logprobs"].as_u64().unwrap_or(0)),
            include_usage: body["stream_options"]["include_usage"] == true,
            obfuscate: body["stream_options"]["include_obfuscation"] != false,
            service_tier: match body["service_tier"].as_str() {
                Some("flex") => "flex",
                Some("priority") => "priority",
                _ => "default",
            },
            old_functions: !body["functions"].is_null(),
            custom: custom.map(str::to_owned).collect(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Usage {
    input: u64,
    output: u64,
    cached: u64,
    reasoning: u64,
}

impl Usage {
    pub(super) fn of(asked: &Asked, answer: &Answer, cached: u64) -> Self {
        Self {
            input: asked.input_tokens,
            output: answer.output_tokens * asked.choices,
            cached,
            reasoning: answer.reasoning_tokens * asked.choices,
        }
    }

    pub(super) fn told(&self) -> Value {
        json!({
            "prompt_tokens": self.input,
            "completion_tokens": self.output,
            "total_tokens": self.input + self.output,
            "prompt_tokens_details": {"cached_tokens": self.cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": self.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        })
    }
}

/// The whole completion.
pub(super) fn whole(facts: &Facts, answer: &Answer, usage: &Usage) -> Value {
    let choices: Vec<Value> = (0..facts.choices)
        .map(|index| {
            json!({
                "index": index,
                "message": message(facts, answer, index),
                "logprobs": logprobs(facts, answer),
                "finish_reason": finish(facts, answer),
            })
        })
        .collect();
    json!({
        "id": facts.id,
        "object": "chat.completion",
        "created": 1_735_689_600,
        "model": facts.model,
        "choices": choices,
        "usage": usage.told(),
        "service_tier": facts.service_tier,
        "system_fingerprint": "fp_simulated",
    })
}

fn message(facts: &Facts, answer: &Answer, choice: u64) -> Value {
    let silent = answer.refusal.is_some() || !answer.calls.is_empty();
    let content = if silent { Value::Null } else { Value::String(answer.text.clone()) };
    let mut message = json!({"role": "assistant", "content": content, "refusal": answer.refusal, "annotations": []});
    if answer.calls.is_empty() {
        return message;
    }
    if facts.old_functions {
        let call = &answer.calls[0];
        message["function_call"] =
            json!({"name": call.name, "arguments": call.arguments.to_string()});
        return message;
    }
    let calls = answer.calls.iter().enumerate().map(|(at, c)| {
        let id = call_id(facts, choice, at);
        match input(facts, c) {
            (true, input) => json!({"id": id, "type": "custom", "custom": {"name": c.name, "input": input}}),
            (false, arguments) => json!({"id": id, "type": "function", "function": {"name": c.name, "arguments": arguments}}),
        }
    });
    message["tool_calls"] = calls.collect();
    message
}

/// Whether the call is of type `custom`, and its input as text.
pub(super) fn input(facts: &Facts, call: &Call) -> (bool, String) {
    if facts.custom.contains(&call.name) {
        (true, "text".to_owned())
    } else {
        (false, call.arguments.to_string())
    }
}

pub(super) fn call_id(facts: &Facts, choice: u64, at: usize) -> String {
    ids::id("call_", facts.seed, choice * 1000 + at as u64 + 1, 24)
}

pub(super) fn finish(facts: &Facts, answer: &Answer) -> &'static str {
    match answer.finish {
        Finish::Length => "length",
        Finish::ToolCalls if facts.old_functions => "function_call",
        Finish::ToolCalls => "tool_calls",
        Finish::Filtered => "content_filter",
        Finish::Stop | Finish::StopSequence(_) | Finish::Refusal => "stop",
    }
}

fn logprobs(facts: &Facts, answer: &Answer) -> Value {
    match facts.logprobs {
        Some(top) => json!({"content": token_logprobs(&answer.text, top), "refusal": null}),
        None => Value::Null,
    }
}

/// One entry per token; alternatives are the token in brackets, less likely each.
pub(crate) fn token_logprobs(text: &str, top: u64) -> Value {
    let entry = |token: &str, logprob: f64| json!({"token": token, "logprob": logprob, "bytes": token.as_bytes()});
    tokens::split(text)
        .into_iter()
        .map(|token| {
            let mut one = entry(token, -0.01);
            let others = (1..top).map(|n| {
                entry(&format!("({token}){n}"), -2.0 - f64::from(u32::try_from(n).unwrap_or(0)))
            });
            let first = (top > 0).then(|| entry(token, -0.01));
            one["top_logprobs"] = first.into_iter().chain(others).collect();
            one
        })
        .collect()
}
