//! Fits a request to a target: spliced where the dialect is the same, written anew where not.

use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use tollgate_model::{Fault, FaultKind, Lane, Losses};
use tollgate_wire::scan::Scan;
use tollgate_wire::splice::Splice;
use tollgate_wire::{Codec, Dialect, Framing, Operation, Outgoing, Recipient, codec};

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
    pub dialect: &'static dyn Dialect,
    pub lane: Lane,
    pub losses: Losses,
    /// The gateway asked for usage in the stream; the caller did not.
    pub hide_usage: bool,
}

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("tollgate/", env!("CARGO_PKG_VERSION")));
/// Names of query parameters that are longer are not repeated.
const LONGEST_NAME: usize = 20;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) fn fit(worker: &Worker, ask: &Ask, target: &Target) -> Result<Attempt, Fault> {
    let spoken = target.spoken(ask).ok_or_else(|| Fault::internal("a target cannot do it"))?;
    let own = spoken.dialect.id() == ask.dialect.id();
    let (lane, hide_usage, mut outgoing) =
        if own && ask.operation() == Operation::Chat && verbatim(ask, target) {
            let (outgoing, hide_usage) = spliced(ask, target, spoken.dialect)?;
            (Lane::Verbatim, hide_usage, outgoing)
        } else {
            (Lane::Translated, false, encoded(ask, target, spoken.dialect)?)
        };
    carry_query(ask, own, &mut outgoing);
    let headers = headers(worker, ask, target, spoken, &outgoing);
    let path = format!("{}{}", spoken.path_prefix, outgoing.path);
    let uri = path.parse::<Uri>().map_err(|_| unnameable(&target.model))?;
    let call = upstream::Call { method: Method::POST, uri, headers, body: outgoing.body };
    Ok(Attempt { call, dialect: spoken.dialect, lane, losses: outgoing.losses, hide_usage })
}

/// Whether the bytes can travel as they are: the target takes its dialect as it is written.
fn verbatim(ask: &Ask, target: &Target) -> bool {
    let Some(scan) = &ask.scan else { return false };
    !(ask.dialect.rules().disturbs)(&target.upstream.row.quirks, &ask.body, scan)
}

/// The caller's own bytes, with the target's name for the model; and whether the gateway asked
/// for usage in the stream where the caller did not.
fn spliced(
    ask: &Ask,
    target: &Target,
    dialect: &'static dyn Dialect,
) -> Result<(Outgoing, bool), Fault> {
    let rules = dialect.rules();
    let path = (rules.path)(&target.model, ask.stream);
    let empty = Scan::default();
    let mut splice = Splice::new(&ask.body, ask.scan.as_ref().unwrap_or(&empty));
    if rules.model_in_body && target.model != ask.model {
        splice = splice.set_model(&target.model);
    }
    let hide_usage = ask.stream
        && rules.usage_is_optional
        && target.upstream.row.quirks.stream_options
        && !ask.wants_stream_usage;
    let unspliced = |error: &dyn std::fmt::Display| Fault::internal(format!("splice: {error}"));
    if hide_usage {
        splice = splice.ask_for_stream_usage().map_err(|error| unspliced(&error))?;
    }
    // The body as it came, where nothing is to be changed.
    let body = if hide_usage || target.model != ask.model {
        splice.finish().map_err(|error| unspliced(&error))?
    } else {
        ask.body.clone()
    };
    Ok((Outgoing { path, body, ..Outgoing::default() }, hide_usage))
}

/// Decoded and written anew, in this or another dialect.
fn encoded(ask: &Ask, target: &Target, dialect: &'static dyn Dialect) -> Result<Outgoing, Fault> {
    let recipient = Recipient { model: &target.model, quirks: &target.upstream.row.quirks };
    match codec(dialect.id(), ask.operation()) {
        Some(Codec::Chat(dialect)) => dialect.encode_request(ask.chat()?, &recipient),
        Some(Codec::CountTokens(count)) => count.encode_request(ask.chat()?, &recipient),
        Some(Codec::Embed(embed)) => embed.encode_request(ask.embed()?, &recipient),
        Some(Codec::Models(_)) | None => Err(Fault::internal("no codec for the operation")),
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
    headers.insert(ACCEPT, accepted(ask, spoken.dialect));
    for (name, value) in &outgoing.headers {
        headers.insert(name.clone(), value.clone());
    }
    if spoken.dialect.id() == ask.dialect.id() {
        for name in spoken.dialect.rules().request_headers {
            let name = HeaderName::from_static(name);
            if ask.headers.contains_key(&name) {
                // What the dialect would say by default gives way.
                headers.remove(&name);
            }
            for value in ask.headers.get_all(&name) {
                headers.append(name.clone(), value.clone());
            }
        }
    }
    hop::mark(&worker.shared.instance, &ask.headers, &mut headers);
    for (name, value) in &spoken.credential {
        headers.insert(name.clone(), value.clone());
    }
    headers
}

/// Every host that streams can stream events, but for those that know nothing but lines.
fn accepted(ask: &Ask, dialect: &dyn Dialect) -> HeaderValue {
    let framing = match dialect.rules().framing {
        Framing::JsonArray => Framing::Sse,
        framing => framing,
    };
    if ask.stream { HeaderValue::from_static(framing.content_type()) } else { JSON }
}

fn unnameable(model: &str) -> Fault {
    let message = format!("The model name `{}` cannot stand in a URL.", model.escape_default());
    let fault = Fault::new(FaultKind::InvalidRequest, tollgate_model::Source::Downstream, message);
    Fault { param: Some("model".into()), ..fault }
}
