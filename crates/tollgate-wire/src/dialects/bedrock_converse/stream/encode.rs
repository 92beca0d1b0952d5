//! The frames of a stream as Bedrock's callers read it, written. Which block is open is held in
//! `blocks/stream.rs`.

use std::mem;

use serde_json::{Map, Value, json};
use tollgate_model::Fault;

use super::write::Writer;
use crate::blocks::{Block, BlockFrames, Blocks, Ending, Piece, Told, Whole};
use crate::dialects::bedrock_converse::{fault, media, stop, usage};
use crate::framing::aws_eventstream;
use crate::stream::Sink;

const TEXT: (&str, &str) = (r#"{"text":"#, "}");
const THOUGHT: (&str, &str) = (r#"{"reasoningContent":{"text":"#, "}}");
const SIGNATURE: (&str, &str) = (r#"{"reasoningContent":{"signature":"#, "}}");
const INPUT: (&str, &str) = (r#"{"toolUse":{"input":"#, "}}");

pub(in super::super) type Encoder = Blocks<Writer>;

impl BlockFrames for Writer {
    const OPENS_AT_ONCE: bool = true;

    fn begin(&mut self, _: &Told, out: &mut Sink) {
        self.event("messageStart", &json!({"role": "assistant"}), &mut out.bytes);
    }

    /// Only some blocks have an opening.
    fn open(&mut self, index: u32, block: Block<'_>, out: &mut Sink) {
        let start = match block {
            Block::Text | Block::Thought | Block::Whole(None) => return,
            Block::Call { id, name } => json!({"toolUse": {"toolUseId": id, "name": name}}),
            Block::Whole(Some(start)) => start.clone(),
        };
        let payload = json!({"contentBlockIndex": index, "start": start});
        self.event("contentBlockStart", &payload, &mut out.bytes);
    }

    fn piece(&mut self, index: u32, piece: Piece, text: &str, out: &mut Sink) {
        let around = match piece {
            Piece::Text => TEXT,
            Piece::Thought => THOUGHT,
            Piece::Signature => SIGNATURE,
            Piece::Arguments => INPUT,
        };
        Writer::piece(self, index, around, text, &mut out.bytes);
    }

    fn delta(&mut self, index: u32, delta: &Value, out: &mut Sink) {
        let payload = json!({"contentBlockIndex": index, "delta": delta});
        self.event("contentBlockDelta", &payload, &mut out.bytes);
    }

    fn close(&mut self, index: u32, out: &mut Sink) {
        self.event("contentBlockStop", &json!({"contentBlockIndex": index}), &mut out.bytes);
    }

    fn cite(citation: Value) -> Value {
        json!({"citation": citation})
    }

    /// A tool that Amazon ran, its result, or media in base64: the opening names what it is, and
    /// one piece holds what it says. Hidden thinking has no opening.
    fn whole(mut block: Value) -> Result<Whole, &'static str> {
        if block.get("reasoningContent").is_some() {
            return Ok(Whole { start: None, delta: Some(block) });
        }
        let Some((name, inner)) = block.as_object_mut().and_then(|block| block.iter_mut().next())
        else {
            return Err("native");
        };
        let Some(inner) = inner.as_object_mut() else { return Err("native") };
        let (name, inner) = (name.as_str(), mem::take(inner));
        split(name, inner)
    }

    fn finish(&mut self, told: &Told, ending: &Ending, out: &mut Sink) {
        let cut_by_word = ending.stop_sequence.is_some();
        let word = stop::word(ending.reason, ending.word.as_deref(), cut_by_word, told.calls > 0);
        let mut payload = json!({"stopReason": word});
        if let Some(stop_sequence) = &ending.stop_sequence {
            payload["additionalModelResponseFields"] = json!({"stop_sequence": stop_sequence});
        }
        self.event("messageStop", &payload, &mut out.bytes);
    }

    fn end(&mut self, told: &Told, out: &mut Sink) {
        let mut payload = json!({
            "usage": usage::written(&told.usage),
            "metrics": {"latencyMs": told.context.latency_ms},
        });
        if let Some(tier) = &told.usage.service_tier {
            payload["serviceTier"] = json!({"type": tier});
        }
        self.event("metadata", &payload, &mut out.bytes);
    }

    fn fail(&mut self, fault: &Fault, out: &mut Sink) {
        let (name, payload) = fault::exception(fault);
        aws_eventstream::write_exception(name, &payload, &mut out.bytes);
    }
}

/// The opening of a block, and the piece that follows it.
fn split(name: &str, mut inner: Map<String, Value>) -> Result<Whole, &'static str> {
    let delta = match name {
        "toolUse" => {
            let input = inner.remove("input").unwrap_or_else(|| json!({}));
            json!({"input": input.to_string()})
        }
        "toolResult" => inner.remove("content").unwrap_or_else(|| json!([])),
        _ if media::kind_of(name).is_none() => return Err("native"),
        _ => {
            let source = inner.remove("source").filter(|source| source.get("bytes").is_some());
            let Some(source) = source else { return Err("media") };
            let format = inner.remove("format");
            inner.clear();
            inner.insert("format".into(), format.unwrap_or_default());
            json!({"source": source})
        }
    };
    Ok(Whole { start: Some(json!({name: inner})), delta: Some(json!({name: delta})) })
}
