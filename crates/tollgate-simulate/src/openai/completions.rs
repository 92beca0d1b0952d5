//! Completions from before there were chats, and rankings as compatible hosts offer them.

use super::tables;
use super::wording::{flawed, invalid};
use crate::answer::{self, Finish};
use crate::asked::Asked;
use crate::cohere::{ranked, strings};
use crate::refusal::Refusal;
use crate::script::{Frame, Part, Reply, Request};
use crate::shape::{self, Reading};
use crate::{ids, text, tokens};
use serde_json::{Value, json};

/// Goes on with the prompts, one after the other.
pub(super) fn completions(request: &Request) -> Result<Reply, Refusal> {
    let body = super::body(request)?;
    shape::check(&tables::COMPLETIONS, &body, Reading { loose: false }).map_err(|f| flawed(&f))?;
    let prompts = prompts(&body["prompt"])?;
    let n = body["n"].as_u64().unwrap_or(1);
    if body["best_of"].as_u64().is_some_and(|best| best < n) {
        return Err(invalid(
            "You requested that the server return more choices than it will generate (HINT: best_of must be >= n).",
        ));
    }
    let asked: Vec<Asked> = prompts.iter().map(|p| asked(&body, p, &request.body)).collect();
    let input: u64 = asked.iter().map(|asked| asked.input_tokens).sum();
    let answers: Vec<answer::Answer> = asked.iter().map(answer::answer).collect();
    let output: u64 = answers.iter().map(|answer| answer.output_tokens * n).sum();
    let usage = json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output});
    let echo = body["echo"] == true;
    let mut said = Vec::new();
    for (answer, prompt) in answers.iter().zip(&prompts) {
        for _ in 0..n {
            let before = if echo { prompt.as_str() } else { "" };
            said.push((format!("{before}{}", answer.text), finish(answer)));
        }
    }
    let out = Out { body: &body, id: ids::id("cmpl-", ids::hash(&request.body), 0, 29) };
    let streamed = body["stream"] == true;
    let frames = if streamed { out.events(&said, &usage) } else { vec![out.whole(&said, &usage)] };
    let content_type =
        if streamed { "text/event-stream; charset=utf-8" } else { "application/json" };
    let headers = super::head(request, content_type);
    Ok(Reply { headers, frames, streamed, input_tokens: input, output_tokens: output })
}

fn finish(answer: &answer::Answer) -> &'static str {
    match answer.finish {
        Finish::Length => "length",
        Finish::Filtered => "content_filter",
        _ => "stop",
    }
}

struct Out<'a> {
    body: &'a Value,
    id: String,
}

impl Out<'_> {
    fn whole(&self, said: &[(String, &str)], usage: &Value) -> Frame {
        let choices = said.iter().enumerate();
        let choices = choices.map(|(at, (text, word))| self.choice(at, text, json!(word)));
        let body = json!({
            "id": self.id, "object": "text_completion", "created": 1_735_689_600,
            "model": self.body["model"], "choices": choices.collect::<Vec<_>>(), "usage": usage,
        });
        Frame::new(Part::Content, body.to_string())
    }

    fn events(&self, said: &[(String, &str)], usage: &Value) -> Vec<Frame> {
        let mut frames = Vec::new();
        let wants_usage = self.body["stream_options"]["include_usage"] == true;
        let mut push = |part: Part, choices: Value, usage: &Value| {
            let mut chunk = json!({
                "id": self.id, "object": "text_completion", "created": 1_735_689_600,
                "choices": choices, "model": self.body["model"],
            });
            if wants_usage {
                chunk["usage"] = usage.clone();
            }
            frames.push(Frame::new(part, format!("data: {chunk}\n\n")));
        };
        for (at, (text, word)) in said.iter().enumerate() {
            for piece in text::pieces(text, 1) {
                push(Part::Content, json!([self.choice(at, &piece, Value::Null)]), &Value::Null);
            }
            push(Part::Ending, json!([self.choice(at, "", json!(word))]), &Value::Null);
        }
        if wants_usage {
            push(Part::Ending, json!([]), usage);
        }
        frames.push(Frame::new(Part::Terminator, "data: [DONE]\n\n"));
        frames
    }

    fn choice(&self, index: usize, text: &str, finish: Value) -> Value {
        let logprobs = match self.body["logprobs"].as_u64() {
            Some(_) if !text.is_empty() => json!({
                "tokens": [text], "token_logprobs": [-0.5], "top_logprobs": [{text: -0.5}],
                "text_offset": [0],
            }),
            _ => Value::Null,
        };
        json!({"text": text, "index": index, "logprobs": logprobs, "finish_reason": finish})
    }
}

/// The vocabulary of the models that still take token ids.
const LAST_TOKEN: u64 = 100_257;

/// Each prompt as text; token ids are spelled out.
fn prompts(prompt: &Value) -> Result<Vec<String>, Refusal> {
    let wrong = || {
        invalid(
            "'$.prompt' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
        )
    };
    let lists = prompt.as_array().into_iter().flatten();
    let mut ids =
        lists.flat_map(|one| one.as_array().map_or(std::slice::from_ref(one), Vec::as_slice));
    if let Some(id) = ids.find_map(|id| id.as_u64().filter(|id| *id > LAST_TOKEN)) {
        return Err(invalid(format!(
            "Invalid token in prompt: {id}. Minimum value is 0, maximum value is {LAST_TOKEN} (inclusive)."
        )));
    }
    match prompt {
        Value::String(one) => Ok(vec![one.clone()]),
        Value::Array(many) if many.is_empty() => Err(wrong()),
        Value::Array(many) if many.iter().all(Value::is_u64) => Ok(vec![prompt.to_string()]),
        Value::Array(many) => many
            .iter()
            .map(|one| match one {
                Value::String(text) => Ok(text.clone()),
                Value::Array(ids) if ids.iter().all(Value::is_u64) => Ok(one.to_string()),
                _ => Err(wrong()),
            })
            .collect(),
        _ => Err(wrong()),
    }
}

fn asked(body: &Value, prompt: &str, bytes: &[u8]) -> Asked {
    let mut asked = Asked::new(body["model"].as_str().unwrap_or_default(), bytes);
    asked.last_user = prompt.to_owned();
    // A completion is short unless more is asked for.
    asked.cap = Some(body["max_tokens"].as_u64().unwrap_or(16));
    asked.stops = match &body["stop"] {
        Value::String(one) => vec![one.clone()],
        many => strings(many),
    };
    asked.input_tokens = tokens::count(prompt);
    asked
}

/// Ranks documents as compatible hosts do.
pub(super) fn rerank(request: &Request) -> Result<Reply, Refusal> {
    let body = super::body(request)?;
    shape::check(&tables::RERANK, &body, Reading { loose: false }).map_err(|f| flawed(&f))?;
    let documents: Vec<String> =
        body["documents"].as_array().into_iter().flatten().map(text_of).collect();
    if documents.is_empty() {
        return Err(invalid("\"documents\" must be a non-empty string array"));
    }
    let query = body["query"].as_str().unwrap_or_default();
    let counted: u64 = documents.iter().map(|d| tokens::count(d) + tokens::count(query)).sum();
    let most = body["top_n"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    let results = ranked(query, &documents).into_iter().take(most).map(|(index, score)| {
        let mut result = json!({"index": index, "relevance_score": score});
        if body["return_documents"] == true {
            result["document"] = json!({"text": documents[index]});
        }
        result
    });
    let told = json!({
        "model": body["model"], "object": "list", "results": results.collect::<Vec<_>>(),
        "usage": {"prompt_tokens": counted, "total_tokens": counted},
    });
    Ok(Reply {
        headers: super::head(request, "application/json"),
        frames: vec![Frame::new(Part::Content, told.to_string())],
        streamed: false,
        input_tokens: counted,
        output_tokens: 0,
    })
}

fn text_of(document: &Value) -> String {
    let text = document.as_str().or_else(|| document["text"].as_str());
    text.map_or_else(|| document.to_string(), str::to_owned)
}
