//! Reading the pieces of an answer. A whole `message` and a streamed `delta` hold the same
//! fields, so one reader serves both.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tollgate_model::{
    Citation, Event, FinishReason, Media, MediaKind, MediaSource, Signature, TokenLogprob,
};

use super::{ID, parts, reasoning};
use crate::signature;

/// What has been read of one choice.
#[derive(Debug, Default)]
pub(super) struct ChoiceReader {
    /// The calls so far, by the index the host gave.
    calls: BTreeMap<u64, Call>,
    /// Calls announced so far.
    announced: u32,
    /// Thinking came as text of its own, so that the text of details only repeats it.
    plain_reasoning: bool,
    /// The sound of the answer, until the choice ends.
    audio: String,
    audio_name: Option<String>,
    cited: usize,
    /// The host's word for the end, once it was said. Together says it after each call, so it
    /// counts only when the stream moves on.
    word: Option<String>,
    finished: bool,
}

#[derive(Debug, Default)]
struct Call {
    id: String,
    /// Index among the announced calls; `None` until the name is known.
    index: Option<u32>,
    /// Arguments that came before the name.
    early: String,
    signature: Option<Signature>,
}

/// Sound beyond this is not kept: a bound for hostile upstreams.
const MOST_AUDIO: usize = 64 << 20;

impl ChoiceReader {
    /// Reads a `message` or a `delta`.
    pub(super) fn read(&mut self, choice: u32, piece: &Map<String, Value>, out: &mut Vec<Event>) {
        self.read_reasoning(choice, piece, out);
        match piece.get("content") {
            Some(Value::String(text)) => push_text(choice, text, out),
            Some(Value::Array(list)) => self.read_list(choice, list, out),
            // Cloudflare writes the object that a schema asked for.
            Some(object @ Value::Object(_)) => push_text(choice, &object.to_string(), out),
            _ => {}
        }
        if let Some(text) = piece.get("refusal").and_then(Value::as_str)
            && !text.is_empty()
        {
            out.push(Event::Refusal { choice, text: text.to_owned() });
        }
        for annotation in piece.get("annotations").and_then(Value::as_array).into_iter().flatten() {
            self.cited += 1;
            let citation = decode_annotation(annotation);
            out.push(Event::Citation { choice, citation });
        }
        for image in piece.get("images").and_then(Value::as_array).into_iter().flatten() {
            let url = image.get("image_url").and_then(|image| image.get("url")?.as_str());
            if let Some(url) = url {
                let source = parts::source_of_url(url);
                let media = Media { kind: MediaKind::Image, source, name: None, detail: None };
                out.push(Event::Media { choice, media });
            }
        }
        if let Some(Value::Object(audio)) = piece.get("audio") {
            self.read_audio(audio);
        }
        for (at, call) in
            piece.get("tool_calls").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            self.read_call(choice, at, call, out);
        }
        if let Some(Value::Object(call)) = piece.get("function_call") {
            self.read_function_call(choice, call, out);
        }
    }

    /// Reads a delta that holds nothing but these.
    pub(super) fn read_plain(
        &mut self,
        choice: u32,
        reasoning: Option<String>,
        content: Option<String>,
        out: &mut Vec<Event>,
    ) {
        if let Some(text) = reasoning {
            self.plain_reasoning = true;
            out.push(Event::Reasoning { choice, text });
        }
        out.extend(content.map(|text| Event::Text { choice, text }));
    }

    fn read_reasoning(&mut self, choice: u32, piece: &Map<String, Value>, out: &mut Vec<Event>) {
        let plain = reasoning::TEXT_FIELDS.iter().find_map(|field| {
            piece.get(*field).and_then(Value::as_str).filter(|text| !text.is_empty())
        });
        if let Some(text) = plain {
            self.plain_reasoning = true;
            out.push(Event::Reasoning { choice, text: text.to_owned() });
        }
        let details = piece.get(reasoning::DETAILS).and_then(Value::as_array);
        for detail in details.into_iter().flatten() {
            match reasoning::decode_detail(detail) {
                Some(tollgate_model::PartKind::Reasoning { text, signature }) => {
                    if plain.is_none() && !self.plain_reasoning && !text.is_empty() {
                        out.push(Event::Reasoning { choice, text });
                    }
                    if let Some(signature) = signature {
                        out.push(Event::ReasoningSignature { choice, signature });
                    }
                }
                Some(tollgate_model::PartKind::RedactedReasoning(data)) => {
                    out.push(Event::RedactedReasoning { choice, data });
                }
                _ => {}
            }
        }
    }

    /// Content as a list (Mistral): text and thinking.
    fn read_list(&mut self, choice: u32, list: &[Value], out: &mut Vec<Event>) {
        for part in list {
            let text = |field: &str| part.get(field).and_then(Value::as_str);
            match text("type") {
                Some("thinking") => {
                    let thinking = part.get("thinking").and_then(parts::thinking_text);
                    if let Some(text) = thinking.filter(|text| !text.is_empty()) {
                        out.push(Event::Reasoning { choice, text });
                    }
                    if let Some(data) = text("signature").filter(|data| !data.is_empty()) {
                        let signature = signature::read(data, ID);
                        out.push(Event::ReasoningSignature { choice, signature });
                    }
                }
                Some("reference") => {
                    let native = Some((ID, part.clone()));
                    self.cited += 1;
                    let citation = Citation { native, ..Citation::default() };
                    out.push(Event::Citation { choice, citation });
                }
                _ => push_text(choice, text("text").unwrap_or_default(), out),
            }
        }
    }

    fn read_audio(&mut self, audio: &Map<String, Value>) {
        if let Some(id) = audio.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()) {
            self.audio_name = Some(id.to_owned());
        }
        if let Some(data) = audio.get("data").and_then(Value::as_str)
            && self.audio.len() + data.len() <= MOST_AUDIO
        {
            self.audio.push_str(data);
        }
    }

    fn read_call(&mut self, choice: u32, at: usize, call: &Value, out: &mut Vec<Event>) {
        let text =
            |of: &Value, field: &str| of.get(field).and_then(Value::as_str).map(str::to_owned);
        let wire = call.get("index").and_then(Value::as_u64).unwrap_or(at as u64);
        let id = text(call, "id").unwrap_or_default();
        // Snowflake fills in an empty `custom` beside the function.
        let custom = call.get("custom").filter(|custom| {
            custom.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty())
        });
        let (inner, field) = match (call.get("function"), custom) {
            (_, Some(custom)) => (custom, "input"),
            (Some(function), None) => (function, "arguments"),
            (None, None) => return,
        };
        let known = self.calls.entry(wire).or_default();
        // Some hosts give every call of an answer the same index.
        if known.index.is_some() && !id.is_empty() && !known.id.is_empty() && known.id != id {
            *known = Call::default();
        }
        if known.id.is_empty() {
            known.id = id;
        }
        if let Some(data) = call.as_object().and_then(reasoning::call_signature) {
            known.signature =
                Some(signature::read(data, tollgate_model::DialectId("gemini-generate")));
        }
        let name = text(inner, "name").filter(|name| !name.is_empty());
        let arguments = match inner.get(field) {
            // Groq writes `null` for a call without arguments.
            Some(Value::String(text)) if text == "null" => String::new(),
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(object) => object.to_string(),
        };
        match (known.index, name) {
            (None, Some(name)) => {
                let index = self.announced;
                self.announced += 1;
                known.index = Some(index);
                let signature = known.signature.take();
                let id = known.id.clone();
                out.push(Event::ToolCallStart { choice, index, id, name, signature });
                let arguments = std::mem::take(&mut known.early) + &arguments;
                if !arguments.is_empty() {
                    out.push(Event::ToolCallDelta { choice, index, arguments });
                }
            }
            (None, None) => known.early.push_str(&arguments),
            (Some(index), _) if !arguments.is_empty() => {
                out.push(Event::ToolCallDelta { choice, index, arguments });
            }
            (Some(_), _) => {}
        }
    }

    /// A call from before there were tools. Snowflake writes an empty one into every message.
    fn read_function_call(&mut self, choice: u32, call: &Map<String, Value>, out: &mut Vec<Event>) {
        let wrapped = serde_json::json!({"index": u32::MAX, "function": call});
        let named = call.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
        if named || self.calls.contains_key(&u64::from(u32::MAX)) {
            self.read_call(choice, 0, &wrapped, out);
        }
    }

    /// The host has said why the choice ends.
    pub(super) fn note_end(&mut self, word: String) {
        self.word = Some(word);
    }

    /// The host has said why the choice ends.
    pub(super) fn ended(&self) -> bool {
        self.finished || self.word.is_some()
    }

    /// The choice is over, with the word that was noted.
    pub(super) fn finish_noted(&mut self, choice: u32, out: &mut Vec<Event>) {
        let word = self.word.take();
        self.finish(choice, word.as_deref(), out);
    }

    /// The choice is over, with `word`.
    pub(super) fn finish(&mut self, choice: u32, word: Option<&str>, out: &mut Vec<Event>) {
        if self.finished {
            return;
        }
        self.finished = true;
        if !self.audio.is_empty() {
            let source = MediaSource::Base64 {
                mime: "audio/mpeg".into(),
                data: std::mem::take(&mut self.audio),
            };
            let name = self.audio_name.take();
            let media = Media { kind: MediaKind::Audio, source, name, detail: None };
            out.push(Event::Media { choice, media });
        }
        let reason = reason_of(word, self.announced > 0);
        let word = word.map(str::to_owned);
        out.push(Event::Finish { choice, reason, word, stop_sequence: None });
    }

    /// The choice calls tools.
    pub(super) fn called(&self) -> bool {
        self.announced > 0
    }

    /// A call went by without being read.
    pub(super) fn note_call(&mut self) {
        self.announced = self.announced.max(1);
    }

    /// The end of a choice of which nothing else was read.
    pub(super) fn skimmed(choice: u32, word: Option<String>, called: bool) -> Event {
        let reason = reason_of(word.as_deref(), called);
        Event::Finish { choice, reason, word, stop_sequence: None }
    }

    /// Citations that stand beside the choices (Perplexity) instead of in them.
    pub(super) fn cite(&mut self, choice: u32, body: &Map<String, Value>, out: &mut Vec<Event>) {
        if self.cited > 0 {
            return;
        }
        let results = body.get("search_results").and_then(Value::as_array);
        let urls = body.get("citations").and_then(Value::as_array);
        let found: Vec<&Value> = urls.or(results).into_iter().flatten().collect();
        for (at, source) in found.into_iter().enumerate() {
            let result = results.and_then(|results| results.get(at));
            let text = |field: &str| {
                let value = source.get(field).or_else(|| result?.get(field));
                value.and_then(Value::as_str).map(str::to_owned)
            };
            let url = source.as_str().map(str::to_owned).or_else(|| text("url"));
            let citation = Citation { url, title: text("title"), ..Citation::default() };
            self.cited += 1;
            out.push(Event::Citation { choice, citation });
        }
    }
}

fn push_text(choice: u32, text: &str, out: &mut Vec<Event>) {
    if !text.is_empty() {
        out.push(Event::Text { choice, text: text.to_owned() });
    }
}

fn decode_annotation(annotation: &Value) -> Citation {
    let inner = annotation.get("url_citation").unwrap_or(annotation);
    let text = |field: &str| inner.get(field).and_then(Value::as_str).map(str::to_owned);
    let count = |field: &str| inner.get(field).and_then(Value::as_u64);
    Citation {
        url: text("url"),
        title: text("title"),
        cited_text: text("content"),
        document: None,
        start: count("start_index"),
        end: count("end_index"),
        native: Some((ID, annotation.clone())),
    }
}

/// What a host's own word means. Some end an answer that calls tools with `stop`, or with
/// nothing.
fn reason_of(word: Option<&str>, called: bool) -> FinishReason {
    match word.unwrap_or_default() {
        "tool_calls" | "function_call" | "tool_use" => FinishReason::ToolCalls,
        "length" | "max_tokens" | "model_length" => FinishReason::Length,
        "content_filter" => FinishReason::ContentFilter,
        "refusal" => FinishReason::Refusal,
        _ if called => FinishReason::ToolCalls,
        "stop" | "eos" | "end_turn" | "stop_sequence" => FinishReason::Stop,
        _ if word.is_none() => FinishReason::Stop,
        _ => FinishReason::Other,
    }
}

/// Reads `logprobs` of a choice.
pub(super) fn read_logprobs(choice: u32, logprobs: &Value, out: &mut Vec<Event>) {
    if let Some(tokens) = read_lists(logprobs).filter(|tokens| !tokens.is_empty()) {
        out.push(Event::Logprobs { choice, tokens });
    }
    for field in ["reasoning_content", "content", "refusal"] {
        let list = logprobs.get(field).and_then(Value::as_array);
        let tokens: Vec<TokenLogprob> =
            list.into_iter().flatten().filter_map(|token| decode_token(token, true)).collect();
        if !tokens.is_empty() {
            out.push(Event::Logprobs { choice, tokens });
        }
    }
}

/// The lists side by side that completions have from before there were chats.
fn read_lists(logprobs: &Value) -> Option<Vec<TokenLogprob>> {
    let list = |name: &str| logprobs.get(name).and_then(Value::as_array);
    let (tokens, figures, tops) = (list("tokens")?, list("token_logprobs")?, list("top_logprobs"));
    let plain = |token: &str, logprob: f64, top| TokenLogprob {
        token: token.to_owned(),
        logprob,
        bytes: None,
        top,
    };
    let one = |(at, (token, logprob)): (usize, (&Value, &Value))| {
        let top = tops.and_then(|tops| tops.get(at)?.as_object());
        let top = top.into_iter().flatten();
        let top =
            top.filter_map(|(token, logprob)| Some(plain(token, logprob.as_f64()?, Vec::new())));
        // The first token of an echoed prompt has none.
        Some(plain(token.as_str()?, logprob.as_f64()?, top.collect()))
    };
    Some(tokens.iter().zip(figures).enumerate().filter_map(one).collect())
}

pub(in crate::dialects) fn decode_token(token: &Value, outer: bool) -> Option<TokenLogprob> {
    let bytes = token
        .get("bytes")
        .and_then(Value::as_array)
        .map(|bytes| bytes.iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect());
    let top = token.get("top_logprobs").and_then(Value::as_array).filter(|_| outer);
    Some(TokenLogprob {
        token: token.get("token")?.as_str()?.to_owned(),
        logprob: token.get("logprob")?.as_f64()?,
        bytes,
        top: top.into_iter().flatten().filter_map(|token| decode_token(token, false)).collect(),
    })
}
