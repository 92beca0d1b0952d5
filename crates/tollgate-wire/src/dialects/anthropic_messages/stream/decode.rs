//! A stream as Anthropic sends it, read.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use tollgate_model::{Event, Fault, FinishReason, Usage};

use crate::dialects::anthropic_messages::pieces::{Pieces, Wrong};
use crate::dialects::anthropic_messages::usage::Statement;
use crate::dialects::anthropic_messages::{fault, stop};
use crate::stream::DecodeStream;
use crate::{Frame, Quirks, Snapshot};

#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    pieces: Pieces,
    said: Statement,
    snapshot: Snapshot,
}

/// One event; which fields it has depends on its type.
#[derive(Deserialize)]
struct Data<'f> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'f, str>,
    index: Option<u32>,
    #[serde(borrow)]
    delta: Option<&'f RawValue>,
    content_block: Option<Value>,
    message: Option<Value>,
    usage: Option<Value>,
}

/// What a `message_delta` changes.
#[derive(Deserialize)]
struct Ending {
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
}

impl DecodeStream for Decoder {
    fn open(_: &'static Quirks) -> Self {
        Self::default()
    }

    fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        match frame.said() {
            Some(data) => self.step(data, true, out),
            None => Ok(()),
        }
    }

    fn skim(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<(), Fault> {
        let Some(data) = frame.said() else { return Ok(()) };
        match Glance::of(frame) {
            Glance::Content => Ok(()),
            // A host that leaves out the opening begins with a block.
            Glance::Block { opens } if self.snapshot.started => {
                self.skim_block(data, opens);
                Ok(())
            }
            Glance::Block { .. } | Glance::Rest => self.step(data, false, out),
        }
    }

    fn snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }
}

impl Decoder {
    fn step(&mut self, raw: &[u8], content: bool, out: &mut Vec<Event>) -> Result<(), Fault> {
        match self.sound(raw, content, out) {
            Ok(Some(fault)) => Err(fault),
            Ok(None) => Ok(()),
            Err(what) => {
                let said = format!("The provider's stream is malformed: {what}.");
                Err(Fault::bad_upstream(said))
            }
        }
    }

    /// Reads one event; `content`: also what the answer says. Gives the fault that it may be.
    fn sound(
        &mut self,
        raw: &[u8],
        content: bool,
        out: &mut Vec<Event>,
    ) -> Result<Option<Fault>, Wrong> {
        // Some hosts end every stream so.
        if raw == b"[DONE]" {
            return Ok(None);
        }
        let data: Data<'_> = serde_json::from_slice(raw).map_err(|_| "an event is no JSON")?;
        let index = data.index.unwrap_or(0);
        match &*data.kind {
            "message_start" => self.start(data.message.unwrap_or_default(), content, out)?,
            "content_block_start" if !content => {
                self.started(out);
                self.snapshot.open(index);
            }
            "content_block_stop" if !content => self.snapshot.close(index),
            "content_block_delta" if !content => {}
            "content_block_start" => {
                self.started(out);
                let block = data.content_block.ok_or("a content block is missing")?;
                self.pieces.open(index, block, out)?;
                self.snapshot.open(index);
            }
            "content_block_delta" => {
                let delta = data.delta.ok_or("a piece of a content block is missing")?;
                self.pieces.delta(index, delta, out)?;
            }
            "content_block_stop" => {
                self.pieces.close(index, out)?;
                self.snapshot.close(index);
            }
            "message_delta" => {
                if let Some(usage) = data.usage {
                    self.state(usage, out);
                }
                if let Some(delta) = data.delta {
                    let ending: Ending = serde_json::from_str(delta.get())
                        .map_err(|_| "the end of the message is malformed")?;
                    self.finish(ending, out);
                }
            }
            "message_stop" => {
                if !self.snapshot.started {
                    return Err("it ended before it began");
                }
                if !self.pieces.end(out) {
                    return Err("it ended inside a content block");
                }
                out.push(Event::End);
            }
            "error" => {
                let said = serde_json::from_slice(raw).ok();
                let fault = said.and_then(|said| fault::of_object(0, &said));
                return Ok(Some(fault.ok_or("it holds an error that says nothing")?));
            }
            // A ping, or an event that came after this was written.
            _ => {}
        }
        Ok(None)
    }

    fn start(
        &mut self,
        mut message: Value,
        content: bool,
        out: &mut Vec<Event>,
    ) -> Result<(), Wrong> {
        if self.snapshot.started {
            return Err("it began twice");
        }
        let text = |name: &str| message.get(name).and_then(Value::as_str).map(str::to_owned);
        self.snapshot.id = text("id");
        self.snapshot.model = text("model");
        let ending =
            Ending { stop_reason: text("stop_reason"), stop_sequence: text("stop_sequence") };
        self.started(out);
        if let Some(usage) = message.get_mut("usage") {
            self.state(usage.take(), out);
        }
        // A host may send all of a short answer in the opening.
        if content && let Some(Value::Array(blocks)) = message.get_mut("content").map(Value::take) {
            for block in blocks {
                self.pieces.open(u32::MAX, block, out)?;
                self.pieces.close(u32::MAX, out)?;
            }
        }
        self.finish(ending, out);
        Ok(())
    }

    fn started(&mut self, out: &mut Vec<Event>) {
        if !self.snapshot.started {
            self.snapshot.started = true;
            let (id, model) = (self.snapshot.id.clone(), self.snapshot.model.clone());
            out.push(Event::Start { id, model, created: None });
        }
    }

    fn state(&mut self, usage: Value, out: &mut Vec<Event>) {
        self.said.merge(usage);
        let usage = self.said.read();
        if usage != Usage::default() {
            self.snapshot.usage.update(usage.clone());
            out.push(Event::Usage(usage));
        }
    }

    fn finish(&mut self, ending: Ending, out: &mut Vec<Event>) {
        let Some(word) = ending.stop_reason else { return };
        self.snapshot.finish();
        let reason: FinishReason = stop::reason(&word);
        let stop_sequence = ending.stop_sequence;
        out.push(Event::Finish { choice: 0, reason, word: Some(word), stop_sequence });
    }

    /// A block opens or closes in a stream that is passed on as it came: only which, not what.
    fn skim_block(&mut self, data: &[u8], opens: bool) {
        #[derive(Deserialize)]
        struct Index {
            index: u32,
            #[serde(default, rename = "content_block")]
            _block: IgnoredAny,
        }
        if let Ok(Index { index, .. }) = serde_json::from_slice(data) {
            if opens {
                self.snapshot.open(index);
            } else {
                self.snapshot.close(index);
            }
        }
    }
}

/// What a frame is, by its first look.
enum Glance {
    /// A piece of content, or a ping: nothing that metering or an ending needs.
    Content,
    Block {
        opens: bool,
    },
    Rest,
}

impl Glance {
    /// By the type, which begins the data of all hosts that are in a hurry; data that begins
    /// otherwise is read. Never by the event's name, which may say another thing than the data.
    /// What does not even end like JSON is read, and so found out.
    fn of(frame: &Frame) -> Self {
        let Some(kind) = frame.data.strip_prefix(br#"{"type":""#) else {
            return Self::Rest;
        };
        if frame.data.trim_ascii_end().last() != Some(&b'}') {
            Self::Rest
        } else if kind.starts_with(b"content_block_delta\"") || kind.starts_with(b"ping\"") {
            Self::Content
        } else if kind.starts_with(b"content_block_start\"") {
            Self::Block { opens: true }
        } else if kind.starts_with(b"content_block_stop\"") {
            Self::Block { opens: false }
        } else {
            Self::Rest
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(
        frame: Frame,
        read: impl Fn(&mut Decoder, &Frame, &mut Vec<Event>) -> Result<(), Fault>,
    ) -> Option<u64> {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        let start = r#"{"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"output_tokens":2}}}"#;
        for frame in
            [Frame { event: "message_start".into(), data: start.into(), ..frame.clone() }, frame]
        {
            read(&mut decoder, &frame, &mut out).unwrap();
        }
        decoder.snapshot().usage.output_tokens
    }

    #[test]
    fn a_frame_is_what_its_data_says_whatever_its_name() {
        let data = r#"{"type":"message_delta","delta":{},"usage":{"output_tokens":35}}"#;
        for name in ["message_delta", "content_block_start", "content_block_delta", "ping", ""] {
            let frame = Frame { event: name.into(), data: data.into(), ..Frame::default() };
            assert_eq!(usage(frame.clone(), Decoder::read), Some(35), "{name}");
            assert_eq!(usage(frame, Decoder::skim), Some(35), "{name}");
        }
    }
}
