//! Reads Ollama's own chat as its client does: one document, or one document a line.

use serde_json::Value;

use super::{Asking, Can, Figure, Row, Writer, demand, each, items, usual_finishes};
use crate::Digest;
use crate::digest::{Arguments, ErrorDigest, ToolCall, word};
use crate::judge::canary::Flock;
use crate::judge::said::Said;

pub(super) const ROW: Row = Row {
    name: "ollama-chat",
    ingress: false,
    uncounted: false,
    buffered,
    stream,
    asking: Asking {
        said,
        canaries,
        fields: &[
            "format",
            "keep_alive",
            "logprobs",
            "messages",
            "model",
            "options",
            "stream",
            "think",
            "tools",
            "top_logprobs",
        ],
        provider: "ollama",
    },
    can: Can {
        refusals: false,
        choices: false,
        logprobs: true,
        signed_texts: false,
        id_marks: None,
        figures: &[Figure::Input, Figure::Output],
        finishes: |finish, calls| match finish {
            // A call has no word of its own here.
            "stop" | "tool_calls" => &["stop"],
            _ => usual_finishes(finish, calls),
        },
        error_types: |_| &[],
        free_types: true,
        type_header: None,
    },
};

fn buffered(body: &Value, status: u16, by: Writer) -> Result<Digest, String> {
    read(std::slice::from_ref(body), status, by)
}

fn stream(body: &[u8], by: Writer) -> Result<Digest, String> {
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let parsed = lines.map(|line| serde_json::from_slice(line).map_err(|e| format!("a line: {e}")));
    read(&parsed.collect::<Result<Vec<Value>, String>>()?, 200, by)
}

fn read(documents: &[Value], status: u16, by: Writer) -> Result<Digest, String> {
    let mut digest = Digest { choices: 1, ..Digest::default() };
    let mut done = false;
    for document in documents {
        if document.get("error").is_some() || status >= 400 {
            let message = word(&document["error"]);
            let error = Some(ErrorDigest { status, message, ..ErrorDigest::default() });
            return Ok(Digest { error, ..Digest::default() });
        }
        demand(by, !done, "something follows the last line")?;
        let head = document["model"].is_string() && document["created_at"].is_string();
        demand(by, head && document["done"].is_boolean(), "model, created_at or done is missing")?;
        let message = &document["message"];
        let text = |field: &str| message[field].as_str().unwrap_or_default();
        demand(by, message["role"] == "assistant", "role is not assistant")?;
        digest.text.push_str(text("content"));
        digest.reasoning.push_str(text("thinking"));
        for call in items(&message["tool_calls"]) {
            let function = &call["function"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            demand(by, function["arguments"].is_object(), "arguments are no object")?;
            let broken = &function["arguments"]["unparsed_arguments"];
            let arguments = match broken.as_str() {
                Some(broken) => Arguments::parse(broken),
                None => Arguments::Json(function["arguments"].clone()),
            };
            let (id, name) = (text(&call["id"]), text(&function["name"]));
            digest.tool_calls.push(ToolCall { id, name, arguments });
        }
        digest.logprobs |= !items(&document["logprobs"]).is_empty();
        done = document["done"] == true;
        if done {
            digest.finish = Some(match document["done_reason"].as_str() {
                Some("stop") => "stop".into(),
                Some("length") => "length".into(),
                _ => "other".into(),
            });
            digest.usage.input = document["prompt_eval_count"].as_u64();
            digest.usage.output = document["eval_count"].as_u64();
        }
    }
    demand(by, done, "no last line")?;
    Ok(digest)
}

fn said(said: &mut Said, body: &Value) {
    for message in items(&body["messages"]) {
        said.text(&message["content"]);
        for image in items(&message["images"]) {
            said.base64(image);
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
        flock.put(message);
    }
    if let Some(options) = body.get_mut("options") {
        flock.put(options);
    }
}
