//! Buffered answers, read and written.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use tollgate_model::{Citation, Event, Fault, FinishReason, Losses, PartKind, Reply, Signature};

use super::{ID, citation, media, stop, thought, usage};
use crate::{Encoded, ReplyContext, cited, sealed, signature, tree, unparsed};

/// Reads a whole answer.
pub(super) fn decode(body: &[u8]) -> Result<Vec<Event>, Fault> {
    let body =
        tree::read(body).map_err(|_| Fault::bad_upstream("The provider's answer is not JSON."))?;
    let Value::Object(mut answer) = body else { return Err(no_answer()) };
    let content = answer.get_mut("output").and_then(|output| output.get_mut("message"));
    let content = content.and_then(|message| message.get_mut("content")).map(Value::take);
    let Some(Value::Array(content)) = content else { return Err(no_answer()) };
    let mut out = vec![Event::Start { id: None, model: None, created: None }];
    let mut reading = Reading::default();
    for block in content {
        let Value::Object(block) = block else { return Err(no_answer()) };
        reading.block(block, &mut out);
    }
    reading.end(&mut out);
    let tail = Tail {
        output: None,
        stop_reason: answer.get("stopReason").and_then(Value::as_str).map(str::to_owned),
        usage: answer.get_mut("usage").map(Value::take),
        service_tier: answer.get_mut("serviceTier").map(Value::take),
        additional_model_response_fields: answer
            .get_mut("additionalModelResponseFields")
            .map(Value::take),
    };
    tail.close(&mut out);
    Ok(out)
}

/// Reads no more of a whole answer than metering needs.
pub(super) fn skim(body: &[u8]) -> Result<Vec<Event>, Fault> {
    let tail: Tail = serde_json::from_slice(body).map_err(|_| no_answer())?;
    if tail.output.is_none() {
        return Err(no_answer());
    }
    let mut out = vec![Event::Start { id: None, model: None, created: None }];
    tail.close(&mut out);
    Ok(out)
}

/// What an answer says beside its content.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tail {
    output: Option<IgnoredAny>,
    stop_reason: Option<String>,
    usage: Option<Value>,
    service_tier: Option<Value>,
    additional_model_response_fields: Option<Value>,
}

impl Tail {
    fn close(self, out: &mut Vec<Event>) {
        out.push(Event::Usage(stated(self.usage.as_ref(), self.service_tier.as_ref())));
        out.extend(finish(self.stop_reason, self.additional_model_response_fields.as_ref()));
        out.push(Event::End);
    }
}

/// The end of an answer; `None` when it names no reason.
pub(super) fn finish(word: Option<String>, fields: Option<&Value>) -> Option<Event> {
    let word = word?;
    let stop_sequence = fields.and_then(|fields| fields.get("stop_sequence"));
    let stop_sequence = stop_sequence.and_then(Value::as_str).map(str::to_owned);
    let reason = stop::reason(&word);
    Some(Event::Finish { choice: 0, reason, word: Some(word), stop_sequence })
}

/// What an answer says it used.
pub(super) fn stated(said: Option<&Value>, tier: Option<&Value>) -> tollgate_model::Usage {
    let mut found = said.map(usage::read).unwrap_or_default();
    let tier = tier.and_then(|tier| tier.get("type")).and_then(Value::as_str);
    found.service_tier = tier.map(str::to_owned);
    found
}

fn no_answer() -> Fault {
    Fault::bad_upstream("The provider's answer is not a message.")
}

/// Reads content, block after block.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Characters of visible text so far.
    pub(super) chars: u64,
    calls: u32,
    /// The signature of the call that comes next, if a call comes next.
    sealed: Option<Signature>,
}

impl Reading {
    /// A whole block.
    fn block(&mut self, mut block: Map<String, Value>, out: &mut Vec<Event>) {
        if !block.contains_key("toolUse") {
            self.end(out);
        }
        if let Some(text) = block.get("text").and_then(Value::as_str) {
            self.text(text, out);
        } else if let Some(cited) = block.get_mut("citationsContent") {
            let from = self.chars;
            for text in cited.get("content").and_then(Value::as_array).into_iter().flatten() {
                self.text(text.get("text").and_then(Value::as_str).unwrap_or_default(), out);
            }
            if let Some(Value::Array(citations)) = cited.get_mut("citations").map(Value::take) {
                self.cited(from, citations, out);
            }
        } else if let Some(thought) = block.get("reasoningContent") {
            self.thought(thought, out);
        } else if let Some(call) = block.get("toolUse").filter(|call| !is_of_server(call)) {
            let text = |name: &str| call.get(name).and_then(Value::as_str).unwrap_or_default();
            let index = self.call(text("toolUseId").to_owned(), text("name").to_owned(), out);
            let arguments = call.get("input").map_or_else(|| "{}".to_owned(), unparsed::read);
            out.push(Event::ToolCallDelta { choice: 0, index, arguments });
        } else if let Some(media) = media_in(&block) {
            out.push(Event::Media { choice: 0, media });
        } else {
            self.native(Value::Object(block), out);
        }
    }

    pub(super) fn text(&mut self, text: &str, out: &mut Vec<Event>) {
        if !text.is_empty() {
            self.chars += text.chars().count() as u64;
            out.push(Event::Text { choice: 0, text: text.to_owned() });
        }
    }

    /// Citations of the text since character `from`.
    pub(super) fn cited(&self, from: u64, citations: Vec<Value>, out: &mut Vec<Event>) {
        for json in citations {
            let citation = citation::read(json, from, self.chars);
            out.push(Event::Citation { choice: 0, citation });
        }
    }

    fn thought(&mut self, thought: &Value, out: &mut Vec<Event>) {
        let said = thought.get("reasoningText");
        let said = |name: &str| said.and_then(|said| said.get(name)).and_then(Value::as_str);
        if let Some(data) = thought.get("redactedContent").and_then(Value::as_str) {
            self.hidden(data, out);
        } else {
            reasoning(said("text").unwrap_or_default(), out);
            signed(said("signature").unwrap_or_default(), out);
        }
    }

    /// Hidden thinking; what seals a call is kept for it.
    pub(super) fn hidden(&mut self, data: &str, out: &mut Vec<Event>) {
        let data = thought::found(data);
        if sealed::of_call(&data, ID).is_some() {
            self.sealed = Some(data);
        } else {
            out.push(Event::RedactedReasoning { choice: 0, data });
        }
    }

    /// A call begins; gives its number.
    pub(super) fn call(&mut self, id: String, name: String, out: &mut Vec<Event>) -> u32 {
        let signature = self.sealed.take().and_then(|data| sealed::of_call(&data, ID));
        let index = self.calls;
        self.calls = self.calls.saturating_add(1);
        out.push(Event::ToolCallStart { choice: 0, index, id, name, signature });
        index
    }

    pub(super) fn native(&mut self, json: Value, out: &mut Vec<Event>) {
        out.push(Event::Native { choice: 0, dialect: ID, json });
    }

    /// No call follows the signature: it is thinking like any other that is hidden.
    pub(super) fn end(&mut self, out: &mut Vec<Event>) {
        if let Some(data) = self.sealed.take() {
            out.push(Event::RedactedReasoning { choice: 0, data });
        }
    }
}

pub(super) fn reasoning(text: &str, out: &mut Vec<Event>) {
    if !text.is_empty() {
        out.push(Event::Reasoning { choice: 0, text: text.to_owned() });
    }
}

pub(super) fn signed(data: &str, out: &mut Vec<Event>) {
    if !data.is_empty() {
        let signature = signature::read(data, ID);
        out.push(Event::ReasoningSignature { choice: 0, signature });
    }
}

/// A tool that Amazon runs itself.
pub(super) fn is_of_server(call: &Value) -> bool {
    call.get("type").and_then(Value::as_str) == Some("server_tool_use")
}

pub(super) fn media_in(block: &Map<String, Value>) -> Option<tollgate_model::Media> {
    block.iter().find_map(|(name, value)| {
        let kind = media::kind_of(name)?;
        media::read(kind, value.clone(), "").ok().map(|(media, _)| media)
    })
}

/// Writes a whole answer.
pub(super) fn encode(reply: &Reply, context: &ReplyContext) -> Encoded {
    let mut losses = Losses::default();
    let mut content = Vec::new();
    let mut finish = (None, None, None);
    let mut calls = 0;
    if let Some(choice) = reply.choices.first() {
        let mut chars = 0;
        for (at, part) in choice.parts.iter().enumerate() {
            match &part.kind {
                PartKind::Text(text) => {
                    let citations = choice.citations.iter().filter(|(of, _)| *of == at);
                    let citations = citations.map(|(_, citation)| citation);
                    chars = text_blocks(text, chars, citations, &mut content, &mut losses);
                }
                PartKind::ToolCall { id, name, arguments, signature } => {
                    content.extend(signature.as_ref().map(|signature| {
                        json!({"reasoningContent": {"redactedContent": thought::sealed(signature)}})
                    }));
                    let id = id_of_call(id, context, calls);
                    calls += 1;
                    let input = unparsed::object(arguments);
                    content
                        .push(json!({"toolUse": {"toolUseId": id, "name": name, "input": input}}));
                }
                kind => content.extend(block(kind, &mut losses)),
            }
        }
        if !choice.logprobs.is_empty() {
            losses.dropped("", "logprobs");
        }
        finish = (choice.finish, choice.finish_word.as_deref(), choice.stop_sequence.as_deref());
    }
    if reply.choices.len() > 1 {
        losses.dropped("", "choices");
    }
    let (reason, word, stop_sequence) = finish;
    let reason = reason.unwrap_or(FinishReason::Stop);
    let mut body = json!({
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop::word(reason, word, stop_sequence.is_some(), calls > 0),
        "usage": usage::written(&reply.usage),
        "metrics": {"latencyMs": context.latency_ms},
    });
    if let Some(stop_sequence) = stop_sequence {
        body["additionalModelResponseFields"] = json!({"stop_sequence": stop_sequence});
    }
    if let Some(tier) = &reply.usage.service_tier {
        body["serviceTier"] = json!({"type": tier});
    }
    Encoded { body: Bytes::from(body.to_string()), losses }
}

/// Writes `text`, which begins at character `from` of the answer, as one block or several, and
/// gives the character at which it ends.
fn text_blocks<'c>(
    text: &str,
    from: u64,
    citations: impl Iterator<Item = &'c Citation>,
    out: &mut Vec<Value>,
    losses: &mut Losses,
) -> u64 {
    let mut written = Vec::new();
    for one in citations {
        match citation::written(one) {
            Some(json) => written.push(((one.start, one.end), json)),
            None => losses.dropped("", "citations"),
        }
    }
    let (pieces, end) = cited::pieces(text, from, written);
    out.extend(pieces.into_iter().map(|(text, citations)| match citations.as_slice() {
        [] => json!({"text": text}),
        _ => json!({"citationsContent": {"content": [{"text": text}], "citations": citations}}),
    }));
    end
}

/// The block of any part but text and calls; `None` when an answer of this dialect has none.
pub(super) fn block(kind: &PartKind, losses: &mut Losses) -> Option<Value> {
    match kind {
        PartKind::Text(text) | PartKind::Refusal(text) if !text.is_empty() => {
            Some(json!({"text": text}))
        }
        PartKind::Reasoning { text, signature } => {
            let signature = signature.as_ref().map(|own| signature::written(own, ID));
            Some(json!({"reasoningContent": thought::text(text, signature.as_deref())}))
        }
        PartKind::RedactedReasoning(data) => {
            Some(json!({"reasoningContent": {"redactedContent": thought::hidden(data)}}))
        }
        PartKind::Native { dialect: ID, json } => Some(json.clone()),
        PartKind::Media(media) => {
            let inner = media::written(media, false);
            if inner.is_none() {
                losses.dropped("", "media");
            }
            inner.map(|inner| json!({media::block_of(media.kind): inner}))
        }
        PartKind::Native { json, .. } => {
            let kind = json.get("type").and_then(Value::as_str);
            losses.dropped("", kind.unwrap_or("native"));
            None
        }
        PartKind::Text(_)
        | PartKind::Refusal(_)
        | PartKind::ToolCall { .. }
        | PartKind::ToolResult { .. } => None,
    }
}

/// The call's own id, or one made from the answer's.
pub(super) fn id_of_call(id: &str, context: &ReplyContext, number: u32) -> String {
    if id.is_empty() { format!("tooluse_{}_{number}", context.id) } else { id.to_owned() }
}
