//! What a call is charged by: what it used, where need be by the gateway's own estimate, at the
//! prices of the model that was called last.
//!
//! An attempt that failed before anything was said is not charged for: no provider does.

use std::sync::Arc;

use tollgate_model::{Record, Usage};
use tollgate_policy::limit::{Amounts, text_bytes};
use tollgate_store::Entry;
use tollgate_wire::Operation;

use crate::clock::day_of;
use crate::gateway::Upstream;
use crate::known::Facts;
use crate::stages::plan::Target;
use crate::stages::read::Ask;

/// The name that stands for a model which the path does not tell.
const ANY: &str = "*";

#[derive(Debug)]
pub(super) struct Bill {
    upstream: Arc<Upstream>,
    facts: Arc<Facts>,
    operation: Operation,
    /// Of the request.
    text_bytes: u64,
    /// The model is known only once it answers.
    any: bool,
}

impl Bill {
    pub(super) fn new(ask: &Ask, target: &Target) -> Self {
        let upstream = target.upstream.clone();
        let facts = upstream.known.of(&target.model);
        let operation = ask.operation();
        let text_bytes = match operation {
            Operation::Chat | Operation::Compact | Operation::Embed => text_bytes(&ask.body),
            _ => 0,
        };
        Self { upstream, facts, operation, text_bytes, any: target.model == ANY }
    }

    /// What stands in the ledger of a call that is about to leave, if its gateway ends before it
    /// does: what it is thought to use, and what that costs.
    pub(super) fn foreseen<'r>(&self, record: &'r Record) -> Entry<'r> {
        let mut entry = Entry::of(record);
        if self.operation == Operation::Chat {
            let thought = self.facts.learnt.estimate(self.text_bytes);
            let usage = Usage {
                input_tokens: Some(thought.input_tokens),
                output_tokens: Some(thought.output_tokens),
                ..Usage::default()
            };
            let cost = self.facts.prices.charge(&usage, None, day_of(record.started_us));
            entry.foresee(&usage, cost);
        }
        entry
    }

    /// Fills in what was used where nobody said it, and what it costs. Done once more it changes
    /// nothing.
    pub(super) fn settle(&self, record: &mut Record) {
        // What a batch used was priced line by line.
        if record.attempts == 0 || record.cost.is_some() || !self.is_charged(record) {
            return;
        }
        self.estimate(record);
        let named = record.model_answered.as_deref().filter(|_| self.any);
        let of_named = named.map(|model| self.upstream.known.of(model));
        let prices = &of_named.as_ref().unwrap_or(&self.facts).prices;
        record.cost = Some(prices.charge(&record.usage, None, day_of(record.started_us)));
    }

    fn is_charged(&self, record: &Record) -> bool {
        let said = record.first_chunk_us.is_some() || !record.usage.is_unknown();
        match self.operation {
            Operation::CountTokens
            | Operation::ListModels
            | Operation::GetModel
            | Operation::Realtime
            | Operation::Files
            | Operation::Batches => false,
            // Not everything there is a call of a model.
            Operation::Resting | Operation::Passthrough => !record.usage.is_unknown(),
            _ => record.fault.is_none() || said,
        }
    }

    /// An answer that was not heard to its end, or that does not say what was used.
    fn estimate(&self, record: &mut Record) {
        let whole = is_whole(record);
        if self.operation != Operation::Chat && !(self.operation == Operation::Embed && whole) {
            return;
        }
        let (input, output) = (record.usage.total_input(), record.usage.total_output());
        if whole && input.is_some() && (output.is_some() || self.operation == Operation::Embed) {
            self.learn(record);
            return;
        }
        let thought = self.facts.learnt.estimate(self.text_bytes);
        if input.is_none() {
            record.usage.input_tokens = Some(thought.input_tokens);
        }
        if self.operation == Operation::Chat {
            let delivered = match (record.stream, record.response_bytes) {
                (true, bytes) => self.facts.learnt.streamed(bytes),
                // It was answered, and nobody said with how much; or its caller did not wait.
                (false, _) => thought.output_tokens,
            };
            let stated = output.unwrap_or_default();
            let more = delivered.saturating_sub(stated);
            let shown = record.usage.output_tokens.unwrap_or_default();
            record.usage.output_tokens = Some(shown.saturating_add(more));
        }
        record.estimated = true;
    }

    fn learn(&self, record: &Record) {
        let usage = &record.usage;
        if let (Some(input_tokens), Some(output_tokens)) =
            (usage.total_input(), usage.total_output())
        {
            let used = Amounts { input_tokens, output_tokens };
            let wire_bytes = record.stream.then_some(record.response_bytes);
            self.facts.learnt.learn(self.text_bytes, wire_bytes, used);
        }
    }
}

/// It was heard to its end.
fn is_whole(record: &Record) -> bool {
    record.fault.is_none() && !record.left
}
