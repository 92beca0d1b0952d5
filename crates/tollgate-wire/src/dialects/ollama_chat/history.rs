//! Writing the messages of a request. A message has one text, and beside it its images, its
//! thinking and its calls; a result of a tool is a message of its own.

use std::collections::HashMap;

use serde_json::{Map, Value};
use tollgate_model::{Losses, MediaKind, MediaSource, Message, Part, PartKind, Role, Shape};

use super::ID;
use crate::unparsed;

pub(super) fn encode(messages: &[Message], own: bool, losses: &mut Losses) -> Vec<Value> {
    let mut writing = Writing { own, losses, names: HashMap::new() };
    let mut out = Vec::with_capacity(messages.len());
    for (at, message) in messages.iter().enumerate() {
        writing.message(message, &format!("messages[{at}]"), &mut out);
    }
    out
}

struct Writing<'a, 'l> {
    /// The chat was read from this dialect: it is written as it was.
    own: bool,
    losses: &'l mut Losses,
    /// The tools that were called, by the ids of the calls: a result names its tool.
    names: HashMap<&'a str, &'a str>,
}

impl<'a> Writing<'a, '_> {
    fn message(&mut self, message: &'a Message, path: &str, out: &mut Vec<Value>) {
        let is_result = |part: &&Part| matches!(part.kind, PartKind::ToolResult { .. });
        for part in message.parts.iter().filter(is_result) {
            out.push(self.result(message, part, path));
        }
        let rest: Vec<&Part> = message.parts.iter().filter(|part| !is_result(part)).collect();
        if !rest.is_empty() || message.parts.is_empty() {
            let role = match message.role {
                Role::System | Role::Developer => "system",
                Role::User | Role::Tool => "user",
                Role::Assistant => "assistant",
            };
            let mut written = self.turn(role, &rest, message.shape, path);
            message.extras.restore(ID, &mut written, path, self.losses);
            out.push(written.into());
        } else if message.role != Role::Tool {
            message.extras.report(path, self.losses);
        }
        if message.name.is_some() {
            self.losses.dropped(path, "name");
        }
    }

    fn result(&mut self, message: &Message, part: &'a Part, path: &str) -> Value {
        let PartKind::ToolResult { call_id, name, parts, shape, is_error } = &part.kind else {
            return Value::Null;
        };
        let parts: Vec<&Part> = parts.iter().collect();
        let mut out = self.turn("tool", &parts, *shape, path);
        let called = || self.names.get(call_id.as_str()).copied();
        if let Some(name) = name.as_deref().or_else(|| if self.own { None } else { called() }) {
            out.insert("tool_name".into(), name.into());
        }
        if !call_id.is_empty() {
            out.insert("tool_call_id".into(), call_id.as_str().into());
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
        out.into()
    }

    /// One message of these parts.
    fn turn(
        &mut self,
        role: &str,
        parts: &[&'a Part],
        shape: Shape,
        path: &str,
    ) -> Map<String, Value> {
        let (mut texts, mut thoughts) = (Vec::new(), String::new());
        let (mut images, mut calls) = (Vec::new(), Vec::new());
        for (at, part) in parts.iter().enumerate() {
            let path = format!("{path}.content[{at}]");
            if part.cache.is_some() {
                self.losses.dropped(&path, "cache_control");
            }
            match &part.kind {
                PartKind::Text(text) => texts.push(text.as_str()),
                PartKind::Refusal(text) => {
                    self.losses.approximated(&path, "refusal");
                    texts.push(text);
                }
                PartKind::Reasoning { text, signature } => {
                    thoughts.push_str(text);
                    if signature.is_some() {
                        self.losses.dropped(&path, "signature");
                    }
                }
                PartKind::RedactedReasoning(_) => self.losses.dropped(&path, "reasoning"),
                PartKind::Media(_) => match self.medium(part, &path) {
                    Some(Seen::Image(data)) => images.push(Value::from(data)),
                    Some(Seen::Text(text)) => texts.push(text),
                    None => {}
                },
                PartKind::ToolCall { .. } => {
                    calls.push(self.call(part, &path));
                    continue;
                }
                PartKind::Native { json, .. } => {
                    let what = json["type"].as_str().unwrap_or("type");
                    self.losses.dropped(&path, what);
                }
                PartKind::ToolResult { .. } => self.losses.dropped(&path, "tool_result"),
            }
            part.extras.report(&path, self.losses);
        }
        let mut out = Map::new();
        out.insert("role".into(), role.into());
        // Pieces of one answer belong together; pieces of a prompt are paragraphs.
        let between = if role == "assistant" { "" } else { "\n\n" };
        match (shape, texts.is_empty()) {
            (Shape::Absent, true) if self.own => {}
            (Shape::Null, true) if self.own => drop(out.insert("content".into(), Value::Null)),
            _ => drop(out.insert("content".into(), texts.join(between).into())),
        }
        if !thoughts.is_empty() {
            out.insert("thinking".into(), thoughts.into());
        }
        for (name, list) in [("images", images), ("tool_calls", calls)] {
            if !list.is_empty() {
                out.insert(name.into(), list.into());
            }
        }
        out
    }

    /// What a model here can be shown of a medium: images by their data, documents as text.
    fn medium(&mut self, part: &'a Part, path: &str) -> Option<Seen<'a>> {
        let PartKind::Media(media) = &part.kind else { return None };
        match (media.kind, &media.source) {
            (MediaKind::Image, MediaSource::Base64 { data, .. }) => {
                if media.detail.is_some() {
                    self.losses.dropped(path, "detail");
                }
                Some(Seen::Image(data))
            }
            (_, MediaSource::Text { text, .. }) => {
                self.losses.approximated(path, "document");
                Some(Seen::Text(text))
            }
            (kind, _) => {
                let what = match kind {
                    MediaKind::Image => "image",
                    MediaKind::Document => "document",
                    MediaKind::Audio => "audio",
                    MediaKind::Video => "video",
                };
                self.losses.dropped(path, what);
                None
            }
        }
    }

    fn call(&mut self, part: &'a Part, path: &str) -> Value {
        let PartKind::ToolCall { id, name, arguments, signature } = &part.kind else {
            return Value::Null;
        };
        self.names.insert(id, name);
        if signature.is_some() {
            self.losses.dropped(path, "signature");
        }
        let input = unparsed::object(arguments);
        if !self.own && unparsed::is_carried(&input) {
            self.losses.approximated(path, "arguments");
        }
        let mut function = Map::new();
        function.insert("name".into(), name.as_str().into());
        function.insert("arguments".into(), input);
        let mut out = Map::new();
        if !id.is_empty() {
            out.insert("id".into(), id.as_str().into());
        }
        out.insert("function".into(), function.into());
        part.extras.restore(ID, &mut out, path, self.losses);
        out.into()
    }
}

enum Seen<'a> {
    Image(&'a str),
    Text(&'a str),
}
