//! Reading and writing a whole answer.

use bytes::Bytes;
use serde_json::{Map, Value};
use tollgate_model::{Choice, Event, Fault, FinishReason, Losses, PartKind, Reply};

use super::{fault, pieces};
use crate::{Encoded, Quirks, ReplyContext, answer_body, moment};

pub(super) fn decode(body: &[u8], _: &Quirks) -> Result<Vec<Event>, Fault> {
    let body = answer_body::object(body, fault::inside)?;
    if !body.get("message").is_some_and(Value::is_object) {
        return Err(Fault::bad_upstream("The provider's answer has no message."));
    }
    let mut out = vec![pieces::start(&body)];
    let mut reader = pieces::Reader::default();
    reader.read(&body, &mut out);
    reader.finish(&body, &mut out);
    Ok(out)
}

pub(super) fn encode(reply: &Reply, context: &ReplyContext) -> Encoded {
    let mut losses = Losses::default();
    let mut out = head(reply.model.as_deref(), reply.created, context);
    let none = Choice::default();
    let choice = reply.choices.first().unwrap_or(&none);
    if reply.choices.len() > 1 {
        losses.dropped("", "choices");
    }
    out.insert("message".into(), message(choice, &mut losses));
    out.insert("done".into(), true.into());
    let word = pieces::word_of(choice.finish.unwrap_or(FinishReason::Stop));
    out.insert("done_reason".into(), word.into());
    pieces::put_usage(&reply.usage, &mut out);
    if !choice.logprobs.is_empty() {
        out.insert("logprobs".into(), pieces::logprobs(&choice.logprobs));
    }
    Encoded { body: Bytes::from(Value::Object(out).to_string()), losses }
}

/// What an answer and every line of a streamed one begin with.
pub(super) fn head(
    model: Option<&str>,
    created: Option<u64>,
    context: &ReplyContext,
) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("model".into(), model.unwrap_or(&context.model).into());
    let created = moment::written(created.unwrap_or(context.created));
    out.insert("created_at".into(), created.into());
    out
}

fn message(choice: &Choice, losses: &mut Losses) -> Value {
    let (mut text, mut thinking) = (String::new(), String::new());
    let mut calls = Vec::new();
    for part in &choice.parts {
        match &part.kind {
            PartKind::Text(more) | PartKind::Refusal(more) => text.push_str(more),
            PartKind::Reasoning { text: more, signature } => {
                thinking.push_str(more);
                if signature.is_some() {
                    losses.dropped("message", "signature");
                }
            }
            PartKind::RedactedReasoning(_) => losses.dropped("message", "reasoning"),
            PartKind::ToolCall { id, name, arguments, signature } => {
                let index = u32::try_from(calls.len()).unwrap_or(u32::MAX);
                calls.push(pieces::call(id, index, name, arguments));
                if signature.is_some() {
                    losses.dropped("message.tool_calls", "signature");
                }
            }
            PartKind::Media(_) => losses.dropped("message", "media"),
            PartKind::Native { dialect, .. } => losses.dropped("message", dialect.as_str()),
            PartKind::ToolResult { .. } => {}
        }
    }
    if !choice.citations.is_empty() {
        losses.dropped("message", "citations");
    }
    let mut out = Map::new();
    out.insert("role".into(), "assistant".into());
    out.insert("content".into(), text.into());
    if !thinking.is_empty() {
        out.insert("thinking".into(), thinking.into());
    }
    if !calls.is_empty() {
        out.insert("tool_calls".into(), calls.into());
    }
    out.into()
}
