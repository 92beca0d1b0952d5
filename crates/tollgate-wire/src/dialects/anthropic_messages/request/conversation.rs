//! The messages of a request, written: system messages of other dialects move to the top, tool
//! messages become blocks of a user message.

use serde_json::{Map, Value, json};
use tollgate_model::{Fault, Losses, Message, Part, PartKind, Role, Shape};

use super::blocks::Blocks;
use crate::dialects::anthropic_messages::ID;

/// Writes the top-level `system` and the messages. `own`: the request was of this very dialect.
pub(super) fn encode(
    messages: &[Message],
    own: bool,
    losses: &mut Losses,
) -> Result<(Option<Value>, Vec<Value>), Fault> {
    let mut written = Conversation::default();
    let answered = messages.iter().rposition(|message| message.role == Role::Assistant);
    for (at, message) in messages.iter().enumerate() {
        written.blocks.is_question = answered.is_none_or(|answered| at > answered);
        written.add(message, &format!("messages[{at}]"))?;
    }
    if written.messages.is_empty()
        && !own
        && let Some(system) = written.system.take()
    {
        // Nothing but system messages: Anthropic wants someone to have spoken.
        written.blocks.losses.approximated("messages[0]", "role");
        written.messages.push(json!({"role": "user", "content": system}));
    }
    losses.extend(written.blocks.losses);
    Ok((written.system, written.messages))
}

#[derive(Debug, Default)]
struct Conversation {
    system: Option<Value>,
    messages: Vec<Value>,
    blocks: Blocks,
    /// The last message was made from tool results of another dialect.
    results_open: bool,
}

impl Conversation {
    fn add(&mut self, message: &Message, path: &str) -> Result<(), Fault> {
        let own = message.extras.is_of(ID);
        if message.name.is_some() {
            self.blocks.losses.dropped(path, "name");
        }
        if !own && matches!(message.role, Role::System | Role::Developer) {
            if !self.messages.is_empty() {
                // Its place among the messages is lost.
                self.blocks.losses.approximated(path, "role");
            }
            return self.add_system(message, path);
        }
        let content = match (message.shape, message.parts.as_slice()) {
            (Shape::Text, [Part { kind: PartKind::Text(text), cache: None, .. }])
                if own || !text.trim().is_empty() =>
            {
                json!(text)
            }
            (_, parts) => Value::Array(self.blocks.encode(parts, &format!("{path}.content"))?),
        };
        if !own && content.as_array().is_some_and(Vec::is_empty) {
            message.extras.report(path, &mut self.blocks.losses);
            return Ok(());
        }
        let follows = self.results_open && !own && matches!(message.role, Role::Tool | Role::User);
        self.results_open = !own && message.role == Role::Tool;
        if follows && let Some(last) = self.messages.last_mut() {
            message.extras.report(path, &mut self.blocks.losses);
            append(last, content);
            return Ok(());
        }
        let role = match message.role {
            Role::Assistant => "assistant",
            Role::System | Role::Developer => "system",
            Role::User | Role::Tool => "user",
        };
        let mut written = Map::new();
        written.insert("role".into(), json!(role));
        written.insert("content".into(), content);
        message.extras.restore(ID, &mut written, path, &mut self.blocks.losses);
        self.messages.push(Value::Object(written));
        Ok(())
    }

    /// Adds a message to the top-level `system`, which stays a string while it is one text.
    fn add_system(&mut self, message: &Message, path: &str) -> Result<(), Fault> {
        message.extras.report(path, &mut self.blocks.losses);
        let alone = match (message.shape, message.parts.as_slice()) {
            (Shape::Text, [Part { kind: PartKind::Text(text), cache: None, .. }]) => Some(text),
            _ => None,
        };
        let more = match (&self.system, alone) {
            (None, Some(text)) => {
                self.system = Some(json!(text));
                return Ok(());
            }
            (_, Some(text)) => vec![json!({"type": "text", "text": text})],
            (_, None) => self.blocks.encode(&message.parts, &format!("{path}.content"))?,
        };
        let mut blocks = match self.system.take() {
            Some(Value::Array(blocks)) => blocks,
            Some(text) => vec![json!({"type": "text", "text": text})],
            None => Vec::new(),
        };
        blocks.extend(more);
        self.system = Some(Value::Array(blocks));
        Ok(())
    }
}

/// All results of one round of calls, and what the user said with them, are one message.
fn append(message: &mut Value, content: Value) {
    let blocks = match content {
        Value::Array(blocks) => blocks,
        text => vec![json!({"type": "text", "text": text})],
    };
    if let Some(Value::Array(all)) = message.get_mut("content") {
        all.extend(blocks);
    }
}
