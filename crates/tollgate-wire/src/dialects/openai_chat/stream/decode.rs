//! Reading a stream of chunks.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::{Map, Value};
use tollgate_model::{Event, Fault};

use super::plain;
use crate::dialects::openai_chat::pieces::{ChoiceReader, read_logprobs};
use crate::dialects::openai_chat::skimmed::{Skimmed, SkimmedChoice};
use crate::dialects::openai_chat::{fault, reply};
use crate::stream::{self, DecodeStream};
use crate::{Frame, Quirks, Snapshot};

/// More alternatives than any host gives; a bound for hostile upstreams.
const MOST_CHOICES: u32 = 256;

#[derive(Debug)]
pub(in crate::dialects) struct Decoder {
    quirks: &'static Quirks,
    /// Boxed, since a tree has room for several where nearly every stream has one.
    choices: BTreeMap<u32, Box<ChoiceReader>>,
    /// What of it is known without a look at the choices.
    snapshot: Snapshot,
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
    /// The host said that the answer is whole.
    fn close(&mut self, out: &mut Vec<Event>) {
        // Some hosts end without a word why.
        self.finish(|_| true, out);
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
        self.snapshot.count(reply::read_usage(chunk, self.quirks), out);
    }

    fn begin(&mut self, chunk: &Map<String, Value>, out: &mut Vec<Event>) {
        // Azure's first chunk holds nothing but the verdict on the prompt.
        let named = chunk.get("id").and_then(Value::as_str).is_some_and(|id| !id.is_empty());
        let any =
            chunk.get("choices").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        if named || any {
            self.snapshot.start(reply::start(chunk), out);
        }
    }

    /// Reads what metering needs of a chunk; `false` for one that must be read whole.
    fn skim_chunk(&mut self, frame: &Frame, out: &mut Vec<Event>) -> bool {
        let skimmed = if frame.event.is_empty() { Skimmed::of(&frame.data) } else { None };
        let Some(mut skimmed) = skimmed else { return false };
        let choices = skimmed.choices.take();
        if choices.iter().flatten().any(SkimmedChoice::has_calls) {
            return false;
        }
        let any = choices.as_ref().is_some_and(|list| !list.is_empty());
        if !self.snapshot.started && (any || skimmed.is_named()) {
            self.snapshot.start(skimmed.start(), out);
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
        self.snapshot.count(skimmed.usage(self.quirks), out);
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
        if !self.snapshot.started
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

impl DecodeStream for Decoder {
    fn open(quirks: &'static Quirks) -> Self {
        let (snapshot, sources) = (Snapshot::default(), Map::new());
        Self { quirks, choices: BTreeMap::new(), snapshot, sources }
    }

    fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        let Some(data) = frame.said() else { return Ok(()) };
        if data == b"[DONE]" {
            if self.choices.is_empty() {
                return Err(Fault::bad_upstream("The provider's stream ended without an answer."));
            }
            self.close(out);
            return Ok(());
        }
        if self.snapshot.started
            && frame.event.is_empty()
            && let Some(plain) = plain::read(data)
            && let Some(choice) = self.choices.get_mut(&plain.choice)
        {
            choice.read_plain(plain.choice, plain.reasoning, plain.content, out);
            return Ok(());
        }
        let chunk = stream::object(data)?;
        if let Some(fault) = fault::inside(&chunk) {
            return Err(fault);
        }
        if frame.event.as_ref() == b"error" {
            return Err(Fault::bad_upstream("The provider's stream ended with an error."));
        }
        self.read_chunk(&chunk, out);
        Ok(())
    }

    fn skim(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        let content = frame.event.is_empty() && self.is_content(&frame.data);
        if content || self.skim_chunk(frame, out) { Ok(()) } else { self.read(frame, out) }
    }

    /// Some hosts leave out `[DONE]`.
    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), Fault> {
        if self.choices.is_empty() || !self.choices.values().all(|choice| choice.ended()) {
            return Err(Fault::bad_upstream("The provider's stream broke off."));
        }
        self.close(out);
        Ok(())
    }

    fn snapshot(&self) -> Snapshot {
        let finished = self.choices.iter().filter(|(_, choice)| choice.ended());
        Snapshot {
            next_block: self.choices.keys().last().map_or(0, |last| last + 1),
            finished: finished.map(|(number, _)| *number).collect(),
            ..self.snapshot.clone()
        }
    }
}
