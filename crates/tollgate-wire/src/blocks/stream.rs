//! A stream of blocks, written: which is open, what opens and closes it, and which calls wait,
//! since blocks come one after the other.

use std::fmt::Debug;

use serde_json::Value;
use tollgate_model::{Event, Fault, FinishReason, PartKind, Signature, Usage};

use super::BlockFormat;
use super::waiting::{Queue, Waiting};
use crate::json_progress::Progress;
use crate::stream::{EncodeStream, Head, Sink};
use crate::{ReplyContext, Snapshot, signature};

/// How the frames of a dialect look.
pub(crate) trait BlockFrames: BlockFormat + Debug + Default + Send {
    /// The opening says nothing that is not known when an answer begins.
    const OPENS_AT_ONCE: bool;

    /// The answer begins.
    fn begin(&mut self, told: &Told, out: &mut Sink);

    fn open(&mut self, index: u32, block: Block<'_>, out: &mut Sink);

    fn piece(&mut self, index: u32, piece: Piece, text: &str, out: &mut Sink);

    /// A piece that is no text.
    fn delta(&mut self, index: u32, delta: &Value, out: &mut Sink);

    fn close(&mut self, index: u32, out: &mut Sink);

    /// The delta of a citation.
    fn cite(citation: Value) -> Value;

    /// How a block travels that comes whole.
    ///
    /// # Errors
    /// The name of what a stream cannot carry.
    fn whole(block: Value) -> Result<Whole, &'static str>;

    /// Why the answer ended.
    fn finish(&mut self, told: &Told, ending: &Ending, out: &mut Sink);

    /// The last frame.
    fn end(&mut self, told: &Told, out: &mut Sink);

    fn fail(&mut self, fault: &Fault, out: &mut Sink);
}

/// What opens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Block<'a> {
    Text,
    Thought,
    Call {
        id: &'a str,
        name: &'a str,
    },
    /// As [`BlockFrames::whole`] has it.
    Whole(Option<&'a Value>),
}

/// What goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece {
    Text,
    Thought,
    Signature,
    Arguments,
}

/// A block that comes in one piece: how it opens, and what then follows.
#[derive(Debug)]
pub(crate) struct Whole {
    pub start: Option<Value>,
    pub delta: Option<Value>,
}

/// Why an answer ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub reason: FinishReason,
    /// The provider's word for it.
    pub word: Option<String>,
    pub stop_sequence: Option<String>,
}

/// What the frames around the blocks state.
#[derive(Debug)]
pub(crate) struct Told {
    pub context: ReplyContext,
    pub head: Head,
    pub usage: Usage,
    /// Calls so far.
    pub calls: u32,
}

/// Writes the stream.
#[derive(Debug)]
pub(crate) struct Blocks<F> {
    frames: F,
    told: Told,
    /// The opening was written.
    started: bool,
    /// The block that is open, and its index.
    open: Option<(u32, Open)>,
    next: u32,
    waiting: Queue,
    ending: Option<Ending>,
    /// Why the answer ended was written before this encoder took over.
    finished: bool,
}

#[derive(Debug)]
enum Open {
    /// Comes whole, or was opened by the provider in a stream that was passed on as it came.
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

impl<F: BlockFrames> EncodeStream for Blocks<F> {
    fn open(context: ReplyContext, from: Snapshot) -> Self {
        let head = from.head();
        Self {
            frames: F::default(),
            told: Told { context, head, usage: from.usage, calls: 0 },
            started: from.started,
            open: from.open_block.map(|index| (index, Open::Foreign)),
            next: from.next_block,
            waiting: Queue::default(),
            ending: None,
            finished: from.finished.contains(&0),
        }
    }

    fn write(&mut self, event: Event, out: &mut Sink) {
        if out.loses_choice(&event) {
            return;
        }
        match event {
            Event::Start { id, model, created } => {
                self.told.head.restate(id, model, created);
                if F::OPENS_AT_ONCE {
                    self.start(out);
                }
            }
            Event::Usage(usage) => self.told.usage.update(usage),
            Event::Text { text, .. } | Event::Refusal { text, .. } => self.text(&text, out),
            Event::Reasoning { text, .. } => {
                if !text.is_empty() {
                    let index = self.thought(out);
                    self.frames.piece(index, Piece::Thought, &text, out);
                }
            }
            Event::ReasoningSignature { signature, .. } => self.sign(&signature, out),
            Event::RedactedReasoning { data, .. } => {
                self.part(&PartKind::RedactedReasoning(data), out);
            }
            Event::Native { dialect, json, .. } => {
                self.part(&PartKind::Native { dialect, json }, out);
            }
            Event::Media { media, .. } => self.part(&PartKind::Media(media), out),
            Event::ToolCallStart { index, id, name, signature, .. } => {
                let arguments = String::new();
                self.call(Waiting { index, id, name, signature, arguments }, out);
            }
            Event::ToolCallDelta { index, arguments, .. } => self.more(index, &arguments, out),
            Event::Citation { citation, .. } => match (F::citation(&citation), &mut self.open) {
                (Some(json), Some((index, Open::Text { cited }))) => {
                    *cited = true;
                    self.frames.delta(*index, &F::cite(json), out);
                }
                _ => out.losses.dropped("", "citations"),
            },
            Event::Logprobs { .. } => out.losses.dropped("", "logprobs"),
            Event::Finish { reason, word, stop_sequence, .. } => {
                self.settle(out);
                self.ending = Some(Ending { reason, word, stop_sequence });
            }
            Event::End => self.end(out),
            Event::Fault(fault) => self.fail(&fault, out),
        }
    }
}

impl<F: BlockFrames> Blocks<F> {
    fn start(&mut self, out: &mut Sink) {
        if !self.started {
            self.started = true;
            self.frames.begin(&self.told, out);
        }
    }

    /// Takes the next index. Whatever was open is closed before.
    fn open(&mut self, block: Block<'_>, kind: Open, out: &mut Sink) -> u32 {
        self.start(out);
        self.close(out);
        let index = self.next;
        self.next = self.next.saturating_add(1);
        self.frames.open(index, block, out);
        self.open = Some((index, kind));
        index
    }

    fn close(&mut self, out: &mut Sink) {
        if let Some((index, _)) = self.open.take() {
            self.frames.close(index, out);
        }
    }

    /// Closes what is open and writes the calls that waited for it.
    fn settle(&mut self, out: &mut Sink) {
        self.close(out);
        while let Some(call) = self.waiting.next() {
            self.open_call(&call, out);
            self.close(out);
        }
    }

    fn text(&mut self, text: &str, out: &mut Sink) {
        if text.is_empty() {
            return;
        }
        let index = match &self.open {
            Some((index, Open::Text { cited: false })) => *index,
            _ => {
                self.settle(out);
                self.open(Block::Text, Open::Text { cited: false }, out)
            }
        };
        self.frames.piece(index, Piece::Text, text, out);
    }

    /// The index of the block of thinking, which is opened if need be.
    fn thought(&mut self, out: &mut Sink) -> u32 {
        if let Some((index, Open::Thought)) = &self.open {
            return *index;
        }
        self.settle(out);
        self.open(Block::Thought, Open::Thought, out)
    }

    fn sign(&mut self, signature: &Signature, out: &mut Sink) {
        let behind_text = matches!(self.open, Some((_, Open::Text { .. })));
        if F::ENDS_WITH_ANSWER && signature.origin != F::ID && behind_text {
            return out.losses.dropped("", "signature");
        }
        let index = self.thought(out);
        self.frames.piece(index, Piece::Signature, &signature::written(signature, F::ID), out);
        self.close(out);
    }

    fn part(&mut self, kind: &PartKind, out: &mut Sink) {
        if let Some(block) = F::other(kind, &mut out.losses) {
            match F::whole(block) {
                Ok(whole) => {
                    self.settle(out);
                    self.whole(&whole, out);
                }
                Err(what) => out.losses.dropped("", what),
            }
        }
    }

    fn whole(&mut self, whole: &Whole, out: &mut Sink) {
        let index = self.open(Block::Whole(whole.start.as_ref()), Open::Foreign, out);
        if let Some(delta) = &whole.delta {
            self.frames.delta(index, delta, out);
        }
        self.close(out);
    }

    fn call(&mut self, call: Waiting, out: &mut Sink) {
        let busy = match &self.open {
            Some((_, Open::Call { progress, .. })) => !progress.is_whole(),
            _ => false,
        };
        if busy || !self.waiting.is_empty() {
            if !self.waiting.push(call) {
                self.too_much(out);
            }
        } else {
            self.open_call(&call, out);
        }
    }

    fn open_call(&mut self, call: &Waiting, out: &mut Sink) {
        self.close(out);
        if let Some(Ok(sealed)) = call.signature.as_ref().map(|signed| F::whole(F::seal(signed))) {
            self.whole(&sealed, out);
        }
        let id = F::call_id(&call.id, &self.told.context, self.told.calls);
        self.told.calls += 1;
        let kind = Open::Call { index: call.index, progress: Progress::default() };
        self.open(Block::Call { id: &id, name: &call.name }, kind, out);
        self.arguments(&call.arguments, out);
    }

    /// Writes a piece of the arguments of the call that is open.
    fn arguments(&mut self, piece: &str, out: &mut Sink) {
        let Some((at, Open::Call { progress, .. })) = &mut self.open else { return };
        // `null` is how some models say that there are no arguments.
        if piece.is_empty() || (!progress.has_begun() && piece.trim() == "null") {
            return;
        }
        progress.feed(piece);
        self.frames.piece(*at, Piece::Arguments, piece, out);
    }

    /// A piece of some call's arguments.
    fn more(&mut self, index: u32, piece: &str, out: &mut Sink) {
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
            self.open_call(&call, out);
        }
    }

    fn too_much(&mut self, out: &mut Sink) {
        let said = "The provider mixed more tool calls than can be held apart.";
        self.fail(&Fault::bad_upstream(said), out);
    }

    fn end(&mut self, out: &mut Sink) {
        self.start(out);
        self.settle(out);
        if !self.finished {
            let usual = Ending { reason: FinishReason::Stop, word: None, stop_sequence: None };
            let ending = self.ending.take().unwrap_or(usual);
            self.frames.finish(&self.told, &ending, out);
        }
        self.frames.end(&self.told, out);
    }

    fn fail(&mut self, fault: &Fault, out: &mut Sink) {
        self.close(out);
        self.frames.fail(fault, out);
        out.over = true;
    }
}
