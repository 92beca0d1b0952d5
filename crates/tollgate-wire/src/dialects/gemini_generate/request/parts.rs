//! Parts of a content, both ways.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};
use tollgate_model::{Fault, Losses, Media, Part, PartKind, Shape, Signature};

use super::super::fields::{Fields, wrong};
use super::super::{ID, function, media, signature};

/// Kinds of parts that the hub has words for. A part of any other kind is kept whole.
const KNOWN: [&str; 5] = ["text", "functionCall", "functionResponse", "inlineData", "fileData"];

/// Makes up the ids of calls, which Gemini may leave out, and finds the call of each result by
/// order and name. The ids depend on nothing but the order of the calls, so a conversation that
/// grows keeps them.
#[derive(Debug, Default)]
pub(super) struct CallIds {
    calls: u32,
    /// Calls without a result so far: id, name.
    open: VecDeque<(String, String)>,
}

impl CallIds {
    fn of_call(&mut self, written: Option<&String>, name: &str) -> String {
        self.calls = self.calls.saturating_add(1);
        let id = written.cloned().unwrap_or_else(|| format!("call_g{}", self.calls));
        self.open.push_back((id.clone(), name.to_owned()));
        id
    }

    fn of_result(&mut self, written: Option<&String>, name: &str) -> String {
        let fits =
            |(id, of): &(String, String)| written.map_or(of == name, |written| id == written);
        match self.open.iter().position(fits) {
            Some(at) => self.open.remove(at).map(|(id, _)| id).unwrap_or_default(),
            None => written.cloned().unwrap_or_else(|| {
                self.calls = self.calls.saturating_add(1);
                format!("call_g{}", self.calls)
            }),
        }
    }
}

/// Reads one part.
pub(super) fn decode(value: Value, path: &str, ids: &mut CallIds) -> Result<Part, Fault> {
    let mut part = Fields::open(value, path)?;
    let Some(kind) = KNOWN.into_iter().find(|kind| part.has(kind)) else {
        return Ok(PartKind::Native { dialect: ID, json: part.into_value() }.into());
    };
    let kind = match kind {
        "text" => decode_text(&mut part)?,
        "functionCall" => decode_call(&mut part, ids)?,
        "functionResponse" => decode_result(&mut part, ids)?,
        _ => PartKind::Media(decode_media(&mut part)?),
    };
    Ok(Part { kind, cache: None, extras: part.into_extras() })
}

fn decode_text(part: &mut Fields) -> Result<PartKind, Fault> {
    let text = part.text("text")?.unwrap_or_default();
    match part.flag("thought")? {
        Some(true) => {}
        // It says nothing.
        Some(false) => {
            part.extras.spell(ID, "thought", None, false.into());
            return Ok(PartKind::Text(text));
        }
        None => return Ok(PartKind::Text(text)),
    }
    let signature = part.text("thoughtSignature")?.map(signature::read);
    if text.is_empty() {
        part.extras.spell(ID, "thought", None, true.into());
    }
    Ok(match signature {
        Some((data, true)) => PartKind::RedactedReasoning(data),
        Some((signature, _)) => PartKind::Reasoning { text, signature: Some(signature) },
        None => PartKind::Reasoning { text, signature: None },
    })
}

fn decode_call(part: &mut Fields, ids: &mut CallIds) -> Result<PartKind, Fault> {
    let value = part.take("functionCall").unwrap_or_default();
    let mut call = Fields::open(value, part.path("functionCall"))?;
    let name = call.required_text("name")?;
    let written = call.text("id")?;
    let id = ids.of_call(written.as_ref(), &name);
    keep_id(&mut call, written, &id);
    let arguments = match call.take("args") {
        Some(Value::Object(args)) => function::arguments(&args),
        Some(other) => return Err(wrong(&call.path("args"), "an object", &other)),
        None => {
            call.extras.omit(ID, "args", json!({}));
            "{}".to_owned()
        }
    };
    part.extras.nest(ID, "functionCall", call.into_extras());
    let signature = part.text("thoughtSignature")?.map(|text| signature::read(text).0);
    Ok(PartKind::ToolCall { id, name, arguments, signature })
}

fn keep_id(fields: &mut Fields, written: Option<String>, id: &str) {
    match written {
        Some(written) => fields.extras.spell(ID, "id", Some(id.into()), written.into()),
        None => fields.extras.omit(ID, "id", id.into()),
    }
}

fn decode_result(part: &mut Fields, ids: &mut CallIds) -> Result<PartKind, Fault> {
    let value = part.take("functionResponse").unwrap_or_default();
    let mut result = Fields::open(value, part.path("functionResponse"))?;
    let name = result.required_text("name")?;
    let written = result.text("id")?;
    let call_id = ids.of_result(written.as_ref(), &name);
    keep_id(&mut result, written, &call_id);
    let (text, is_error) = match result.take("response") {
        Some(Value::Object(response)) => {
            let (text, is_error) = function::result(&response);
            let canonical = function::response(&text, is_error == Some(true)).into();
            result.extras.spell(ID, "response", Some(canonical), response.into());
            (text, is_error)
        }
        Some(other) => return Err(wrong(&result.path("response"), "an object", &other)),
        None => {
            result.extras.omit(ID, "response", json!({}));
            ("{}".to_owned(), None)
        }
    };
    let mut parts = vec![Part::text(text)];
    let path = result.path("parts");
    for (at, value) in result.list("parts")?.unwrap_or_default().into_iter().enumerate() {
        let mut inner = Fields::open(value, format!("{path}[{at}]"))?;
        if inner.has("inlineData") || inner.has("fileData") {
            let kind = PartKind::Media(decode_media(&mut inner)?);
            parts.push(Part { kind, cache: None, extras: inner.into_extras() });
        } else {
            let json = inner.into_value();
            parts.push(PartKind::Native { dialect: ID, json }.into());
        }
    }
    part.extras.nest(ID, "functionResponse", result.into_extras());
    Ok(PartKind::ToolResult { call_id, name: Some(name), parts, shape: Shape::List, is_error })
}

fn decode_media(part: &mut Fields) -> Result<Media, Fault> {
    match part.take("inlineData") {
        Some(value) => media::read_inline(part, value),
        None => {
            let value = part.take("fileData").unwrap_or_default();
            media::read_file(part, value)
        }
    }
}

/// Writes parts.
#[derive(Debug)]
pub(super) struct PartWriter<'a> {
    /// Names of the calls so far, by id: a result must state its function's.
    pub(super) names: HashMap<String, String>,
    /// The model takes media inside a `functionResponse`; else they stand beside it.
    pub(super) media_inside: bool,
    pub(super) losses: &'a mut Losses,
}

impl PartWriter<'_> {
    /// Appends what `part` becomes: nothing, when it cannot be carried.
    pub(super) fn write(&mut self, part: &Part, path: &str, out: &mut Vec<Value>) {
        if part.cache.is_some() {
            self.losses.dropped(path, "cache_control");
        }
        let mut beside = Vec::new();
        let written = match &part.kind {
            PartKind::Text(text) => Some(object(json!({"text": text}))),
            PartKind::Refusal(text) => {
                self.losses.approximated(path, "refusal");
                Some(object(json!({"text": text})))
            }
            PartKind::Reasoning { text, signature } => {
                let signature = self.own(signature.as_ref(), path);
                let says = !text.is_empty() || signature.is_some() || part.extras.is_of(ID);
                says.then(|| reasoning(text, signature))
            }
            PartKind::RedactedReasoning(_) => {
                self.losses.dropped(path, "redacted_thinking");
                None
            }
            PartKind::ToolCall { signature, .. } => {
                let signature = self.own(signature.as_ref(), path);
                Some(self.call(&part.kind, signature, path))
            }
            PartKind::ToolResult { .. } => Some(self.result(&part.kind, path, &mut beside)),
            PartKind::Media(media) => self.media(media, path),
            PartKind::Native { dialect, json } if *dialect == ID => json.as_object().cloned(),
            PartKind::Native { json, .. } => {
                self.losses.dropped(path, json["type"].as_str().unwrap_or("part"));
                None
            }
        };
        match written {
            Some(mut written) => {
                part.extras.restore(ID, &mut written, path, self.losses);
                out.push(written.into());
            }
            None => part.extras.report(path, self.losses),
        }
        out.append(&mut beside);
    }

    /// A signature is of use only to the provider that made it.
    fn own(&mut self, signature: Option<&Signature>, path: &str) -> Option<Value> {
        let signature = signature?;
        if signature.origin == ID {
            return Some(signature::written(signature).into());
        }
        self.losses.dropped(path, "signature");
        None
    }

    fn call(
        &mut self,
        kind: &PartKind,
        signature: Option<Value>,
        path: &str,
    ) -> Map<String, Value> {
        let PartKind::ToolCall { id, name, arguments, .. } = kind else { return Map::new() };
        let (args, wrapped) = function::args(arguments);
        if wrapped {
            self.losses.approximated(path, "arguments");
        }
        let mut call = object(json!({"name": name, "args": args}));
        if !id.is_empty() {
            self.names.insert(id.clone(), name.clone());
            call.insert("id".into(), id.as_str().into());
        }
        let mut written = object(json!({"functionCall": call}));
        if let Some(signature) = signature {
            written.insert("thoughtSignature".into(), signature);
        }
        written
    }

    fn result(
        &mut self,
        kind: &PartKind,
        path: &str,
        beside: &mut Vec<Value>,
    ) -> Map<String, Value> {
        let PartKind::ToolResult { call_id, name, parts, is_error, .. } = kind else {
            return Map::new();
        };
        let name = name.clone().or_else(|| self.names.get(call_id).cloned()).unwrap_or_else(|| {
            self.losses.approximated(path, "name");
            "unknown_function".to_owned()
        });
        let (mut text, mut media) = (String::new(), Vec::new());
        for (at, inner) in parts.iter().enumerate() {
            let path = format!("{path}.content[{at}]");
            match &inner.kind {
                PartKind::Text(more) => {
                    text.push_str(more);
                    if !inner.extras.is_of(ID) {
                        inner.extras.report(&path, self.losses);
                    }
                }
                _ => self.write(inner, &path, &mut media),
            }
        }
        let response = function::response(&text, *is_error == Some(true));
        let mut result = object(json!({"name": name, "response": response}));
        if !call_id.is_empty() {
            result.insert("id".into(), call_id.as_str().into());
        }
        if !media.is_empty() && self.media_inside {
            result.insert("parts".into(), media.into());
        } else {
            *beside = media;
        }
        object(json!({"functionResponse": result}))
    }

    fn media(&mut self, media: &Media, path: &str) -> Option<Map<String, Value>> {
        if media.detail.as_deref().is_some_and(|detail| detail != "auto") {
            self.losses.dropped(path, "detail");
        }
        let written = media::written(media);
        if written.is_none() {
            self.losses.dropped(path, "file_id");
        }
        written
    }
}

fn reasoning(text: &str, signature: Option<Value>) -> Map<String, Value> {
    let mut written = object(json!({"text": text}));
    // Without text it is the mark that Google puts after the text it signs.
    if !text.is_empty() {
        written.insert("thought".into(), true.into());
    }
    if let Some(signature) = signature {
        written.insert("thoughtSignature".into(), signature);
    }
    written
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
