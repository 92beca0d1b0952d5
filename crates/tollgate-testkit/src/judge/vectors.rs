//! Replays the smaller operations: embeddings and token counts, requests and answers, in their own
//! shape and in that of the other vendors that have the operation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method};
use serde_json::Value;
use tollgate_model::{DialectId, EmbedRequest, Fault, FaultKind};
use tollgate_wire::operation::{CountTokens, Embed};
use tollgate_wire::{Codec, Incoming, Operation, Provider, Recipient, codec, ingress, provider};

use super::requests::{difference, line};
use super::{Kind, Known, Verdict, guarded};
use crate::Exchange;
use crate::digest::Difference;
use crate::readers::Shape;

/// Nothing for recordings of chats, and for errors.
#[must_use]
pub fn judge(exchange: &Exchange) -> Vec<Verdict> {
    let Some(known) = Known::of(exchange) else { return Vec::new() };
    let (from, row, operation) = (known.shape, known.row, known.operation);
    let speaks = |shape: &Shape| codec(DialectId(shape.as_str()), operation).is_some();
    if operation == Operation::Chat || !speaks(&from) {
        return Vec::new();
    }
    let judge = |to: Shape| {
        let mut verdict = Verdict::new(exchange, to.as_str(), Kind::Vectors);
        let mut refused = None;
        guarded(&mut verdict.differences, |found| {
            let at = |shape: Shape| codec(DialectId(shape.as_str()), operation);
            match (at(from), at(to)) {
                (Some(Codec::Embed(read)), Some(Codec::Embed(write))) => {
                    let passage = Passage { exchange, row, from, to };
                    refused = embeddings(&passage, read, write, found);
                }
                (Some(Codec::CountTokens(read)), Some(Codec::CountTokens(write))) => {
                    let passage = Passage { exchange, row, from, to };
                    refused = counts(&passage, read, write, found);
                }
                _ => found.push(Difference::new("codec", "one for the operation", "none")),
            }
        });
        verdict.refused = refused;
        verdict
    };
    from.passages().filter(speaks).map(judge).collect()
}

struct Passage<'a> {
    exchange: &'a Exchange,
    row: &'static Provider,
    from: Shape,
    to: Shape,
}

impl Passage<'_> {
    /// The recorded request as it would arrive here.
    fn arriving<T>(
        &self,
        body: &[u8],
        decode: impl Fn(&Incoming<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let (path, headers) = (line(self.exchange), HeaderMap::new());
        let found = ingress::find(&Method::POST, &path, &headers)
            .ok_or_else(|| Fault::internal(format!("no route for {path}")))?;
        let model = found.model.as_deref();
        decode(&Incoming { route: found.route, model, headers: &headers, body })
    }

    /// Compares what was written for a provider; gives the reason of a refusal.
    fn written(
        &self,
        written: Result<bytes::Bytes, Fault>,
        recorded: &Value,
        found: &mut Vec<Difference>,
    ) -> Option<String> {
        match written {
            Err(fault) if fault.kind == FaultKind::Unsupported && self.from != self.to => {
                return Some(fault.message);
            }
            Err(fault) => found.push(Difference::new("request", "a request", format!("{fault}"))),
            Ok(body) => match serde_json::from_slice::<Value>(&body) {
                Err(error) => found.push(Difference::new("request", "JSON", format!("{error}"))),
                Ok(got) if self.from == self.to => {
                    found.extend(difference("identity", recorded, &got));
                }
                Ok(got) => {
                    let wanted = texts(recorded);
                    let have = texts(&got);
                    if let Some(lost) =
                        wanted.iter().find(|text| !have.iter().any(|have| have.contains(*text)))
                    {
                        found.push(Difference::new("said.text", lost.as_str(), "nothing"));
                    }
                }
            },
        }
        None
    }

    /// The row of a usual provider of the shape it is written for.
    fn recipient(&self) -> Option<&'static Provider> {
        if self.from == self.to {
            return Some(self.row);
        }
        provider::find(self.to.asking().provider)
    }
}

fn embeddings(
    passage: &Passage<'_>,
    read: &dyn Embed,
    write: &dyn Embed,
    found: &mut Vec<Difference>,
) -> Option<String> {
    let exchange = passage.exchange;
    let mut refused = None;
    let mut ask = EmbedRequest::default();
    if let Some(request) = exchange.whole_request() {
        let body = request.body.bytes();
        match passage.arriving(&body, |incoming| read.decode_request(incoming)) {
            // What its own provider refused may be refused here already.
            Err(_) if exchange.response.status >= 400 => {}
            Err(fault) => found.push(Difference::new("request", "read", format!("{fault}"))),
            Ok(decoded) => {
                let quirks = &passage.recipient()?.quirks;
                let to = Recipient { model: &decoded.model, quirks };
                let written = write.encode_request(&decoded, &to).map(|outgoing| outgoing.body);
                refused = passage.written(written, &request.body.json, found);
                ask = decoded;
            }
        }
    }
    if exchange.expected_kind() != "embedding" || refused.is_some() {
        return refused;
    }
    let body = exchange.response.body.bytes();
    match read.decode_reply(&body, &passage.row.quirks) {
        Err(fault) => found.push(Difference::new("vectors", "vectors", format!("{fault}"))),
        Ok(reply) => {
            let recorded = vectors(&exchange.response.body.json);
            let count = exchange.expect["count"].as_u64().unwrap_or_default();
            if recorded.len() as u64 != count {
                let got = recorded.len().to_string();
                found.push(Difference::new("reader", count.to_string(), got));
            }
            compare("vectors.read", &recorded, &reply.vectors, found);
            let answer = write.encode_reply(&reply, &ask, "some-model");
            match serde_json::from_slice::<Value>(&answer) {
                Ok(answer) => {
                    compare("vectors.written", &recorded, &vectors(&answer), found);
                    tokens(&exchange.response.body.json, &answer, found);
                }
                Err(error) => found.push(Difference::new("shape", "JSON", format!("{error}"))),
            }
        }
    }
    refused
}

fn counts(
    passage: &Passage<'_>,
    read: &dyn CountTokens,
    write: &dyn CountTokens,
    found: &mut Vec<Difference>,
) -> Option<String> {
    let exchange = passage.exchange;
    let mut refused = None;
    if let Some(request) = exchange.whole_request() {
        let body = request.body.bytes();
        match passage.arriving(&body, |incoming| read.decode_request(incoming)) {
            // What its own provider refused may be refused here already.
            Err(_) if exchange.response.status >= 400 => {}
            Err(fault) => found.push(Difference::new("request", "read", format!("{fault}"))),
            Ok(chat) => {
                let quirks = &passage.recipient()?.quirks;
                let to = Recipient { model: &chat.model, quirks };
                let written = write.encode_request(&chat, &to).map(|outgoing| outgoing.body);
                refused = passage.written(written, &request.body.json, found);
            }
        }
    }
    if exchange.response.status >= 400 {
        return refused;
    }
    let recorded = &exchange.response.body.json;
    let fields = ["input_tokens", "totalTokens", "inputTokens"];
    let count = |json: &Value| fields.iter().find_map(|field| json[*field].as_u64());
    let field = match passage.to.as_str() {
        "gemini-generate" => "totalTokens",
        "bedrock-converse" => "inputTokens",
        _ => "input_tokens",
    };
    match read.decode_reply(&exchange.response.body.bytes()) {
        Err(fault) => found.push(Difference::new("count", "a count", format!("{fault}"))),
        Ok(tokens) => {
            let answer = serde_json::from_slice::<Value>(&write.encode_reply(tokens));
            let got = answer.ok().and_then(|answer| answer[field].as_u64());
            if got != count(recorded) {
                let said = |n: Option<u64>| format!("{n:?}");
                found.push(Difference::new("count", said(count(recorded)), said(got)));
            }
        }
    }
    refused
}

/// The vectors of an answer in either shape, floats or base64.
fn vectors(answer: &Value) -> Vec<Vec<f32>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found: Vec<Vec<f32>> = Vec::new();
    for entry in list(&answer["data"]) {
        found.push(vector(&entry["embedding"]));
    }
    for entry in list(&answer["embeddings"]).iter().filter(|entry| entry.is_object()) {
        found.push(vector(&entry["values"]));
    }
    let typed = [&answer["embeddings"]["float"], &answer["embeddings"]];
    for list in typed.into_iter().filter_map(Value::as_array) {
        found.extend(list.iter().filter(|entry| entry.is_array()).map(vector));
    }
    if answer["embedding"]["values"].is_array() {
        found.push(vector(&answer["embedding"]["values"]));
    }
    found
}

fn vector(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(numbers) => {
            #[expect(clippy::cast_possible_truncation, reason = "embeddings are 32-bit floats")]
            let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN) as f32;
            numbers.iter().map(number).collect()
        }
        Value::String(text) => {
            let bytes = STANDARD.decode(text).unwrap_or_default();
            let (floats, _) = bytes.as_chunks::<4>();
            floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
        }
        _ => Vec::new(),
    }
}

fn compare(
    field: &'static str,
    expected: &[Vec<f32>],
    got: &[Vec<f32>],
    found: &mut Vec<Difference>,
) {
    // One host packs other numbers than floats into its base64; they are carried bit by bit.
    let bits = |vectors: &[Vec<f32>]| -> Vec<Vec<u32>> {
        vectors.iter().map(|vector| vector.iter().map(|n| n.to_bits()).collect()).collect()
    };
    if bits(expected) != bits(got) {
        let sizes = |vectors: &[Vec<f32>]| {
            let sizes: Vec<_> = vectors.iter().map(Vec::len).collect();
            format!("sizes {sizes:?}, first {:?}", vectors.first().and_then(|v| v.first()))
        };
        found.push(Difference::new(field, sizes(expected), sizes(got)));
    }
}

/// Input tokens, where both shapes state them.
fn tokens(recorded: &Value, answer: &Value, found: &mut Vec<Difference>) {
    let figure = |json: &Value| {
        let places =
            ["/usage/prompt_tokens", "/prompt_eval_count", "/meta/billed_units/input_tokens"];
        places.iter().find_map(|place| json.pointer(place)?.as_u64())
    };
    if let Some(expected) = figure(recorded)
        && figure(answer).is_some_and(|got| got != expected)
    {
        let got = format!("{:?}", figure(answer));
        found.push(Difference::new("usage.input", expected.to_string(), got));
    }
}

/// Texts to embed or to count, in either shape.
fn texts(request: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(request, "", &mut found);
    found
}

fn collect(value: &Value, name: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text)
            if matches!(
                name,
                "input" | "instructions" | "text" | "texts" | "content" | "system"
            ) && !text.trim().is_empty() =>
        {
            found.push(text.clone());
        }
        Value::Array(list) => list.iter().for_each(|item| collect(item, name, found)),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| collect(field, name, found));
        }
        _ => {}
    }
}
