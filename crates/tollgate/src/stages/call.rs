//! Stage 10: the first target that answers. A target answers when a whole buffered reply, or the
//! first sound events of a stream, are there; until then nothing was sent to the caller and the
//! next target may be tried.

mod as_is;
mod attempt;
mod errand;
mod fit;

use bytes::Bytes;
use http::StatusCode;
use tokio::time::Instant;
use tollgate_model::{EmbedReply, Event, Fault, FaultKind, Lane, Losses, Record, RerankReply};
use tollgate_wire::Dialect;

use super::plan::{Plan, Target};
use super::read::Ask;
use super::settle::Settling;
use crate::gateway::Gateway;
use crate::passing::Passing;
use crate::source::Source;
use crate::worker::Worker;

/// An answer that has begun.
#[derive(Debug)]
pub struct Answer {
    pub target: Target,
    /// The dialect in which the target answers.
    pub dialect: &'static Dialect,
    pub lane: Lane,
    /// The provider's head, of which little travels on.
    pub headers: http::HeaderMap,
    /// Which of them is the provider's own id of the call.
    pub request_id: &'static str,
    pub said: Said,
    /// What the request's translation could not carry.
    pub losses: Losses,
}

#[derive(Debug)]
pub enum Said {
    Stream(Source),
    /// A whole chat: its bytes as they came, and its events (in the verbatim lane, those that
    /// metering needs).
    Chat {
        bytes: Bytes,
        events: Vec<Event>,
    },
    Tokens(u64),
    Vectors(EmbedReply),
    /// What a provider says of something that rests with it, as it came.
    Object(Bytes),
    Ranking(RerankReply),
    /// What a provider says of its objects, whole.
    Told {
        status: StatusCode,
        bytes: Bytes,
    },
    /// Bytes that are passed on as they come.
    Passing(Box<Passing>),
}

/// # Errors
/// What the last target that was tried said, in the caller's own terms.
pub async fn call(
    worker: &Worker,
    gateway: &Gateway,
    plan: &Plan,
    ask: &Ask,
    settling: &mut Settling,
) -> Result<Answer, Fault> {
    let mut last = None;
    for target in &plan.targets {
        let attempt = match fit::fit(worker, ask, target) {
            Ok(attempt) => attempt,
            Err(fault) => {
                last = Some(fault);
                continue;
            }
        };
        if plan.strict && !attempt.losses.is_empty() {
            last = Some(lossy(&attempt.losses, target));
            continue;
        }
        note(&mut settling.record, target, &attempt);
        settling.billed(ask, target);
        if settling.record.overhead_us.is_none() {
            settling.record.overhead_us = Some(settling.elapsed_us());
        }
        let deadline = Instant::now() + target.timeouts.total;
        let limits = &gateway.config.limits;
        match attempt::attempt(&worker.pool, limits, (ask, target), attempt, deadline).await {
            Ok(answer) => {
                settling.record.lane = Some(answer.lane);
                return Ok(answer);
            }
            Err(fault) if may_move_on(&fault) && !is_spent(ask) => last = Some(fault),
            Err(fault) => return Err(fault),
        }
    }
    Err(last.unwrap_or_else(|| Fault::internal("a plan had no target")))
}

fn note(record: &mut Record, target: &Target, attempt: &fit::Attempt) {
    record.attempts += 1;
    record.provider = Some(target.upstream.row.kind.to_owned());
    record.target = Some(target.label());
    record.upstream_dialect = Some(attempt.dialect.id());
    record.lane = Some(attempt.lane);
    record.losses = attempt.losses.clone();
}

/// What was passed on of the request while it arrived is gone.
fn is_spent(ask: &Ask) -> bool {
    ask.upload.as_ref().is_some_and(|upload| upload.is_spent())
}

/// The fault is the target's, not the request's: another one may do better.
fn may_move_on(fault: &Fault) -> bool {
    fault.kind.retryable()
        || matches!(
            fault.kind,
            FaultKind::Unauthenticated
                | FaultKind::Forbidden
                | FaultKind::NotFound
                | FaultKind::QuotaExhausted
                | FaultKind::Unsupported
        )
}

/// Refused, since the caller's model is configured to lose nothing.
fn lossy(losses: &Losses, target: &Target) -> Fault {
    let fields: Vec<String> = losses.iter().map(ToString::to_string).collect();
    let message = format!(
        "`{}` cannot be given all of the request, and this model is strict: {}.",
        target.label(),
        fields.join(", ")
    );
    Fault::new(FaultKind::Unsupported, tollgate_model::Source::Downstream, message)
        .with_code("lossy_translation")
}
