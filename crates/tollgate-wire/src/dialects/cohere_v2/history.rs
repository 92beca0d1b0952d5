//! Writing the messages of a request, and the documents beside them. A result of a tool is a
//! message of its own, and every call has an id.

use serde_json::{Map, Value};
use tollgate_model::{Losses, MediaKind, Message, Part, PartKind, Role, Shape};

use super::{
    ID, content, document,
    messages::{PLAN, SIGNATURE, is_bare},
};
use crate::{call_ids::Ids, provider::CallId, signature};

/// Models, by what their names hold, that take earlier thinking back.
const THINKING_MODELS: [&str; 2] = ["reasoning", "command-a-plus"];

/// What is written of a conversation.
pub(super) struct Written {
    pub(super) messages: Vec<Value>,
    pub(super) documents: Vec<Value>,
}

pub(super) fn encode(messages: &[Message], own: bool, model: &str, losses: &mut Losses) -> Written {
    let thinks = own || THINKING_MODELS.iter().any(|part| model.contains(part));
    let ids = Ids::new(own, CallId::Any);
    let out = Written { messages: Vec::with_capacity(messages.len()), documents: Vec::new() };
    let mut writing = Writing { own, thinks, ids, losses, out };
    for (at, message) in messages.iter().enumerate() {
        writing.message(message, &format!("messages[{at}]"));
    }
    writing.out
}

struct Writing<'l> {
    /// The chat was read from this dialect: it is written as it was.
    own: bool,
    /// The model takes earlier thinking back.
    thinks: bool,
    ids: Ids,
    losses: &'l mut Losses,
    out: Written,
}

type Placed<'a> = (&'a Part, String);

impl Writing<'_> {
    fn message(&mut self, message: &Message, path: &str) {
        let placed = message.parts.iter().enumerate();
        let placed = placed.map(|(at, part)| (part, format!("{path}.content[{at}]")));
        let (results, rest): (Vec<Placed<'_>>, Vec<Placed<'_>>) =
            placed.partition(|(part, _)| matches!(part.kind, PartKind::ToolResult { .. }));
        let mut shown = Vec::new();
        for (result, _) in &results {
            self.result(message, result, path, &mut shown);
        }
        // Only a user may show images.
        if !shown.is_empty() {
            self.losses.approximated(path, "position");
            let content = content::encode(&shown, Shape::List, true, self.losses);
            let mut user = Map::new();
            user.insert("role".into(), "user".into());
            user.insert("content".into(), content.unwrap_or_default());
            self.out.messages.push(user.into());
        }
        if message.name.is_some() {
            self.losses.dropped(path, "name");
        }
        if !rest.is_empty() || message.parts.is_empty() {
            self.turn(message, rest, path);
        } else if message.role != Role::Tool {
            message.extras.report(path, self.losses);
        }
    }

    fn result<'a>(
        &mut self,
        message: &Message,
        part: &'a Part,
        path: &str,
        shown: &mut Vec<Placed<'a>>,
    ) {
        let PartKind::ToolResult { call_id, name, parts, shape, is_error } = &part.kind else {
            return;
        };
        let mut out = Map::new();
        out.insert("role".into(), "tool".into());
        let id = self.ids.result(call_id, name.as_deref());
        if !id.is_empty() {
            out.insert("tool_call_id".into(), id.into());
        }
        let is_image = |part: &Part| match &part.kind {
            PartKind::Media(media) => media.kind == MediaKind::Image,
            _ => false,
        };
        let placed = parts.iter().enumerate();
        let placed = placed.map(|(at, part)| (part, format!("{path}.content[{at}]")));
        let (images, rest): (Vec<Placed<'_>>, Vec<Placed<'_>>) =
            placed.partition(|(part, _)| !self.own && is_image(part));
        shown.extend(images);
        let shape = if self.own || !is_bare(*shape) { *shape } else { Shape::List };
        if let Some(content) = content::encode(&rest, shape, self.own, self.losses) {
            out.insert("content".into(), content);
        }
        if *is_error == Some(true) {
            self.losses.dropped(path, "is_error");
        }
        if part.cache.is_some() {
            self.losses.dropped(path, "cache_control");
        }
        part.extras.restore(ID, &mut out, path, self.losses);
        if message.role == Role::Tool {
            message.extras.restore(ID, &mut out, path, self.losses);
        }
        self.out.messages.push(out.into());
    }

    /// A message that is no result of a tool.
    fn turn(&mut self, message: &Message, parts: Vec<Placed<'_>>, path: &str) {
        let mut out = Map::new();
        let role = match message.role {
            Role::System | Role::Developer => "system",
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        out.insert("role".into(), role.into());
        let calls = message.parts.iter().any(|part| matches!(part.kind, PartKind::ToolCall { .. }));
        let (mut content, mut list, mut plan) = (Vec::new(), Vec::new(), None::<String>);
        for (part, at) in parts {
            if part.cache.is_some() {
                self.losses.dropped(&at, "cache_control");
            }
            match &part.kind {
                PartKind::ToolCall { .. } => list.push(self.call(part, &at)),
                PartKind::Reasoning { text, signature } if self.is_plan(part, calls) => {
                    plan.get_or_insert_default().push_str(text);
                    if signature.is_some() {
                        self.losses.dropped(&at, "signature");
                    }
                }
                PartKind::Reasoning { .. } if !self.thinks => {
                    self.losses.dropped(&at, "reasoning");
                }
                PartKind::Media(media) if self.is_beside(part, media.kind, role) => {
                    match document::write(part, &at, self.losses) {
                        Some(document) => {
                            if !self.own {
                                self.losses.approximated(&at, "position");
                            }
                            self.out.documents.push(document);
                        }
                        None => content.push((part, at)),
                    }
                }
                _ => content.push((part, at)),
            }
        }
        if let Some(plan) = plan {
            out.insert(PLAN.into(), plan.into());
        }
        let bare = content.is_empty() && !self.own && !list.is_empty();
        let shape = match message.shape {
            _ if bare => Shape::Absent,
            shape if self.own || !is_bare(shape) => shape,
            _ => Shape::List,
        };
        if let Some(content) = content::encode(&content, shape, self.own, self.losses) {
            out.insert("content".into(), content);
        }
        if !list.is_empty() {
            out.insert("tool_calls".into(), list.into());
        }
        message.extras.restore(ID, &mut out, path, self.losses);
        self.out.messages.push(out.into());
    }

    /// Thinking that is written as the plan of the calls after it.
    fn is_plan(&self, part: &Part, calls: bool) -> bool {
        if self.own { part.extras.chose(ID, PLAN) } else { calls && !self.thinks }
    }

    /// A document that is written beside the conversation.
    fn is_beside(&self, part: &Part, kind: MediaKind, role: &str) -> bool {
        let foreign = !self.own && kind == MediaKind::Document && role != "assistant";
        foreign || part.extras.chose(ID, document::BESIDE)
    }

    fn call(&mut self, part: &Part, path: &str) -> Value {
        let PartKind::ToolCall { id, name, arguments, signature } = &part.kind else {
            return Value::Null;
        };
        let mut function = Map::new();
        function.insert("name".into(), name.as_str().into());
        let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
        function.insert("arguments".into(), arguments.into());
        let mut out = Map::new();
        let id = self.ids.call(id, name);
        if !id.is_empty() {
            out.insert("id".into(), id.into());
        }
        out.insert("type".into(), "function".into());
        out.insert("function".into(), function.into());
        match signature {
            Some(signature) if self.own => {
                let written = signature::written(signature, ID);
                out.insert(SIGNATURE.into(), written.into());
            }
            Some(_) => self.losses.dropped(path, "signature"),
            None => {}
        }
        part.extras.restore(ID, &mut out, path, self.losses);
        out.into()
    }
}
