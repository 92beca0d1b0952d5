//! A stream as Bedrock's callers read it, written.

use serde_json::{Value, json};
use tollgate_model::{Event, Fault, FinishReason, Losses, Media, MediaSource, Signature, Usage};

use super::write::Writer;
use crate::dialects::bedrock_converse::{ID, citation, fault, media, reply, stop, thought, usage};
use crate::framing::aws_eventstream;
use crate::json_progress::Progress;
use crate::{ReplyContext, Snapshot, StreamEncoder, signature};

const TEXT: (&str, &str) = (r#"{"text":"#, "}");
const THOUGHT: (&str, &str) = (r#"{"reasoningContent":{"text":"#, "}}");
const SIGNATURE: (&str, &str) = (r#"{"reasoningContent":{"signature":"#, "}}");
const HIDDEN: (&str, &str) = (r#"{"reasoningContent":{"redactedContent":"#, "}}");
const INPUT: (&str, &str) = (r#"{"toolUse":{"input":"#, "}}");

/// What calls may hold back that came while another was open, in bytes.
const MOST_LATER: usize = 8 << 20;

#[derive(Debug)]
pub(in super::super) struct Encoder {
    context: ReplyContext,
    writer: Writer,
    /// `messageStart` was written.
    started: bool,
    /// The block that is open, and its index.
    open: Option<(u32, Open)>,
    next: u32,
    calls: u32,
    /// Calls that began while another was open: blocks come one after the other.
    later: Vec<Later>,
    usage: Usage,
    finish: Option<(FinishReason, Option<String>, Option<String>)>,
    /// `messageStop` was written.
    finished: bool,
    /// The last frame was written.
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
    Thought,
    Call {
        index: u32,
        progress: Progress,
    },
}

#[derive(Debug)]
struct Later {
    index: u32,
    id: String,
    name: String,
    signature: Option<Signature>,
    arguments: String,
}

impl Encoder {
    pub(in super::super) fn new(context: ReplyContext, resume: Option<Snapshot>) -> Self {
        let from = resume.unwrap_or_default();
        Self {
            context,
            writer: Writer::default(),
            started: from.started,
            open: from.open_block.map(|index| (index, Open::Foreign)),
            next: from.next_block,
            calls: 0,
            later: Vec::new(),
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
            Event::Start { .. } => self.start(out),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Text { text, .. } | Event::Refusal { text, .. } => self.text(&text, out),
            Event::Reasoning { text, .. } => {
                if !text.is_empty() {
                    let index = self.thought(out);
                    self.writer.piece(index, THOUGHT, &text, out);
                }
            }
            Event::ReasoningSignature { signature, .. } => {
                let index = self.thought(out);
                let signature = signature::written(&signature, ID);
                self.writer.piece(index, SIGNATURE, &signature, out);
                self.close(out);
            }
            Event::RedactedReasoning { data, .. } => {
                self.settle(out);
                self.hidden(&thought::hidden(&data), out);
            }
            Event::ToolCallStart { index, id, name, signature, .. } => {
                let arguments = String::new();
                self.call(Later { index, id, name, signature, arguments }, out);
            }
            Event::ToolCallDelta { index, arguments, .. } => self.more(index, &arguments, out),
            Event::Citation { citation, .. } => {
                match (citation::written(&citation), &mut self.open) {
                    (Some(json), Some((index, Open::Text { cited }))) => {
                        *cited = true;
                        let payload =
                            json!({"contentBlockIndex": *index, "delta": {"citation": json}});
                        self.writer.event("contentBlockDelta", &payload, out);
                    }
                    _ => self.losses.dropped("", "citations"),
                }
            }
            Event::Media { media, .. } => self.media(&media, out),
            Event::Native { dialect: ID, json, .. } => self.native(&json, out),
            Event::Native { .. } => self.losses.dropped("", "native"),
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
        if !self.started {
            self.started = true;
            self.writer.event("messageStart", &json!({"role": "assistant"}), out);
        }
    }

    /// Takes the next index. Whatever was open is closed before; only some blocks have an opening.
    fn open(&mut self, start: Option<Value>, kind: Open, out: &mut Vec<u8>) -> u32 {
        self.start(out);
        self.close(out);
        let index = self.next;
        self.next = self.next.saturating_add(1);
        if let Some(start) = start {
            let payload = json!({"contentBlockIndex": index, "start": start});
            self.writer.event("contentBlockStart", &payload, out);
        }
        self.open = Some((index, kind));
        index
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if let Some((index, _)) = self.open.take() {
            self.writer.event("contentBlockStop", &json!({"contentBlockIndex": index}), out);
        }
    }

    /// Closes what is open and writes the calls that waited for it.
    fn settle(&mut self, out: &mut Vec<u8>) {
        self.close(out);
        for call in std::mem::take(&mut self.later) {
            self.open_call(&call, out);
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
                self.open(None, Open::Text { cited: false }, out)
            }
        };
        self.writer.piece(index, TEXT, text, out);
    }

    /// The index of the block of thinking, which is opened if need be.
    fn thought(&mut self, out: &mut Vec<u8>) -> u32 {
        if let Some((index, Open::Thought)) = &self.open {
            return *index;
        }
        self.settle(out);
        self.open(None, Open::Thought, out)
    }

    fn hidden(&mut self, data: &str, out: &mut Vec<u8>) {
        let index = self.open(None, Open::Thought, out);
        self.writer.piece(index, HIDDEN, data, out);
        self.close(out);
    }

    fn call(&mut self, call: Later, out: &mut Vec<u8>) {
        let busy = match &self.open {
            Some((_, Open::Call { progress, .. })) => !progress.is_whole(),
            _ => false,
        };
        if !busy {
            self.settle(out);
            self.open_call(&call, out);
        } else if self.later.len() < MOST_LATER / 1024 {
            self.later.push(call);
        } else {
            self.too_much(out);
        }
    }

    fn open_call(&mut self, call: &Later, out: &mut Vec<u8>) {
        if let Some(signature) = &call.signature {
            self.hidden(&thought::sealed(signature), out);
        }
        let id = reply::id_of_call(&call.id, &self.context, self.calls);
        self.calls += 1;
        let start = json!({"toolUse": {"toolUseId": id, "name": call.name}});
        let kind = Open::Call { index: call.index, progress: Progress::default() };
        self.open(Some(start), kind, out);
        self.more(call.index, &call.arguments, out);
    }

    /// A piece of some call's arguments.
    fn more(&mut self, index: u32, piece: &str, out: &mut Vec<u8>) {
        if piece.is_empty() {
            return;
        }
        if let Some((at, Open::Call { index: of, progress })) = &mut self.open
            && *of == index
        {
            // `null` is how some models say that there are no arguments.
            if !progress.has_begun() && piece.trim() == "null" {
                return;
            }
            progress.feed(piece);
            self.writer.piece(*at, INPUT, piece, out);
            return;
        }
        let held: usize = self.later.iter().map(|call| call.arguments.len()).sum();
        match self.later.iter_mut().rev().find(|call| call.index == index) {
            Some(call) if held + piece.len() <= MOST_LATER => call.arguments.push_str(piece),
            Some(_) => self.too_much(out),
            None if piece.trim().is_empty() => {}
            None => {
                let said = "The provider went on with a tool call that it had ended.";
                self.fail(&Fault::bad_upstream(said), out);
            }
        }
    }

    fn too_much(&mut self, out: &mut Vec<u8>) {
        let said = "The provider mixed more tool calls than can be held apart.";
        self.fail(&Fault::bad_upstream(said), out);
    }

    /// Media in base64: the opening names the format, a piece holds the data.
    fn media(&mut self, media: &Media, out: &mut Vec<u8>) {
        let written = media::written(media, false);
        let (Some(inner), MediaSource::Base64 { .. }) = (written, &media.source) else {
            self.losses.dropped("", "media");
            return;
        };
        let block = media::block_of(media.kind);
        self.settle(out);
        let start = json!({block: {"format": inner["format"]}});
        let index = self.open(Some(start), Open::Foreign, out);
        let delta = json!({block: {"source": inner["source"]}});
        let payload = json!({"contentBlockIndex": index, "delta": delta});
        self.writer.event("contentBlockDelta", &payload, out);
        self.close(out);
    }

    /// A tool that Amazon ran, or its result: opened, told in one piece, closed.
    fn native(&mut self, json: &Value, out: &mut Vec<u8>) {
        let of = |name: &str| json.get(name).and_then(Value::as_object).cloned();
        let (name, inner, delta) = if let Some(mut call) = of("toolUse") {
            let input = call.remove("input").unwrap_or_else(|| json!({}));
            ("toolUse", call, json!({"toolUse": {"input": input.to_string()}}))
        } else if let Some(mut result) = of("toolResult") {
            let content = result.remove("content").unwrap_or_else(|| json!([]));
            ("toolResult", result, json!({"toolResult": content}))
        } else {
            self.losses.dropped("", "native");
            return;
        };
        self.settle(out);
        let index = self.open(Some(json!({name: inner})), Open::Foreign, out);
        let payload = json!({"contentBlockIndex": index, "delta": delta});
        self.writer.event("contentBlockDelta", &payload, out);
        self.close(out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start(out);
        self.settle(out);
        if self.ended {
            return;
        }
        if !self.finished {
            let (reason, word, stop_sequence) =
                self.finish.take().unwrap_or((FinishReason::Stop, None, None));
            let cut_by_word = stop_sequence.is_some();
            let word = stop::word(reason, word.as_deref(), cut_by_word, self.calls > 0);
            let mut payload = json!({"stopReason": word});
            if let Some(stop_sequence) = stop_sequence {
                payload["additionalModelResponseFields"] = json!({"stop_sequence": stop_sequence});
            }
            self.writer.event("messageStop", &payload, out);
        }
        let mut payload = json!({
            "usage": usage::written(&self.usage),
            "metrics": {"latencyMs": self.context.latency_ms},
        });
        if let Some(tier) = &self.usage.service_tier {
            payload["serviceTier"] = json!({"type": tier});
        }
        self.writer.event("metadata", &payload, out);
        self.ended = true;
    }

    fn fail(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        self.close(out);
        let (name, payload) = fault::exception(fault);
        aws_eventstream::write_exception(name, &payload, out);
        self.ended = true;
    }
}
