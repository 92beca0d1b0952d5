//! One attempt at one target: send, wait, and read until it is clear that it answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, timeout_at};
use tollgate_model::{Event, Fault, FaultKind, Lane, Source as Side};
use tollgate_wire::{Codec, Dialect, Envelope, Framing, codec};

use super::fit::Attempt;
use super::{Answer, Said};
use super::{as_is, errand};
use crate::config::Limits;
use crate::gateway::Upstream;
use crate::inflate;
use crate::passing::Passing;
use crate::source::{Reading, Source};
use crate::stages::plan::Target;
use crate::stages::read::Ask;
use crate::upstream::{self, Body, Pool, SendError};

/// Error bodies above this are not read to their end.
const MOST_FAULT_BYTES: usize = 1 << 20;
/// Nor are those waited for that take longer.
const MOST_FAULT_WAIT: Duration = Duration::from_secs(5);

pub(super) async fn attempt(
    pool: &Arc<Pool>,
    limits: &Limits,
    (ask, target): (&Ask, &Target),
    mut attempt: Attempt,
    deadline: Instant,
) -> Result<Answer, Fault> {
    let upstream = &target.upstream;
    if let Some(held) = &upstream.held {
        held.show(&mut attempt.call, target.timeouts.connect).await?;
    }
    // A stream owes its head soon; a buffered answer is written first and may take its time.
    let first_by = deadline.min(Instant::now() + target.timeouts.first_token);
    let head_by = if ask.stream { first_by } else { deadline };
    let sent = timeout_at(head_by, upstream::send(pool, &upstream.origin, &attempt.call));
    let response = match sent.await {
        Ok(sent) => sent.map_err(|error| unsent(ask, &error))?,
        Err(_) => return Err(silent()),
    };
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        let by = deadline.min(Instant::now() + MOST_FAULT_WAIT);
        let body = whole(body, MOST_FAULT_BYTES, by).await.unwrap_or_default();
        // Nobody wants the rest of what it refuses.
        stop(ask);
        return Err(refused(upstream, &attempt, head.status, &head.headers, &body));
    }
    let framing = framing(ask, attempt.dialect, &head.headers);
    let lane = lane(ask, &attempt, framing);
    let said = if let Some(sent) = &ask.errand {
        let deed = errand::Deed { ask, target, errand: sent };
        if sent.is_about_objects() {
            let bytes = whole(body, limits.reply_bytes, deadline).await?;
            let bytes = inflated(&head.headers, bytes, limits.reply_bytes)?;
            Said::Told { status: head.status, bytes }
        } else {
            let manner = errand::manner(&deed, (head.status, &head.headers), limits, deadline);
            Said::Passing(Box::new(Passing::new(body, manner)))
        }
    } else if let Some(Codec::AsIs(operation)) = codec(attempt.dialect.id(), ask.operation()) {
        let answered = (head.status, &head.headers);
        let manner = as_is::manner((ask, target), operation, answered, limits, deadline);
        Said::Passing(Box::new(Passing::new(body, manner)))
    } else if let Some(framing) = framing {
        let reading = Reading {
            framing,
            envelope: if framing == Framing::AwsEventStream {
                attempt.carriage.envelope
            } else {
                Envelope::None
            },
            most_event_bytes: limits.event_bytes,
            decoder: attempt.dialect.decode_stream(&upstream.row.quirks),
            skim: lane == Lane::Verbatim,
            hide_usage: attempt.hide_usage,
            first_by,
            between_tokens: target.timeouts.between_tokens,
            deadline,
        };
        check_plain(&head.headers)?;
        let mut source = Source::new(body, reading);
        source.begin().await.map_err(|fault| upstream.retold(fault))?;
        Said::Stream(source)
    } else {
        let bytes = whole(body, limits.reply_bytes, deadline).await?;
        let bytes = inflated(&head.headers, bytes, limits.reply_bytes)?;
        understood(ask, upstream, &attempt, bytes).map_err(|fault| upstream.retold(fault))?
    };
    let request_id = attempt.request_id();
    let Attempt { dialect, losses, .. } = attempt;
    let (target, headers) = (target.clone(), head.headers);
    Ok(Answer { target, dialect, lane, headers, request_id, said, losses })
}

/// Only a chat that was asked for as a stream is read as one; a host that answers it with a whole
/// body is taken at its word.
fn framing(ask: &Ask, answers: &Dialect, headers: &HeaderMap) -> Option<Framing> {
    if !(ask.stream && ask.is_answered_by_model()) {
        return None;
    }
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    match Framing::of_content_type(content_type)? {
        Framing::JsonArray if answers.rules().framing != Framing::JsonArray => None,
        framing => Some(framing),
    }
}

/// Frames travel as they came only to a caller who reads such frames: a host may answer in the
/// other framing than it was asked for.
fn lane(ask: &Ask, attempt: &Attempt, framing: Option<Framing>) -> Lane {
    match framing {
        // Opened, the events are framed as the dialect's own.
        Some(framing) if attempt.carriage.envelope.framing() == Some(framing) => attempt.lane,
        Some(framing) if framing != ask.framing() => Lane::Translated,
        _ => attempt.lane,
    }
}

/// Reads a whole body within its bound and gives the connection back.
async fn whole(mut body: Body, most: usize, deadline: Instant) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let Ok(data) = timeout_at(deadline, body.data()).await else { return Err(silent()) };
        let Some(data) = data else { break };
        let data = data.map_err(|error| {
            let fault = Fault::bad_upstream("The provider's answer broke off.");
            fault.with_code("answer_broken").with_note(error.to_string())
        })?;
        if first.len() + rest.len() + data.len() > most {
            return Err(Fault::bad_upstream("The provider's answer is larger than allowed."));
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    body.give_back();
    if rest.is_empty() {
        return Ok(first);
    }
    let mut joined = BytesMut::with_capacity(first.len() + rest.len());
    joined.extend_from_slice(&first);
    joined.extend_from_slice(&rest);
    Ok(joined.freeze())
}

/// Nobody asked for a compressed answer; some hosts send one all the same.
fn inflated(headers: &HeaderMap, bytes: Bytes, most: usize) -> Result<Bytes, Fault> {
    let encoding = headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    match encoding {
        None | Some("identity" | "") => Ok(bytes),
        Some(encoding) => inflate::inflate(encoding, &bytes, most)
            .map_err(|_| Fault::bad_upstream("The provider's answer cannot be decompressed.")),
    }
}

/// A stream is read as it comes. None was asked for in a compressed form.
fn check_plain(headers: &HeaderMap) -> Result<(), Fault> {
    match headers.get(CONTENT_ENCODING).map(http::HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(()),
        Some(_) => Err(Fault::bad_upstream(
            "The provider compressed its stream, which it was not asked to do.",
        )
        .with_code("compressed_stream")),
    }
}

/// What a whole answer says; a body that is no answer is the target's fault.
fn understood(
    ask: &Ask,
    upstream: &Upstream,
    attempt: &Attempt,
    bytes: Bytes,
) -> Result<Said, Fault> {
    if ask.about().is_some() {
        return Ok(Said::Object(bytes));
    }
    let quirks = &upstream.row.quirks;
    match codec(attempt.dialect.id(), ask.operation()) {
        Some(Codec::Chat(dialect)) => {
            let events = if attempt.lane == Lane::Verbatim && !ask.stream {
                dialect.skim_reply(&bytes, quirks)?
            } else {
                dialect.decode_reply(&bytes, quirks)?
            };
            if let Some(Event::Fault(fault)) = events.last() {
                return Err(fault.clone());
            }
            Ok(Said::Chat { bytes, events })
        }
        Some(Codec::CountTokens(count)) => count.decode_reply(&bytes).map(Said::Tokens),
        Some(Codec::Embed(embed)) => embed.decode_reply(&bytes, quirks).map(Said::Vectors),
        Some(Codec::Rerank(rerank)) => rerank.decode_reply(&bytes, quirks).map(Said::Ranking),
        Some(Codec::Models(_) | Codec::AsIs(_) | Codec::Batches(_)) | None => {
            Err(Fault::internal("no codec for the operation"))
        }
    }
}

/// The provider answered with an error status, or a redirect.
fn refused(
    upstream: &Arc<Upstream>,
    attempt: &Attempt,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Fault {
    if status.is_redirection() || status.is_informational() {
        let message = "The provider answered with a redirect, which is never followed.";
        return Fault::bad_upstream(message).with_code("upstream_redirect");
    }
    let mut fault = attempt.dialect.decode_fault(status.as_u16(), headers, body);
    let stated = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    if let Some(seconds) = stated.and_then(|value| value.trim().parse::<f64>().ok()) {
        fault.retry_after_s = whole_seconds(seconds);
    }
    if let (FaultKind::Unauthenticated | FaultKind::Forbidden, Some(held)) =
        (fault.kind, &upstream.held)
    {
        held.doubt();
    }
    if let Some(said) = &mut fault.upstream {
        let name = attempt.request_id();
        let id = headers.get(name).and_then(|value| value.to_str().ok());
        said.request_id = said.request_id.take().or_else(|| id.map(str::to_owned));
    }
    upstream.retold(fault)
}

/// Rounded up: a caller that waits too long loses less than one that comes too early.
fn whole_seconds(seconds: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..=86400")]
    (0.0..=86_400.0).contains(&seconds).then(|| seconds.ceil() as u64)
}

fn silent() -> Fault {
    let message = "The provider did not answer in time.";
    Fault::new(FaultKind::Timeout, Side::Upstream, message).with_code("upstream_timeout")
}

fn stop(ask: &Ask) {
    if let Some(upload) = ask.upload.as_ref().filter(|upload| upload.is_spent()) {
        upload.stop();
    }
}

fn unsent(ask: &Ask, error: &SendError) -> Fault {
    if let Some(fault) = ask.upload.as_ref().and_then(|upload| upload.fault()) {
        return fault;
    }
    let fault = match error {
        SendError::Connect(_) => {
            Fault::new(FaultKind::Unavailable, Side::Upstream, "The provider cannot be reached.")
                .with_code("upstream_unreachable")
        }
        SendError::Broken(_) => {
            Fault::bad_upstream("The provider closed the connection before it answered.")
                .with_code("upstream_closed")
        }
    };
    fault.with_note(error.to_string())
}
