//! Answers whose content is a list of blocks, as Anthropic's and Bedrock's are: which part of an
//! answer becomes a block, in which order, and what has no place. How a block looks is its
//! dialect's to say.

mod stream;
mod waiting;

use serde_json::Value;
use tollgate_model::{
    Choice, Citation, DialectId, FinishReason, Losses, Part, PartKind, Reply, Signature,
};

use crate::{ReplyContext, cited, unparsed};

pub(crate) use stream::{Block, BlockFrames, Blocks, Ending, Piece, Told, Whole};

/// How the blocks of a dialect look.
pub(crate) trait BlockFormat {
    const ID: DialectId;
    /// A block of thinking behind the answer would be taken for the answer.
    const ENDS_WITH_ANSWER: bool;

    fn text(text: &str, citations: Vec<Value>) -> Value;

    /// `None` when there is no form for it.
    fn citation(citation: &Citation) -> Option<Value>;

    fn tool_call(id: &str, name: &str, input: Value) -> Value;

    /// The call's own id, or one made from the answer's.
    fn call_id(id: &str, context: &ReplyContext, number: u32) -> String;

    /// A signature over a call, which stands in a block before it.
    fn seal(signature: &Signature) -> Value;

    /// The block of any part but text and calls; `None` when an answer has none.
    fn other(part: &PartKind, losses: &mut Losses) -> Option<Value>;
}

/// What an answer says, as blocks, and why it ended.
#[derive(Debug, Default)]
pub(crate) struct Content<'r> {
    pub blocks: Vec<Value>,
    pub calls: u32,
    pub reason: Option<FinishReason>,
    pub word: Option<&'r str>,
    pub stop_sequence: Option<&'r str>,
}

/// Writes the content of a whole answer.
pub(crate) fn content<'r, F: BlockFormat>(
    reply: &'r Reply,
    context: &ReplyContext,
    losses: &mut Losses,
) -> Content<'r> {
    let mut content = Content::default();
    if let Some(choice) = reply.choices.first() {
        content.write::<F>(choice, context, losses);
        content.reason = choice.finish;
        content.word = choice.finish_word.as_deref();
        content.stop_sequence = choice.stop_sequence.as_deref();
        if !choice.logprobs.is_empty() {
            losses.dropped("", "logprobs");
        }
    }
    if reply.choices.len() > 1 {
        losses.dropped("", "choices");
    }
    content
}

impl Content<'_> {
    fn write<F: BlockFormat>(
        &mut self,
        choice: &Choice,
        context: &ReplyContext,
        losses: &mut Losses,
    ) {
        let mut chars = 0;
        for (at, part) in choice.parts.iter().enumerate() {
            match &part.kind {
                PartKind::Text(text) => {
                    let citations = choice.citations.iter().filter(|(of, _)| *of == at);
                    let citations = citations.map(|(_, citation)| citation);
                    chars = self.text::<F>(text, chars, citations, losses);
                }
                PartKind::ToolCall { id, name, arguments, signature } => {
                    self.blocks.extend(signature.as_ref().map(F::seal));
                    let id = F::call_id(id, context, self.calls);
                    self.calls += 1;
                    self.blocks.push(F::tool_call(&id, name, unparsed::object(arguments)));
                }
                kind if signs_text::<F>(kind, &choice.parts[..at]) => {
                    losses.dropped("", "signature");
                }
                kind => self.blocks.extend(F::other(kind, losses)),
            }
        }
    }

    /// Writes `text`, which begins at character `from` of the answer, as one block or several, and
    /// gives the character at which it ends.
    fn text<'c, F: BlockFormat>(
        &mut self,
        text: &str,
        from: u64,
        citations: impl Iterator<Item = &'c Citation>,
        losses: &mut Losses,
    ) -> u64 {
        let written = citations.filter_map(|citation| {
            let json = F::citation(citation);
            if json.is_none() {
                losses.dropped("", "citations");
            }
            json.map(|json| ((citation.start, citation.end), json))
        });
        let (pieces, end) = cited::pieces(text, from, written);
        self.blocks.extend(pieces.into_iter().map(|(text, citations)| F::text(text, citations)));
        end
    }
}

/// Gemini signs its last text too, and can do without it.
fn signs_text<F: BlockFormat>(kind: &PartKind, before: &[Part]) -> bool {
    let is_text = |part: &Part| matches!(part.kind, PartKind::Text(_) | PartKind::Refusal(_));
    match kind {
        PartKind::Reasoning { text, signature: Some(signature) } => {
            F::ENDS_WITH_ANSWER
                && text.is_empty()
                && signature.origin != F::ID
                && before.last().is_some_and(is_text)
        }
        _ => false,
    }
}
