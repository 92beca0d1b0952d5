//! The pieces of an answer. A whole answer and a line of a streamed one hold the same fields, so
//! one reader serves both.

use serde_json::{Map, Value, json};
use tollgate_model::{Event, FinishReason, TokenLogprob, Usage};

use crate::{moment, unparsed};

/// What has been read of an answer.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) calls: u32,
}

/// The figures that only Ollama states, in nanoseconds.
const DURATIONS: [&str; 4] =
    ["total_duration", "load_duration", "prompt_eval_duration", "eval_duration"];
const INPUT: &str = "prompt_eval_count";
const OUTPUT: &str = "eval_count";

pub(super) fn start(body: &Map<String, Value>) -> Event {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let model = text("model").filter(|model| !model.is_empty()).map(str::to_owned);
    let created = text("created_at").and_then(moment::read).filter(|created| *created > 0);
    Event::Start { id: None, model, created }
}

impl Reader {
    pub(super) fn read(&mut self, body: &Map<String, Value>, out: &mut Vec<Event>) {
        if let Some(message) = body.get("message").and_then(Value::as_object) {
            let text = |name: &str| {
                let text = message.get(name).and_then(Value::as_str);
                text.filter(|text| !text.is_empty()).map(str::to_owned)
            };
            out.extend(text("thinking").map(|text| Event::Reasoning { choice: 0, text }));
            out.extend(text("content").map(|text| Event::Text { choice: 0, text }));
            let calls = message.get("tool_calls").and_then(Value::as_array);
            for call in calls.into_iter().flatten() {
                self.read_call(call, out);
            }
        }
        let tokens: Vec<TokenLogprob> = read_logprobs(body.get("logprobs"), true);
        if !tokens.is_empty() {
            out.push(Event::Logprobs { choice: 0, tokens });
        }
    }

    /// Calls come whole.
    fn read_call(&mut self, call: &Value, out: &mut Vec<Event>) {
        let Some(function) = call.get("function") else { return };
        let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
        let Some(name) = text(function, "name") else { return };
        let id = text(call, "id").unwrap_or_default();
        let index = self.calls;
        self.calls += 1;
        out.push(Event::ToolCallStart { choice: 0, index, id, name, signature: None });
        let arguments = match function.get("arguments") {
            None | Some(Value::Null) => "{}".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(object) => unparsed::read(object),
        };
        out.push(Event::ToolCallDelta { choice: 0, index, arguments });
    }

    /// The answer is whole.
    pub(super) fn finish(&self, body: &Map<String, Value>, out: &mut Vec<Event>) {
        let word = body.get("done_reason").and_then(Value::as_str).filter(|word| !word.is_empty());
        let reason = reason_of(word, self.calls > 0);
        let word = word.map(str::to_owned);
        out.push(Event::Finish { choice: 0, reason, word, stop_sequence: None });
        out.extend(usage(body).map(Event::Usage));
        out.push(Event::End);
    }
}

/// An answer that calls tools ends with `stop` as well.
fn reason_of(word: Option<&str>, called: bool) -> FinishReason {
    match word {
        Some("length") => FinishReason::Length,
        _ if called => FinishReason::ToolCalls,
        // A request without messages only loads the model, or lets it go.
        None | Some("stop" | "load" | "unload") => FinishReason::Stop,
        Some(_) => FinishReason::Other,
    }
}

pub(super) fn word_of(reason: FinishReason) -> &'static str {
    if reason == FinishReason::Length { "length" } else { "stop" }
}

fn usage(body: &Map<String, Value>) -> Option<Usage> {
    let count = |name: &str| body.get(name).and_then(Value::as_u64);
    let (input_tokens, output_tokens) = (count(INPUT), count(OUTPUT));
    if input_tokens.is_none() && output_tokens.is_none() {
        return None;
    }
    let names = DURATIONS.into_iter().chain([INPUT, OUTPUT]);
    let raw = names.filter_map(|name| Some((name.to_owned(), body.get(name)?.clone())));
    let raw = Some(Box::new(Value::Object(raw.collect())));
    Some(Usage { input_tokens, output_tokens, raw, ..Usage::default() })
}

/// Writes the figures of a whole answer. Durations are those of the provider, if it is one of this
/// dialect; nobody else measures them.
pub(super) fn put_usage(usage: &Usage, out: &mut Map<String, Value>) {
    let raw = usage.raw.as_deref();
    for name in DURATIONS {
        if let Some(duration) = raw.and_then(|raw| raw.get(name)).and_then(Value::as_u64) {
            out.insert(name.into(), duration.into());
        }
    }
    for (name, count) in [(INPUT, usage.total_input()), (OUTPUT, usage.total_output())] {
        if let Some(count) = count {
            out.insert(name.into(), count.into());
        }
    }
}

/// A call as an answer holds it.
pub(super) fn call(id: &str, index: u32, name: &str, arguments: &str) -> Value {
    let arguments = unparsed::object(arguments);
    let function = json!({"index": index, "name": name, "arguments": arguments});
    match id {
        "" => json!({"function": function}),
        id => json!({"id": id, "function": function}),
    }
}

fn read_logprobs(list: Option<&Value>, outer: bool) -> Vec<TokenLogprob> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    let token = |token: &Value| {
        let bytes = token.get("bytes").and_then(Value::as_array);
        let byte = |byte: &Value| u8::try_from(byte.as_u64()?).ok();
        Some(TokenLogprob {
            token: token.get("token")?.as_str()?.to_owned(),
            logprob: token.get("logprob")?.as_f64()?,
            bytes: bytes.map(|bytes| bytes.iter().filter_map(byte).collect()),
            top: if outer { read_logprobs(token.get("top_logprobs"), false) } else { Vec::new() },
        })
    };
    list.filter_map(token).collect()
}

pub(super) fn logprobs(tokens: &[TokenLogprob]) -> Value {
    let one = |token: &TokenLogprob| {
        let mut out = json!({"token": token.token, "logprob": token.logprob});
        if let Some(bytes) = &token.bytes {
            out["bytes"] = bytes.clone().into();
        }
        out
    };
    let all = tokens.iter().map(|token| {
        let mut out = one(token);
        if !token.top.is_empty() {
            out["top_logprobs"] = token.top.iter().map(one).collect();
        }
        out
    });
    all.collect()
}
