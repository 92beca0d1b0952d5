//! Reads Anthropic Messages as its SDKs do: blocks by index, deltas only into an open block of
//! their kind, `message_stop` last.

use serde_json::Value;

use super::{Asking, Can, Figure, Row, Writer, demand, each, items, sse, sum, usual_finishes};
use crate::Digest;
use crate::digest::{Arguments, ErrorDigest, Tokens, ToolCall, word};
use crate::judge::canary::Flock;
use crate::judge::said::Said;

pub(super) const ROW: Row = Row {
    name: "anthropic-messages",
    ingress: true,
    uncounted: false,
    buffered,
    stream,
    asking: Asking {
        said,
        canaries,
        fields: &[
            "cache_control",
            "container",
            "context_management",
            "inference_geo",
            "max_tokens",
            "mcp_servers",
            "messages",
            "metadata",
            "model",
            "output_config",
            "output_format",
            "service_tier",
            "stop_sequences",
            "stream",
            "system",
            "temperature",
            "thinking",
            "tool_choice",
            "tools",
            "top_k",
            "top_p",
        ],
        provider: "anthropic",
    },
    can: Can {
        refusals: false,
        choices: false,
        logprobs: false,
        signed_texts: false,
        id_marks: Some("_-"),
        figures: Figure::ALL,
        finishes,
        free_types: false,
        error_types,
        type_header: None,
    },
};

fn buffered(body: &Value, status: u16, by: Writer) -> Result<Digest, String> {
    if body["type"] == "error" || status >= 400 {
        return Ok(Digest { error: Some(error(body, status)), ..Digest::default() });
    }
    demand(by, body["type"] == "message", "type is not message")?;
    demand(by, body["role"] == "assistant", "role is not assistant")?;
    let head = body["id"].is_string() && body["model"].is_string() && body["content"].is_array();
    demand(by, head, "id, model or content is missing")?;
    demand(by, body["stop_reason"].is_string(), "stop_reason is missing")?;
    let counted = body["usage"]["input_tokens"].is_u64() && body["usage"]["output_tokens"].is_u64();
    demand(by, counted, "usage lacks input_tokens or output_tokens")?;
    let mut digest = Digest { choices: 1, ..Digest::default() };
    for block in items(&body["content"]) {
        let mut open = Open::begin(block, by)?;
        if block["type"] == "tool_use" {
            open.arguments = arguments(&block["input"]);
        }
        open.close(&mut digest);
    }
    end(&mut digest, body);
    digest.usage = tokens(&body["usage"]);
    Ok(digest)
}

fn stream(body: &[u8], by: Writer) -> Result<Digest, String> {
    let mut digest = Digest { choices: 1, ..Digest::default() };
    let mut usage = Value::Null;
    let mut open: Option<(u64, Open)> = None;
    let (mut started, mut next, mut ended, mut stopped) = (false, 0, false, false);
    for event in sse::events(body)? {
        let data: Value = serde_json::from_str(event.data.trim())
            .map_err(|e| format!("an event is not JSON: {e}"))?;
        let kind = data["type"].as_str().unwrap_or_default();
        demand(by, event.name == kind, "event and type differ")?;
        demand(by, !stopped, "something follows message_stop")?;
        demand(by, started || matches!(kind, "message_start" | "ping" | "error"), "no start")?;
        match kind {
            "message_start" => {
                demand(by, !started, "a second message_start")?;
                let message = &data["message"];
                let whole = message["id"].is_string()
                    && message["model"].is_string()
                    && message["role"] == "assistant"
                    && message["usage"]["input_tokens"].is_u64()
                    && message["usage"]["output_tokens"].is_u64();
                demand(by, whole, "message_start lacks id, model, role or usage")?;
                started = true;
                merge(&mut usage, &message["usage"]);
            }
            "content_block_start" => {
                let index = data["index"].as_u64().unwrap_or(u64::MAX);
                demand(by, open.is_none(), "a block begins inside another")?;
                demand(by, index == next && !ended, "a block begins out of order")?;
                next = index.wrapping_add(1);
                open = Some((index, Open::begin(&data["content_block"], by)?));
            }
            "content_block_delta" => match &mut open {
                Some((index, block)) if data["index"].as_u64() == Some(*index) => {
                    block.delta(&data["delta"], by)?;
                }
                _ => return Err("a delta without its block".into()),
            },
            "content_block_stop" => match open.take() {
                Some((index, block)) if data["index"].as_u64() == Some(index) => {
                    block.close(&mut digest);
                }
                _ => return Err("a stop without its block".into()),
            },
            "message_delta" => {
                demand(by, open.is_none(), "message_delta inside a block")?;
                demand(by, data["usage"]["output_tokens"].is_u64(), "message_delta lacks usage")?;
                ended = true;
                end(&mut digest, &data["delta"]);
                merge(&mut usage, &data["usage"]);
            }
            "message_stop" => {
                demand(by, digest.finish.is_some(), "message_stop before stop_reason")?;
                stopped = true;
            }
            "error" => {
                let error = Some(error(&data, 200));
                return Ok(Digest { error, ..Digest::default() });
            }
            _ => demand(by, kind == "ping", "an unknown event")?,
        }
    }
    demand(by, stopped, "no message_stop")?;
    if let Some((_, block)) = open {
        block.close(&mut digest);
    }
    digest.usage = tokens(&usage);
    Ok(digest)
}

/// A content block that is being read.
#[derive(Debug, Default)]
struct Open {
    kind: String,
    text: String,
    thinking: String,
    signed: bool,
    redacted: bool,
    citations: u64,
    id: String,
    name: String,
    arguments: String,
}

impl Open {
    fn begin(block: &Value, by: Writer) -> Result<Self, String> {
        let text = |field: &str| block[field].as_str().unwrap_or_default().to_owned();
        let open = Self {
            kind: text("type"),
            text: text("text"),
            thinking: text("thinking"),
            signed: !text("signature").is_empty(),
            redacted: !text("data").is_empty(),
            citations: items(&block["citations"]).len() as u64,
            id: text("id"),
            name: text("name"),
            arguments: String::new(),
        };
        match open.kind.as_str() {
            "text" => demand(by, block["text"].is_string(), "text block lacks text")?,
            "thinking" => demand(by, block["thinking"].is_string(), "thinking lacks thinking")?,
            "redacted_thinking" => demand(by, open.redacted, "redacted_thinking lacks data")?,
            "tool_use" => {
                let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                let id = !open.id.is_empty() && open.id.chars().all(fits);
                demand(by, id, "tool_use id is empty or has forbidden characters")?;
                demand(by, !open.name.is_empty(), "tool_use lacks its name")?;
                demand(by, block["input"].is_object(), "tool_use lacks its input")?;
            }
            _ => {}
        }
        Ok(open)
    }

    fn delta(&mut self, delta: &Value, by: Writer) -> Result<(), String> {
        let text = |field: &str| delta[field].as_str().unwrap_or_default();
        let fits = match delta["type"].as_str().unwrap_or_default() {
            "text_delta" => {
                self.text.push_str(text("text"));
                self.kind == "text"
            }
            "thinking_delta" => {
                self.thinking.push_str(text("thinking"));
                self.kind == "thinking"
            }
            "signature_delta" => {
                self.signed |= !text("signature").is_empty();
                self.kind == "thinking"
            }
            "citations_delta" => {
                self.citations += 1;
                self.kind == "text"
            }
            "input_json_delta" => {
                self.arguments.push_str(text("partial_json"));
                self.kind.ends_with("tool_use")
            }
            _ => true,
        };
        demand(by, fits, "a delta of another kind than its block")
    }

    fn close(self, digest: &mut Digest) {
        match self.kind.as_str() {
            "text" => {
                digest.text.push_str(&self.text);
                digest.citations += self.citations;
            }
            "thinking" => {
                digest.reasoning.push_str(&self.thinking);
                digest.signatures += u64::from(self.signed);
            }
            "redacted_thinking" => digest.redacted += u64::from(self.redacted),
            "tool_use" => digest.tool_calls.push(ToolCall {
                id: self.id,
                name: self.name,
                arguments: Arguments::parse(&self.arguments),
            }),
            _ => {}
        }
    }
}

fn end(digest: &mut Digest, at: &Value) {
    if let Some(reason) = at["stop_reason"].as_str() {
        digest.finish = Some(finish(reason).to_owned());
    }
    if let Some(sequence) = at["stop_sequence"].as_str() {
        digest.stop_sequence = Some(sequence.to_owned());
    }
}

fn finish(word: &str) -> &str {
    match word {
        "end_turn" | "stop_sequence" => "stop",
        "max_tokens" | "model_context_window_exceeded" => "length",
        "tool_use" => "tool_calls",
        "refusal" => "refusal",
        "pause_turn" => "pause",
        _ => "other",
    }
}

/// The text of a call's input. What a cut left broken stands as text in an object of its own.
fn arguments(input: &Value) -> String {
    let broken = input.as_object().filter(|fields| fields.len() == 1);
    let broken = broken.and_then(|fields| fields.get("unparsed_arguments")?.as_str());
    broken.map_or_else(|| input.to_string(), str::to_owned)
}

/// Later figures replace earlier ones.
fn merge(usage: &mut Value, later: &Value) {
    let Value::Object(later) = later else { return };
    if !usage.is_object() {
        *usage = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(usage) = usage {
        for (name, figure) in later.iter().filter(|(_, figure)| !figure.is_null()) {
            usage.insert(name.clone(), figure.clone());
        }
    }
}

fn tokens(usage: &Value) -> Tokens {
    let cached = usage["cache_read_input_tokens"].as_u64();
    let cache_write = usage["cache_creation_input_tokens"].as_u64();
    Tokens {
        input: sum(&[usage["input_tokens"].as_u64(), cached, cache_write]),
        output: usage["output_tokens"].as_u64(),
        cached,
        cache_write,
        reasoning: usage["output_tokens_details"]["thinking_tokens"].as_u64(),
    }
}

fn error(body: &Value, status: u16) -> ErrorDigest {
    ErrorDigest {
        status,
        kind: word(&body["error"]["type"]),
        // A cloud that carries the dialect says it in its own shape.
        message: word(&body["error"]["message"]).or_else(|| word(&body["message"])),
        ..ErrorDigest::default()
    }
}

fn error_types(status: u16) -> &'static [&'static str] {
    match status {
        401 => &["authentication_error"],
        402 => &["billing_error"],
        403 => &["permission_error"],
        404 => &["not_found_error"],
        413 => &["request_too_large"],
        429 => &["rate_limit_error"],
        // One vendor answers a wrong key with 400.
        400 => &["invalid_request_error", "authentication_error"],
        405..=499 => &["invalid_request_error"],
        501 => &["api_error", "invalid_request_error"],
        504 => &["timeout_error"],
        503 | 529 => &["overloaded_error", "api_error"],
        _ => &["api_error"],
    }
}

fn finishes(finish: &str, calls: bool) -> &'static [&'static str] {
    match finish {
        "content_filter" | "refusal" => &["refusal"],
        "pause" => &["pause"],
        _ => usual_finishes(finish, calls),
    }
}

fn said(said: &mut Said, body: &Value) {
    said.text(&body["system"]);
    for block in items(&body["system"]) {
        said.text(&block["text"]);
    }
    for message in items(&body["messages"]) {
        said.text(&message["content"]);
        for block in items(&message["content"]) {
            match block["type"].as_str() {
                Some("text") => said.text(&block["text"]),
                Some("image") => said.base64(&block["source"]["data"]),
                Some("tool_use") => {
                    said.tool(&block["name"]);
                    said.arguments(&block["input"]);
                }
                Some("tool_result") => {
                    said.text(&block["content"]);
                    for part in items(&block["content"]) {
                        said.text(&part["text"]);
                    }
                }
                _ => {}
            }
        }
    }
    for tool in items(&body["tools"]).iter().filter(|tool| tool["input_schema"].is_object()) {
        said.tool(&tool["name"]);
    }
}

fn canaries(body: &mut Value, flock: &mut Flock) {
    flock.put(body);
    for tool in each(body, "tools").take(2) {
        if tool["input_schema"].is_object() {
            flock.put(tool);
        }
    }
    for message in each(body, "messages") {
        for block in each(message, "content") {
            let kind = block["type"].as_str().unwrap_or_default();
            if matches!(kind, "text" | "image" | "tool_use" | "tool_result") {
                flock.put(block);
            }
        }
        flock.put(message);
    }
}
