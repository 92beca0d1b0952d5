//! Reads OpenAI Chat Completions as its SDKs do, and the departures of its many imitators when a
//! provider wrote the answer.

use serde_json::Value;

use super::{Asking, Can, Figure, Row, Writer, demand, each, items, sse, sum, usual_finishes};
use crate::Digest;
use crate::digest::{Arguments, ErrorDigest, Tokens, ToolCall, word};
use crate::judge::canary::Flock;
use crate::judge::said::Said;

pub(super) const ROW: Row = Row {
    name: "openai-chat",
    ingress: true,
    uncounted: false,
    buffered,
    stream,
    asking: Asking {
        said,
        canaries,
        fields: &[
            "audio",
            "frequency_penalty",
            "logit_bias",
            "logprobs",
            "max_completion_tokens",
            "max_tokens",
            "messages",
            "metadata",
            "modalities",
            "model",
            "n",
            "parallel_tool_calls",
            "prediction",
            "presence_penalty",
            "prompt_cache_key",
            "prompt_cache_retention",
            "reasoning_effort",
            "response_format",
            "safety_identifier",
            "seed",
            "service_tier",
            "stop",
            "store",
            "stream",
            "stream_options",
            "temperature",
            "tool_choice",
            "tools",
            "top_logprobs",
            "top_p",
            "user",
            "verbosity",
            "web_search_options",
        ],
        provider: "openai",
    },
    can: Can {
        refusals: true,
        choices: true,
        logprobs: true,
        signed_texts: true,
        id_marks: None,
        figures: Figure::ALL,
        finishes: usual_finishes,
        free_types: true,
        error_types,
        type_header: None,
    },
};

fn buffered(body: &Value, status: u16, by: Writer) -> Result<Digest, String> {
    if let Some(error) = error(body, status) {
        return Ok(Digest { error: Some(error), ..Digest::default() });
    }
    demand(by, body["object"] == "chat.completion", "object is not chat.completion")?;
    let head = body["id"].is_string() && body["created"].is_u64() && body["model"].is_string();
    demand(by, head, "id, created or model is missing")?;
    let choices = items(&body["choices"]);
    let Some(choice) = choices.iter().find(|choice| choice["index"].as_u64().unwrap_or(0) == 0)
    else {
        return Err("no choice 0".into());
    };
    let message = &choice["message"];
    demand(by, message["role"] == "assistant", "role is not assistant")?;
    demand(by, message.get("content").is_some(), "content is missing")?;
    demand(by, choice["finish_reason"].is_string(), "finish_reason is missing")?;
    let mut reading = Reading { by, ..Reading::default() };
    reading.piece(message)?;
    for call in items(&message["tool_calls"]) {
        let of = |kind: &str, text: &str| call["type"] == kind && call[kind][text].is_string();
        let whole = of("function", "arguments") || of("custom", "input");
        demand(by, whole && call["id"].is_string(), "tool call lacks id, type or arguments")?;
    }
    reading.choice(choice);
    reading.citations(message, body);
    reading.usage(&body["usage"]);
    reading.digest.choices = choices.len() as u64;
    Ok(reading.done())
}

fn stream(body: &[u8], by: Writer) -> Result<Digest, String> {
    let mut reading = Reading { by, ..Reading::default() };
    let (mut seen, mut done) = (Vec::new(), false);
    for event in sse::events(body)? {
        demand(by, !done, "something follows [DONE]")?;
        if event.data == "[DONE]" {
            done = true;
            continue;
        }
        let chunk: Value = serde_json::from_str(event.data.trim())
            .map_err(|e| format!("a chunk is not JSON: {e}"))?;
        if let Some(error) = error(&chunk, 200) {
            demand(by, !done, "a clean end beside an error")?;
            reading.digest.error = Some(error);
            continue;
        }
        let whole = chunk["object"] == "chat.completion.chunk" && chunk["id"].is_string();
        demand(by, whole && chunk["choices"].is_array(), "a chunk lacks object, id or choices")?;
        for choice in items(&chunk["choices"]) {
            let index = choice["index"].as_u64().unwrap_or(0);
            if !seen.contains(&index) {
                seen.push(index);
            }
            if index == 0 {
                demand(by, choice["delta"].is_object(), "a choice lacks its delta")?;
                reading.piece(&choice["delta"])?;
                reading.choice(choice);
                reading.citations(&choice["delta"], &chunk);
            }
        }
        reading.usage(&chunk["usage"]);
        reading.usage(&chunk["x_groq"]["usage"]);
    }
    if reading.digest.error.is_some() {
        demand(by, !done, "[DONE] after an error")?;
        return Ok(Digest { error: reading.digest.error, ..Digest::default() });
    }
    demand(by, done, "no [DONE]")?;
    demand(by, reading.digest.finish.is_some(), "no finish_reason")?;
    reading.digest.choices = seen.len().max(1) as u64;
    Ok(reading.done())
}

#[derive(Debug)]
struct Reading {
    by: Writer,
    digest: Digest,
    /// Calls under way: index, id, name, text of the arguments.
    calls: Vec<(u64, String, String, String)>,
}

impl Default for Reading {
    fn default() -> Self {
        Self { by: Writer::Provider, digest: Digest::default(), calls: Vec::new() }
    }
}

impl Reading {
    /// A whole message or a delta of one.
    fn piece(&mut self, piece: &Value) -> Result<(), String> {
        self.content(&piece["content"])?;
        let text = |field: &str| piece[field].as_str().unwrap_or_default();
        let thought = if text("reasoning_content").is_empty() && self.by == Writer::Provider {
            text("reasoning")
        } else {
            text("reasoning_content")
        };
        self.digest.reasoning.push_str(thought);
        self.digest.refusal.push_str(text("refusal"));
        for detail in items(&piece["reasoning_details"]) {
            let signed = |field: &str| detail[field].as_str().is_some_and(|s| !s.is_empty());
            if signed("signature") || signed("data") {
                self.digest.signatures += 1;
            }
        }
        for (at, call) in items(&piece["tool_calls"]).iter().enumerate() {
            self.call(at as u64, call)?;
        }
        let function = &piece["function_call"];
        if function["name"].as_str().is_some_and(|name| !name.is_empty()) {
            demand(self.by, false, "function_call is long gone")?;
            self.call(0, &serde_json::json!({ "function": function }))?;
        }
        self.digest.audio |= piece["audio"]["data"].as_str().is_some_and(|data| !data.is_empty());
        Ok(())
    }

    fn content(&mut self, content: &Value) -> Result<(), String> {
        match content {
            Value::Null => {}
            Value::String(text) => self.digest.text.push_str(text),
            Value::Array(parts) => {
                demand(self.by, false, "content is a list")?;
                for part in parts {
                    self.digest.text.push_str(part["text"].as_str().unwrap_or_default());
                    for thought in items(&part["thinking"]) {
                        let text = thought["text"].as_str().unwrap_or_default();
                        self.digest.reasoning.push_str(text);
                    }
                }
            }
            other => {
                demand(self.by, false, "content is no text")?;
                self.digest.text.push_str(&other.to_string());
            }
        }
        Ok(())
    }

    fn call(&mut self, at: u64, call: &Value) -> Result<(), String> {
        let index = call["index"].as_u64().unwrap_or(at);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let custom = &call["custom"];
        let (function, arguments) = if call["type"] == "custom" {
            (custom, &custom["input"])
        } else {
            (&call["function"], &call["function"]["arguments"])
        };
        let (id, name) = (text(&call["id"]), text(&function["name"]));
        let arguments = match arguments {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            whole => {
                demand(self.by, false, "arguments are no text")?;
                whole.to_string()
            }
        };
        if call["extra_content"]["google"]["thought_signature"].is_string() {
            self.digest.signatures += 1;
        }
        let open = self.calls.iter_mut().rev().find(|(of, ..)| *of == index);
        match open {
            // Some hosts give every call the same index: a new id begins a new call.
            Some(open) if id.is_empty() || open.1 == id || open.1.is_empty() => {
                if open.1.is_empty() {
                    open.1 = id;
                }
                if open.2.is_empty() {
                    open.2 = name;
                }
                open.3.push_str(&arguments);
            }
            _ => {
                let begun = !id.is_empty() && !name.is_empty();
                demand(self.by, begun, "a tool call begins without id or name")?;
                self.calls.push((index, id, name, arguments));
            }
        }
        Ok(())
    }

    fn choice(&mut self, choice: &Value) {
        if let Some(reason) = choice["finish_reason"].as_str() {
            self.digest.finish = Some(finish(reason).to_owned());
        }
        let logprobs = &choice["logprobs"];
        let listed = |field: &str| !items(&logprobs[field]).is_empty();
        // In streams the digest takes the bare object for it; two hosts send that empty, or with
        // a list of their own.
        let bare =
            self.by == Writer::Provider && logprobs.is_object() && choice["delta"].is_object();
        self.digest.logprobs |= bare || listed("content") || listed("refusal");
    }

    fn citations(&mut self, piece: &Value, whole: &Value) {
        let annotations = items(&piece["annotations"]).len() as u64;
        self.digest.citations += annotations;
        let listed = items(&whole["citations"]).len() as u64;
        if self.by == Writer::Provider && annotations == 0 && listed > 0 {
            self.digest.citations = listed;
        }
    }

    fn usage(&mut self, usage: &Value) {
        if usage.is_object() {
            self.digest.usage = self::usage(usage, self.by);
        }
    }

    fn done(mut self) -> Digest {
        let calls = std::mem::take(&mut self.calls);
        let call = |(_, id, name, text): (u64, String, String, String)| ToolCall {
            id,
            name,
            arguments: Arguments::parse(&text),
        };
        self.digest.tool_calls = calls.into_iter().map(call).collect();
        self.digest
    }
}

/// The figures, and where imitators put them.
pub(super) fn usage(usage: &Value, by: Writer) -> Tokens {
    let input_details = &usage["prompt_tokens_details"];
    let reasoning = usage["completion_tokens_details"]["reasoning_tokens"].as_u64();
    let mut output = usage["completion_tokens"].as_u64();
    let input = usage["prompt_tokens"].as_u64();
    // One provider counts thinking beside the completion: its total gives it away.
    if by == Writer::Provider
        && reasoning.is_some_and(|n| n > 0)
        && sum(&[input, output, reasoning]) == usage["total_tokens"].as_u64()
    {
        output = sum(&[output, reasoning]);
    }
    let mut cached = input_details["cached_tokens"].as_u64();
    if by == Writer::Provider {
        let elsewhere = [&usage["prompt_cache_hit_tokens"], &usage["cached_tokens"]];
        cached = cached.or(elsewhere.iter().find_map(|value| value.as_u64()));
    }
    let cache_write = input_details["cache_write_tokens"].as_u64();
    Tokens { input, output, cached, cache_write, reasoning }
}

pub(super) fn finish(word: &str) -> &str {
    match word {
        "eos" => "stop",
        "function_call" => "tool_calls",
        "stop" | "length" | "tool_calls" | "content_filter" => word,
        _ => "other",
    }
}

/// The error that a document states, in the dialect's own form or one of its imitators'.
pub(super) fn error(body: &Value, status: u16) -> Option<ErrorDigest> {
    let body = body.get(0).unwrap_or(body);
    let of = |at: &Value, status: u16| ErrorDigest {
        status,
        // One host says null and states its status beside it.
        kind: word(&at["type"]).or_else(|| word(&at["status"])),
        code: word(&at["code"]),
        message: word(&at["message"]),
        param: word(&at["param"]),
    };
    match &body["error"] {
        Value::Object(_) => Some(of(&body["error"], status)),
        Value::String(text) => {
            Some(ErrorDigest { message: Some(text.clone()), ..of(body, status) })
        }
        _ if status >= 400 && body["message"].is_string() => Some(of(body, status)),
        _ if status >= 400 && body["detail"].is_string() => {
            Some(ErrorDigest { message: word(&body["detail"]), ..of(body, status) })
        }
        _ if status >= 400 => Some(ErrorDigest { status, ..ErrorDigest::default() }),
        _ => None,
    }
}

pub(super) fn error_types(status: u16) -> &'static [&'static str] {
    match status {
        401 => &["invalid_request_error", "authentication_error"],
        403 => &["invalid_request_error", "permission_error"],
        404 => &["invalid_request_error", "not_found_error"],
        402 => &["insufficient_quota"],
        429 => &["rate_limit_error", "insufficient_quota"],
        400..=499 => &["invalid_request_error"],
        _ => &["server_error", "api_error"],
    }
}

fn said(said: &mut Said, body: &Value) {
    for message in items(&body["messages"]) {
        said.text(&message["content"]);
        for part in items(&message["content"]) {
            match part["type"].as_str() {
                Some("text") => said.text(&part["text"]),
                Some("image_url") => said.data_url(&part["image_url"]["url"]),
                _ => {}
            }
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
    for tool in each(body, "tools").filter(|tool| tool["type"] == "function").take(2) {
        flock.put(tool);
        if let Some(function) = tool.get_mut("function") {
            flock.put(function);
        }
    }
    for message in each(body, "messages") {
        for part in each(message, "content") {
            if part["type"] == "text" || part["type"] == "image_url" {
                flock.put(part);
            }
        }
        flock.put(message);
    }
}
