//! Reads Gemini generateContent and streamGenerateContent (server-sent events or one JSON array)
//! as Google's SDKs do.

use serde_json::Value;

use super::{Asking, Can, Figure, Row, Writer, demand, each, items, sse, sum, usual_finishes};
use crate::Digest;
use crate::digest::{Arguments, ErrorDigest, Tokens, ToolCall, word};
use crate::judge::canary::Flock;
use crate::judge::said::Said;

pub(super) const ROW: Row = Row {
    name: "gemini-generate",
    ingress: true,
    uncounted: false,
    buffered,
    stream,
    asking: Asking {
        said,
        canaries,
        fields: &[
            "cachedContent",
            "contents",
            "generationConfig",
            "labels",
            "safetySettings",
            "serviceTier",
            "systemInstruction",
            "toolConfig",
            "tools",
        ],
        provider: "gemini",
    },
    can: Can {
        refusals: false,
        choices: true,
        logprobs: true,
        signed_texts: true,
        id_marks: None,
        figures: &[Figure::Input, Figure::Output, Figure::Cached, Figure::Reasoning],
        finishes,
        free_types: false,
        error_types,
        type_header: None,
    },
};

fn buffered(body: &Value, status: u16, by: Writer) -> Result<Digest, String> {
    let list = match body {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    read(list, status, by)
}

fn stream(body: &[u8], by: Writer) -> Result<Digest, String> {
    let mut list = Vec::new();
    for event in sse::events(body)? {
        let data = event.data.trim();
        list.push(serde_json::from_str(data).map_err(|e| format!("an event is not JSON: {e}"))?);
    }
    read(&list, 200, by)
}

fn read(responses: &[Value], status: u16, by: Writer) -> Result<Digest, String> {
    let mut digest = Digest::default();
    let mut seen = Vec::new();
    for response in responses {
        if response["error"].is_object() {
            let error = Some(error(&response["error"], status));
            return Ok(Digest { error, ..Digest::default() });
        }
        for candidate in items(&response["candidates"]) {
            let index = candidate["index"].as_u64().unwrap_or(0);
            if !seen.contains(&index) {
                seen.push(index);
            }
            if index == 0 {
                read_candidate(&mut digest, candidate, by)?;
            }
        }
        if !response["promptFeedback"]["blockReason"].is_null() && digest.finish.is_none() {
            digest.finish = Some("content_filter".into());
        }
        if response["usageMetadata"].is_object() {
            digest.usage = tokens(&response["usageMetadata"]);
        }
    }
    demand(by, digest.finish.is_some(), "no finishReason")?;
    demand(by, responses.iter().all(Value::is_object), "an element is no object")?;
    digest.choices = seen.len().max(1) as u64;
    Ok(digest)
}

fn read_candidate(digest: &mut Digest, candidate: &Value, by: Writer) -> Result<(), String> {
    let ended = digest.finish.is_some();
    for part in items(&candidate["content"]["parts"]) {
        demand(by, !ended, "a part follows finishReason")?;
        read_part(digest, part, by)?;
    }
    let reason = &candidate["finishReason"];
    if !reason.is_null() {
        demand(by, reason.is_string(), "finishReason is no word")?;
        digest.finish = Some(finish(reason).to_owned());
    }
    let logprobs = &candidate["logprobsResult"];
    digest.logprobs |= !items(&logprobs["chosenCandidates"]).is_empty();
    digest.citations += items(&candidate["citationMetadata"]["citationSources"]).len() as u64;
    digest.citations += items(&candidate["citationMetadata"]["citations"]).len() as u64;
    Ok(())
}

fn read_part(digest: &mut Digest, part: &Value, by: Writer) -> Result<(), String> {
    let signed = part["thoughtSignature"].as_str().is_some_and(|text| !text.is_empty());
    digest.signatures += u64::from(signed);
    let bound = part["functionCall"].is_object() || part["thought"] == Value::Bool(true);
    digest.bound += u64::from(signed && bound);
    if let Some(text) = part["text"].as_str() {
        if part["thought"] == Value::Bool(true) {
            digest.reasoning.push_str(text);
        } else {
            digest.text.push_str(text);
        }
    }
    let call = &part["functionCall"];
    if call.is_object() {
        demand(by, call["name"].is_string(), "functionCall lacks its name")?;
        demand(by, call["args"].is_object() || call["args"].is_null(), "args are no object")?;
        let arguments = match &call["args"] {
            Value::Null => Arguments::default(),
            // What a cut left broken stands as text in an object of its own.
            Value::Object(args) if args.len() == 1 && args.contains_key("_raw") => {
                Arguments::parse(args["_raw"].as_str().unwrap_or_default())
            }
            args => Arguments::Json(args.clone()),
        };
        let text = |field: &str| call[field].as_str().unwrap_or_default().to_owned();
        digest.tool_calls.push(ToolCall { id: text("id"), name: text("name"), arguments });
    }
    let mime = part["inlineData"]["mimeType"].as_str().unwrap_or_default();
    digest.images += u64::from(mime.starts_with("image/"));
    digest.audio |= mime.starts_with("audio/");
    Ok(())
}

fn finish(reason: &Value) -> &'static str {
    // Vertex answers enums as numbers when asked to.
    match (reason.as_str(), reason.as_u64()) {
        (Some("STOP"), _) | (_, Some(1)) => "stop",
        (Some("MAX_TOKENS"), _) | (_, Some(2)) => "length",
        (
            Some(
                "SAFETY"
                | "RECITATION"
                | "BLOCKLIST"
                | "PROHIBITED_CONTENT"
                | "SPII"
                | "IMAGE_SAFETY"
                | "IMAGE_PROHIBITED_CONTENT"
                | "IMAGE_RECITATION"
                | "LANGUAGE"
                | "MODEL_ARMOR",
            ),
            _,
        ) => "content_filter",
        _ => "other",
    }
}

fn tokens(usage: &Value) -> Tokens {
    let figure = |field: &str| usage[field].as_u64();
    let reasoning = figure("thoughtsTokenCount");
    Tokens {
        input: sum(&[figure("promptTokenCount"), figure("toolUsePromptTokenCount")]),
        output: sum(&[figure("candidatesTokenCount"), reasoning]),
        cached: figure("cachedContentTokenCount"),
        cache_write: None,
        reasoning,
    }
}

fn error(error: &Value, status: u16) -> ErrorDigest {
    ErrorDigest {
        status,
        kind: word(&error["status"]),
        code: word(&error["code"]),
        message: word(&error["message"]),
        param: None,
    }
}

fn error_types(status: u16) -> &'static [&'static str] {
    match status {
        401 => &["UNAUTHENTICATED"],
        402 | 429 => &["RESOURCE_EXHAUSTED"],
        403 => &["PERMISSION_DENIED"],
        404 => &["NOT_FOUND"],
        400..=499 => &["INVALID_ARGUMENT", "FAILED_PRECONDITION"],
        501 => &["UNIMPLEMENTED", "INTERNAL"],
        503 | 529 => &["UNAVAILABLE"],
        504 => &["DEADLINE_EXCEEDED"],
        _ => &["INTERNAL"],
    }
}

/// Google closes a tool call with STOP.
fn finishes(finish: &str, calls: bool) -> &'static [&'static str] {
    match finish {
        "stop" | "tool_calls" => &["stop"],
        "length" | "content_filter" | "refusal" => usual_finishes(finish, calls),
        _ => &["other", "stop"],
    }
}

fn said(said: &mut Said, body: &Value) {
    let system = body.get("systemInstruction").or_else(|| body.get("system_instruction"));
    let system = system.map(|content| &content["parts"]);
    let contents = items(&body["contents"]).iter().map(|content| &content["parts"]);
    for part in contents.chain(system).flat_map(items) {
        if part["thought"] != Value::Bool(true) {
            said.text(&part["text"]);
        }
        let call = &part["functionCall"];
        if call.is_object() {
            said.tool(&call["name"]);
            said.arguments(&call["args"]);
        }
        said.base64(&part["inlineData"]["data"]);
    }
    for tool in items(&body["tools"]) {
        for function in items(&tool["functionDeclarations"]) {
            said.tool(&function["name"]);
        }
    }
}

fn canaries(body: &mut Value, flock: &mut Flock) {
    flock.put(body);
    for content in each(body, "contents") {
        for part in each(content, "parts") {
            let thought = part["thought"] == Value::Bool(true);
            let known = ["text", "functionCall", "functionResponse", "inlineData"];
            if !thought && known.iter().any(|name| part.get(*name).is_some()) {
                flock.put(part);
            }
        }
        flock.put(content);
    }
    for tool in each(body, "tools").take(1) {
        for function in each(tool, "functionDeclarations").take(2) {
            flock.put(function);
        }
    }
    if let Some(config) = body.get_mut("generationConfig") {
        flock.put(config);
    }
}
