//! Fits a request to a target: spliced where the dialect is the same, written anew where not.

use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Uri};
use tollgate_model::{Chat, Fault, FaultKind, Lane, Losses};
use tollgate_wire::as_is::AsIs;
use tollgate_wire::scan::{Limits, Scan, scan};
use tollgate_wire::splice::Splice;
use tollgate_wire::{Carriage, Codec, Dialect, Envelope, Framing, Outgoing, Recipient, codec};

use super::{as_is, errand};
use crate::gateway::Spoken;
use crate::hop;
use crate::stages::plan::Target;
use crate::stages::read::Ask;
use crate::upstream;
use crate::worker::Worker;

/// A request, ready to be sent.
#[derive(Debug)]
pub(super) struct Attempt {
    pub call: upstream::Call,
    pub dialect: &'static Dialect,
    pub carriage: &'static Carriage,
    pub lane: Lane,
    pub losses: Losses,
    /// The gateway asked for usage in the stream; the caller did not.
    pub hide_usage: bool,
}

impl Attempt {
    /// The response header that names the provider's own id of the call.
    pub(super) fn request_id(&self) -> &'static str {
        match self.carriage.request_id {
            "" => self.dialect.rules().request_id,
            name => name,
        }
    }
}

pub(super) const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("tollgate/", env!("CARGO_PKG_VERSION")));
/// Names of query parameters that are longer are not repeated.
const LONGEST_NAME: usize = 20;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) fn fit(worker: &Worker, ask: &Ask, target: &Target) -> Result<Attempt, Fault> {
    let spoken = target.spoken(ask).ok_or_else(|| Fault::internal("a target cannot do it"))?;
    if let Some(errand) = &ask.errand {
        return errand::fit(worker, (ask, target), spoken, errand);
    }
    let own = spoken.dialect.id() == ask.dialect.id();
    let mut fitted = match (ask.about(), codec(spoken.dialect.id(), ask.operation())) {
        (Some(about), _) => {
            let (path, body) = (about.path.to_owned(), ask.body.clone());
            let outgoing = Outgoing { path, body, ..Outgoing::default() };
            let headers = headers(worker, ask, target, spoken, &outgoing);
            let (lane, hide_usage) = (Lane::Verbatim, false);
            Fitted { lane, hide_usage, outgoing, headers, upload: None }
        }
        (None, Some(Codec::AsIs(operation))) => {
            unchanged(worker, (ask, target), spoken, operation)?
        }
        (None, Some(Codec::Chat(_))) if own && verbatim(ask, target) => {
            spliced(worker, ask, target, spoken)?
        }
        (None, _) => encoded(worker, ask, target, spoken)?,
    };
    let carries = own && spoken.carriage.takes_query(ask.operation());
    carry_query(ask, carries, &mut fitted.outgoing);
    let Fitted { lane, hide_usage, outgoing, headers, upload } = fitted;
    let path = spoken.path(ask.operation(), ask.stream, &target.model, &outgoing.path);
    let uri = path.parse::<Uri>().map_err(|_| unnameable(&target.model))?;
    let method = match (ask.about(), ask.upload.is_some()) {
        (None, false) => Method::POST,
        _ => ask.method.clone(),
    };
    let body = upload.unwrap_or_else(|| outgoing.body.into());
    let call = upstream::Call { method, uri, headers, body };
    let (dialect, carriage) = (spoken.dialect, spoken.carriage);
    Ok(Attempt { call, dialect, carriage, lane, losses: outgoing.losses, hide_usage })
}

/// A request as it leaves, but for its path.
struct Fitted {
    lane: Lane,
    hide_usage: bool,
    outgoing: Outgoing,
    headers: HeaderMap,
    /// In place of the outgoing body.
    upload: Option<upstream::Payload>,
}

/// An operation that travels as it is.
fn unchanged(
    worker: &Worker,
    (ask, target): (&Ask, &Target),
    spoken: &Spoken,
    operation: &AsIs,
) -> Result<Fitted, Fault> {
    let outgoing = as_is::outgoing(ask, operation);
    let headers = headers(worker, ask, target, spoken, &outgoing);
    let upload = Some(as_is::payload(ask, target)?);
    Ok(Fitted { lane: Lane::Verbatim, hide_usage: false, outgoing, headers, upload })
}

/// Whether the bytes can travel as they are: the target takes its dialect as it is written.
fn verbatim(ask: &Ask, target: &Target) -> bool {
    let Some(scan) = &ask.scan else { return false };
    !(ask.dialect.rules().disturbs)(&target.upstream.row.quirks, &ask.body, scan)
}

/// The caller's own bytes, with the target's name for the model. Where usage in the stream is
/// optional the gateway asks for it, and knows whether the caller did.
fn spliced(worker: &Worker, ask: &Ask, target: &Target, spoken: &Spoken) -> Result<Fitted, Fault> {
    let (rules, operation) = (spoken.dialect.rules(), ask.operation());
    let path = (rules.path)(&target.model, ask.stream);
    let empty = Scan::default();
    let mut splice = Splice::new(&ask.body, ask.scan.as_ref().unwrap_or(&empty));
    let names_model = rules.model_in_body && !spoken.carriage.omits(operation, "model");
    if names_model && target.model != ask.model {
        splice = splice.set_model(&target.model);
    }
    let hide_usage = ask.stream
        && rules.usage_is_optional
        && target.upstream.row.quirks.stream_options
        && !ask.wants_stream_usage;
    if hide_usage {
        splice = splice.ask_for_stream_usage().map_err(|error| unspliced(&error))?;
    }
    let mut outgoing = Outgoing { path, ..Outgoing::default() };
    let mut headers = headers(worker, ask, target, spoken, &outgoing);
    splice = spoken.carriage.put_on(operation, splice, &mut headers);
    // The body as it came, where nothing is to be changed.
    outgoing.body = match splice.is_empty() {
        true => ask.body.clone(),
        false => splice.finish().map_err(|error| unspliced(&error))?,
    };
    Ok(Fitted { lane: Lane::Verbatim, hide_usage, outgoing, headers, upload: None })
}

fn unspliced(error: &dyn std::fmt::Display) -> Fault {
    Fault::internal(format!("splice: {error}"))
}

/// Decoded and written anew, in this or another dialect.
fn encoded(worker: &Worker, ask: &Ask, target: &Target, spoken: &Spoken) -> Result<Fitted, Fault> {
    let (operation, quirks) = (ask.operation(), &target.upstream.row.quirks);
    let recipient = Recipient { model: &target.model, quirks };
    let mut outgoing = match codec(spoken.dialect.id(), operation) {
        Some(Codec::Chat(dialect)) => {
            let chat = ask.chat()?;
            carriable(chat, dialect, target)?;
            dialect.encode_request(chat, &recipient)
        }
        Some(Codec::CountTokens(count)) => count.encode_request(ask.chat()?, &recipient),
        Some(Codec::Embed(embed)) => embed.encode_request(ask.embed()?, &recipient),
        Some(Codec::Rerank(rerank)) => rerank.encode_request(ask.rerank()?, &recipient),
        Some(Codec::Models(_) | Codec::AsIs(_) | Codec::Batches(_)) | None => {
            Err(Fault::internal("no codec for the operation"))
        }
    }?;
    let mut headers = headers(worker, ask, target, spoken, &outgoing);
    if spoken.carriage.reshapes(operation) {
        // Written by a codec of ours: nothing can collide.
        let scan = scan(&outgoing.body, &Limits::seeded(0)).map_err(|error| unspliced(&error))?;
        let splice = Splice::new(&outgoing.body, &scan);
        let splice = spoken.carriage.put_on(operation, splice, &mut headers);
        outgoing.body = splice.finish().map_err(|error| unspliced(&error))?;
    }
    Ok(Fitted { lane: Lane::Translated, hide_usage: false, outgoing, headers, upload: None })
}

/// Some requests hang on one field, and would ask for nothing without it.
fn carriable(chat: &Chat, dialect: &Dialect, target: &Target) -> Result<(), Fault> {
    match chat.only {
        Some((only, field)) if only != dialect.id() => {
            let label = target.label();
            let message = format!("`{label}` cannot be asked this: it does not know `{field}`.");
            let source = tollgate_model::Source::Downstream;
            let fault = Fault::new(FaultKind::Unsupported, source, message);
            Err(Fault { param: Some(field.into()), ..fault })
        }
        _ => Ok(()),
    }
}

/// What of the caller's query a provider of the same dialect is told; the rest is a loss.
fn carry_query(ask: &Ask, own: bool, outgoing: &mut Outgoing) {
    let known = ask.dialect.rules().query;
    for pair in ask.query.as_deref().unwrap_or_default().split('&').filter(|p| !p.is_empty()) {
        let name = pair.split('=').next().unwrap_or_default();
        if !known.contains(&name) {
            // A long one is no parameter, but perhaps a key.
            outgoing.losses.dropped("query", if name.len() <= LONGEST_NAME { name } else { "…" });
        } else if own && !outgoing.path.contains(pair) {
            outgoing.path.push(if outgoing.path.contains('?') { '&' } else { '?' });
            outgoing.path.push_str(pair);
        }
    }
}

/// An allow-list, never a drop-list: what a caller's head holds stays here but for the few
/// headers that the dialect names.
fn headers(
    worker: &Worker,
    ask: &Ask,
    target: &Target,
    spoken: &Spoken,
    outgoing: &Outgoing,
) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(HOST, target.upstream.origin.authority.clone());
    headers.insert(USER_AGENT, AGENT);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(ACCEPT, accepted(ask, spoken));
    for (name, value) in &outgoing.headers {
        headers.insert(name.clone(), value.clone());
    }
    if spoken.dialect.id() == ask.dialect.id() {
        let allowed = spoken.dialect.rules().request_headers;
        let mut last = None;
        for (name, value) in &ask.headers {
            if !allowed.contains(&name.as_str()) {
                continue;
            }
            // What the dialect would say by default gives way. Values of one name come together.
            if last == Some(name) {
                headers.append(name.clone(), value.clone());
            } else {
                headers.insert(name.clone(), value.clone());
            }
            last = Some(name);
        }
    }
    hop::mark(&worker.shared.instance, &ask.headers, &mut headers);
    for (name, value) in &spoken.credential {
        headers.insert(name.clone(), value.clone());
    }
    headers
}

/// Every host that streams can stream events, but for those that know nothing but lines.
fn accepted(ask: &Ask, spoken: &Spoken) -> HeaderValue {
    let framing = match spoken.dialect.rules().framing {
        Framing::JsonArray => Framing::Sse,
        framing => framing,
    };
    // What AWS is told here is the type of what is inside.
    let sealed = spoken.carriage.envelope != Envelope::None;
    if ask.stream && !sealed { HeaderValue::from_static(framing.content_type()) } else { JSON }
}

fn unnameable(model: &str) -> Fault {
    let message = format!("The model name `{}` cannot stand in a URL.", model.escape_default());
    let fault = Fault::new(FaultKind::InvalidRequest, tollgate_model::Source::Downstream, message);
    Fault { param: Some("model".into()), ..fault }
}
