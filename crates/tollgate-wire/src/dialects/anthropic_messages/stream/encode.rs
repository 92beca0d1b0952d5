//! The frames of a stream as Anthropic's callers read it, written. Which block is open is held in
//! `blocks/stream.rs`.

use serde_json::{Value, json};
use tollgate_model::Fault;

use super::write;
use crate::blocks::{Block, BlockFormat, BlockFrames, Blocks, Ending, Piece, Told, Whole};
use crate::dialects::anthropic_messages::reply::{Messages, message_id};
use crate::dialects::anthropic_messages::{fault, stop, usage};
use crate::stream::Sink;

pub(in super::super) type Encoder = Blocks<Messages>;

impl BlockFrames for Messages {
    /// It states the input's figures.
    const OPENS_AT_ONCE: bool = false;

    fn begin(&mut self, told: &Told, out: &mut Sink) {
        let message = json!({
            "id": message_id(told.head.id.as_deref(), &told.context),
            "type": "message",
            "role": "assistant",
            "model": told.head.model.as_deref().unwrap_or(&told.context.model),
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage::written(&told.usage),
        });
        let start = json!({"type": "message_start", "message": message});
        write::event("message_start", &start, &mut out.bytes);
    }

    fn open(&mut self, index: u32, block: Block<'_>, out: &mut Sink) {
        let block = match block {
            Block::Text => json!({"type": "text", "text": ""}),
            Block::Thought => json!({"type": "thinking", "thinking": "", "signature": ""}),
            Block::Call { id, name } => Self::tool_call(id, name, json!({})),
            Block::Whole(block) => block.cloned().unwrap_or_default(),
        };
        block_event("content_block_start", index, "content_block", &block, out);
    }

    fn piece(&mut self, index: u32, piece: Piece, text: &str, out: &mut Sink) {
        let (kind, field) = match piece {
            Piece::Text => ("text_delta", "text"),
            Piece::Thought => ("thinking_delta", "thinking"),
            Piece::Signature => ("signature_delta", "signature"),
            Piece::Arguments => ("input_json_delta", "partial_json"),
        };
        write::piece(index, kind, field, text, &mut out.bytes);
    }

    fn delta(&mut self, index: u32, delta: &Value, out: &mut Sink) {
        block_event("content_block_delta", index, "delta", delta, out);
    }

    fn close(&mut self, index: u32, out: &mut Sink) {
        write::stop(index, &mut out.bytes);
    }

    fn cite(citation: Value) -> Value {
        json!({"type": "citations_delta", "citation": citation})
    }

    fn whole(block: Value) -> Result<Whole, &'static str> {
        Ok(Whole { start: Some(block), delta: None })
    }

    fn finish(&mut self, told: &Told, ending: &Ending, out: &mut Sink) {
        let cut_by_word = ending.stop_sequence.is_some();
        let word = ending.word.as_deref();
        let reason = stop::word(ending.reason, word, cut_by_word, told.calls > 0);
        let data = json!({
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": ending.stop_sequence},
            "usage": usage::written(&told.usage),
        });
        write::event("message_delta", &data, &mut out.bytes);
    }

    fn end(&mut self, _: &Told, out: &mut Sink) {
        write::event("message_stop", &json!({"type": "message_stop"}), &mut out.bytes);
    }

    fn fail(&mut self, fault: &Fault, out: &mut Sink) {
        write::event("error", &fault::object(fault, fault.status()), &mut out.bytes);
    }
}

fn block_event(name: &str, index: u32, field: &str, value: &Value, out: &mut Sink) {
    write::event(name, &json!({"type": name, "index": index, field: value}), &mut out.bytes);
}
