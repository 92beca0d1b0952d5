//! Writing a stream of chunks.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate_model::{Event, Losses, TokenLogprob, Usage};

use super::{logprobs, reply};
use crate::dialects::openai_chat::{fault, usage};
use crate::{ReplyContext, Snapshot, StreamEncoder};

#[derive(Debug)]
pub(super) struct Encoder {
    context: ReplyContext,
    id: Option<String>,
    model: Option<String>,
    created: Option<u64>,
    choices: BTreeMap<u32, Written>,
    usage: Usage,
    losses: Losses,
    over: bool,
}

/// What was written of one choice.
#[derive(Debug, Default)]
struct Written {
    finished: bool,
    /// Characters whose log-probabilities were written.
    characters: usize,
}

impl Encoder {
    pub(super) fn new(context: ReplyContext, resume: Option<Snapshot>) -> Self {
        let snapshot = resume.unwrap_or_default();
        let choices = (0..snapshot.next_block).map(|number| {
            let finished = snapshot.finished.contains(&number);
            (number, Written { finished, characters: 0 })
        });
        Self {
            context,
            id: snapshot.id,
            model: snapshot.model,
            created: snapshot.created,
            choices: choices.collect(),
            usage: snapshot.usage,
            losses: Losses::default(),
            over: false,
        }
    }

    fn chunk(&self, choices: Value, usage: Option<Value>, out: &mut Vec<u8>) {
        let mut chunk = json!({
            "id": reply::id_of(self.id.as_deref(), &self.context),
            "object": "text_completion",
            "created": self.created.unwrap_or(self.context.created),
            "model": self.model.as_deref().unwrap_or(&self.context.model),
            "choices": choices,
        });
        if let Some(usage) = usage {
            chunk["usage"] = usage;
        } else if self.context.stream_usage {
            chunk["usage"] = Value::Null;
        }
        out.extend_from_slice(format!("data: {chunk}\n\n").as_bytes());
    }

    fn text(&mut self, number: u32, text: &str, tokens: &[TokenLogprob], out: &mut Vec<u8>) {
        let written = self.choices.entry(number).or_default();
        if written.finished {
            return;
        }
        let logprobs = match tokens {
            [] => Value::Null,
            tokens => logprobs::write(tokens, &mut written.characters),
        };
        let choice = json!([{
            "text": text, "index": number, "logprobs": logprobs, "finish_reason": null,
        }]);
        self.chunk(choice, None, out);
    }

    fn finish(&mut self, number: u32, word: &str, out: &mut Vec<u8>) {
        let written = self.choices.entry(number).or_default();
        if !std::mem::replace(&mut written.finished, true) {
            let choice = json!([{
                "text": "", "index": number, "logprobs": null, "finish_reason": word,
            }]);
            self.chunk(choice, None, out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.over = true;
        let open = self.choices.iter().filter(|(_, written)| !written.finished);
        let open: Vec<u32> = open.map(|(number, _)| *number).collect();
        for number in open {
            self.finish(number, "stop", out);
        }
        if self.context.stream_usage
            && let Some(usage) = usage::encode(&self.usage)
        {
            self.chunk(json!([]), Some(usage), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn lose(&mut self, what: &str) {
        self.losses.dropped("choices[0]", what);
    }
}

impl StreamEncoder for Encoder {
    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Start { id, model, created } => {
                self.id = id.or(self.id.take());
                self.model = model.or(self.model.take());
                self.created = created.or(self.created);
            }
            Event::Text { choice, text } | Event::Refusal { choice, text } => {
                self.text(choice, &text, &[], out);
            }
            Event::Logprobs { choice, tokens } => self.text(choice, "", &tokens, out),
            Event::Reasoning { .. }
            | Event::ReasoningSignature { .. }
            | Event::RedactedReasoning { .. } => self.lose("reasoning"),
            Event::ToolCallStart { .. } => self.lose("tool_calls"),
            Event::ToolCallDelta { .. } => {}
            Event::Citation { .. } => self.lose("citations"),
            Event::Media { .. } => self.lose("media"),
            Event::Native { dialect, .. } => self.lose(dialect.as_str()),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Finish { choice, reason, .. } => {
                self.finish(choice, reply::finish_word(reason), out);
            }
            Event::Fault(fault) => {
                self.over = true;
                let error = json!({"error": fault::object(&fault)});
                out.extend_from_slice(format!("data: {error}\n\n").as_bytes());
            }
            Event::End => self.end(out),
        }
    }

    fn losses(&self) -> &Losses {
        &self.losses
    }
}
