//! What is kept between calls: responses, the items that went into them, and conversations. A bounded
//! number of each, the oldest forgotten first.

use super::rules::items;
use crate::ids;
use crate::openai::wording::invalid;
use crate::refusal::Refusal;
use serde_json::{Value, json};
use std::collections::VecDeque;

const MOST: usize = 2_000;

#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(super) responses: VecDeque<Kept>,
    pub(super) conversations: VecDeque<Conversation>,
    /// Ids of items that a test says are stored.
    laid: Vec<String>,
}

/// A response with everything that led to it.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) response: Value,
    /// The items that went in, the turns before them included.
    pub(super) input: Vec<Value>,
    /// Laid by a test: what went in is not known.
    unknown: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Conversation {
    pub(super) id: String,
    pub(super) metadata: Value,
    pub(super) items: Vec<Value>,
    unknown: bool,
}

/// The turns before a request.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) items: Vec<Value>,
    pub(super) unknown: bool,
}

/// What `previous_response_id`, `conversation` and references to items bring in.
pub(super) fn history(stored: &Stored, body: &Value) -> Result<History, Refusal> {
    let mut history = History::default();
    if let Some(id) = body["previous_response_id"].as_str() {
        let Some(kept) = stored.responses.iter().find(|k| k.id == id) else {
            return Err(invalid(format!("Previous response with id '{id}' not found."))
                .code("previous_response_not_found")
                .param("previous_response_id"));
        };
        history.unknown = kept.unknown;
        history.items.clone_from(&kept.input);
        history.items.extend(kept.response["output"].as_array().into_iter().flatten().cloned());
    }
    if let Some(id) = conversation_id(body) {
        let Some(conversation) = stored.conversations.iter().find(|c| c.id == id) else {
            return Err(Refusal::new(
                404,
                "invalid_request_error",
                format!("Conversation with id '{id}' not found."),
            ));
        };
        history.unknown = conversation.unknown;
        history.items.clone_from(&conversation.items);
    }
    for item in items(body).iter().filter(|i| i["type"] == "item_reference") {
        let id = item["id"].as_str().unwrap_or_default();
        match stored.item(id) {
            Some(found) => history.items.push(found.clone()),
            None if stored.laid.iter().any(|l| l == id) => history.unknown = true,
            None => {
                return Err(Refusal::new(404, "invalid_request_error", format!("Item with id '{id}' not found. Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input."))
                    .param("input"));
            }
        }
    }
    Ok(history)
}

fn conversation_id(body: &Value) -> Option<&str> {
    body["conversation"].as_str().or_else(|| body["conversation"]["id"].as_str())
}

impl Stored {
    fn item(&self, id: &str) -> Option<&Value> {
        let outputs = self
            .responses
            .iter()
            .flat_map(|k| k.response["output"].as_array().into_iter().flatten().chain(&k.input));
        let all = outputs.chain(self.conversations.iter().flat_map(|c| &c.items));
        all.into_iter().find(|i| i["id"] == id)
    }

    /// Keeps a response and what led to it; a conversation grows by both.
    pub(super) fn keep(&mut self, body: &Value, history: &History, response: &Value, seed: u64) {
        let new = normal(&body["input"], seed);
        if let Some(id) = conversation_id(body)
            && let Some(conversation) = self.conversations.iter_mut().find(|c| c.id == id)
        {
            conversation.items.extend(new.iter().cloned());
            let output = response["output"].as_array().into_iter().flatten();
            conversation.items.extend(output.cloned());
        }
        let mut input = history.items.clone();
        input.extend(new);
        let id = response["id"].as_str().unwrap_or_default().to_owned();
        self.responses.retain(|k| k.id != id);
        let response = response.clone();
        push(&mut self.responses, Kept { id, response, input, unknown: history.unknown });
    }

    pub(super) fn converse(&mut self, id: String, metadata: Value, items: Vec<Value>) {
        self.conversations.retain(|c| c.id != id);
        push(&mut self.conversations, Conversation { id, metadata, items, unknown: false });
    }

    /// Takes over what a test says is stored: `{"id": "resp_…"}`, `conv_…`, or an item's.
    pub(crate) fn lay(&mut self, written: &[u8]) -> Result<(), String> {
        let written: Value = serde_json::from_slice(written).map_err(|e| e.to_string())?;
        let id = written["id"].as_str().ok_or("an object with an id is wanted")?.to_owned();
        if id.starts_with("resp") {
            let response = json!({"id": id, "object": "response", "output": []});
            push(&mut self.responses, Kept { id, response, input: Vec::new(), unknown: true });
        } else if id.starts_with("conv") {
            let (metadata, items) = (json!({}), Vec::new());
            push(&mut self.conversations, Conversation { id, metadata, items, unknown: true });
        } else if self.laid.len() < MOST {
            self.laid.push(id);
        }
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn push<T>(list: &mut VecDeque<T>, one: T) {
    if list.len() >= MOST {
        list.pop_front();
    }
    list.push_back(one);
}

/// The input as items with ids, as the vendor stores it.
pub(super) fn normal(input: &Value, seed: u64) -> Vec<Value> {
    let given = match input {
        Value::String(text) => vec![json!({"role": "user", "content": text})],
        Value::Array(items) => items.clone(),
        _ => Vec::new(),
    };
    let kept = given.into_iter().filter(|i| i["type"] != "item_reference");
    kept.enumerate()
        .map(|(at, item)| stored_item(item, ids::mix(seed, &at.to_le_bytes())))
        .collect()
}

fn stored_item(mut item: Value, seed: u64) -> Value {
    if item["type"].is_null() && !item["role"].is_null() {
        item["type"] = json!("message");
    }
    if let Value::String(text) = &item["content"] {
        let kind = if item["role"] == "assistant" { "output_text" } else { "input_text" };
        item["content"] = json!([{"type": kind, "text": text}]);
    }
    if item["type"] == "message" && item["status"].is_null() {
        item["status"] = json!("completed");
    }
    if item["id"].is_null() {
        let prefix = match item["type"].as_str().unwrap_or_default() {
            "message" => "msg_",
            "function_call" => "fc_",
            "function_call_output" => "fco_",
            "reasoning" => "rs_",
            _ => "item_",
        };
        item["id"] = json!(ids::id(prefix, seed, 7, 48).to_lowercase());
    }
    item
}
