//! Operations that travel as they are: the caller's own bytes with the target's name for the model,
//! and an answer that is passed on as it comes.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::Instant;
use tollgate_model::{Fault, Usage};
use tollgate_wire::Outgoing;
use tollgate_wire::as_is::{AsIs, Unit};
use tollgate_wire::splice::Splice;

use crate::config::Limits;
use crate::passing::{Manner, Meter};
use crate::stages::plan::Target;
use crate::stages::read::Ask;
use crate::upload::{Patch, Upload};
use crate::upstream::Payload;

const ANY: HeaderValue = HeaderValue::from_static("*/*");

/// The request, but for its body.
pub(super) fn outgoing(ask: &Ask, operation: &AsIs) -> Outgoing {
    let mut headers = vec![(ACCEPT, ANY)];
    if ask.upload.is_some()
        && let Some(form) = ask.headers.get(CONTENT_TYPE)
    {
        headers.push((CONTENT_TYPE, form.clone()));
    }
    Outgoing { path: operation.path.to_owned(), headers, ..Outgoing::default() }
}

/// The body with the target's name for the model.
pub(super) fn payload(ask: &Ask, target: &Target) -> Result<Payload, Fault> {
    let Some(upload) = &ask.upload else { return Ok(spliced(ask, target)?.into()) };
    if upload.is_spent() {
        return Err(Fault::internal("an upload cannot be sent again"));
    }
    let patches: Vec<Patch> = renamed(upload, ask, target).into_iter().collect();
    match upload.whole() {
        Some(body) => Ok(patched(body, &patches).into()),
        None => Ok(Payload::Upload(upload.clone(), patches)),
    }
}

fn spliced(ask: &Ask, target: &Target) -> Result<Bytes, Fault> {
    match &ask.scan {
        Some(scan) if target.model != ask.model => {
            let splice = Splice::new(&ask.body, scan).set_model(&target.model);
            splice.finish().map_err(|error| Fault::internal(format!("splice: {error}")))
        }
        _ => Ok(ask.body.clone()),
    }
}

/// Another name for the model, in its field or as a field before all others.
fn renamed(upload: &Upload, ask: &Ask, target: &Target) -> Option<Patch> {
    if target.model == ask.model {
        return None;
    }
    match upload.field("model") {
        Some(field) => Some(Patch { at: field.at, with: Bytes::from(target.model.clone()) }),
        None => Some(Patch { at: 0..0, with: upload.written_field("model", &target.model)? }),
    }
}

pub(super) fn patched(body: &Bytes, patches: &[Patch]) -> Bytes {
    if patches.is_empty() {
        return body.clone();
    }
    let mut out = Vec::with_capacity(body.len() + 1024);
    let mut at = 0;
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(body.len());
    for Patch { at: range, with } in patches {
        out.extend_from_slice(&body[at..place(range.start)]);
        out.extend_from_slice(with);
        at = place(range.end);
    }
    out.extend_from_slice(&body[at..]);
    out.into()
}

/// How the answer is passed on.
pub(super) fn manner(
    (ask, target): (&Ask, &Target),
    operation: &'static AsIs,
    (status, headers): (StatusCode, &HeaderMap),
    limits: &Limits,
    deadline: Instant,
) -> Manner {
    let quirks = &target.upstream.row.quirks;
    let asked = asked(ask, operation);
    Manner {
        status,
        meter: Meter::new(operation, quirks, headers, limits.event_bytes, asked),
        pause: target.timeouts.between_tokens,
        deadline,
        upload: ask.upload.clone(),
    }
}

/// What the request alone says of what is used.
pub(super) fn asked(ask: &Ask, operation: &AsIs) -> Usage {
    let mut usage = Usage::default();
    if operation.unit == Unit::Characters
        && let Some(scan) = &ask.scan
        && let Ok(Some(input)) = scan.string(&ask.body, "input")
    {
        usage.input_characters = Some(input.chars().count() as u64);
    }
    usage
}
