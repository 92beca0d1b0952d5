//! Reading and writing a whole answer.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{Choice, Event, Fault, FinishReason, Losses, PartKind, Reply};

use super::{ID, citation, fault, finish, logprobs, messages::SIGNATURE, usage};
use crate::{Encoded, Quirks, ReplyContext, answer_body, signature};

pub(super) fn decode(body: &[u8], _: &Quirks) -> Result<Vec<Event>, Fault> {
    let body = answer_body::object(body, fault::inside)?;
    let Some(message) = body.get("message").and_then(Value::as_object) else {
        return Err(Fault::bad_upstream("The provider's answer has no message."));
    };
    let id = body.get("id").and_then(Value::as_str).map(str::to_owned);
    let mut out = vec![Event::Start { id, model: None, created: None }];
    decode_message(message, &mut out);
    let runs = body.get("logprobs").and_then(Value::as_array);
    let tokens: Vec<_> = runs.into_iter().flatten().filter_map(logprobs::read).collect();
    if !tokens.is_empty() {
        out.push(Event::Logprobs { choice: 0, tokens });
    }
    let word = body.get("finish_reason").and_then(Value::as_str);
    out.push(finished(word));
    out.extend(body.get("usage").and_then(usage::decode).map(Event::Usage));
    out.push(Event::End);
    Ok(out)
}

fn decode_message(message: &Map<String, Value>, out: &mut Vec<Event>) {
    let choice = 0;
    let text = |of: &Value, name: &str| {
        let text = of.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let list = |name: &str| message.get(name).and_then(Value::as_array).into_iter().flatten();
    let plan = message.get("tool_plan").and_then(Value::as_str).filter(|plan| !plan.is_empty());
    out.extend(plan.map(|plan| Event::Reasoning { choice, text: plan.to_owned() }));
    for part in list("content") {
        out.extend(text(part, "thinking").map(|text| Event::Reasoning { choice, text }));
        if let Some(data) = text(part, SIGNATURE) {
            let signature = signature::read(&data, ID);
            out.push(Event::ReasoningSignature { choice, signature });
        }
        out.extend(text(part, "text").map(|text| Event::Text { choice, text }));
    }
    for (index, call) in list("tool_calls").enumerate() {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let function = call.get("function").unwrap_or(&Value::Null);
        let id = text(call, "id").unwrap_or_default();
        let name = text(function, "name").unwrap_or_default();
        let signature = text(call, SIGNATURE).map(|data| signature::read(&data, ID));
        out.push(Event::ToolCallStart { choice, index, id, name, signature });
        if let Some(arguments) = text(function, "arguments") {
            out.push(Event::ToolCallDelta { choice, index, arguments });
        }
    }
    for written in list("citations") {
        out.push(Event::Citation { choice, citation: citation::read(written) });
    }
}

pub(super) fn finished(word: Option<&str>) -> Event {
    let reason = word.map_or(FinishReason::Other, finish::reason);
    Event::Finish { choice: 0, reason, word: word.map(str::to_owned), stop_sequence: None }
}

pub(super) fn encode(reply: &Reply, context: &ReplyContext) -> Encoded {
    let mut losses = Losses::default();
    let none = Choice::default();
    let choice = reply.choices.first().unwrap_or(&none);
    if reply.choices.len() > 1 {
        losses.dropped("", "choices");
    }
    let reason = choice.finish.unwrap_or(FinishReason::Stop);
    let mut out = Map::new();
    out.insert("id".into(), reply.id.as_deref().unwrap_or(&context.id).into());
    let word = finish::word(reason, choice.stop_sequence.is_some());
    out.insert("finish_reason".into(), word.into());
    out.insert("message".into(), message(choice, context, &mut losses));
    out.extend(usage::encode(&reply.usage).map(|usage| ("usage".to_owned(), usage)));
    if !choice.logprobs.is_empty() {
        let runs: Vec<Value> = choice.logprobs.iter().map(logprobs::write).collect();
        out.insert("logprobs".into(), runs.into());
    }
    Encoded { body: Bytes::from(Value::Object(out).to_string()), losses }
}

fn message(choice: &Choice, context: &ReplyContext, losses: &mut Losses) -> Value {
    let (mut content, mut calls) = (Vec::new(), Vec::new());
    for part in &choice.parts {
        match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => {
                content.push(json!({"type": "text", "text": text}));
            }
            PartKind::Reasoning { text, signature } => {
                let mut block = json!({"type": "thinking", "thinking": text});
                if let Some(signature) = signature {
                    block[SIGNATURE] = signature::written(signature, ID).into();
                }
                content.push(block);
            }
            PartKind::ToolCall { id, name, arguments, signature } => {
                let arguments = if arguments.is_empty() { "{}" } else { arguments };
                let index = u32::try_from(calls.len()).unwrap_or(u32::MAX);
                let mut call = json!({
                    "id": call_id(id, index, context),
                    "type": "function",
                    "function": {"name": name, "arguments": arguments},
                });
                if let Some(signature) = signature {
                    call[SIGNATURE] = signature::written(signature, ID).into();
                }
                calls.push(call);
            }
            PartKind::RedactedReasoning(_) => losses.dropped("message", "reasoning"),
            PartKind::Media(_) => losses.dropped("message", "media"),
            PartKind::Native { dialect, .. } => losses.dropped("message", dialect.as_str()),
            PartKind::ToolResult { .. } => {}
        }
    }
    let said = choice.text();
    let cited = choice.citations.iter().map(|(_, one)| citation::write(one, &said));
    let lists = [("content", content), ("tool_calls", calls), ("citations", cited.collect())];
    let mut out = Map::new();
    out.insert("role".into(), "assistant".into());
    for (name, list) in lists {
        if !list.is_empty() {
            out.insert(name.into(), list.into());
        }
    }
    out.into()
}

/// The call's own id, or one made from the answer's.
pub(super) fn call_id(id: &str, index: u32, context: &ReplyContext) -> String {
    if !id.is_empty() {
        return id.to_owned();
    }
    let tail: String = context.id.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("call_{tail}_{index}")
}
