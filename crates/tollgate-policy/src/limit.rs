//! Limits: how much of what in how long, and what is left of it.
//!
//! A call draws on every counter of its key and its team at once, or on none. What it draws is a
//! *lease*: requests are known beforehand, tokens are estimated, and the truth is booked when the
//! lease is settled. Integers only; the moment is an argument, and nothing here waits.
//!
//! What holds: of requests and of calls at once never more than the limit is let through. Of tokens,
//! the calls that run at one moment may together use more than they leased: that is the overshoot,
//! and it is bounded by what those calls may answer. Whatever was used is booked, so that the next
//! call meets it.
//!
//! What is counted is a `u64` of any unit; each counter has a name of its own, under which another
//! home can keep it. [`Limits::draws`] says what a call would draw there, [`Limits::refused`] judges
//! what that home answers, and [`Held`] says what to book.
//!
//! Not here: budgets, which cut a stream; and where counters of several gateways are kept.

mod counter;
mod estimate;
mod memory;
mod window;

pub use counter::{Counter, Held, Moment, Standing};
pub use estimate::{Learnt, text_bytes};
pub use memory::{Answer, Counted, Counters, Draw, Drawn, Lease, Limits, Refused};
pub use window::{Span, Window};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    Requests,
    /// Input and output together.
    Tokens,
    InputTokens,
    OutputTokens,
    /// Calls that are being answered at the same moment.
    Concurrent,
}

impl Unit {
    /// As the configuration writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::Concurrent => "concurrent",
        }
    }

    /// As a sentence says it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::InputTokens => "input tokens",
            Self::OutputTokens => "output tokens",
            Self::Concurrent => "calls at once",
        }
    }
}

/// What a call uses, or is thought to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    pub input_tokens: u64,
    pub output_tokens: u64,
}

impl Amounts {
    /// In one unit; every call is one request.
    #[must_use]
    pub fn of(&self, unit: Unit) -> u64 {
        match unit {
            Unit::Requests | Unit::Concurrent => 1,
            Unit::Tokens => self.input_tokens.saturating_add(self.output_tokens),
            Unit::InputTokens => self.input_tokens,
            Unit::OutputTokens => self.output_tokens,
        }
    }

    /// What is drawn for it of a limit of `most`. Output is a guess, so that it alone never makes a
    /// call too large for a limit.
    fn drawn(&self, unit: Unit, most: u64) -> u64 {
        match unit {
            Unit::Tokens => self.of(unit).min(most.max(self.input_tokens)),
            Unit::OutputTokens => self.output_tokens.min(most),
            _ => self.of(unit),
        }
    }
}

/// One limit, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub unit: Unit,
    /// `None`: at the same moment.
    pub window: Option<Window>,
    pub most: u64,
    /// Where it stands in the configuration, for refusals and logs.
    pub name: String,
}

impl Limit {
    /// What its counter is called: a limit that changes in number only goes on counting.
    #[must_use]
    pub fn counter(&self, owner: &str) -> String {
        match &self.window {
            None => format!("{owner} {}", self.unit.as_str()),
            Some(window) => format!("{owner} {} {window}", self.unit.as_str()),
        }
    }
}

#[cfg(test)]
mod tests;
