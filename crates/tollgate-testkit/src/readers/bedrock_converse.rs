//! Reads Bedrock's Converse and its stream as Amazon's SDKs do: frames with checksums, blocks by
//! index, `messageStop` before `metadata`.

use serde_json::Value;

use super::{
    Asking, Can, Figure, Row, Writer, demand, each, eventstream, items, sum, usual_finishes,
};
use crate::Digest;
use crate::digest::{Arguments, ErrorDigest, Tokens, ToolCall, word};
use crate::judge::canary::Flock;
use crate::judge::said::Said;

pub(super) const ROW: Row = Row {
    name: "bedrock-converse",
    ingress: true,
    uncounted: false,
    buffered,
    stream,
    asking: Asking {
        said,
        canaries,
        fields: &[
            "additionalModelRequestFields",
            "additionalModelResponseFieldPaths",
            "guardrailConfig",
            "inferenceConfig",
            "messages",
            "outputConfig",
            "performanceConfig",
            "promptVariables",
            "requestMetadata",
            "serviceTier",
            "system",
            "toolConfig",
        ],
        provider: "bedrock",
    },
    can: Can {
        refusals: false,
        choices: false,
        logprobs: false,
        signed_texts: false,
        id_marks: Some("_-.:"),
        figures: &[Figure::Input, Figure::Output, Figure::Cached, Figure::CacheWrite],
        finishes: usual_finishes,
        error_types,
        free_types: false,
        type_header: Some("x-amzn-errortype"),
    },
};

fn buffered(body: &Value, status: u16, by: Writer) -> Result<Digest, String> {
    if status >= 400 || (!body["output"].is_object() && body["message"].is_string()) {
        demand(by, body["message"].is_string(), "an error lacks its message")?;
        let message = word(&body["message"]);
        let error = Some(ErrorDigest { status, message, ..ErrorDigest::default() });
        return Ok(Digest { error, ..Digest::default() });
    }
    let message = &body["output"]["message"];
    demand(by, message["role"] == "assistant", "role is not assistant")?;
    demand(by, message["content"].is_array(), "content is no list")?;
    demand(by, body["stopReason"].is_string(), "stopReason is missing")?;
    demand(by, body["metrics"]["latencyMs"].is_u64(), "metrics.latencyMs is missing")?;
    counted(&body["usage"], by)?;
    let mut digest = Digest { choices: 1, ..Digest::default() };
    for block in items(&message["content"]) {
        demand(by, block.as_object().is_some_and(|b| b.len() == 1), "a block is no union")?;
        Open::whole(block, by)?.close(&mut digest);
    }
    end(&mut digest, body);
    digest.usage = tokens(&body["usage"]);
    Ok(digest)
}

fn counted(usage: &Value, by: Writer) -> Result<(), String> {
    let figures = ["inputTokens", "outputTokens", "totalTokens"];
    let whole = figures.iter().all(|name| usage[*name].is_u64());
    demand(by, whole, "usage lacks inputTokens, outputTokens or totalTokens")
}

fn stream(body: &[u8], by: Writer) -> Result<Digest, String> {
    let mut digest = Digest { choices: 1, ..Digest::default() };
    let mut open: Vec<(u64, Open)> = Vec::new();
    let (mut started, mut stopped, mut counted_at_last) = (false, false, false);
    for message in eventstream::messages(body)? {
        let data = &message.payload;
        if message.kind == "exception" {
            let kind = Some(message.name.clone());
            let error = ErrorDigest {
                status: 200,
                kind,
                message: word(&data["message"]),
                ..ErrorDigest::default()
            };
            return Ok(Digest { error: Some(error), ..Digest::default() });
        }
        demand(by, message.kind == "event", "a frame is no event")?;
        demand(by, started || message.name == "messageStart", "no messageStart")?;
        demand(by, !counted_at_last, "something follows metadata")?;
        let index = data["contentBlockIndex"].as_u64();
        let at = |open: &[(u64, Open)]| open.iter().position(|(of, _)| Some(*of) == index);
        match message.name.as_str() {
            "messageStart" => {
                demand(by, !started && data["role"] == "assistant", "messageStart is wrong")?;
                started = true;
            }
            "contentBlockStart" => {
                demand(by, at(&open).is_none() && !stopped, "a block begins twice")?;
                let index = index.ok_or("a block without index")?;
                open.push((index, Open::begin(&data["start"], by)?));
            }
            "contentBlockDelta" => {
                demand(by, !stopped, "a delta follows messageStop")?;
                let index = index.ok_or("a delta without index")?;
                let place = at(&open).unwrap_or_else(|| {
                    open.push((index, Open::default()));
                    open.len() - 1
                });
                open[place].1.delta(&data["delta"], by)?;
            }
            "contentBlockStop" => {
                let place = at(&open).ok_or("a stop without its block")?;
                open.remove(place).1.close(&mut digest);
            }
            "messageStop" => {
                demand(by, open.is_empty() && !stopped, "messageStop inside a block")?;
                stopped = true;
                end(&mut digest, data);
            }
            "metadata" => {
                demand(by, stopped, "metadata before messageStop")?;
                counted(&data["usage"], by)?;
                counted_at_last = true;
                digest.usage = tokens(&data["usage"]);
            }
            _ => demand(by, false, "an unknown event")?,
        }
    }
    demand(by, stopped && counted_at_last, "no messageStop or no metadata")?;
    Ok(digest)
}

/// A block that is being read.
#[derive(Debug, Default)]
struct Open {
    text: String,
    thinking: String,
    signed: bool,
    redacted: bool,
    citations: u64,
    /// Id, name and the text of the input.
    call: Option<(String, String, String)>,
    /// What the provider ran itself is no call of ours.
    own: bool,
}

impl Open {
    fn whole(block: &Value, by: Writer) -> Result<Self, String> {
        let mut open = Self::begin(block, by)?;
        if let Some((_, _, input)) = &mut open.call {
            *input = arguments(&block["toolUse"]["input"]);
        }
        open.text = block["text"].as_str().unwrap_or_default().to_owned();
        open.reasoning(&block["reasoningContent"]);
        open.reasoning(&block["reasoningContent"]["reasoningText"]);
        let cited = &block["citationsContent"];
        open.citations = items(&cited["citations"]).len() as u64;
        for part in items(&cited["content"]) {
            open.text.push_str(part["text"].as_str().unwrap_or_default());
        }
        Ok(open)
    }

    fn begin(start: &Value, by: Writer) -> Result<Self, String> {
        let mut open = Self::default();
        let call = &start["toolUse"];
        if call.is_object() {
            let text = |field: &str| call[field].as_str().unwrap_or_default().to_owned();
            let (id, name) = (text("toolUseId"), text("name"));
            let fits = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
            demand(by, !id.is_empty() && id.chars().all(fits), "toolUseId is empty or strange")?;
            demand(by, !name.is_empty(), "toolUse lacks its name")?;
            open.call = Some((id, name, String::new()));
            open.own = call["type"] == "server_tool_use";
        }
        Ok(open)
    }

    fn reasoning(&mut self, reasoning: &Value) {
        let text = |field: &str| reasoning[field].as_str().unwrap_or_default();
        self.thinking.push_str(text("text"));
        self.signed |= !text("signature").is_empty();
        self.redacted |= !text("redactedContent").is_empty();
    }

    fn delta(&mut self, delta: &Value, by: Writer) -> Result<(), String> {
        let kinds = delta.as_object().map_or(0, serde_json::Map::len);
        demand(by, kinds == 1, "a delta is no union")?;
        self.text.push_str(delta["text"].as_str().unwrap_or_default());
        self.reasoning(&delta["reasoningContent"]);
        self.citations += u64::from(delta["citation"].is_object());
        if let Some(input) = delta["toolUse"]["input"].as_str() {
            match &mut self.call {
                Some((_, _, text)) => text.push_str(input),
                None => demand(by, false, "an input without its call")?,
            }
        }
        Ok(())
    }

    fn close(self, digest: &mut Digest) {
        digest.text.push_str(&self.text);
        digest.reasoning.push_str(&self.thinking);
        digest.signatures += u64::from(self.signed);
        digest.redacted += u64::from(self.redacted);
        digest.citations += self.citations;
        if let Some((id, name, input)) = self.call.filter(|_| !self.own) {
            digest.tool_calls.push(ToolCall { id, name, arguments: Arguments::parse(&input) });
        }
    }
}

/// The text of a call's input. What a cut left broken stands as text in an object of its own.
fn arguments(input: &Value) -> String {
    let broken = input.as_object().filter(|fields| fields.len() == 1);
    let broken = broken.and_then(|fields| fields.get("unparsed_arguments")?.as_str());
    broken.map_or_else(|| input.to_string(), str::to_owned)
}

fn end(digest: &mut Digest, at: &Value) {
    let word = at["stopReason"].as_str();
    digest.finish = word.map(|word| finish(word).to_owned());
    let sequence = at["additionalModelResponseFields"]["stop_sequence"].as_str();
    digest.stop_sequence = sequence.map(str::to_owned);
}

fn finish(word: &str) -> &str {
    match word {
        "end_turn" | "stop_sequence" => "stop",
        "max_tokens" | "model_context_window_exceeded" => "length",
        "tool_use" => "tool_calls",
        "content_filtered" | "guardrail_intervened" => "content_filter",
        _ => "other",
    }
}

fn tokens(usage: &Value) -> Tokens {
    let cached = usage["cacheReadInputTokens"].as_u64();
    let cache_write = usage["cacheWriteInputTokens"].as_u64();
    Tokens {
        input: sum(&[usage["inputTokens"].as_u64(), cached, cache_write]),
        output: usage["outputTokens"].as_u64(),
        cached,
        cache_write,
        reasoning: None,
    }
}

fn error_types(status: u16) -> &'static [&'static str] {
    match status {
        401 | 403 => &["AccessDeniedException", "UnrecognizedClientException"],
        404 => &["ResourceNotFoundException"],
        408 | 504 => &["ModelTimeoutException"],
        402 | 429 => &["ThrottlingException", "ServiceQuotaExceededException"],
        400 => &["ValidationException", "AccessDeniedException", "UnrecognizedClientException"],
        405..=499 => {
            &["ValidationException", "RequestEntityTooLargeException", "ConflictException"]
        }
        503 | 529 => &["ServiceUnavailableException"],
        501 => &["ValidationException", "InternalServerException"],
        _ => &["InternalServerException", "ModelErrorException", "ServiceUnavailableException"],
    }
}

fn said(said: &mut Said, body: &Value) {
    for block in items(&body["system"]) {
        said.text(&block["text"]);
    }
    for block in items(&body["messages"]).iter().flat_map(|m| items(&m["content"])) {
        said.text(&block["text"]);
        said.base64(&block["image"]["source"]["bytes"]);
        let call = &block["toolUse"];
        if call.is_object() && call["type"] != "server_tool_use" {
            said.tool(&call["name"]);
            said.arguments(&call["input"]);
        }
        for part in items(&block["toolResult"]["content"]) {
            said.text(&part["text"]);
        }
    }
    for tool in items(&body["toolConfig"]["tools"]) {
        said.tool(&tool["toolSpec"]["name"]);
    }
}

fn canaries(body: &mut Value, flock: &mut Flock) {
    flock.put(body);
    for message in each(body, "messages") {
        for block in each(message, "content") {
            for kind in ["toolUse", "toolResult", "image"] {
                if block["toolUse"]["type"] != "server_tool_use"
                    && let Some(inner) = block.get_mut(kind)
                {
                    flock.put(inner);
                }
            }
        }
        flock.put(message);
    }
    if let Some(config) = body.get_mut("toolConfig") {
        for tool in each(config, "tools").take(2) {
            if let Some(spec) = tool.get_mut("toolSpec") {
                flock.put(spec);
            }
        }
        flock.put(config);
    }
    if let Some(config) = body.get_mut("inferenceConfig") {
        flock.put(config);
    }
}
