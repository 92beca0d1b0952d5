//! Writing a stream of chunks.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate_model::{Event, TokenLogprob, Usage};

use super::{logprobs, reply};
use crate::dialects::openai_chat::{fault, usage};
use crate::stream::{EncodeStream, Head, Sink};
use crate::{ReplyContext, Snapshot};

#[derive(Debug)]
pub(super) struct Encoder {
    context: ReplyContext,
    head: Head,
    choices: BTreeMap<u32, Written>,
    usage: Usage,
}

/// What was written of one choice.
#[derive(Debug, Default)]
struct Written {
    finished: bool,
    /// Characters whose log-probabilities were written.
    characters: usize,
}

impl EncodeStream for Encoder {
    fn open(context: ReplyContext, snapshot: Snapshot) -> Self {
        let head = snapshot.head();
        let choices = (0..snapshot.next_block).map(|number| {
            let finished = snapshot.finished.contains(&number);
            (number, Written { finished, characters: 0 })
        });
        Self { context, head, choices: choices.collect(), usage: snapshot.usage }
    }

    fn write(&mut self, event: Event, out: &mut Sink) {
        match event {
            Event::Start { id, model, created } => self.head.restate(id, model, created),
            Event::Text { choice, text } | Event::Refusal { choice, text } => {
                self.text(choice, &text, &[], out);
            }
            Event::Logprobs { choice, tokens } => self.text(choice, "", &tokens, out),
            Event::Reasoning { .. }
            | Event::ReasoningSignature { .. }
            | Event::RedactedReasoning { .. } => lose(out, "reasoning"),
            Event::ToolCallStart { .. } => lose(out, "tool_calls"),
            Event::ToolCallDelta { .. } => {}
            Event::Citation { .. } => lose(out, "citations"),
            Event::Media { .. } => lose(out, "media"),
            Event::Native { dialect, .. } => lose(out, dialect.as_str()),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Finish { choice, reason, .. } => {
                self.finish(choice, reply::finish_word(reason), out);
            }
            Event::Fault(fault) => fault::put(&fault, out),
            Event::End => self.end(out),
        }
    }
}

impl Encoder {
    fn chunk(&self, choices: Value, usage: Option<Value>, out: &mut Sink) {
        let mut chunk = json!({
            "id": reply::id_of(self.head.id.as_deref(), &self.context),
            "object": "text_completion",
            "created": self.head.created.unwrap_or(self.context.created),
            "model": self.head.model.as_deref().unwrap_or(&self.context.model),
            "choices": choices,
        });
        if let Some(usage) = usage {
            chunk["usage"] = usage;
        } else if self.context.stream_usage {
            chunk["usage"] = Value::Null;
        }
        out.put(format!("data: {chunk}\n\n").as_bytes());
    }

    fn text(&mut self, number: u32, text: &str, tokens: &[TokenLogprob], out: &mut Sink) {
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

    fn finish(&mut self, number: u32, word: &str, out: &mut Sink) {
        let written = self.choices.entry(number).or_default();
        if !std::mem::replace(&mut written.finished, true) {
            let choice = json!([{
                "text": "", "index": number, "logprobs": null, "finish_reason": word,
            }]);
            self.chunk(choice, None, out);
        }
    }

    fn end(&mut self, out: &mut Sink) {
        let open = self.choices.iter().filter(|(_, written)| !written.finished);
        let open: Vec<u32> = open.map(|(number, _)| *number).collect();
        for number in open {
            self.finish(number, "stop", out);
        }
        if let Some(usage) = usage::wanted(&self.usage, &self.context) {
            self.chunk(json!([]), Some(usage), out);
        }
        out.put(b"data: [DONE]\n\n");
    }
}

fn lose(out: &mut Sink, what: &str) {
    out.losses.dropped("choices[0]", what);
}
