//! The blocks of a message, written.

use serde_json::{Map, Value, json};
use tollgate_model::{
    CacheMark, DialectId, Fault, FaultKind, Losses, Media, MediaKind, Part, PartKind, Shape, Source,
};

use super::content::{CITED, GUARDED, JSON};
use crate::call_ids::Ids;
use crate::dialects::bedrock_converse::{ID, media, thought};
use crate::{call_id, unparsed};

/// Writes the blocks of one request, message after message.
#[derive(Debug)]
pub(super) struct Blocks {
    pub(super) losses: Losses,
    /// What is written belongs to the turn that the model is to answer.
    pub(super) is_question: bool,
    /// Whose signatures the model takes.
    signed: &'static [DialectId],
    ids: Ids,
    names: media::Names,
}

impl Blocks {
    pub(super) fn new(ids: Ids, signed: &'static [DialectId]) -> Self {
        let (losses, names) = (Losses::default(), media::Names::default());
        Self { losses, is_question: false, signed, ids, names }
    }

    /// Writes the parts as blocks. What Bedrock has no block for is left out and reported.
    ///
    /// # Errors
    /// `Unsupported`, when that is media which the question is about: a model that does not see
    /// it would answer something else.
    pub(super) fn encode(&mut self, parts: &[Part], path: &str) -> Result<Vec<Value>, Fault> {
        let mut out = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            let path = format!("{path}[{at}]");
            let own = part.extras.is_of(ID);
            if let PartKind::Native { dialect: ID, json } = &part.kind {
                out.push(json.clone());
            } else if let Some((name, inside)) = self.block(part, own, &path)? {
                let mut block = Map::from_iter([(name.to_owned(), inside)]);
                part.extras.restore(ID, &mut block, &path, &mut self.losses);
                out.push(Value::Object(block));
            } else {
                part.extras.report(&path, &mut self.losses);
            }
            // A mark on what was left out moves to what stands before it.
            let marked = part.cache.as_ref().filter(|_| own || !ends_marked(&out));
            if let Some(mark) = marked {
                out.push(cache_written(mark, &path, &mut self.losses));
            }
        }
        Ok(out)
    }

    /// The name of a part's block and what stands inside; `None` when it has none.
    fn block(
        &mut self,
        part: &Part,
        own: bool,
        path: &str,
    ) -> Result<Option<(&'static str, Value)>, Fault> {
        Ok(Some(match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => {
                // Bedrock refuses texts without a letter in them.
                if text.trim().is_empty() && !own {
                    return Ok(None);
                }
                text_block(part, text)
            }
            PartKind::Media(media) => return self.media(media, own, path),
            PartKind::Reasoning { text, signature } => {
                let taken = signature.as_ref().filter(|own| self.signed.contains(&own.origin));
                if taken.is_none() && (signature.is_some() || !own) {
                    self.losses.dropped("", path);
                    return Ok(None);
                }
                let signature = taken.map(|signature| signature.data.as_str());
                ("reasoningContent", thought::text(text, signature))
            }
            PartKind::RedactedReasoning(data) => match thought::hidden_for(data, self.signed) {
                Some(data) => ("reasoningContent", json!({"redactedContent": data})),
                None => {
                    self.losses.dropped("", path);
                    return Ok(None);
                }
            },
            PartKind::ToolCall { id, name, arguments, signature } => {
                if signature.is_some() {
                    self.losses.dropped(path, "signature");
                }
                let input = unparsed::object(arguments);
                if !own && unparsed::is_carried(&input) {
                    self.losses.approximated(path, "arguments");
                }
                let id = self.ids.call(id, name);
                let id = if own { id } else { call_id::written(&id).into_owned() };
                ("toolUse", json!({"toolUseId": id, "name": name, "input": input}))
            }
            PartKind::ToolResult { call_id, name, parts, shape, is_error } => {
                let id = self.ids.result(call_id, name.as_deref());
                let id = if own { id } else { call_id::written(&id).into_owned() };
                let mut inside = json!({"toolUseId": id});
                if !(own && *shape == Shape::Absent) {
                    let content = self.encode(parts, &format!("{path}.content"))?;
                    inside["content"] = Value::Array(content);
                }
                if let Some(is_error) = is_error {
                    inside["status"] = json!(if *is_error { "error" } else { "success" });
                }
                ("toolResult", inside)
            }
            PartKind::Native { .. } => {
                self.losses.dropped("", path);
                return Ok(None);
            }
        }))
    }

    fn media(
        &mut self,
        media: &Media,
        own: bool,
        path: &str,
    ) -> Result<Option<(&'static str, Value)>, Fault> {
        let name = media::block_of(media.kind);
        let Some(mut inside) = media::written(media, own) else {
            self.losses.dropped("", path);
            if !self.is_question {
                return Ok(None);
            }
            let message =
                format!("{path}: this provider takes no {name} by its address or file id.");
            return Err(Fault::new(FaultKind::Unsupported, Source::Downstream, message));
        };
        if media.kind == MediaKind::Document {
            let name = match &media.name {
                name if own => name.clone(),
                name => Some(self.names.of(name.as_deref())),
            };
            inside.extend(name.map(|name| ("name".to_owned(), json!(name))));
        }
        if media.detail.as_deref().is_some_and(|detail| detail != "auto") {
            self.losses.dropped(path, "detail");
        }
        Ok(Some((name, Value::Object(inside))))
    }
}

/// The block of a text, in the form that its caller chose.
fn text_block(part: &Part, text: &str) -> (&'static str, Value) {
    if part.extras.chose(ID, GUARDED) {
        (GUARDED, json!({"text": {"text": text}}))
    } else if part.extras.chose(ID, CITED) {
        // Its content is given back with the citations.
        (CITED, json!({}))
    } else if part.extras.chose(ID, JSON) {
        (JSON, serde_json::from_str(text).unwrap_or_else(|_| json!(text)))
    } else {
        ("text", json!(text))
    }
}

/// Nothing stands before a mark, or another mark does.
fn ends_marked(blocks: &[Value]) -> bool {
    blocks.last().is_none_or(|last| last.get("cachePoint").is_some())
}

/// Writes a cache mark.
pub(super) fn cache_written(mark: &CacheMark, path: &str, losses: &mut Losses) -> Value {
    let mut out = Map::new();
    out.insert("type".into(), json!("default"));
    if let Some(ttl) = &mark.ttl {
        if mark.extras.is_of(ID) || matches!(ttl.as_str(), "5m" | "1h") {
            out.insert("ttl".into(), json!(ttl));
        } else {
            losses.dropped(path, "cache_control.ttl");
        }
    }
    mark.extras.restore(ID, &mut out, &format!("{path}.cache_control"), losses);
    json!({"cachePoint": out})
}
