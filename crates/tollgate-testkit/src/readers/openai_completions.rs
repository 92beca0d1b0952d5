//! Reads OpenAI's old completions as its SDKs do: texts without turns.

use serde_json::Value;

use super::openai_chat::{error, error_types, finish, usage};
use super::{Asking, Can, Figure, Row, Writer, demand, items, sse, usual_finishes};
use crate::Digest;
use crate::judge::canary::Flock;
use crate::judge::said::Said;

pub(super) const ROW: Row = Row {
    name: "openai-completions",
    ingress: false,
    uncounted: true,
    buffered,
    stream,
    asking: Asking {
        said,
        canaries,
        fields: &[
            "best_of",
            "echo",
            "frequency_penalty",
            "logit_bias",
            "logprobs",
            "max_tokens",
            "model",
            "n",
            "presence_penalty",
            "prompt",
            "seed",
            "stop",
            "stream",
            "stream_options",
            "suffix",
            "temperature",
            "top_p",
            "user",
        ],
        provider: "openai",
    },
    can: Can {
        refusals: false,
        choices: true,
        logprobs: true,
        signed_texts: false,
        id_marks: None,
        figures: Figure::ALL,
        finishes: usual_finishes,
        error_types,
        free_types: true,
        type_header: None,
    },
};

fn buffered(body: &Value, status: u16, by: Writer) -> Result<Digest, String> {
    read(std::slice::from_ref(body), status, by)
}

fn stream(body: &[u8], by: Writer) -> Result<Digest, String> {
    let (mut chunks, mut done) = (Vec::new(), false);
    for event in sse::events(body)? {
        demand(by, !done, "something follows [DONE]")?;
        done = event.data == "[DONE]";
        if !done {
            let chunk: Value = serde_json::from_str(event.data.trim())
                .map_err(|e| format!("a chunk is not JSON: {e}"))?;
            chunks.push(chunk);
        }
    }
    let failed = chunks.iter().any(|chunk| chunk.get("error").is_some());
    demand(by, done != failed, "[DONE] is missing, or follows an error")?;
    read(&chunks, 200, by)
}

fn read(documents: &[Value], status: u16, by: Writer) -> Result<Digest, String> {
    let mut digest = Digest::default();
    let mut seen = Vec::new();
    for document in documents {
        if let Some(error) = error(document, status) {
            return Ok(Digest { error: Some(error), ..Digest::default() });
        }
        let whole = document["object"] == "text_completion" && document["id"].is_string();
        demand(by, whole && document["choices"].is_array(), "object, id or choices is missing")?;
        for choice in items(&document["choices"]) {
            let index = choice["index"].as_u64().unwrap_or(0);
            if !seen.contains(&index) {
                seen.push(index);
            }
            if index == 0 {
                demand(by, choice["text"].is_string(), "a choice lacks its text")?;
                digest.text.push_str(choice["text"].as_str().unwrap_or_default());
                digest.logprobs |= choice["logprobs"].is_object();
                if let Some(reason) = choice["finish_reason"].as_str() {
                    digest.finish = Some(finish(reason).to_owned());
                }
            }
        }
        if document["usage"].is_object() {
            digest.usage = usage(&document["usage"], by);
        }
    }
    demand(by, digest.finish.is_some(), "no finish_reason")?;
    digest.choices = seen.len().max(1) as u64;
    Ok(digest)
}

fn said(said: &mut Said, body: &Value) {
    said.text(&body["prompt"]);
    for prompt in items(&body["prompt"]) {
        said.text(prompt);
    }
}

fn canaries(body: &mut Value, flock: &mut Flock) {
    flock.put(body);
}
