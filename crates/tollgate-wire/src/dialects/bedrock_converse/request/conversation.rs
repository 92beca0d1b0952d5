//! The messages of a request, written. Bedrock wants the system's words apart, and user and
//! assistant by turns: messages of other dialects move and merge until they are.

use serde_json::{Map, Value, json};
use tollgate_model::{Fault, Losses, Message, Role};

use super::blocks::Blocks;
use crate::dialects::bedrock_converse::ID;

/// Writes `system` and `messages`. `own`: the request was of this very dialect.
pub(super) fn encode(
    messages: &[Message],
    mut blocks: Blocks,
    own: bool,
    losses: &mut Losses,
) -> Result<(Vec<Value>, Vec<Value>), Fault> {
    let mut system = Vec::new();
    let mut out: Vec<Value> = Vec::with_capacity(messages.len());
    let answered = messages.iter().rposition(|message| message.role == Role::Assistant);
    for (at, message) in messages.iter().enumerate() {
        let path = format!("messages[{at}]");
        blocks.is_question = answered.is_none_or(|answered| at > answered);
        if message.name.is_some() {
            blocks.losses.dropped(&path, "name");
        }
        let content = blocks.encode(&message.parts, &format!("{path}.content"))?;
        if matches!(message.role, Role::System | Role::Developer) {
            if !out.is_empty() {
                // Its place among the messages is lost.
                blocks.losses.approximated(&path, "role");
            }
            message.extras.report(&path, &mut blocks.losses);
            system.extend(content);
            continue;
        }
        let role = if message.role == Role::Assistant { "assistant" } else { "user" };
        if !own {
            message.extras.report(&path, &mut blocks.losses);
            add(&mut out, role, content);
            continue;
        }
        let mut written = Map::new();
        written.insert("role".into(), json!(role));
        written.insert("content".into(), Value::Array(content));
        message.extras.restore(ID, &mut written, &path, &mut blocks.losses);
        out.push(Value::Object(written));
    }
    if out.is_empty() && !own && !system.is_empty() {
        // Nothing but system messages: someone must have spoken.
        blocks.losses.approximated("messages[0]", "role");
        add(&mut out, "user", std::mem::take(&mut system));
    }
    losses.extend(blocks.losses);
    Ok((system, out))
}

/// Adds to the message that is open, or opens the next.
fn add(out: &mut Vec<Value>, role: &str, content: Vec<Value>) {
    if content.is_empty() {
        return;
    }
    match out.last_mut() {
        Some(last) if last["role"] == role => {
            if let Some(Value::Array(all)) = last.get_mut("content") {
                all.extend(content);
            }
        }
        _ => out.push(json!({"role": role, "content": content})),
    }
}
