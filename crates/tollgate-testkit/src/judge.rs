//! The judge: every recording, through every pair of dialects, compared with what the corpus says
//! of it.
//!
//! [`proof`] shows that the readers are right, [`answers`] replays what providers answered,
//! [`requests`] what clients asked, [`vectors`] embeddings and token counts. What a shape of answer
//! can express at all is the table in [`expressible`].
//!
//! Deliberately absent: sockets. What is judged here is the pure part; the program is replayed in
//! its own tests.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tollgate_model::DialectId;
use tollgate_wire::{Carriage, Dialect, Operation, Provider, carriage, dialect, provider};

use crate::corpus::Recorded;
use crate::digest::Difference;
use crate::readers::Shape;
use crate::{Corpus, Exchange};

pub mod answers;
pub mod canary;
pub mod expressible;
pub mod proof;
pub mod report;
pub mod requests;
pub mod said;
pub mod vectors;

/// What became of one recording on its way to one shape.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub id: String,
    pub provider: String,
    /// Dialect of the recording.
    pub dialect: String,
    /// Shape into which it was written.
    pub ingress: &'static str,
    pub kind: Kind,
    pub features: Vec<String>,
    pub differences: Vec<Difference>,
    /// The gateway said that this cannot be had from such a provider.
    pub refused: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A recorded answer, written for a caller of `ingress`.
    Answer,
    /// A recorded error, written for a caller of `ingress`.
    Error,
    /// A recorded request, written for a provider of `ingress`.
    Request,
    /// Embeddings and token counts, both directions.
    Vectors,
}

impl Kind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Error => "error",
            Self::Request => "request",
            Self::Vectors => "vectors",
        }
    }
}

impl Verdict {
    #[must_use]
    pub fn new(exchange: &Exchange, ingress: &'static str, kind: Kind) -> Self {
        Self {
            id: exchange.id.clone(),
            provider: exchange.provider.clone(),
            dialect: exchange.dialect.clone(),
            ingress,
            kind,
            features: exchange.features.clone(),
            differences: Vec::new(),
            refused: None,
        }
    }

    /// The caller speaks what the provider spoke.
    #[must_use]
    pub fn is_own(&self) -> bool {
        Recorded::of(&self.dialect).is_some_and(|recorded| recorded.shape == self.ingress)
    }

    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Judges every recording, on all cores.
#[must_use]
pub fn judge(corpus: &Corpus) -> Vec<Verdict> {
    let judged = in_parallel(&corpus.exchanges, |exchange| {
        let mut verdicts = answers::judge(exchange);
        verdicts.extend(requests::judge(exchange));
        verdicts.extend(vectors::judge(exchange));
        verdicts
    });
    judged.into_iter().flatten().collect()
}

/// The row of a provider that was recorded. The corpus has names of its own for a few.
#[must_use]
pub fn row(provider: &str) -> Option<&'static Provider> {
    provider::find(match provider {
        "azure" => "azure-openai",
        "other-openai" => "openai-compatible",
        own => own,
    })
}

/// What a recording is: its shape, its operation, and how its provider speaks it.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub shape: Shape,
    pub operation: Operation,
    pub row: &'static Provider,
    pub carriage: &'static Carriage,
}

impl Known {
    /// The row that stands for the recorded provider: its own, else that of its dialect.
    #[must_use]
    pub fn of(exchange: &Exchange) -> Option<Self> {
        let recorded = Recorded::of(&exchange.dialect)?;
        let shape = Shape::of(recorded.shape)?;
        let id = DialectId(recorded.shape);
        let speaks = |row: &&Provider| row.speaks(id).is_some();
        let fallback = || provider::find(recorded.provider);
        let row = row(&exchange.provider).filter(speaks).or_else(fallback)?;
        let wrapped = matches!(exchange.dialect.as_str(), "bedrock-invoke" | "vertex-anthropic");
        let carriage = match row.speaks(id) {
            Some(speaks) if wrapped => speaks.carriage,
            _ => &carriage::PLAIN,
        };
        Some(Self { shape, operation: recorded.operation, row, carriage })
    }

    /// What speaks the shape here; `None` while nothing does.
    #[must_use]
    pub fn dialect(&self) -> Option<&'static Dialect> {
        dialect(DialectId(self.shape.as_str()))
    }
}

/// Runs a piece of judging; a panic in the code that is judged is a difference like any other.
fn guarded(differences: &mut Vec<Difference>, judge: impl FnOnce(&mut Vec<Difference>)) {
    let mut found = Vec::new();
    if catch_unwind(AssertUnwindSafe(|| judge(&mut found))).is_err() {
        found.push(Difference::new("panic", "none", "the code panicked"));
    }
    differences.append(&mut found);
}

/// Maps every item on all cores, and keeps the order.
pub fn in_parallel<I: Sync, O: Send>(items: &[I], map: impl Fn(&I) -> O + Sync) -> Vec<O> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let workers = thread::available_parallelism().map_or(2, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((at, item)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    items.get(at).map(|item| (at, item))
                } {
                    let out = map(item);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, out));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, out)| out).collect()
}
