//! Writes events as the frames of a stream, as server-sent events or as one JSON array.
//!
//! Text leaves as it comes. Calls are held until their arguments are whole, since `args` is an
//! object; the end is held until the stream ends, since figures may come after it.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::{Map, Value, json};
use tollgate_model::{Event, Fault, Usage};

use super::super::answer::{self, Call, Native};
use super::super::{fault, finish, function, usage};
use crate::stream::{EncodeStream, Sink};
use crate::{ReplyContext, Snapshot};

/// More alternatives than any provider gives.
const MOST_CHOICES: usize = 256;

#[derive(Debug)]
pub(in super::super) struct Encoder {
    context: ReplyContext,
    /// A frame was sent.
    begun: bool,
    choices: Vec<Open>,
    usage: Usage,
    /// What every frame ends with: model and id.
    tail: String,
}

/// One alternative while it is written.
#[derive(Debug, Default)]
struct Open {
    calls: VecDeque<(u32, Call)>,
    /// Fields of the candidate that go with its next frame.
    fields: Map<String, Value>,
    /// Something of it was written.
    begun: bool,
    end: Option<End>,
    /// Its end was sent.
    finished: bool,
}

#[derive(Debug)]
struct End {
    word: String,
    /// The prompt was not answered at all.
    blocked: Option<String>,
}

impl EncodeStream for Encoder {
    fn open(mut context: ReplyContext, from: Snapshot) -> Self {
        context.id = from.id.unwrap_or(context.id);
        context.model = from.model.unwrap_or(context.model);
        let count = usize::try_from(from.next_block).unwrap_or(MOST_CHOICES);
        let choice = |at: usize| Open {
            begun: true,
            finished: from.finished.iter().any(|done| *done as usize == at),
            ..Open::default()
        };
        let choices = (0..count.min(MOST_CHOICES)).map(choice).collect();
        let (begun, usage, tail) = (from.started, from.usage, String::new());
        let mut encoder = Self { context, begun, choices, usage, tail };
        encoder.set_tail();
        encoder
    }

    fn write(&mut self, event: Event, out: &mut Sink) {
        match event {
            Event::Start { id, model, .. } => {
                self.context.id = id.unwrap_or(std::mem::take(&mut self.context.id));
                self.context.model = model.unwrap_or(std::mem::take(&mut self.context.model));
                self.set_tail();
            }
            Event::Text { choice, text } => self.piece(choice, &Said { text: &text }, out),
            Event::Refusal { choice, text } => {
                out.losses.approximated(&format!("candidates[{choice}]"), "refusal");
                self.piece(choice, &Said { text: &text }, out);
            }
            Event::Reasoning { choice, text } => {
                self.piece(choice, &answer::thought(&text, None), out);
            }
            Event::ReasoningSignature { choice, signature } => {
                self.piece(choice, &answer::signature_alone(&signature), out);
            }
            Event::RedactedReasoning { choice, data } => {
                self.piece(choice, &answer::redacted(&data), out);
            }
            Event::ToolCallStart { choice, index, id, name, signature } => {
                self.flush(choice, false, out);
                let call = Call { id, name, arguments: String::new(), signature };
                self.choice(choice).1.calls.push_back((index, call));
            }
            Event::ToolCallDelta { choice, index, arguments } => {
                let calls = &mut self.choice(choice).1.calls;
                if let Some((_, call)) = calls.iter_mut().rev().find(|(of, _)| *of == index) {
                    call.arguments.push_str(&arguments);
                }
            }
            Event::Citation { choice, citation } => {
                answer::add_citation(&mut self.choice(choice).1.fields, &citation);
            }
            Event::Logprobs { choice, tokens } => {
                answer::add_logprobs(&mut self.choice(choice).1.fields, &tokens);
            }
            Event::Media { choice, media } => {
                let path = format!("candidates[{choice}]");
                if let Some(part) = answer::media(&media, &path, &mut out.losses) {
                    self.piece(choice, &part, out);
                }
            }
            Event::Native { .. } => self.native(&event, out),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Finish { choice, reason, word, stop_sequence } => {
                if stop_sequence.is_some() {
                    out.losses.dropped(&format!("candidates[{choice}]"), "stop_sequence");
                }
                let word = word.as_deref();
                let blocked = word.and_then(|word| word.strip_prefix(finish::BLOCKED));
                let blocked = blocked.map(str::to_owned);
                let end = End { word: finish::written(reason, word), blocked };
                self.choice(choice).1.end = Some(end);
            }
            Event::Fault(fault) => self.fault(&fault, out),
            Event::End => self.end(out),
        }
    }
}

impl Encoder {
    fn set_tail(&mut self) {
        let (model, id) = (&self.context.model, &self.context.id);
        let tail = json!({"modelVersion": model, "responseId": id}).to_string();
        self.tail = tail.replacen('{', ",", 1);
    }

    fn choice(&mut self, choice: u32) -> (usize, &mut Open) {
        let at = (choice as usize).min(MOST_CHOICES - 1);
        if self.choices.len() <= at {
            self.choices.resize_with(at + 1, Open::default);
        }
        (at, &mut self.choices[at])
    }

    /// Opens a frame.
    fn open(&mut self, out: &mut Sink) {
        out.put(match (self.context.json_array, self.begun) {
            (false, _) => b"data: ",
            (true, false) => b"[",
            (true, true) => b",\r\n",
        });
        self.begun = true;
    }

    /// Closes a frame.
    fn shut(&self, out: &mut Sink) {
        if !self.context.json_array {
            out.put(b"\r\n\r\n");
        }
    }

    /// A frame with one part of one choice.
    fn part(&mut self, choice: u32, part: &impl Serialize, out: &mut Sink) {
        self.open(out);
        let (at, open) = self.choice(choice);
        open.begun = true;
        let fields = std::mem::take(&mut open.fields);
        out.put(b"{\"candidates\":[{\"content\":{\"parts\":[");
        append(part, out);
        out.put(b"],\"role\":\"model\"},\"index\":");
        append(&at, out);
        for (field, value) in fields {
            out.bytes.push(b',');
            append(&field, out);
            out.bytes.push(b':');
            append(&value, out);
        }
        out.put(b"}]");
        out.put(self.tail.as_bytes());
        self.shut(out);
    }

    /// A part that goes behind the calls before it, as far as they are whole.
    fn piece(&mut self, choice: u32, part: &impl Serialize, out: &mut Sink) {
        self.flush(choice, false, out);
        self.part(choice, part, out);
    }

    /// Writes the held calls of a choice from the first on, as far as their arguments are whole;
    /// all of them, when nothing more can come.
    fn flush(&mut self, choice: u32, all: bool, out: &mut Sink) {
        loop {
            let (at, open) = self.choice(choice);
            let whole = |(_, call): &(u32, Call)| {
                !call.arguments.trim().is_empty() && !function::args(&call.arguments).1
            };
            if !open.calls.front().is_some_and(|call| all || whole(call)) {
                return;
            }
            let Some((_, call)) = open.calls.pop_front() else { return };
            let path = format!("candidates[{at}]");
            let part = answer::call(&call, &path, &mut out.losses);
            self.part(choice, &part, out);
        }
    }

    fn end(&mut self, out: &mut Sink) {
        for choice in 0..self.choices.len() {
            self.flush(u32::try_from(choice).unwrap_or(u32::MAX), true, out);
        }
        let mut last = Map::new();
        let mut candidates = Vec::new();
        for (at, open) in self.choices.iter_mut().enumerate().filter(|(_, open)| !open.finished) {
            let end = open.end.take().unwrap_or(End { word: "OTHER".into(), blocked: None });
            if let Some(word) = end.blocked.filter(|_| !open.begun) {
                last.insert("promptFeedback".into(), json!({"blockReason": word}));
                continue;
            }
            let mut candidate = std::mem::take(&mut open.fields);
            // An empty part, as Google's own last frame has: SDKs keep no answer without parts.
            let content = json!({"parts": [answer::text("")], "role": "model"});
            candidate.insert("content".into(), content);
            candidate.insert("finishReason".into(), end.word.into());
            candidate.insert("index".into(), at.into());
            candidates.push(Value::Object(candidate));
        }
        if !candidates.is_empty() {
            last.insert("candidates".into(), candidates.into());
        }
        if let Some(usage) = usage::written(&self.usage) {
            last.insert("usageMetadata".into(), usage);
        }
        if !last.is_empty() {
            self.open(out);
            append(&last, out);
            out.bytes.pop();
            out.put(self.tail.as_bytes());
            self.shut(out);
        }
        self.close(out);
    }

    fn fault(&mut self, fault: &Fault, out: &mut Sink) {
        let id = Some(self.context.id.as_str());
        let error = json!({"error": fault::object(fault, id)});
        self.open(out);
        append(&error, out);
        self.shut(out);
        self.close(out);
    }

    fn close(&mut self, out: &mut Sink) {
        if self.context.json_array {
            out.put(if self.begun { b"]" } else { b"[]" });
        }
    }

    fn native(&mut self, event: &Event, out: &mut Sink) {
        let Event::Native { choice, dialect, json } = event else { return };
        let path = format!("candidates[{choice}]");
        match answer::native(*dialect, json, &path, &mut out.losses) {
            Native::Part(part) => self.piece(*choice, &part, out),
            Native::Candidate(fields) => self.choice(*choice).1.fields.extend(fields),
            Native::Nothing => {}
        }
    }
}

/// The part that most frames are made of.
#[derive(Serialize)]
struct Said<'a> {
    text: &'a str,
}

/// Appends a value that cannot fail to be JSON.
fn append(value: &impl Serialize, out: &mut Sink) {
    let written = serde_json::to_writer(&mut out.bytes, value);
    debug_assert!(written.is_ok(), "plain values are JSON");
}
