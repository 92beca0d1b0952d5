//! A stream as Anthropic's callers read it, written.

use serde_json::{Value, json};
use tollgate_model::{Event, Fault, FinishReason, Losses, PartKind, Signature, Usage};

use super::call::{Queue, Waiting};
use super::write;
use crate::dialects::anthropic_messages::request::sealed_block;
use crate::dialects::anthropic_messages::{ID, citation, fault, reply, stop, usage};
use crate::json_progress::Progress;
use crate::{ReplyContext, Snapshot, StreamEncoder, signature};

#[derive(Debug)]
pub(in super::super) struct Encoder {
    context: ReplyContext,
    id: Option<String>,
    model: Option<String>,
    /// `message_start` was written.
    started: bool,
    /// The block that is open, and its index.
    open: Option<(u32, Open)>,
    next: u32,
    waiting: Queue,
    calls: u32,
    usage: Usage,
    finish: Option<(FinishReason, Option<String>, Option<String>)>,
    /// `message_delta` was written, with the reason for the end.
    finished: bool,
    /// `message_stop` or an error was written.
    ended: bool,
    losses: Losses,
}

#[derive(Debug)]
enum Open {
    /// Opened by the provider, in a stream that was passed on as it came.
    Foreign,
    /// `cited`: the next text is not what the citation supports.
    Text {
        cited: bool,
    },
    Thinking,
    Call {
        index: u32,
        progress: Progress,
        begun: bool,
    },
}

impl Encoder {
    pub(in super::super) fn new(context: ReplyContext, resume: Option<Snapshot>) -> Self {
        let from = resume.unwrap_or_default();
        Self {
            context,
            id: from.id,
            model: from.model,
            started: from.started,
            open: from.open_block.map(|index| (index, Open::Foreign)),
            next: from.next_block,
            waiting: Queue::default(),
            calls: 0,
            usage: from.usage,
            finish: None,
            finished: from.finished.contains(&0),
            ended: false,
            losses: Losses::default(),
        }
    }
}

impl StreamEncoder for Encoder {
    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        if event.choice().is_some_and(|choice| choice != 0) {
            self.losses.dropped("", "choices");
            return;
        }
        match event {
            Event::Start { id, model, .. } => {
                self.id = self.id.take().or(id);
                self.model = self.model.take().or(model);
            }
            Event::Usage(usage) => self.usage.update(usage),
            Event::Text { text, .. } | Event::Refusal { text, .. } => self.text(&text, out),
            Event::Reasoning { text, .. } => {
                if !text.is_empty() {
                    let index = self.thinking(out);
                    write::piece(index, "thinking_delta", "thinking", &text, out);
                }
            }
            // Gemini signs its last text too. A block of thinking behind the answer would be taken
            // for the answer, and Gemini can do without it.
            Event::ReasoningSignature { signature, .. }
                if signature.origin != ID && matches!(self.open, Some((_, Open::Text { .. }))) =>
            {
                self.losses.dropped("", "signature");
            }
            Event::ReasoningSignature { signature, .. } => {
                let index = self.thinking(out);
                let signature = signature::written(&signature, ID);
                write::piece(index, "signature_delta", "signature", &signature, out);
                self.close(out);
            }
            Event::RedactedReasoning { data, .. } => {
                self.whole(&PartKind::RedactedReasoning(data), out);
            }
            Event::Native { dialect, json, .. } => {
                self.whole(&PartKind::Native { dialect, json }, out);
            }
            Event::Media { media, .. } => self.whole(&PartKind::Media(media), out),
            Event::ToolCallStart { index, id, name, signature, .. } => {
                let arguments = String::new();
                self.call(Waiting { index, id, name, signature, arguments }, out);
            }
            Event::ToolCallDelta { index, arguments, .. } => self.more(index, &arguments, out),
            Event::Citation { citation, .. } => {
                match (citation::written(&citation), &mut self.open) {
                    (Some(json), Some((index, Open::Text { cited }))) => {
                        *cited = true;
                        let delta = json!({"type": "citations_delta", "citation": json});
                        block_event("content_block_delta", *index, "delta", &delta, out);
                    }
                    _ => self.losses.dropped("", "citations"),
                }
            }
            Event::Logprobs { .. } => self.losses.dropped("", "logprobs"),
            Event::Finish { reason, word, stop_sequence, .. } => {
                self.settle(out);
                self.finish = Some((reason, word, stop_sequence));
            }
            Event::End => self.end(out),
            Event::Fault(fault) => self.fail(&fault, out),
        }
    }

    fn losses(&self) -> &Losses {
        &self.losses
    }
}

impl Encoder {
    fn start(&mut self, out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        self.started = true;
        let message = json!({
            "id": reply::message_id(self.id.as_deref(), &self.context),
            "type": "message",
            "role": "assistant",
            "model": self.model.as_deref().unwrap_or(&self.context.model),
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage::written(&self.usage),
        });
        write::event("message_start", &json!({"type": "message_start", "message": message}), out);
    }

    /// Opens a block. Whatever was open is closed before.
    fn open(&mut self, block: &Value, kind: Open, out: &mut Vec<u8>) -> u32 {
        self.start(out);
        self.close(out);
        let index = self.next;
        self.next = self.next.saturating_add(1);
        block_event("content_block_start", index, "content_block", block, out);
        self.open = Some((index, kind));
        index
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if let Some((index, _)) = self.open.take() {
            write::stop(index, out);
        }
    }

    /// Closes what is open and writes the calls that waited for it.
    fn settle(&mut self, out: &mut Vec<u8>) {
        self.close(out);
        while let Some(call) = self.waiting.next() {
            self.open_call(call, out);
            self.close(out);
        }
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let index = match &self.open {
            Some((index, Open::Text { cited: false })) => *index,
            _ => {
                self.settle(out);
                let block = json!({"type": "text", "text": ""});
                self.open(&block, Open::Text { cited: false }, out)
            }
        };
        write::piece(index, "text_delta", "text", text, out);
    }

    /// The index of the thinking block, which is opened if need be.
    fn thinking(&mut self, out: &mut Vec<u8>) -> u32 {
        if let Some((index, Open::Thinking)) = &self.open {
            return *index;
        }
        self.settle(out);
        let block = json!({"type": "thinking", "thinking": "", "signature": ""});
        self.open(&block, Open::Thinking, out)
    }

    /// A block that comes in one piece.
    fn whole(&mut self, kind: &PartKind, out: &mut Vec<u8>) {
        if let Some(block) = reply::block(kind, &mut self.losses) {
            self.settle(out);
            self.open(&block, Open::Foreign, out);
            self.close(out);
        }
    }

    fn call(&mut self, call: Waiting, out: &mut Vec<u8>) {
        let busy = match &self.open {
            Some((_, Open::Call { progress, .. })) => !progress.is_whole(),
            _ => false,
        };
        if busy || !self.waiting.is_empty() {
            if !self.waiting.push(call) {
                self.too_much(out);
            }
        } else {
            self.open_call(call, out);
        }
    }

    fn open_call(&mut self, call: Waiting, out: &mut Vec<u8>) {
        self.close(out);
        if let Some(signature) = &call.signature {
            self.seal(signature, out);
        }
        let id = reply::id_of_call(&call.id, &self.context, self.calls);
        self.calls += 1;
        let block = json!({"type": "tool_use", "id": id, "name": call.name, "input": {}});
        let kind = Open::Call { index: call.index, progress: Progress::default(), begun: false };
        self.open(&block, kind, out);
        self.arguments(&call.arguments, out);
    }

    fn seal(&mut self, signature: &Signature, out: &mut Vec<u8>) {
        self.open(&sealed_block(signature), Open::Foreign, out);
        self.close(out);
    }

    /// Writes a piece of the arguments of the call that is open.
    fn arguments(&mut self, piece: &str, out: &mut Vec<u8>) {
        let Some((at, Open::Call { progress, begun, .. })) = &mut self.open else { return };
        // `null` is how some models say that there are no arguments.
        if piece.is_empty() || (!*begun && piece.trim() == "null") {
            return;
        }
        *begun = true;
        progress.feed(piece);
        write::piece(*at, "input_json_delta", "partial_json", piece, out);
    }

    /// A piece of some call's arguments.
    fn more(&mut self, index: u32, piece: &str, out: &mut Vec<u8>) {
        let is_open = matches!(&self.open, Some((_, Open::Call { index: of, .. })) if *of == index);
        match self.waiting.grow(index, piece) {
            Some(true) => {}
            Some(false) => self.too_much(out),
            None if is_open => self.arguments(piece, out),
            None if piece.trim().is_empty() => {}
            None => {
                let said = "The provider went on with a tool call that it had ended.";
                self.fail(&Fault::bad_upstream(said), out);
            }
        }
        // The next call need not wait any longer than the one before it takes.
        while let Some((_, Open::Call { progress, .. })) = &self.open
            && progress.is_whole()
            && let Some(call) = self.waiting.next()
        {
            self.open_call(call, out);
        }
    }

    fn too_much(&mut self, out: &mut Vec<u8>) {
        let said = "The provider mixed more tool calls than can be held apart.";
        self.fail(&Fault::bad_upstream(said), out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start(out);
        self.settle(out);
        if !self.finished {
            let (reason, word, stop_sequence) =
                self.finish.take().unwrap_or((FinishReason::Stop, None, None));
            let cut_by_word = stop_sequence.is_some();
            let reason = stop::word(reason, word.as_deref(), cut_by_word, self.calls > 0);
            let data = json!({
                "type": "message_delta",
                "delta": {"stop_reason": reason, "stop_sequence": stop_sequence},
                "usage": usage::written(&self.usage),
            });
            write::event("message_delta", &data, out);
        }
        write::event("message_stop", &json!({"type": "message_stop"}), out);
        self.ended = true;
    }

    fn fail(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        self.close(out);
        write::event("error", &fault::object(fault, fault.status()), out);
        self.ended = true;
    }
}

fn block_event(name: &str, index: u32, field: &str, value: &Value, out: &mut Vec<u8>) {
    write::event(name, &json!({"type": name, "index": index, field: value}), out);
}
