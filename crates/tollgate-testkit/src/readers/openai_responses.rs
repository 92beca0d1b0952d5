//! Reads OpenAI Responses as its SDKs do: numbered events, items and parts that begin and end, deltas
//! that join to what is said whole, and the whole response last.

use std::collections::BTreeMap;

use serde_json::Value;

use super::openai_chat::{error, error_types};
use super::{Asking, Can, Figure, Row, Writer, demand, each, items, sse, usual_finishes};
use crate::Digest;
use crate::digest::{Arguments, ErrorDigest, Tokens, ToolCall, word};
use crate::judge::canary::Flock;
use crate::judge::said::Said;

pub(super) const ROW: Row = Row {
    name: "openai-responses",
    ingress: true,
    uncounted: false,
    buffered,
    stream,
    asking: Asking {
        said,
        canaries,
        fields: &[
            "background",
            "context_management",
            "conversation",
            "include",
            "input",
            "instructions",
            "max_output_tokens",
            "max_tool_calls",
            "metadata",
            "model",
            "moderation",
            "parallel_tool_calls",
            "previous_response_id",
            "prompt",
            "prompt_cache_key",
            "prompt_cache_options",
            "prompt_cache_retention",
            "reasoning",
            "safety_identifier",
            "service_tier",
            "store",
            "stream",
            "stream_options",
            "temperature",
            "text",
            "tool_choice",
            "tools",
            "top_logprobs",
            "top_p",
            "truncation",
            "user",
        ],
        provider: "openai",
    },
    can: Can {
        refusals: true,
        choices: false,
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
    if body["object"] != "response"
        && let Some(error) = error(body, status)
    {
        return Ok(Digest { error: Some(error), ..Digest::default() });
    }
    demand(by, body["object"] == "response", "object is not response")?;
    let head = body["id"].is_string() && body["created_at"].is_u64() && body["model"].is_string();
    demand(by, head, "id, created_at or model is missing")?;
    demand(by, body["output"].is_array(), "output is no list")?;
    demand(by, body["error"].is_null() || body["status"] == "failed", "an error beside an answer")?;
    for named in ["parallel_tool_calls", "tool_choice", "tools", "metadata"] {
        demand(by, body.get(named).is_some(), "a field that SDKs demand is missing")?;
    }
    read(body, items(&body["output"]), by)
}

/// The response, with these items as its output.
fn read(response: &Value, output: &[Value], by: Writer) -> Result<Digest, String> {
    if response["status"] == "failed" && response["error"].is_object() {
        let error = Some(stated(&response["error"]));
        return Ok(Digest { error, ..Digest::default() });
    }
    let mut digest = Digest { choices: 1, ..Digest::default() };
    for item in output {
        read_item(&mut digest, item, by)?;
    }
    let calls = !digest.tool_calls.is_empty();
    let reason = response["incomplete_details"]["reason"].as_str();
    digest.finish = Some(match (response["status"].as_str(), reason) {
        (Some("completed" | "complete"), _) if calls => "tool_calls".to_owned(),
        (Some("completed" | "complete"), _) => "stop".to_owned(),
        (Some("incomplete"), Some("max_output_tokens")) => "length".to_owned(),
        (Some("incomplete"), Some("content_filter")) => "content_filter".to_owned(),
        _ => "other".to_owned(),
    });
    demand(by, response["usage"].is_object() || response["usage"].is_null(), "usage is odd")?;
    digest.usage = tokens(&response["usage"]);
    Ok(digest)
}

fn stated(error: &Value) -> ErrorDigest {
    ErrorDigest {
        status: 200,
        kind: word(&error["type"]),
        code: word(&error["code"]),
        message: word(&error["message"]),
        param: word(&error["param"]),
    }
}

fn read_item(digest: &mut Digest, item: &Value, by: Writer) -> Result<(), String> {
    let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
    match item["type"].as_str().unwrap_or_default() {
        "message" => {
            demand(
                by,
                item["role"] == "assistant" && item["id"].is_string(),
                "a message lacks id or role",
            )?;
            for part in items(&item["content"]) {
                let text = |field: &str| part[field].as_str().unwrap_or_default();
                let known = matches!(part["type"].as_str(), Some("output_text" | "refusal"));
                demand(by, known, "a part of a message is of no known type")?;
                let whole = part["type"] == "refusal" || part["annotations"].is_array();
                demand(by, whole, "a text lacks its annotations")?;
                digest.text.push_str(text("text"));
                digest.refusal.push_str(text("refusal"));
                digest.citations += items(&part["annotations"]).len() as u64;
                digest.logprobs |= !items(&part["logprobs"]).is_empty();
            }
        }
        "reasoning" => {
            demand(
                by,
                item["summary"].is_array() && item["id"].is_string(),
                "reasoning lacks id or summary",
            )?;
            let said = items(&item["summary"]).iter().chain(items(&item["content"]));
            for part in said {
                digest.reasoning.push_str(part["text"].as_str().unwrap_or_default());
            }
            digest.signatures += u64::from(!text("encrypted_content").is_empty());
        }
        kind @ ("function_call" | "custom_tool_call") => {
            let field = if kind == "function_call" { "arguments" } else { "input" };
            let (id, name) = (text("call_id"), text("name"));
            demand(by, !id.is_empty() && !name.is_empty(), "a call lacks call_id or name")?;
            demand(by, item[field].is_string(), "a call lacks what it calls with")?;
            let arguments = match kind {
                "function_call" => Arguments::parse(&text(field)),
                // The text of a custom tool, as the corpus has it.
                _ => Arguments::Json(serde_json::json!({ "input": text(field) })),
            };
            digest.tool_calls.push(ToolCall { id, name, arguments });
        }
        _ => {}
    }
    Ok(())
}

fn stream(body: &[u8], by: Writer) -> Result<Digest, String> {
    let mut reading = Reading { by, ..Reading::default() };
    for (at, event) in sse::events(body)?.iter().enumerate() {
        if event.data == "[DONE]" {
            demand(by, false, "[DONE] is of another dialect")?;
            continue;
        }
        let data: Value = serde_json::from_str(event.data.trim())
            .map_err(|e| format!("an event is not JSON: {e}"))?;
        let kind = data["type"].as_str().unwrap_or_default();
        demand(by, event.name == kind, "event and type differ")?;
        demand(by, data["sequence_number"] == at as u64, "the numbers of events have a gap")?;
        demand(by, reading.last.is_none(), "something follows the end")?;
        reading.event(kind, &data)?;
    }
    if let Some(error) = reading.error {
        return Ok(Digest { error: Some(error), ..Digest::default() });
    }
    let Some(last) = reading.last else { return Err("no end".into()) };
    let done: Vec<Value> = reading.done.into_values().collect();
    let output = items(&last["output"]);
    demand(by, output == done, "the output is not the items that ended")?;
    demand(by, reading.open.is_empty(), "an item never ends")?;
    let output = if output.is_empty() { done.as_slice() } else { output };
    read(&last, output, by)
}

struct Reading {
    by: Writer,
    started: bool,
    /// Items that are open: their place, and the text of each of their parts so far.
    open: BTreeMap<u64, BTreeMap<String, String>>,
    done: BTreeMap<u64, Value>,
    last: Option<Value>,
    error: Option<ErrorDigest>,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            by: Writer::Provider,
            started: false,
            open: BTreeMap::new(),
            done: BTreeMap::new(),
            last: None,
            error: None,
        }
    }
}

impl Reading {
    fn event(&mut self, kind: &str, data: &Value) -> Result<(), String> {
        let at = data["output_index"].as_u64();
        demand(self.by, self.started || matches!(kind, "response.created" | "error"), "no start")?;
        match kind {
            "response.created" => self.started = true,
            "response.output_item.added" => {
                let at = at.ok_or("an item without its place")?;
                let next = (self.open.len() + self.done.len()) as u64;
                demand(self.by, at == next, "an item begins out of order")?;
                self.open.insert(at, BTreeMap::new());
            }
            "response.output_item.done" => {
                let at = at.ok_or("an item without its place")?;
                let parts = self.open.remove(&at);
                demand(self.by, parts.is_some(), "an item ends that never began")?;
                joined(&parts.unwrap_or_default(), &data["item"], self.by)?;
                self.done.insert(at, data["item"].clone());
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                let status = kind.trim_start_matches("response.");
                demand(self.by, data["response"]["status"] == status, "status and event differ")?;
                self.last = Some(data["response"].clone());
            }
            "error" => {
                let at = if data["error"].is_object() { &data["error"] } else { data };
                self.error = Some(stated(at));
            }
            _ => {
                if let Some(delta) = data["delta"].as_str() {
                    let parts = at.and_then(|at| self.open.get_mut(&at));
                    let part = part_of(kind, data);
                    match parts {
                        Some(parts) => parts.entry(part).or_default().push_str(delta),
                        None => demand(self.by, false, "a delta without its item")?,
                    }
                }
            }
        }
        Ok(())
    }
}

/// Which part of an item a delta belongs to, by the field in which the item says it whole.
fn part_of(kind: &str, data: &Value) -> String {
    let (list, index) = match (&data["summary_index"], &data["content_index"]) {
        (Value::Number(index), _) => ("/summary/", index.to_string()),
        (_, Value::Number(index)) => ("/content/", index.to_string()),
        _ => ("", String::new()),
    };
    let field = match kind {
        "response.function_call_arguments.delta" => "/arguments",
        "response.custom_tool_call_input.delta" => "/input",
        "response.refusal.delta" => "/refusal",
        _ => "/text",
    };
    format!("{list}{index}{field}")
}

/// What came in deltas is what the item says at last.
fn joined(parts: &BTreeMap<String, String>, item: &Value, by: Writer) -> Result<(), String> {
    for (pointer, text) in parts {
        let whole = item.pointer(pointer).and_then(Value::as_str);
        demand(by, whole == Some(text), "the deltas do not join to the item")?;
    }
    let said =
        |part: &Value| ["text", "refusal"].iter().find_map(|f| part[*f].as_str().map(str::len));
    let lists = items(&item["content"]).iter().chain(items(&item["summary"]));
    let whole: usize = lists.filter_map(said).sum();
    let direct = ["arguments", "input"].iter().find_map(|f| item[*f].as_str().map(str::len));
    let streamed: usize = parts.values().map(String::len).sum();
    let known = matches!(
        item["type"].as_str(),
        Some("message" | "reasoning" | "function_call" | "custom_tool_call")
    );
    demand(
        by,
        !known || whole + direct.unwrap_or(0) == streamed,
        "an item says more than its deltas",
    )
}

fn tokens(usage: &Value) -> Tokens {
    let input = &usage["input_tokens_details"];
    Tokens {
        input: usage["input_tokens"].as_u64(),
        output: usage["output_tokens"].as_u64(),
        cached: input["cached_tokens"].as_u64(),
        cache_write: input["cache_write_tokens"].as_u64(),
        reasoning: usage["output_tokens_details"]["reasoning_tokens"].as_u64(),
    }
}

fn said(said: &mut Said, body: &Value) {
    said.text(&body["instructions"]);
    said.text(&body["input"]);
    for item in items(&body["input"]) {
        said.text(&item["content"]);
        said.text(&item["output"]);
        for part in items(&item["content"]).iter().chain(items(&item["output"])) {
            if part["type"] != "reasoning_text" {
                said.text(&part["text"]);
                said.data_url(&part["image_url"]);
            }
        }
        if item["type"] == "function_call" {
            said.tool(&item["name"]);
            said.arguments(&item["arguments"]);
        }
    }
    for tool in items(&body["tools"]).iter().filter(|tool| tool["type"] == "function") {
        said.tool(&tool["name"]);
    }
}

fn canaries(body: &mut Value, flock: &mut Flock) {
    flock.put(body);
    for tool in each(body, "tools").filter(|tool| tool["type"] == "function").take(2) {
        flock.put(tool);
    }
    for item in each(body, "input") {
        let known = matches!(
            item["type"].as_str(),
            None | Some("message" | "function_call" | "function_call_output")
        );
        if !known {
            continue;
        }
        for part in each(item, "content") {
            if matches!(part["type"].as_str(), Some("input_text" | "output_text" | "input_image")) {
                flock.put(part);
            }
        }
        flock.put(item);
    }
}
