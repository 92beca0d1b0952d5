//! Replays a recorded request: read by its own dialect and written again, which must give the
//! same JSON; and written for providers of the two other dialects, which must keep what was said,
//! carry no field of the caller's dialect, and name every field that was left out.

use http::{HeaderMap, Method};
use serde_json::Value;
use tollgate_model::{Chat, DialectId, Fault, FaultKind};
use tollgate_wire::{Dialect, Incoming, Outgoing, Recipient, dialect, ingress, provider};

use super::said::{self, Said};
use super::{Kind, Verdict, canary, guarded, row};
use crate::Exchange;
use crate::digest::{Difference, shortened};
use crate::readers::Shape;

/// For a provider of each of the three dialects; across only where its own provider answered.
/// Nothing for recordings of other operations or without a whole request.
#[must_use]
pub fn judge(exchange: &Exchange) -> Vec<Verdict> {
    let (Some(request), Some(from)) = (exchange.whole_request(), Shape::of(&exchange.dialect))
    else {
        return Vec::new();
    };
    let judge = |to: Shape| {
        if from != to && exchange.response.status >= 400 {
            return None;
        }
        let mut verdict = Verdict::new(exchange, to.as_str(), Kind::Request);
        let mut refused = None;
        guarded(&mut verdict.differences, |found| {
            let body = with_model(from, &request.body.json, exchange);
            if from == to {
                identity(exchange, from, &body, found);
            } else {
                refused = crossing(exchange, from, to, &body, found);
            }
        });
        verdict.refused = refused;
        Some(verdict)
    };
    Shape::ALL.into_iter().filter_map(judge).collect()
}

/// Written for its own dialect, a request is what it was; also with a field nobody knows in every
/// object.
fn identity(exchange: &Exchange, shape: Shape, body: &Value, found: &mut Vec<Difference>) {
    let Some(row) = row(exchange) else { return };
    let model = model(exchange);
    let to = Recipient { model: &model, quirks: &row.quirks };
    let body = with_sensible_ids(body);
    let mut marked = body.clone();
    canary::release(shape, &mut marked);
    for (what, body) in [("identity", &body), ("unknown_fields", &marked)] {
        let written = decode(exchange, shape, body).and_then(|chat| encode(shape, &chat, &to));
        match written {
            Ok(outgoing) => match serde_json::from_slice::<Value>(&outgoing.body) {
                Ok(got) => found.extend(difference(what, body, &got)),
                Err(error) => found.push(Difference::new(what, "JSON", format!("{error}"))),
            },
            // What its own provider refused may be refused here already.
            Err(_) if exchange.response.status >= 400 => {}
            Err(fault) => found.push(Difference::new(what, "the request", format!("{fault}"))),
        }
        if !found.is_empty() {
            return;
        }
    }
}

/// Those who published the recordings put placeholders for ids of calls; for a provider that
/// checks ids they would be written as it wants them.
fn with_sensible_ids(body: &Value) -> Value {
    let text = body.to_string().replace("call_REDACTED_", "callReda");
    serde_json::from_str(&text).unwrap_or_else(|_| body.clone())
}

/// Written for another dialect. Gives the reason where it is refused as not supported.
fn crossing(
    exchange: &Exchange,
    from: Shape,
    to: Shape,
    body: &Value,
    found: &mut Vec<Difference>,
) -> Option<String> {
    let row = provider::find(match to {
        Shape::AnthropicMessages => "anthropic",
        Shape::GeminiGenerate => "gemini",
        Shape::OpenaiChat => "openai",
    })?;
    let recipient = Recipient { model: "target-model", quirks: &row.quirks };
    let mut marked = body.clone();
    let canaries = canary::release(from, &mut marked);
    let written = decode(exchange, from, &marked).and_then(|chat| encode(to, &chat, &recipient));
    let outgoing = match written {
        Ok(outgoing) => outgoing,
        Err(fault) if fault.kind == FaultKind::Unsupported => return Some(fault.message),
        Err(fault) => {
            found.push(Difference::new("crossing", "a request", format!("{fault}")));
            return None;
        }
    };
    let foreign: Value = match serde_json::from_slice(&outgoing.body) {
        Ok(foreign) => foreign,
        Err(error) => {
            found.push(Difference::new("crossing", "JSON", format!("{error}")));
            return None;
        }
    };
    found.extend(canary::search(canaries, &foreign, &outgoing.losses));
    found.extend(said::missing(&Said::of(from, body), &foreign, &outgoing.losses));
    found.extend(strangers(to, &foreign));
    if to == Shape::AnthropicMessages {
        found.extend(strange_id(&foreign));
    }
    None
}

/// Azure's callers name the model in the path alone; callers of the gateway name it in the body.
fn with_model(shape: Shape, body: &Value, exchange: &Exchange) -> Value {
    let mut body = body.clone();
    if shape != Shape::GeminiGenerate
        && let Value::Object(fields) = &mut body
        && !fields.contains_key("model")
    {
        fields.insert("model".into(), model(exchange).into());
    }
    body
}

/// The model as the caller named it.
fn model(exchange: &Exchange) -> String {
    let request = exchange.request.as_ref();
    let named = request.and_then(|request| request.body.json["model"].as_str());
    let path = request.map(|request| request.path.as_str()).unwrap_or_default();
    let in_path = path.split_once("models/").and_then(|(_, rest)| rest.split(':').next());
    let in_path = in_path.filter(|model| !model.is_empty());
    let fallback = exchange.model.as_deref();
    let (first, second) =
        if exchange.dialect.starts_with("gemini") { (in_path, named) } else { (named, in_path) };
    let names = [first, second, fallback];
    names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or("unnamed").to_owned()
}

/// The request line that this gateway's callers would send.
pub(super) fn line(exchange: &Exchange) -> String {
    let path = exchange.request.as_ref().map(|request| request.path.as_str()).unwrap_or_default();
    let verb = path.rsplit_once(':').map(|(_, verb)| verb);
    match exchange.dialect.as_str() {
        "openai-chat" => "/v1/chat/completions".into(),
        "openai-embeddings" => "/v1/embeddings".into(),
        "anthropic-messages" => "/v1/messages".into(),
        "anthropic-count-tokens" => "/v1/messages/count_tokens".into(),
        _ => format!("/v1beta/models/{}:{}", model(exchange), verb.unwrap_or("generateContent")),
    }
}

fn decode(exchange: &Exchange, shape: Shape, body: &Value) -> Result<Chat, Fault> {
    let (path, headers) = (line(exchange), HeaderMap::new());
    let Some(found) = ingress::find(&Method::POST, &path, &headers) else {
        return Err(Fault::internal(format!("no route for {path}")));
    };
    if found.dialect.id().as_str() != shape.as_str() {
        return Err(Fault::internal(format!("{path} belongs to {}", found.dialect.id())));
    }
    let body = body.to_string();
    let model = found.model.as_deref();
    let incoming = Incoming { route: found.route, model, headers: &headers, body: body.as_bytes() };
    found.dialect.decode_request(&incoming)
}

fn encode(shape: Shape, chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
    let dialect: &dyn Dialect =
        dialect(DialectId(shape.as_str())).ok_or_else(|| Fault::internal("no such dialect"))?;
    dialect.encode_request(chat, to)
}

/// The first place where two documents differ. Numbers are the same when their values are.
pub(super) fn difference(what: &'static str, expected: &Value, got: &Value) -> Option<Difference> {
    let (path, expected, got) = first_difference(String::new(), Some(expected), Some(got))?;
    let said = |value: Option<Value>| {
        value.map_or_else(|| "nothing".into(), |value| shortened(&value.to_string()))
    };
    Some(Difference::new(what, format!("{path}: {}", said(expected)), said(got)))
}

fn first_difference(
    path: String,
    expected: Option<&Value>,
    got: Option<&Value>,
) -> Option<(String, Option<Value>, Option<Value>)> {
    match (expected, got) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
            names.into_iter().find_map(|name| {
                first_difference(format!("{path}.{name}"), a.get(name), b.get(name))
            })
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => (0..a.len().max(b.len()))
            .find_map(|at| first_difference(format!("{path}[{at}]"), a.get(at), b.get(at))),
        (Some(Value::Number(a)), Some(Value::Number(b))) if a.as_f64() == b.as_f64() => None,
        (a, b) if a == b => None,
        (a, b) => Some((path, a.cloned(), b.cloned())),
    }
}

/// Fields that the vendor documents at the top of a request. A provider refuses any other.
fn known_fields(shape: Shape) -> &'static [&'static str] {
    match shape {
        Shape::AnthropicMessages => &[
            "cache_control",
            "container",
            "context_management",
            "inference_geo",
            "max_tokens",
            "mcp_servers",
            "messages",
            "metadata",
            "model",
            "output_config",
            "output_format",
            "service_tier",
            "stop_sequences",
            "stream",
            "system",
            "temperature",
            "thinking",
            "tool_choice",
            "tools",
            "top_k",
            "top_p",
        ],
        Shape::GeminiGenerate => &[
            "cachedContent",
            "contents",
            "generationConfig",
            "labels",
            "safetySettings",
            "serviceTier",
            "systemInstruction",
            "toolConfig",
            "tools",
        ],
        Shape::OpenaiChat => &[
            "audio",
            "frequency_penalty",
            "logit_bias",
            "logprobs",
            "max_completion_tokens",
            "max_tokens",
            "messages",
            "metadata",
            "modalities",
            "model",
            "n",
            "parallel_tool_calls",
            "prediction",
            "presence_penalty",
            "prompt_cache_key",
            "prompt_cache_retention",
            "reasoning_effort",
            "response_format",
            "safety_identifier",
            "seed",
            "service_tier",
            "stop",
            "store",
            "stream",
            "stream_options",
            "temperature",
            "tool_choice",
            "tools",
            "top_logprobs",
            "top_p",
            "user",
            "verbosity",
            "web_search_options",
        ],
    }
}

/// Anthropic refuses ids of calls that hold anything else than letters, digits, `_` and `-`.
fn strange_id(foreign: &Value) -> Option<Difference> {
    let blocks = foreign["messages"].as_array()?.iter().filter_map(|m| m["content"].as_array());
    let ids = blocks.flatten().flat_map(|block| [&block["id"], &block["tool_use_id"]]);
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let strange =
        ids.filter_map(Value::as_str).find(|id| id.is_empty() || !id.chars().all(fits))?;
    Some(Difference::new("tool_id", "letters, digits, _ and -", strange))
}

fn strangers(to: Shape, foreign: &Value) -> Option<Difference> {
    let fields = foreign.as_object()?;
    let stranger = fields.keys().find(|name| !known_fields(to).contains(&name.as_str()))?;
    Some(Difference::new("stranger", "fields the vendor documents", stranger))
}
