//! What is open in a stream that is being written: one message or thought, and any number of calls,
//! whose pieces may come in turns.

use serde_json::Value;

use crate::dialects::openai_responses::answer;

/// A message or a thought.
#[derive(Debug)]
pub(super) enum Open {
    Message { index: u32, id: String, content: Vec<Value>, part: Option<OpenPart> },
    Thought { index: u32, id: String, text: String, shown: bool },
}

/// The part of a message that is being written.
#[derive(Debug)]
pub(super) struct OpenPart {
    pub(super) refusal: bool,
    pub(super) text: String,
    pub(super) annotations: Vec<Value>,
    pub(super) logprobs: Vec<Value>,
}

#[derive(Debug)]
pub(super) struct OpenCall {
    /// As the events number the calls.
    pub(super) number: u32,
    pub(super) index: u32,
    pub(super) id: String,
    pub(super) call_id: String,
    pub(super) name: String,
    pub(super) arguments: String,
}

impl OpenPart {
    pub(super) fn new(refusal: bool) -> Self {
        Self { refusal, text: String::new(), annotations: Vec::new(), logprobs: Vec::new() }
    }

    /// The part as it is by now.
    pub(super) fn written(&self) -> Value {
        if self.refusal {
            answer::refusal_part(&self.text)
        } else {
            answer::text_part(&self.text, &self.annotations, &self.logprobs)
        }
    }
}

impl OpenCall {
    pub(super) fn written(&self, status: &str) -> Value {
        answer::call((&self.id, &self.call_id), &self.name, &self.arguments, status)
    }
}
