//! Writing a stream of typed events.

use serde_json::{Value, json};
use tollgate_model::{Citation, Event, Fault, FinishReason, Signature, Usage};

use super::CALL;
use crate::dialects::cohere_v2::{
    ID, citation, fault, finish, logprobs, messages::SIGNATURE, reply, usage,
};
use crate::stream::{EncodeStream, Sink};
use crate::{ReplyContext, Snapshot, signature};

#[derive(Debug)]
pub(in super::super) struct Encoder {
    context: ReplyContext,
    id: Option<String>,
    started: bool,
    open: Option<Open>,
    blocks: u32,
    calls: u32,
    citations: u32,
    /// The text so far, of which citations support a span.
    said: String,
    usage: Usage,
    end: Option<&'static str>,
    /// The last event was written, of this stream or the one it goes on with.
    finished: bool,
}

/// What pieces belong to until something else begins.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Open {
    Text(u32),
    Thinking(u32),
    /// Its number in the stream, and in the events; and whether it has arguments.
    Call {
        number: u32,
        index: u32,
        bare: bool,
    },
}

impl EncodeStream for Encoder {
    fn open(context: ReplyContext, snapshot: Snapshot) -> Self {
        let open = snapshot.open_block.map(|open| match open & CALL {
            0 => Open::Text(open),
            _ => Open::Call { number: open & !CALL, index: open & !CALL, bare: false },
        });
        Self {
            context,
            id: snapshot.id,
            started: snapshot.started,
            open,
            blocks: snapshot.next_block,
            calls: match open {
                Some(Open::Call { number, .. }) => number + 1,
                _ => 0,
            },
            citations: 0,
            said: String::new(),
            usage: snapshot.usage,
            end: None,
            finished: snapshot.finished.contains(&0),
        }
    }

    fn write(&mut self, event: Event, out: &mut Sink) {
        if out.loses_choice(&event) {
            return;
        }
        match event {
            Event::Start { id, .. } => {
                self.id = id.or(self.id.take());
                self.begin(out);
            }
            Event::Usage(usage) => self.usage.update(usage),
            Event::Fault(fault) => {
                self.begin(out);
                self.fault(&fault, out);
            }
            Event::End => {
                self.begin(out);
                self.finish(out);
                out.put(b"data: [DONE]\n\n");
            }
            piece => {
                self.begin(out);
                self.piece(piece, out);
            }
        }
    }
}

impl Encoder {
    fn begin(&mut self, out: &mut Sink) {
        if self.started {
            return;
        }
        self.started = true;
        let id = self.id.as_deref().unwrap_or(&self.context.id);
        let message = json!({
            "role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": [],
        });
        let event = json!({"id": id, "type": "message-start", "delta": {"message": message}});
        put("message-start", &event, out);
    }

    fn close(&mut self, out: &mut Sink) {
        let (kind, number) = match self.open.take() {
            None => return,
            Some(Open::Text(number) | Open::Thinking(number)) => ("content-end", number),
            Some(Open::Call { number, bare, .. }) => {
                if bare {
                    // A call without arguments must still parse.
                    arguments(number, "{}", out);
                }
                ("tool-call-end", number)
            }
        };
        put(kind, &json!({"type": kind, "index": number}), out);
    }

    /// Makes sure that a content block of this kind is open, and says which.
    fn block(&mut self, thinking: bool, out: &mut Sink) -> u32 {
        match self.open {
            Some(Open::Text(number)) if !thinking => return number,
            Some(Open::Thinking(number)) if thinking => return number,
            _ => self.close(out),
        }
        let number = self.blocks;
        self.blocks += 1;
        let word = if thinking { "thinking" } else { "text" };
        let content = json!({"type": word, word: ""});
        let delta = json!({"message": {"content": content}});
        put(
            "content-start",
            &json!({"type": "content-start", "index": number, "delta": delta}),
            out,
        );
        self.open = Some(if thinking { Open::Thinking(number) } else { Open::Text(number) });
        number
    }

    fn content(&mut self, thinking: bool, field: &str, text: &str, out: &mut Sink) {
        let number = self.block(thinking, out);
        let delta = json!({"message": {"content": {field: text}}});
        put(
            "content-delta",
            &json!({"type": "content-delta", "index": number, "delta": delta}),
            out,
        );
    }

    fn sign(&mut self, signature: &Signature, out: &mut Sink) {
        self.content(true, SIGNATURE, &signature::written(signature, ID), out);
        self.close(out);
    }

    fn call(
        &mut self,
        index: u32,
        (id, name): (&str, &str),
        signature: Option<&Signature>,
        out: &mut Sink,
    ) {
        self.close(out);
        let number = self.calls;
        self.calls += 1;
        let id = reply::call_id(id, number, &self.context);
        let mut call = json!({
            "id": id, "type": "function", "function": {"name": name, "arguments": ""},
        });
        if let Some(signature) = signature {
            call[SIGNATURE] = signature::written(signature, ID).into();
        }
        let delta = json!({"message": {"tool_calls": call}});
        let event = json!({"type": "tool-call-start", "index": number, "delta": delta});
        put("tool-call-start", &event, out);
        self.open = Some(Open::Call { number, index, bare: true });
    }

    fn more_arguments(&mut self, of: u32, text: &str, out: &mut Sink) {
        match &mut self.open {
            _ if text.is_empty() => {}
            Some(Open::Call { number, index, bare }) if *index == of => {
                *bare = false;
                arguments(*number, text, out);
            }
            // Calls are written one after the other, and no provider mingles them.
            _ => out.losses.dropped("message.tool_calls", "arguments"),
        }
    }

    fn cite(&mut self, cited: &Citation, out: &mut Sink) {
        let number = self.citations;
        self.citations += 1;
        let citation = citation::write(cited, &self.said);
        let delta = json!({"message": {"citations": citation}});
        let event = json!({"type": "citation-start", "index": number, "delta": delta});
        put("citation-start", &event, out);
        put("citation-end", &json!({"type": "citation-end", "index": number}), out);
    }

    fn finish(&mut self, out: &mut Sink) {
        self.close(out);
        if !self.finished {
            self.finished = true;
            let word = self.end.unwrap_or(finish::word(FinishReason::Stop, false));
            let usage = usage::encode(&self.usage).unwrap_or_else(|| json!({}));
            let delta = json!({"finish_reason": word, "usage": usage});
            put("message-end", &json!({"type": "message-end", "delta": delta}), out);
        }
    }

    fn fault(&mut self, fault: &Fault, out: &mut Sink) {
        self.close(out);
        let usage = usage::encode(&self.usage).unwrap_or_else(|| json!({}));
        let delta =
            json!({"finish_reason": finish::ERROR, "usage": usage, "error": fault::text(fault)});
        put("message-end", &json!({"type": "message-end", "delta": delta}), out);
    }

    /// Pieces of the answer, in order.
    fn piece(&mut self, event: Event, out: &mut Sink) {
        match event {
            Event::Text { text, .. } | Event::Refusal { text, .. } => {
                self.said.push_str(&text);
                self.content(false, "text", &text, out);
            }
            Event::Reasoning { text, .. } => self.content(true, "thinking", &text, out),
            Event::ReasoningSignature { signature, .. } => self.sign(&signature, out),
            Event::RedactedReasoning { .. } => out.losses.dropped("message", "reasoning"),
            Event::ToolCallStart { index, id, name, signature, .. } => {
                self.call(index, (&id, &name), signature.as_ref(), out);
            }
            Event::ToolCallDelta { index, arguments, .. } => {
                self.more_arguments(index, &arguments, out);
            }
            Event::Citation { citation, .. } => self.cite(&citation, out),
            Event::Logprobs { tokens, .. } => {
                let number = self.block(false, out);
                for token in &tokens {
                    let delta = json!({"message": {"content": {"text": ""}}});
                    let run = logprobs::write(token);
                    let event = json!({
                        "type": "content-delta", "index": number, "delta": delta, "logprobs": run,
                    });
                    put("content-delta", &event, out);
                }
            }
            Event::Media { .. } => out.losses.dropped("message", "media"),
            Event::Native { dialect, .. } => out.losses.dropped("message", dialect.as_str()),
            Event::Finish { reason, stop_sequence, .. } => {
                self.end = Some(finish::word(reason, stop_sequence.is_some()));
            }
            Event::Start { .. } | Event::Usage(_) | Event::Fault(_) | Event::End => {}
        }
    }
}

fn arguments(number: u32, text: &str, out: &mut Sink) {
    let delta = json!({"message": {"tool_calls": {"function": {"arguments": text}}}});
    let event = json!({"type": "tool-call-delta", "index": number, "delta": delta});
    put("tool-call-delta", &event, out);
}

fn put(name: &str, event: &Value, out: &mut Sink) {
    out.put(format!("event: {name}\ndata: {event}\n\n").as_bytes());
}
