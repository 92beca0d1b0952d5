//! Writing a stream of events.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tollgate_model::{Event, FinishReason, Media, Signature, Usage};

use super::open::{Open, OpenCall, OpenPart};
use crate::dialects::openai_chat::{fault, reply::call_id};
use crate::dialects::openai_responses::{
    ID,
    answer::{self, Answer, fields},
    reply, seal,
};
use crate::stream::{EncodeStream, Head, OpenItem, Sink};
use crate::{ReplyContext, Snapshot, sealed};

#[derive(Debug)]
pub(in super::super) struct Encoder {
    context: ReplyContext,
    head: Head,
    /// The opening events were sent.
    opened: bool,
    sequence: u64,
    /// The index of the next item.
    next: u32,
    /// Items that are whole.
    output: BTreeMap<u32, Value>,
    open: Option<Open>,
    calls: Vec<OpenCall>,
    called: bool,
    /// Of what is no text; they wait for one.
    logprobs: Vec<Value>,
    /// Items that were opened before this encoder took over; what they hold is not known here.
    inherited: Vec<OpenItem>,
    finish: Option<FinishReason>,
    usage: Usage,
}

impl EncodeStream for Encoder {
    fn open(context: ReplyContext, before: Snapshot) -> Self {
        Self {
            context,
            head: before.head(),
            opened: before.started,
            sequence: before.sequence,
            next: before.next_block,
            output: BTreeMap::new(),
            open: None,
            calls: Vec::new(),
            called: false,
            logprobs: Vec::new(),
            inherited: before.open_items,
            finish: None,
            usage: before.usage,
        }
    }

    fn write(&mut self, event: Event, out: &mut Sink) {
        if let Event::Start { id, model, created } = event {
            self.head.restate(id, model, created);
            return self.begin(out);
        }
        self.begin(out);
        if let Some(choice @ 1..) = event.choice() {
            return out.losses.dropped("", &format!("choices[{choice}]"));
        }
        if !matches!(
            event,
            Event::ToolCallStart { .. }
                | Event::ToolCallDelta { .. }
                | Event::Logprobs { .. }
                | Event::Usage(_)
                | Event::Finish { .. }
                | Event::Fault(_)
                | Event::End
        ) {
            self.close_calls("completed", out);
        }
        match event {
            Event::Text { text, .. } => self.say(false, &text, out),
            Event::Refusal { text, .. } => self.say(true, &text, out),
            Event::Reasoning { text, .. } => self.think(&text, out),
            Event::ReasoningSignature { signature, .. } => {
                self.open_thought(out);
                self.show(out);
                self.close_thought(Some(&signature), out);
            }
            Event::RedactedReasoning { data, .. } => {
                self.close("completed", out);
                let (id, sealed) = seal::written(&data);
                self.hidden(&sealed, id, out);
            }
            Event::ToolCallStart { .. } | Event::ToolCallDelta { .. } => self.call(event, out),
            Event::Citation { citation, .. } => self.cite(&citation, out),
            Event::Logprobs { tokens, .. } => self.note_logprobs(&tokens),
            Event::Media { media, .. } => self.media(&media, out),
            Event::Native { dialect: ID, json, .. } => {
                self.close("completed", out);
                let index = self.take_index();
                self.whole(index, json, out);
            }
            Event::Native { dialect, .. } => out.losses.dropped("output", dialect.as_str()),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Finish { reason, .. } => self.finish = Some(reason),
            Event::Fault(fault) => self.fail(&fault, out),
            Event::End => self.end(out),
            Event::Start { .. } => {}
        }
    }
}

impl Encoder {
    /// Writes one event.
    fn event(&mut self, kind: &str, said: Value, out: &mut Sink) {
        let mut event = Map::new();
        event.insert("type".into(), kind.into());
        event.insert("sequence_number".into(), self.sequence.into());
        event.append(&mut fields(said));
        self.sequence += 1;
        let event = Value::Object(event);
        out.put(format!("event: {kind}\ndata: {event}\n\n").as_bytes());
    }

    fn answer<'a>(&'a self, status: &'a str) -> Answer<'a> {
        Answer {
            id: self.head.id.as_deref(),
            model: self.head.model.as_deref(),
            created: self.head.created,
            status,
            ..Answer::default()
        }
    }

    fn begin(&mut self, out: &mut Sink) {
        if self.opened {
            return;
        }
        self.opened = true;
        let response = self.answer("in_progress").object(&self.context);
        self.event("response.created", json!({"response": response.clone()}), out);
        self.event("response.in_progress", json!({"response": response}), out);
    }

    fn take_index(&mut self) -> u32 {
        let index = self.next;
        self.next = self.next.saturating_add(1);
        index
    }

    fn added(&mut self, index: u32, item: Value, out: &mut Sink) {
        self.event("response.output_item.added", json!({"output_index": index, "item": item}), out);
    }

    fn done(&mut self, index: u32, item: Value, out: &mut Sink) {
        let said = json!({"output_index": index, "item": item});
        self.output.insert(index, item);
        self.event("response.output_item.done", said, out);
    }

    /// An item that comes whole.
    fn whole(&mut self, index: u32, item: Value, out: &mut Sink) {
        self.added(index, item.clone(), out);
        self.done(index, item, out);
    }

    /// A piece of text or of a refusal.
    fn say(&mut self, refusal: bool, piece: &str, out: &mut Sink) {
        self.open_part(refusal, out);
        let Some(Open::Message { index, id, content, part: Some(part) }) = &mut self.open else {
            return;
        };
        part.text.push_str(piece);
        let mut said = json!({
            "item_id": id, "output_index": index, "content_index": content.len(), "delta": piece,
        });
        if refusal {
            self.event("response.refusal.delta", said, out);
        } else {
            said["logprobs"] = json!([]);
            self.event("response.output_text.delta", said, out);
        }
    }

    fn open_part(&mut self, refusal: bool, out: &mut Sink) {
        if !matches!(self.open, Some(Open::Message { .. })) {
            self.close("completed", out);
            let index = self.take_index();
            let id = answer::item_id("msg", &self.context, index);
            self.added(index, answer::message(&id, "in_progress", Vec::new()), out);
            self.open = Some(Open::Message { index, id, content: Vec::new(), part: None });
        }
        if let Some(Open::Message { part: Some(part), .. }) = &self.open
            && part.refusal != refusal
        {
            self.close_part(out);
        }
        let Some(Open::Message { index, id, content, part: part @ None }) = &mut self.open else {
            return;
        };
        let new = part.insert(OpenPart::new(refusal));
        if !refusal {
            new.logprobs = std::mem::take(&mut self.logprobs);
        }
        let new = OpenPart::new(refusal).written();
        let said = json!({
            "item_id": id, "output_index": index, "content_index": content.len(), "part": new,
        });
        self.event("response.content_part.added", said, out);
    }

    fn close_part(&mut self, out: &mut Sink) {
        let Some(Open::Message { index, id, content, part }) = &mut self.open else { return };
        let Some(part) = part.take() else { return };
        let at = content.len();
        let written = part.written();
        content.push(written.clone());
        let place = json!({"item_id": id, "output_index": index, "content_index": at});
        let mut said = place.clone();
        if part.refusal {
            said["refusal"] = part.text.into();
            self.event("response.refusal.done", said, out);
        } else {
            said["text"] = part.text.into();
            said["logprobs"] = part.logprobs.into();
            self.event("response.output_text.done", said, out);
        }
        let mut said = place;
        said["part"] = written;
        self.event("response.content_part.done", said, out);
    }

    fn cite(&mut self, citation: &tollgate_model::Citation, out: &mut Sink) {
        if !matches!(&self.open, Some(Open::Message { part: Some(part), .. }) if !part.refusal) {
            self.open_part(false, out);
        }
        let Some(Open::Message { index, id, content, part: Some(part) }) = &mut self.open else {
            return;
        };
        let annotation = answer::annotation(citation, part.text.chars().count() as u64);
        let said = json!({
            "item_id": id,
            "output_index": index,
            "content_index": content.len(),
            "annotation_index": part.annotations.len(),
            "annotation": annotation,
        });
        part.annotations.push(annotation);
        self.event("response.output_text.annotation.added", said, out);
    }

    fn note_logprobs(&mut self, tokens: &[tollgate_model::TokenLogprob]) {
        match &mut self.open {
            Some(Open::Message { part: Some(part), .. }) if !part.refusal => {
                part.logprobs.extend(answer::logprobs(tokens));
            }
            _ => self.logprobs.extend(answer::logprobs(tokens)),
        }
    }

    fn open_thought(&mut self, out: &mut Sink) {
        if matches!(self.open, Some(Open::Thought { .. })) {
            return;
        }
        self.close("completed", out);
        let index = self.take_index();
        let id = answer::item_id("rs", &self.context, index);
        self.added(index, answer::thought(&id, None, None), out);
        self.open = Some(Open::Thought { index, id, text: String::new(), shown: false });
    }

    /// There is a place for what can be read of the thought.
    fn show(&mut self, out: &mut Sink) {
        let Some(Open::Thought { index, id, shown: shown @ false, .. }) = &mut self.open else {
            return;
        };
        *shown = true;
        let part = answer::summary_part("");
        let said = json!({"item_id": id, "output_index": index, "summary_index": 0, "part": part});
        self.event("response.reasoning_summary_part.added", said, out);
    }

    fn think(&mut self, piece: &str, out: &mut Sink) {
        self.open_thought(out);
        self.show(out);
        let Some(Open::Thought { index, id, text, .. }) = &mut self.open else { return };
        text.push_str(piece);
        let said =
            json!({"item_id": id, "output_index": index, "summary_index": 0, "delta": piece});
        self.event("response.reasoning_summary_text.delta", said, out);
    }

    fn close_thought(&mut self, seal: Option<&Signature>, out: &mut Sink) {
        let Some(Open::Thought { index, id, text, shown }) = self.open.take() else { return };
        if shown {
            let place = json!({"item_id": id, "output_index": index, "summary_index": 0});
            let mut said = place.clone();
            said["text"] = text.as_str().into();
            self.event("response.reasoning_summary_text.done", said, out);
            let mut said = place;
            said["part"] = answer::summary_part(&text);
            self.event("response.reasoning_summary_part.done", said, out);
        }
        let sealed = seal.map(seal::written);
        let own = sealed.as_ref().and_then(|(id, _)| *id).unwrap_or(&id);
        let sealed = sealed.as_ref().map(|(_, sealed)| sealed.as_str());
        let item = answer::thought(own, shown.then_some(&text), sealed);
        self.done(index, item, out);
    }

    /// A thought of which nothing can be read.
    fn hidden(&mut self, sealed: &str, id: Option<&str>, out: &mut Sink) {
        let index = self.take_index();
        let made = answer::item_id("rs", &self.context, index);
        self.whole(index, answer::thought(id.unwrap_or(&made), None, Some(sealed)), out);
    }

    fn call(&mut self, event: Event, out: &mut Sink) {
        match event {
            Event::ToolCallStart { index: number, id, name, signature, .. } => {
                self.called = true;
                self.close_said("completed", out);
                if let Some(signature) = &signature {
                    self.hidden(&sealed::written(signature, ID), None, out);
                }
                let index = self.take_index();
                let call = OpenCall {
                    number,
                    index,
                    id: answer::item_id("fc", &self.context, index),
                    call_id: call_id(&id, &self.context.id, 0, number),
                    name,
                    arguments: String::new(),
                };
                self.added(index, call.written("in_progress"), out);
                self.calls.push(call);
            }
            Event::ToolCallDelta { index: number, arguments, .. } if !arguments.is_empty() => {
                let call = self.calls.iter_mut().rev().find(|call| call.number == number);
                let Some(call) = call else { return };
                call.arguments.push_str(&arguments);
                let said = json!({
                    "item_id": call.id, "output_index": call.index, "delta": arguments,
                });
                self.event("response.function_call_arguments.delta", said, out);
            }
            _ => {}
        }
    }

    fn close_calls(&mut self, status: &str, out: &mut Sink) {
        for mut call in std::mem::take(&mut self.calls) {
            let place = json!({"item_id": call.id, "output_index": call.index});
            if call.arguments.is_empty() {
                // A call without arguments must still parse.
                call.arguments.push_str("{}");
                let mut said = place.clone();
                said["delta"] = "{}".into();
                self.event("response.function_call_arguments.delta", said, out);
            }
            let mut said = place;
            said["name"] = call.name.as_str().into();
            said["arguments"] = call.arguments.as_str().into();
            self.event("response.function_call_arguments.done", said, out);
            self.done(call.index, call.written(status), out);
        }
    }

    /// Closes the message or the thought that is open.
    fn close_said(&mut self, status: &str, out: &mut Sink) {
        self.close_part(out);
        match self.open.take() {
            Some(Open::Message { index, id, content, .. }) => {
                self.done(index, answer::message(&id, status, content), out);
            }
            thought @ Some(Open::Thought { .. }) => {
                self.open = thought;
                self.close_thought(None, out);
            }
            None => {}
        }
    }

    /// Closes all that is open.
    fn close(&mut self, status: &str, out: &mut Sink) {
        self.close_inherited(status, out);
        self.close_said(status, out);
        self.close_calls(status, out);
    }

    /// Items that were passed on as they came end with what is known of them.
    fn close_inherited(&mut self, status: &str, out: &mut Sink) {
        for OpenItem { index, id, kind, part } in std::mem::take(&mut self.inherited) {
            if let Some((at, kind)) = part {
                self.close_inherited_part((index, &id), at, &kind, out);
            }
            let item = match kind.as_str() {
                "message" => answer::message(&id, status, Vec::new()),
                "reasoning" => answer::thought(&id, None, None),
                other => json!({"id": id, "type": other, "status": status}),
            };
            self.done(index, item, out);
        }
    }

    fn close_inherited_part(
        &mut self,
        (index, id): (u32, &str),
        at: u32,
        kind: &str,
        out: &mut Sink,
    ) {
        let counted = if kind == "summary_text" { "summary_index" } else { "content_index" };
        let place = json!({"item_id": id, "output_index": index, counted: at});
        let (text_done, field, part_done, part) = match kind {
            "summary_text" => (
                "response.reasoning_summary_text.done",
                "text",
                "response.reasoning_summary_part.done",
                answer::summary_part(""),
            ),
            "refusal" => (
                "response.refusal.done",
                "refusal",
                "response.content_part.done",
                answer::refusal_part(""),
            ),
            _ => (
                "response.output_text.done",
                "text",
                "response.content_part.done",
                answer::text_part("", &[], &[]),
            ),
        };
        let mut said = place.clone();
        said[field] = "".into();
        self.event(text_done, said, out);
        let mut said = place;
        said["part"] = part;
        self.event(part_done, said, out);
    }

    fn media(&mut self, media: &Media, out: &mut Sink) {
        let id = answer::item_id("ig", &self.context, self.next);
        match reply::image(&id, media) {
            Some(image) => {
                self.close("completed", out);
                let index = self.take_index();
                self.whole(index, image, out);
            }
            None => out.losses.dropped("output", "media"),
        }
    }

    fn end(&mut self, out: &mut Sink) {
        let (status, why) = answer::status_of(self.finish.unwrap_or(FinishReason::Stop));
        if !self.logprobs.is_empty() && !self.called {
            // They have no place but on a text.
            self.open_part(false, out);
        } else if !self.logprobs.is_empty() {
            out.losses.dropped("output", "logprobs");
        }
        self.close(status, out);
        let output = std::mem::take(&mut self.output).into_values().collect();
        let answer = Answer { why, output, usage: Some(&self.usage), ..self.answer(status) };
        let response = answer.object(&self.context);
        let kind = format!("response.{status}");
        self.event(&kind, json!({"response": response}), out);
    }

    /// The provider's own words go both into the event that SDKs raise and into the response.
    fn fail(&mut self, fault: &tollgate_model::Fault, out: &mut Sink) {
        let error = fault::object(fault);
        let mut said = json!({
            "code": error["code"], "message": error["message"], "param": error["param"],
        });
        said["error"] = error.clone();
        self.event("error", said, out);
        let error = json!({"code": error["code"], "message": error["message"]});
        let output = std::mem::take(&mut self.output).into_values().collect();
        let answer = Answer { error: Some(error), output, ..self.answer("failed") };
        let response = answer.object(&self.context);
        self.event("response.failed", json!({"response": response}), out);
    }
}
