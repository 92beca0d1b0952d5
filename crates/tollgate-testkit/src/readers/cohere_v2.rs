//! Reads Cohere's chat of the second version as its SDK does.

use serde_json::Value;

use super::{Asking, Can, Figure, Row, Writer, demand, each, items, sse, sum, usual_finishes};
use crate::Digest;
use crate::digest::{Arguments, ErrorDigest, Tokens, ToolCall, word};
use crate::judge::canary::Flock;
use crate::judge::said::Said;

pub(super) const ROW: Row = Row {
    name: "cohere-v2",
    ingress: false,
    uncounted: false,
    buffered,
    stream,
    asking: Asking {
        said,
        canaries,
        fields: &[
            "citation_options",
            "documents",
            "frequency_penalty",
            "k",
            "logprobs",
            "max_tokens",
            "messages",
            "model",
            "p",
            "presence_penalty",
            "priority",
            "raw_prompting",
            "response_format",
            "safety_mode",
            "seed",
            "stop_sequences",
            "stream",
            "strict_tools",
            "temperature",
            "thinking",
            "tool_choice",
            "tools",
        ],
        provider: "cohere",
    },
    can: Can {
        refusals: false,
        choices: false,
        logprobs: true,
        signed_texts: false,
        id_marks: None,
        figures: &[Figure::Input, Figure::Output, Figure::Cached, Figure::Reasoning],
        finishes: usual_finishes,
        error_types: |_| &[],
        free_types: true,
        type_header: None,
    },
};

fn buffered(body: &Value, status: u16, by: Writer) -> Result<Digest, String> {
    if status >= 400 || body["message"].is_string() {
        return Ok(Digest { error: Some(error(body, status)), ..Digest::default() });
    }
    let message = &body["message"];
    demand(by, body["id"].is_string() && message["role"] == "assistant", "id or role is missing")?;
    demand(by, body["finish_reason"].is_string(), "finish_reason is missing")?;
    let mut reading = Reading { by, ..Reading::default() };
    reading.digest.reasoning.push_str(message["tool_plan"].as_str().unwrap_or_default());
    for part in items(&message["content"]) {
        reading.part(part);
    }
    for (at, call) in items(&message["tool_calls"]).iter().enumerate() {
        reading.call(at as u64, call)?;
    }
    reading.digest.citations = items(&message["citations"]).len() as u64;
    reading.end(body);
    reading.digest.logprobs |= !items(&body["logprobs"]).is_empty();
    Ok(reading.done())
}

fn stream(body: &[u8], by: Writer) -> Result<Digest, String> {
    let mut reading = Reading { by, ..Reading::default() };
    let (mut started, mut ended) = (false, false);
    for event in sse::events(body)? {
        if event.data == "[DONE]" {
            continue;
        }
        let data: Value = serde_json::from_str(event.data.trim())
            .map_err(|e| format!("an event is not JSON: {e}"))?;
        let kind = data["type"].as_str().unwrap_or_default();
        demand(by, !ended, "something follows message-end")?;
        demand(by, started || kind == "message-start", "no message-start")?;
        let message = &data["delta"]["message"];
        match kind {
            "message-start" => started = true,
            "content-start" | "content-delta" => reading.part(&message["content"]),
            "tool-plan-delta" => {
                let plan = message["tool_plan"].as_str().unwrap_or_default();
                reading.digest.reasoning.push_str(plan);
            }
            "tool-call-start" => {
                reading.call(data["index"].as_u64().unwrap_or(0), &message["tool_calls"])?;
            }
            "tool-call-delta" => {
                let more = message["tool_calls"]["function"]["arguments"].as_str();
                reading.more(data["index"].as_u64().unwrap_or(0), more.unwrap_or_default())?;
            }
            "citation-start" => reading.digest.citations += 1,
            "message-end" => {
                ended = true;
                reading.end(&data["delta"]);
            }
            "error" => {
                return Ok(Digest { error: Some(error(&data, 200)), ..Digest::default() });
            }
            _ => {}
        }
        reading.digest.logprobs |= data["logprobs"].is_object();
    }
    demand(by, ended, "no message-end")?;
    Ok(reading.done())
}

struct Reading {
    by: Writer,
    digest: Digest,
    /// Index, id, name and the text of the arguments.
    calls: Vec<(u64, String, String, String)>,
}

impl Default for Reading {
    fn default() -> Self {
        let digest = Digest { choices: 1, ..Digest::default() };
        Self { by: Writer::Provider, digest, calls: Vec::new() }
    }
}

impl Reading {
    fn part(&mut self, part: &Value) {
        self.digest.text.push_str(part["text"].as_str().unwrap_or_default());
        self.digest.reasoning.push_str(part["thinking"].as_str().unwrap_or_default());
    }

    fn call(&mut self, at: u64, call: &Value) -> Result<(), String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let function = &call["function"];
        let (id, name) = (text(&call["id"]), text(&function["name"]));
        demand(self.by, !id.is_empty() && !name.is_empty(), "a call lacks id or name")?;
        self.calls.push((at, id, name, text(&function["arguments"])));
        Ok(())
    }

    fn more(&mut self, at: u64, arguments: &str) -> Result<(), String> {
        match self.calls.iter_mut().rev().find(|call| call.0 == at) {
            Some(call) => {
                call.3.push_str(arguments);
                Ok(())
            }
            None => demand(self.by, false, "a delta without its call"),
        }
    }

    fn end(&mut self, at: &Value) {
        self.digest.finish = at["finish_reason"].as_str().map(|word| finish(word).to_owned());
        let usage = &at["usage"];
        let tokens = &usage["tokens"];
        self.digest.usage = Tokens {
            input: sum(&[tokens["input_tokens"].as_u64(), tokens["image_tokens"].as_u64()]),
            output: tokens["output_tokens"].as_u64(),
            cached: usage["cached_tokens"].as_u64(),
            cache_write: None,
            reasoning: tokens["reasoning_tokens"].as_u64(),
        };
    }

    fn done(mut self) -> Digest {
        let call = |(_, id, name, text): (u64, String, String, String)| ToolCall {
            id,
            name,
            arguments: Arguments::parse(&text),
        };
        self.digest.tool_calls = self.calls.into_iter().map(call).collect();
        self.digest
    }
}

fn finish(word: &str) -> &str {
    match word {
        "COMPLETE" | "STOP_SEQUENCE" => "stop",
        "MAX_TOKENS" => "length",
        "TOOL_CALL" => "tool_calls",
        "ERROR_TOXIC" => "content_filter",
        _ => "other",
    }
}

fn error(body: &Value, status: u16) -> ErrorDigest {
    ErrorDigest { status, message: word(&body["message"]), ..ErrorDigest::default() }
}

fn said(said: &mut Said, body: &Value) {
    for message in items(&body["messages"]) {
        said.text(&message["content"]);
        for part in items(&message["content"]) {
            said.text(&part["text"]);
            said.data_url(&part["image_url"]["url"]);
        }
        for call in items(&message["tool_calls"]) {
            said.tool(&call["function"]["name"]);
            said.arguments(&call["function"]["arguments"]);
        }
    }
    for tool in items(&body["tools"]) {
        said.tool(&tool["function"]["name"]);
    }
}

fn canaries(body: &mut Value, flock: &mut Flock) {
    flock.put(body);
    for tool in each(body, "tools").take(2) {
        flock.put(tool);
    }
    for message in each(body, "messages") {
        for part in each(message, "content") {
            if part["type"] == "text" {
                flock.put(part);
            }
        }
        flock.put(message);
    }
}
