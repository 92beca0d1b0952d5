//! Writing a whole answer.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{Choice, FinishReason, Losses, PartKind, Reply};

use super::logprobs;
use crate::dialects::openai_chat::{reply::word_of, usage};
use crate::{Encoded, ReplyContext};

pub(super) fn encode(reply: &Reply, context: &ReplyContext) -> Encoded {
    let mut losses = Losses::default();
    let mut out = Map::new();
    out.insert("id".into(), id_of(reply.id.as_deref(), context).into());
    out.insert("object".into(), "text_completion".into());
    out.insert("created".into(), reply.created.unwrap_or(context.created).into());
    out.insert("model".into(), reply.model.as_deref().unwrap_or(&context.model).into());
    let choices = reply.choices.iter().enumerate();
    let choices = choices.map(|(index, choice)| encode_choice(index, choice, &mut losses));
    out.insert("choices".into(), choices.collect());
    out.extend(usage::encode(&reply.usage).map(|usage| ("usage".to_owned(), usage)));
    Encoded { body: Bytes::from(Value::Object(out).to_string()), losses }
}

/// The provider's id, or one in this dialect's manner.
pub(super) fn id_of(id: Option<&str>, context: &ReplyContext) -> String {
    id.map_or_else(|| format!("cmpl-{}", context.id), str::to_owned)
}

fn encode_choice(index: usize, choice: &Choice, losses: &mut Losses) -> Value {
    let path = format!("choices[{index}]");
    let mut text = String::new();
    for part in &choice.parts {
        match &part.kind {
            PartKind::Text(more) | PartKind::Refusal(more) => text.push_str(more),
            PartKind::Reasoning { .. } | PartKind::RedactedReasoning(_) => {
                losses.dropped(&path, "reasoning");
            }
            PartKind::ToolCall { .. } => losses.dropped(&path, "tool_calls"),
            PartKind::Media(_) => losses.dropped(&path, "media"),
            PartKind::Native { dialect, .. } => losses.dropped(&path, dialect.as_str()),
            PartKind::ToolResult { .. } => {}
        }
    }
    if !choice.citations.is_empty() {
        losses.dropped(&path, "citations");
    }
    let logprobs = match choice.logprobs.as_slice() {
        [] => Value::Null,
        tokens => logprobs::write(tokens, &mut 0),
    };
    json!({
        "text": text,
        "index": index,
        "logprobs": logprobs,
        "finish_reason": finish_word(choice.finish.unwrap_or(FinishReason::Stop)),
    })
}

/// Nothing is called here.
pub(super) fn finish_word(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::ToolCalls => "stop",
        reason => word_of(reason),
    }
}
