//! Requests that go where their path says, as they came: any method, any body, any answer.

use http::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HOST, IF_MATCH, IF_NONE_MATCH, RANGE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, StatusCode, Uri};
use tokio::time::Instant;
use tollgate_model::{Fault, Lane, Losses};
use tollgate_wire::carriage::PLAIN;
use tollgate_wire::{Codec, batches, codec, ingress};

use super::as_is::patched;
use super::fit::{AGENT, Attempt};
use crate::config::Limits;
use crate::errand::Errand;
use crate::gateway::Spoken;
use crate::hop;
use crate::passing::{Manner, Meter};
use crate::stages::own;
use crate::stages::plan::Target;
use crate::stages::read::Ask;
use crate::upstream::{self, Payload};
use crate::worker::Worker;

/// What of a caller's head says how its bytes are to be read. All else stays here, but for what the
/// dialects name.
const ABOUT_BYTES: [HeaderName; 6] =
    [ACCEPT, CONTENT_TYPE, CONTENT_ENCODING, RANGE, IF_MATCH, IF_NONE_MATCH];
/// Parameters in which older clients send a key.
const KEYS: [&str; 4] = ["key", "api_key", "api-key", "access_token"];

pub(super) fn fit(
    worker: &Worker,
    (ask, target): (&Ask, &Target),
    spoken: &Spoken,
    errand: &Errand,
) -> Result<Attempt, Fault> {
    let mut path = format!("{}{}", target.upstream.root, errand.path);
    let query = ask.query.as_deref().unwrap_or_default();
    let own = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && !KEYS.contains(&name)
    };
    let query: Vec<&str> = query.split('&').filter(own).collect();
    if !query.is_empty() {
        path.push('?');
        path.push_str(&query.join("&"));
    }
    let uri = path
        .parse::<Uri>()
        .map_err(|_| Fault::invalid("The path cannot be passed on.").with_code("invalid_path"))?;
    let body = match &ask.upload {
        None => Payload::Whole(patched(&ask.body, &ask.patches)),
        Some(upload) => match upload.whole() {
            Some(body) => Payload::Whole(patched(body, &ask.patches)),
            None => Payload::Upload(upload.clone(), ask.patches.clone()),
        },
    };
    let headers = headers(worker, ask, target, spoken);
    let call = upstream::Call { method: ask.method.clone(), uri, headers, body };
    let (dialect, losses) = (spoken.dialect, Losses::default());
    let lane = Lane::Verbatim;
    Ok(Attempt { call, dialect, carriage: &PLAIN, lane, losses, hide_usage: false })
}

fn headers(worker: &Worker, ask: &Ask, target: &Target, spoken: &Spoken) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(HOST, target.upstream.origin.authority.clone());
    headers.insert(USER_AGENT, AGENT);
    let named = spoken.dialect.rules().request_headers.iter();
    let named = named.map(|name| HeaderName::from_static(name));
    // What is to be booked is read from its beginning to its end.
    let whole = own::writes_usage(ask);
    for name in ABOUT_BYTES.into_iter().filter(|name| !whole || *name != RANGE).chain(named) {
        for value in ask.headers.get_all(&name) {
            headers.append(name.clone(), value.clone());
        }
    }
    hop::mark(&worker.shared.instance, &ask.headers, &mut headers);
    for (name, value) in &spoken.credential {
        headers.insert(name.clone(), value.clone());
    }
    headers
}

/// What was asked, of whom.
pub(super) struct Deed<'a> {
    pub ask: &'a Ask,
    pub target: &'a Target,
    pub errand: &'a Errand,
}

/// How the answer is passed on: read along, where the path is one that a dialect knows.
pub(super) fn manner(
    deed: &Deed<'_>,
    (status, headers): (StatusCode, &HeaderMap),
    limits: &Limits,
    deadline: Instant,
) -> Manner {
    let Deed { ask, target, .. } = deed;
    let quirks = &target.upstream.row.quirks;
    let known = ingress::find(&ask.method, &deed.errand.path, &ask.headers);
    let codec = known.and_then(|known| codec(known.dialect.id(), known.route.operation));
    let meter = match codec {
        Some(Codec::Chat(dialect)) => Meter::of_chat(dialect, quirks, headers, limits.event_bytes),
        Some(Codec::AsIs(operation)) => {
            let usage = super::as_is::asked(ask, operation);
            Meter::new(operation, quirks, headers, limits.event_bytes, usage)
        }
        _ => match batches::of(ask.dialect.id()) {
            Some(batches) if own::writes_usage(ask) => {
                Meter::of_batch(batches, target.upstream.clone(), limits.line_bytes)
            }
            _ => Meter::nothing(),
        },
    };
    let pause = target.timeouts.between_tokens;
    Manner { status, meter, pause, deadline, upload: ask.upload.clone() }
}
