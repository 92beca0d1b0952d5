//! Holds a call to the limits of its key and its team: leases what it is thought to use, tops the
//! lease up while a stream goes on, and books the truth when the call is over.
//!
//! A limit on a rate never cuts an answer that has begun: what it uses beyond its lease is booked,
//! and the next call waits for it.

use std::sync::Arc;

use tollgate_model::{Fault, FaultKind, Record, Source};
use tollgate_policy::limit::{Amounts, Lease, Limit, Limits, Refused, Standing, Unit, text_bytes};
use tollgate_wire::Operation;

use crate::gateway::Caller;
use crate::stages::read::Ask;
use crate::stages::settle::Settling;
use crate::tally::{Denied, Held, Tally};

/// Where nobody can say when there will be room: another call has to end.
const USUAL_WAIT_S: u64 = 1;

/// How one limit stood when the call came, as headers tell it.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub unit: Unit,
    pub most: u64,
    pub standing: Standing,
}

/// What a call holds of its caller's limits.
#[derive(Debug)]
pub struct Rated {
    pub told: Vec<Told>,
    /// Unix time at which the limits stood so.
    pub at_ms: u64,
    /// `None`: refused.
    held: Option<Held>,
    text_bytes: u64,
    /// Bytes of the answer from which on the lease is looked at again.
    enough_bytes: u64,
}

/// # Errors
/// The limit that has no room, in a sentence for the caller.
pub(super) async fn hold(
    tally: &Tally,
    limits: &Arc<Limits>,
    caller: &Caller,
    ask: &Ask,
    settling: &mut Settling,
) -> Result<(), Fault> {
    let text_bytes = if limits.counts_tokens() { text_bytes(&ask.body) } else { 0 };
    let estimate = estimate(limits, ask.operation(), text_bytes);
    let tell = |limit: &Limit, standing| Told { unit: limit.unit, most: limit.most, standing };
    let mut rated = Rated { told: Vec::new(), at_ms: 0, held: None, text_bytes, enough_bytes: 0 };
    let drawn = tally.draw(limits, estimate).await;
    rated.at_ms = tally.now().wall_ms;
    let fault = match drawn {
        Ok(held) => {
            rated.told = held.standings().map(|(limit, standing)| tell(limit, standing)).collect();
            rated.held = Some(held);
            None
        }
        Err(Denied::Full(refused)) => {
            rated.told = vec![tell(refused.limit, refused.standing)];
            settling.record.limit = Some(refused.limit.name.clone());
            Some(fault(&refused, caller))
        }
        Err(Denied::Unknown) => Some(unknown()),
    };
    settling.rated = Some(Box::new(rated));
    fault.map_or(Ok(()), Err)
}

fn estimate(limits: &Limits, operation: Operation, text_bytes: u64) -> Amounts {
    if !limits.counts_tokens() {
        return Amounts::default();
    }
    let estimate = limits.learnt().estimate(text_bytes);
    match operation {
        Operation::Chat | Operation::Compact => estimate,
        Operation::Embed | Operation::Rerank | Operation::Moderate => {
            Amounts { output_tokens: 0, ..estimate }
        }
        // What is counted otherwise, or not known before the answer.
        _ => Amounts::default(),
    }
}

/// The counters are away, and calls with limits are refused until they are back.
fn unknown() -> Fault {
    let message = "How much of its limits this caller has used is not known at the moment: the gateway's shared counters cannot be reached.";
    let mut fault = Fault::new(FaultKind::Unavailable, Source::Internal, message)
        .with_code("limits_unavailable");
    fault.retry_after_s = Some(USUAL_WAIT_S);
    fault
}

fn fault(refused: &Refused<'_>, caller: &Caller) -> Fault {
    let Refused { limit, amount, standing, retry_ms } = refused;
    let who = if limit.name.starts_with("keys.") {
        "This key".to_owned()
    } else {
        format!("Team `{}`", caller.team.name)
    };
    let words = limit.unit.words();
    let rule = match &limit.window {
        Some(window) => {
            format!("{who} may use {} {words} per {}", limit.most, window.span().as_str())
        }
        None => format!("{who} may have {} {words}", limit.most),
    };
    let name = &limit.name;
    if refused.is_for_ever() {
        let message = format!(
            "{rule}, and this one call is thought to need {amount}: it can never be let through (`{name}`)."
        );
        return Fault::new(FaultKind::QuotaExhausted, Source::Downstream, message)
            .with_code("call_exceeds_limit");
    }
    let seconds = retry_ms.map_or(USUAL_WAIT_S, |ms| ms.div_ceil(1_000).max(1));
    let left = match (limit.unit, standing.remaining) {
        (_, 0) => "none are left".to_owned(),
        (_, left) => format!("{left} are left and this call is thought to need {amount}"),
    };
    let message = format!("{rule}; {left}. Try again in {seconds} s (`{name}`).");
    let code = match limit.unit {
        Unit::Requests => "requests_limit",
        Unit::Tokens | Unit::InputTokens | Unit::OutputTokens => "tokens_limit",
        Unit::Concurrent => "concurrency_limit",
    };
    let mut fault = Fault::new(FaultKind::RateLimited, Source::Downstream, message).with_code(code);
    fault.retry_after_s = Some(seconds);
    fault
}

impl Rated {
    /// A stream goes on: once it is longer than what was leased, the lease grows with it.
    pub fn top_up(&mut self, record: &Record) {
        if record.response_bytes < self.enough_bytes {
            return;
        }
        let Some(held) = &mut self.held else { return };
        let Some(lease) = held.lease().filter(|lease| lease.limits().counts_tokens()) else {
            return;
        };
        let used = so_far(lease, record);
        // Looked at again after some thirty-two tokens more, not with every piece.
        let each = lease.limits().learnt().bytes_for(32);
        self.enough_bytes = record.response_bytes.saturating_add(each);
        held.top_up(used);
    }

    /// The call is over: what it used is booked, and taught.
    pub fn settle(&mut self, record: &Record) {
        let Some(mut held) = self.held.take() else { return };
        let Some(lease) = held.lease() else { return };
        let usage = &record.usage;
        let whole = record.fault.is_none() && !record.left && record.status == 200;
        if whole
            && record.operation == Operation::Chat.as_str()
            && let (Some(input_tokens), Some(output_tokens)) =
                (usage.total_input(), usage.total_output())
        {
            let wire_bytes = record.stream.then_some(record.response_bytes);
            let used = Amounts { input_tokens, output_tokens };
            lease.limits().learnt().learn(self.text_bytes, wire_bytes, used);
        }
        held.settle(used(lease, record, whole));
    }
}

/// What a call used: what its provider says, else what was thought and delivered.
fn used(lease: &Lease, record: &Record, whole: bool) -> Amounts {
    let usage = &record.usage;
    let of_batches = [Operation::Batches.as_str(), Operation::Files.as_str()];
    // What a batch used was used before, and not in the minute in which it is told.
    if record.attempts == 0 || of_batches.contains(&record.operation) {
        return Amounts::default();
    }
    if whole && !usage.is_unknown() {
        return Amounts {
            input_tokens: usage.total_input().unwrap_or(0),
            output_tokens: usage.total_output().unwrap_or(0),
        };
    }
    let nothing_was_said = record.fault.is_some() && record.first_chunk_us.is_none();
    if nothing_was_said && usage.is_unknown() {
        return Amounts::default();
    }
    so_far(lease, record)
}

/// What an answer that is not whole, or whose provider says nothing, is taken to have used.
fn so_far(lease: &Lease, record: &Record) -> Amounts {
    let estimate = lease.estimate();
    let delivered = match record.stream {
        true => lease.limits().learnt().streamed(record.response_bytes),
        false => estimate.output_tokens,
    };
    Amounts {
        input_tokens: record.usage.total_input().unwrap_or(estimate.input_tokens),
        output_tokens: record.usage.total_output().unwrap_or(0).max(delivered),
    }
}
