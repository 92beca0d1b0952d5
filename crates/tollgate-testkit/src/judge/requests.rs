//! Replays a recorded request: read by its own dialect and written again, which must give the
//! same JSON; and written for providers of the other dialects, which must keep what was said,
//! carry no field of the caller's dialect, and name every field that was left out.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;
use tollgate_model::{Chat, DialectId, Fault, FaultKind};
use tollgate_wire::carriage::Bare;
use tollgate_wire::{
    Dialect, Incoming, Limits, Operation, Outgoing, Recipient, Scan, Splice, dialect, ingress,
    provider, scan,
};

use super::said::{self, Said};
use super::{Kind, Known, Verdict, canary, guarded};
use crate::Exchange;
use crate::corpus::Recorded;
use crate::digest::{Difference, shortened};
use crate::readers::Shape;

/// For a provider of its own dialect and of every caller's; across only where its own provider
/// answered. Nothing for recordings of other operations or without a whole request.
#[must_use]
pub fn judge(exchange: &Exchange) -> Vec<Verdict> {
    let (Some(request), Some(known)) = (exchange.whole_request(), Known::of(exchange)) else {
        return Vec::new();
    };
    if known.operation != Operation::Chat || known.dialect().is_none() {
        return Vec::new();
    }
    let from = known.shape;
    let judge = |to: Shape| {
        if from != to && exchange.response.status >= 400 {
            return None;
        }
        dialect(DialectId(to.as_str()))?;
        let mut verdict = Verdict::new(exchange, to.as_str(), Kind::Request);
        let mut refused = None;
        guarded(&mut verdict.differences, |found| {
            let body = with_model(&known, &request.body.json, exchange);
            let arriving = Arriving { exchange, known };
            if from == to {
                arriving.identity(&body, found);
            } else {
                refused = arriving.crossing(to, &body, found);
            }
        });
        verdict.refused = refused;
        Some(verdict)
    };
    from.passages().filter_map(judge).collect()
}

/// A recorded request on its way in.
struct Arriving<'a> {
    exchange: &'a Exchange,
    known: Known,
}

impl Arriving<'_> {
    /// Written for its own dialect, a request is what it was; also with a field nobody knows in
    /// every object.
    fn identity(&self, body: &Value, found: &mut Vec<Difference>) {
        let model = model(self.exchange);
        let to = Recipient { model: &model, quirks: &self.known.row.quirks };
        let body = with_sensible_ids(body);
        let mut marked = body.clone();
        canary::release(self.known.shape, &mut marked);
        for (what, body) in [("identity", &body), ("unknown_fields", &marked)] {
            let encode = |chat: Chat| encode(self.known.shape, &chat, &to);
            let written = self.decode(body).and_then(encode).and_then(|out| self.put_on(out));
            match written {
                Ok(written) => match serde_json::from_slice::<Value>(&written) {
                    Ok(got) => found.extend(difference(what, body, &got)),
                    Err(error) => found.push(Difference::new(what, "JSON", format!("{error}"))),
                },
                // What its own provider refused may be refused here already.
                Err(_) if self.exchange.response.status >= 400 => {}
                Err(fault) => found.push(Difference::new(what, "the request", format!("{fault}"))),
            }
            if !found.is_empty() {
                return;
            }
        }
    }

    /// Written for another dialect. Gives the reason where it is refused as not supported.
    fn crossing(&self, to: Shape, body: &Value, found: &mut Vec<Difference>) -> Option<String> {
        let from = self.known.shape;
        let quirks = provider::find(to.asking().provider).map(|row| &row.quirks)?;
        let recipient = Recipient { model: "target-model", quirks };
        let mut marked = body.clone();
        let canaries = canary::release(from, &mut marked);
        let read = self.decode(&marked);
        if let Ok(Chat { only: Some((_, field)), .. }) = &read {
            return Some(format!("{field} is understood by its own dialect only"));
        }
        let written = read.and_then(|chat| encode(to, &chat, &recipient));
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
        found.extend(to.can().id_marks.and_then(|marks| strange_id(&foreign, marks)));
        None
    }

    fn decode(&self, body: &Value) -> Result<Chat, Fault> {
        let shape = self.known.shape;
        let (path, mut headers) = (line(self.exchange), HeaderMap::new());
        let Some(found) = ingress::find(&Method::POST, &path, &headers) else {
            return Err(Fault::internal(format!("no route for {path}")));
        };
        if found.dialect.id().as_str() != shape.as_str() {
            return Err(Fault::internal(format!("{path} belongs to {}", found.dialect.id())));
        }
        let mut body = Bytes::from(body.to_string());
        let model = found.model.as_deref();
        if let Some(alias) = found.alias {
            let scan = scanned(&body)?;
            let bare = Bare { model, stream: found.stream() };
            let taken = alias.carriage.take_off(bare, &body, &scan, &mut headers);
            body = taken.map_err(|error| Fault::internal(format!("{error}")))?;
        }
        let incoming = Incoming { route: found.route, model, headers: &headers, body: &body };
        found.dialect.decode_request(&incoming)
    }

    /// Wraps a request as its provider wants it.
    fn put_on(&self, outgoing: Outgoing) -> Result<Bytes, Fault> {
        let (carriage, operation) = (self.known.carriage, self.known.operation);
        if !carriage.reshapes(operation) {
            return Ok(outgoing.body);
        }
        let scan = scanned(&outgoing.body)?;
        let splice = Splice::new(&outgoing.body, &scan);
        let put_on = carriage.put_on(operation, splice, &mut HeaderMap::new());
        put_on.finish().map_err(|error| Fault::internal(format!("{error}")))
    }
}

fn scanned(body: &Bytes) -> Result<Scan, Fault> {
    scan(body, &Limits::seeded(1)).map_err(|error| Fault::internal(format!("{error}")))
}

/// Those who published the recordings put placeholders for ids of calls; for a provider that
/// checks ids they would be written as it wants them.
fn with_sensible_ids(body: &Value) -> Value {
    let text = body.to_string().replace("call_REDACTED_", "callReda");
    serde_json::from_str(&text).unwrap_or_else(|_| body.clone())
}

/// Azure's callers name the model in the path alone; callers of the gateway name it in the body.
fn with_model(known: &Known, body: &Value, exchange: &Exchange) -> Value {
    let mut body = body.clone();
    let in_body = known.dialect().is_some_and(|dialect| dialect.rules().model_in_body);
    let wrapped = known.carriage.reshapes(known.operation);
    if in_body
        && !wrapped
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
    let in_path = match path.strip_prefix("/model/") {
        Some(rest) => rest.split('/').next(),
        None => path.split_once("models/").and_then(|(_, rest)| rest.split(':').next()),
    };
    let in_path = in_path.filter(|model| !model.is_empty());
    let fallback = exchange.model.as_deref();
    let (first, second) =
        if path_names_model(exchange) { (in_path, named) } else { (named, in_path) };
    let names = [first, second, fallback];
    names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or("unnamed").to_owned()
}

fn path_names_model(exchange: &Exchange) -> bool {
    let line = Recorded::of(&exchange.dialect).map_or("", |recorded| recorded.line);
    line.is_empty() || line.contains("{model}")
}

/// The request line that this gateway's callers would send.
pub(super) fn line(exchange: &Exchange) -> String {
    let path = exchange.request.as_ref().map(|request| request.path.as_str()).unwrap_or_default();
    let line = Recorded::of(&exchange.dialect).map_or("", |recorded| recorded.line);
    if line.is_empty() {
        // Some recordings lost the name.
        let named = |before: &str, after: &str| format!("{before}{}{after}", model(exchange));
        let path = path.replacen("/model//", &named("/model/", "/"), 1);
        return path.replacen("/models/:", &named("/models/", ":"), 1);
    }
    let verb = match path.strip_prefix("/model/") {
        Some(rest) => rest.rsplit_once('/').map_or("converse", |(_, verb)| verb),
        None => path.rsplit_once(':').map_or("generateContent", |(_, verb)| verb),
    };
    line.replace("{model}", &model(exchange)).replace("{verb}", verb)
}

fn encode(shape: Shape, chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
    let dialect: &Dialect =
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

/// Two vendors refuse ids of calls that hold anything else than letters, digits and a few marks.
fn strange_id(foreign: &Value, marks: &str) -> Option<Difference> {
    let blocks = foreign["messages"].as_array()?.iter().filter_map(|m| m["content"].as_array());
    let ids = blocks.flatten().flat_map(|block| {
        let (call, result) = (&block["toolUse"], &block["toolResult"]);
        [&block["id"], &block["tool_use_id"], &call["toolUseId"], &result["toolUseId"]]
    });
    let fits = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    let strange =
        ids.filter_map(Value::as_str).find(|id| id.is_empty() || !id.chars().all(fits))?;
    Some(Difference::new("tool_id", format!("letters, digits and {marks}"), strange))
}

fn strangers(to: Shape, foreign: &Value) -> Option<Difference> {
    let fields = foreign.as_object()?;
    let stranger = fields.keys().find(|name| !to.asking().fields.contains(&name.as_str()))?;
    Some(Difference::new("stranger", "fields the vendor documents", stranger))
}
