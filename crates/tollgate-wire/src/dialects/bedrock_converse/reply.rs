//! Buffered answers, read and written.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use tollgate_model::{
    Citation, DialectId, Event, Fault, FinishReason, Losses, PartKind, Reply, Signature,
};

use super::stream::Writer;
use super::{ID, citation, media, stop, thought, usage};
use crate::blocks::{self, BlockFormat};
use crate::{Encoded, Quirks, ReplyContext, sealed, signature, tree, unparsed};

/// Reads a whole answer.
pub(super) fn decode(body: &[u8], _: &Quirks) -> Result<Vec<Event>, Fault> {
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
pub(super) fn skim(body: &[u8], _: &Quirks) -> Result<Vec<Event>, Fault> {
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
    let said = blocks::content::<Writer>(reply, context, &mut losses);
    let reason = said.reason.unwrap_or(FinishReason::Stop);
    let cut_by_word = said.stop_sequence.is_some();
    let mut body = json!({
        "output": {"message": {"role": "assistant", "content": said.blocks}},
        "stopReason": stop::word(reason, said.word, cut_by_word, said.calls > 0),
        "usage": usage::written(&reply.usage),
        "metrics": {"latencyMs": context.latency_ms},
    });
    if let Some(stop_sequence) = said.stop_sequence {
        body["additionalModelResponseFields"] = json!({"stop_sequence": stop_sequence});
    }
    if let Some(tier) = &reply.usage.service_tier {
        body["serviceTier"] = json!({"type": tier});
    }
    Encoded { body: Bytes::from(body.to_string()), losses }
}

impl BlockFormat for Writer {
    const ID: DialectId = ID;
    const ENDS_WITH_ANSWER: bool = false;

    fn text(text: &str, citations: Vec<Value>) -> Value {
        match citations.as_slice() {
            [] => json!({"text": text}),
            _ => json!({"citationsContent": {"content": [{"text": text}], "citations": citations}}),
        }
    }

    fn citation(citation: &Citation) -> Option<Value> {
        citation::written(citation)
    }

    fn tool_call(id: &str, name: &str, input: Value) -> Value {
        json!({"toolUse": {"toolUseId": id, "name": name, "input": input}})
    }

    fn call_id(id: &str, context: &ReplyContext, number: u32) -> String {
        if id.is_empty() { format!("tooluse_{}_{number}", context.id) } else { id.to_owned() }
    }

    fn seal(signature: &Signature) -> Value {
        json!({"reasoningContent": {"redactedContent": thought::sealed(signature)}})
    }

    fn other(part: &PartKind, losses: &mut Losses) -> Option<Value> {
        match part {
            PartKind::Refusal(text) if !text.is_empty() => Some(Self::text(text, Vec::new())),
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
            _ => None,
        }
    }
}
