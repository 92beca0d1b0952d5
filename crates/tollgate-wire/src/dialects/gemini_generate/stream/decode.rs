//! Reads the frames of a stream.

use bytes::Bytes;
use memchr::memmem;
use serde_json::Value;
use tollgate_model::{Event, Fault};

use super::super::reader::Reader;
use super::super::reply::Skimmed;
use crate::stream::DecodeStream;
use crate::{Frame, Quirks, Snapshot};

#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    reader: Reader,
    /// The last frame that was skimmed and only held content and figures: the figures in it are
    /// read when they are asked for.
    held: Option<Bytes>,
}

impl Decoder {
    fn parse(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), Fault> {
        match serde_json::from_slice::<Value>(data) {
            Ok(chunk) => self.reader.read(&chunk, out),
            // Hosts that imitate Google end with OpenAI's terminator.
            Err(_) if data == b"[DONE]" => Ok(()),
            Err(_) => Err(Fault::bad_upstream("A frame of the stream is not JSON")),
        }
    }
}

/// The frame may hold more than content of the first choice, and figures: or no response.
fn is_telling(data: &[u8]) -> bool {
    let whole = data.first() == Some(&b'{') && data.last() == Some(&b'}');
    !whole
        || ["\"finishReason\"", "\"error\"", "\"blockReason\"", "\"functionCall\""]
            .iter()
            .any(|field| memmem::find(data, field.as_bytes()).is_some())
        || memmem::find(data, b"\"index\"").is_some_and(|at| {
            let mut after = data[at + 7..].iter().filter(|byte| !matches!(byte, b':' | b' '));
            after.next() != Some(&b'0')
        })
}

impl DecodeStream for Decoder {
    fn open(_: &'static Quirks) -> Self {
        Self::default()
    }

    fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        if frame.data.is_empty() { Ok(()) } else { self.parse(&frame.data, out) }
    }

    fn skim(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        if frame.data.is_empty() {
            return Ok(());
        }
        if self.reader.started && !is_telling(&frame.data) {
            self.held = Some(frame.data.clone());
            return Ok(());
        }
        // The figures may stand in the frame before this one alone.
        let stated = memmem::find(&frame.data, b"\"usageMetadata\"").is_some();
        let held = self.held.take().filter(|_| !stated);
        if let Some(usage) = held.and_then(|held| usage_in(&held)) {
            self.reader.usage(&usage, out);
        }
        match serde_json::from_slice::<Skimmed<'_>>(&frame.data) {
            Ok(skimmed) => self.reader.read(&skimmed.as_read(), out),
            Err(_) => self.parse(&frame.data, out),
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), Fault> {
        if let Some(held) = self.held.take()
            && let Some(usage) = usage_in(&held)
        {
            self.reader.usage(&usage, out);
        }
        self.reader.end(false, out)
    }

    fn snapshot(&self) -> Snapshot {
        let reader = &self.reader;
        let mut usage = reader.usage.clone();
        let held = self.held.as_ref().and_then(|held| usage_in(held));
        if let Some(held) = held.and_then(|held| super::super::usage::read(&held)) {
            usage.update(held);
        }
        let numbers = 0u32..;
        let choices = numbers.zip(&reader.choices);
        let finished = choices.filter(|(_, choice)| choice.word.is_some()).map(|(at, _)| at);
        Snapshot {
            id: reader.id.clone(),
            model: reader.model.clone(),
            created: reader.created,
            started: reader.started,
            open_block: None,
            next_block: u32::try_from(reader.choices.len()).unwrap_or(u32::MAX),
            finished: finished.collect(),
            usage,
            ..Snapshot::default()
        }
    }
}

fn usage_in(frame: &[u8]) -> Option<serde_json::Map<String, Value>> {
    serde_json::from_slice::<Skimmed<'_>>(frame).ok()?.usage_metadata
}
