//! Stage 13: what happened. The record of a call goes to the ledger, the limits, the access
//! log and the metrics exactly once, whatever ended the call.

mod bill;

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use http::{HeaderName, Request};
use tollgate_model::Record;

use bill::Bill;

use super::admit::Rated;
use super::plan::Target;
use super::read::Ask;
use crate::caught;
use crate::ledger::Ledger;
use crate::telemetry::Telemetry;
use crate::worker::Worker;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A call that is not booked yet. Dropped unbooked, it is booked as one whose caller has left, or
/// as a bug when a panic dropped it.
#[derive(Debug)]
pub struct Settling {
    pub record: Box<Record>,
    /// What it holds of its caller's limits.
    pub rated: Option<Box<Rated>>,
    bill: Option<Bill>,
    telemetry: Arc<Telemetry>,
    /// With the lane of the thread that serves the call.
    ledger: (Arc<Ledger>, usize),
    started: Instant,
    booked: bool,
}

/// Begins the record of a call.
#[must_use]
pub fn open<B>(worker: &Worker, request: &Request<B>) -> Settling {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let started_us = u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX);
    let number = worker.shared.next_number();
    let record = Box::new(Record {
        id: worker.shared.record_id(started_us, number),
        request_id: request_id(worker, request, number),
        started_us,
        ..Record::default()
    });
    let telemetry = worker.shared.telemetry.clone();
    telemetry.metrics.begun();
    let ledger = (worker.shared.ledger.clone(), worker.lane);
    let started = Instant::now();
    Settling { record, rated: None, bill: None, telemetry, ledger, started, booked: false }
}

/// The caller's own id where it is harmless, else a fresh one.
fn request_id<B>(worker: &Worker, request: &Request<B>, number: u64) -> String {
    let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let harmless = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    match given.filter(harmless) {
        Some(id) => id.to_owned(),
        None => worker.shared.request_id(number),
    }
}

impl Settling {
    /// Microseconds since the call began.
    #[must_use]
    pub fn elapsed_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// A stream goes on, and its lease with it.
    pub fn top_up(&mut self) {
        if let Some(rated) = &mut self.rated {
            rated.top_up(&self.record);
        }
    }

    /// The call leaves for this target, which charges for it.
    pub fn billed(&mut self, ask: &Ask, target: &Target) {
        let bill = Bill::new(ask, target);
        if self.record.attempts == 1 {
            let (ledger, lane) = &self.ledger;
            ledger.leaves(*lane, &bill.foreseen(&self.record));
        }
        self.bill = Some(bill);
    }

    /// What the call costs, once what it used is known.
    pub fn price(&mut self) {
        if let Some(bill) = &self.bill {
            bill.settle(&mut self.record);
        }
    }

    /// Books the call.
    pub fn settle(mut self) {
        self.book();
    }

    fn book(&mut self) {
        if !self.booked {
            self.booked = true;
            self.record.duration_us = self.elapsed_us();
            self.price();
            // Before the last bytes leave: who heard the end of an answer finds it in the ledger.
            let (ledger, lane) = &self.ledger;
            ledger.ended(*lane, &self.record);
            if let Some(rated) = &mut self.rated {
                rated.settle(&self.record);
            }
            self.telemetry.book(&self.record);
        }
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        if self.booked {
            return;
        }
        if std::thread::panicking() {
            self.record.fault = Some(caught::fault());
            self.record.status = 500;
        } else {
            self.record.left = true;
            if self.record.status == 0 {
                // No status line was sent; this is the word for it that operators know.
                self.record.status = 499;
            }
        }
        self.book();
    }
}
