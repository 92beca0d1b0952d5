//! Reading a stream of chunks.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::{Map, Value};
use tollgate_model::{Event, Fault, Usage};

use super::plain;
use crate::{
    Frame, Quirks, Snapshot, StreamDecoder,
    dialects::openai_chat::{
        fault,
        pieces::{ChoiceReader, read_logprobs},
        reply,
        skimmed::{Skimmed, SkimmedChoice},
    },
};

/// More alternatives than any host gives; a bound for hostile upstreams.
const MOST_CHOICES: u32 = 256;

#[derive(Debug)]
pub(in super::super) struct Decoder {
    quirks: &'static Quirks,
    /// Boxed, since a tree has room for several where nearly every stream has one.
    choices: BTreeMap<u32, Box<ChoiceReader>>,
    started: bool,
    /// `End` or `Fault` was given.
    over: bool,
    /// Frames went by without being read: only what metering needs is told.
    skimming: bool,
    usage: Usage,
    id: Option<String>,
    model: Option<String>,
    created: Option<u64>,
    /// Sources that the chunks name beside the choices, as last seen.
    sources: Map<String, Value>,
}

/// What betrays a frame that is more than a piece of content: one for all streams.
static PROBES: LazyLock<Probes> = LazyLock::new(|| Probes {
    finish: Finder::new(b"\"finish_reason\""),
    usage: Finder::new(b"\"usage\""),
    error: Finder::new(b"\"error\""),
    groq: Finder::new(b"\"x_groq\""),
    calls: Finder::new(b"\"tool_calls\""),
    choice: Finder::new(b"\"choices\":[{\"index\":"),
});

#[derive(Debug)]
struct Probes {
    finish: Finder<'static>,
    usage: Finder<'static>,
    error: Finder<'static>,
    groq: Finder<'static>,
    calls: Finder<'static>,
    /// As OpenAI and most hosts begin their only choice.
    choice: Finder<'static>,
}

impl Decoder {
    pub(in super::super) fn new(quirks: &'static Quirks) -> Self {
        Self {
            quirks,
            choices: BTreeMap::new(),
            started: false,
            over: false,
            skimming: false,
            usage: Usage::default(),
            id: None,
            model: None,
            created: None,
            sources: Map::new(),
        }
    }

    fn fail(&mut self, fault: Fault, out: &mut Vec<Event>) {
        self.over = true;
        out.push(Event::Fault(fault));
    }

    /// The host said that the answer is whole.
    fn close(&mut self, out: &mut Vec<Event>) {
        // Some hosts end without a word why.
        self.finish(|_| true, out);
        self.over = true;
        out.push(Event::End);
    }

    /// Finishes the choices that `are_over`.
    fn finish(&mut self, are_over: impl Fn(&ChoiceReader) -> bool, out: &mut Vec<Event>) {
        for (number, choice) in self.choices.iter_mut().filter(|(_, choice)| are_over(choice)) {
            if *number == 0 {
                choice.cite(0, &self.sources, out);
            }
            choice.finish_noted(*number, out);
        }
    }

    fn read_chunk(&mut self, chunk: &Map<String, Value>, out: &mut Vec<Event>) {
        let choices = chunk.get("choices").and_then(Value::as_array);
        self.begin(chunk, out);
        for source in ["citations", "search_results"] {
            if let Some(list) = chunk.get(source).filter(|list| list.is_array()) {
                self.sources.insert(source.to_owned(), list.clone());
            }
        }
        for (at, choice) in choices.into_iter().flatten().enumerate() {
            let number = choice.get("index").and_then(Value::as_u64).unwrap_or(at as u64);
            let number = u32::try_from(number).unwrap_or(MOST_CHOICES).min(MOST_CHOICES);
            self.read_choice(number, choice, out);
        }
        if choices.is_some_and(Vec::is_empty) {
            self.finish(ChoiceReader::ended, out);
        }
        self.note_usage(reply::read_usage(chunk, self.quirks), out);
    }

    fn note_usage(&mut self, usage: Option<Usage>, out: &mut Vec<Event>) {
        if let Some(usage) = usage {
            self.usage.update(usage.clone());
            out.push(Event::Usage(usage));
        }
    }

    fn begin(&mut self, chunk: &Map<String, Value>, out: &mut Vec<Event>) {
        // Azure's first chunk holds nothing but the verdict on the prompt.
        let named = chunk.get("id").and_then(Value::as_str).is_some_and(|id| !id.is_empty());
        let any =
            chunk.get("choices").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        if self.started || !(named || any) {
            return;
        }
        self.start(reply::start(chunk), out);
    }

    fn start(&mut self, start: Event, out: &mut Vec<Event>) {
        self.started = true;
        if let Event::Start { id, model, created } = &start {
            self.id.clone_from(id);
            self.model.clone_from(model);
            self.created = *created;
        }
        out.push(start);
    }

    /// Reads what metering needs of a chunk; `false` for one that must be read whole.
    fn skim_chunk(&mut self, frame: &Frame, out: &mut Vec<Event>) -> bool {
        let skimmed =
            if self.over || !frame.event.is_empty() { None } else { Skimmed::of(&frame.data) };
        let Some(mut skimmed) = skimmed else { return false };
        let choices = skimmed.choices.take();
        if choices.iter().flatten().any(SkimmedChoice::has_calls) {
            return false;
        }
        let any = choices.as_ref().is_some_and(|list| !list.is_empty());
        if !self.started && (any || skimmed.is_named()) {
            self.start(skimmed.start(), out);
        }
        let none_left = choices.as_ref().is_some_and(Vec::is_empty);
        for (at, choice) in choices.into_iter().flatten().enumerate() {
            let number = choice.index.or(u32::try_from(at).ok()).unwrap_or(MOST_CHOICES);
            let reader = self.choices.entry(number.min(MOST_CHOICES)).or_default();
            if let Some(word) = choice.finish_reason {
                reader.note_end(word);
            }
        }
        if none_left {
            self.finish(ChoiceReader::ended, out);
        }
        self.note_usage(skimmed.usage(self.quirks), out);
        true
    }

    fn read_choice(&mut self, number: u32, choice: &Value, out: &mut Vec<Event>) {
        let reader = self.choices.entry(number).or_default();
        if let Some(delta) = choice.get("delta").and_then(Value::as_object) {
            reader.read(number, delta, out);
        } else if let Some(message) = choice.get("message").and_then(Value::as_object) {
            reader.read(number, message, out);
        } else if let Some(text) = choice.get("text").and_then(Value::as_str)
            && !text.is_empty()
        {
            out.push(Event::Text { choice: number, text: text.to_owned() });
        }
        if let Some(logprobs) = choice.get("logprobs") {
            read_logprobs(number, logprobs, out);
        }
        if let Some(word) = choice.get("finish_reason").and_then(Value::as_str) {
            reader.note_end(word.to_owned());
        }
    }

    /// A frame that only adds content to a choice that is known: nothing that metering needs.
    fn is_content(&mut self, data: &[u8]) -> bool {
        if !self.started
            || holds(&PROBES.finish, data)
            || holds(&PROBES.usage, data)
            || holds(&PROBES.error, data)
            || PROBES.groq.find(data).is_some()
        {
            return false;
        }
        let Some(number) = choice_index(&PROBES.choice, data) else { return false };
        match self.choices.get_mut(&number) {
            Some(choice) => {
                if !choice.called() && holds(&PROBES.calls, data) {
                    choice.note_call();
                }
                true
            }
            None => false,
        }
    }
}

/// Of the events since `from`, leaves those that metering needs.
fn keep_metered(from: usize, out: &mut Vec<Event>) {
    let mut at = 0;
    out.retain(|event| {
        at += 1;
        at <= from || event.is_metered()
    });
}

/// The field is there and is not `null`.
fn holds(field: &Finder<'_>, data: &[u8]) -> bool {
    field.find_iter(data).any(|at| {
        let after = data.get(at + field.needle().len()..).unwrap_or_default();
        let after = after.trim_ascii_start();
        let value = after.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
        value.is_some_and(|value| !value.starts_with(b"null"))
    })
}

/// The index of the only choice in a frame.
fn choice_index(usual: &Finder<'_>, data: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Chunk {
        choices: Vec<Choice>,
    }
    #[derive(Deserialize)]
    struct Choice {
        #[serde(default)]
        index: u32,
    }
    if let Some(at) = usual.find(data) {
        let after = data.get(at + usual.needle().len()..).unwrap_or_default();
        if let [digit @ b'0'..=b'9', b',' | b'}', ..] = after {
            return Some(u32::from(digit - b'0'));
        }
    }
    let chunk: Chunk = serde_json::from_slice(data).ok()?;
    match chunk.choices.as_slice() {
        [one] => Some(one.index),
        _ => None,
    }
}

impl StreamDecoder for Decoder {
    fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) {
        let data = frame.data.trim_ascii();
        if self.over || data.is_empty() {
            return;
        }
        if data == b"[DONE]" {
            if self.choices.is_empty() {
                let fault = Fault::bad_upstream("The provider's stream ended without an answer.");
                return self.fail(fault, out);
            }
            return self.close(out);
        }
        if self.started
            && frame.event.is_empty()
            && let Some(plain) = plain::read(data)
            && let Some(choice) = self.choices.get_mut(&plain.choice)
        {
            return choice.read_plain(plain.choice, plain.reasoning, plain.content, out);
        }
        let Ok(Value::Object(chunk)) = serde_json::from_slice(data) else {
            let fault =
                Fault::bad_upstream("The provider's stream holds a frame that is not JSON.");
            return self.fail(fault, out);
        };
        if let Some(fault) = fault::inside(&chunk) {
            return self.fail(fault, out);
        }
        if frame.event.as_ref() == b"error" {
            let fault = Fault::bad_upstream("The provider's stream ended with an error.");
            return self.fail(fault, out);
        }
        self.read_chunk(&chunk, out);
    }

    fn skim(&mut self, frame: &Frame, out: &mut Vec<Event>) {
        self.skimming = true;
        if !self.over && frame.event.is_empty() && self.is_content(&frame.data) {
            return;
        }
        let from = out.len();
        if !self.skim_chunk(frame, out) {
            self.read(frame, out);
        }
        keep_metered(from, out);
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        // Some hosts leave out `[DONE]`.
        if !self.choices.is_empty() && self.choices.values().all(|choice| choice.ended()) {
            let from = out.len();
            self.close(out);
            if self.skimming {
                keep_metered(from, out);
            }
        } else {
            let fault = Fault::bad_upstream("The provider's stream broke off.");
            self.fail(fault, out);
        }
    }

    fn snapshot(&self) -> Snapshot {
        let finished = self.choices.iter().filter(|(_, choice)| choice.ended());
        Snapshot {
            id: self.id.clone(),
            model: self.model.clone(),
            created: self.created,
            started: self.started,
            open_block: None,
            next_block: self.choices.keys().last().map_or(0, |last| last + 1),
            finished: finished.map(|(number, _)| *number).collect(),
            usage: self.usage.clone(),
            ..Snapshot::default()
        }
    }
}
