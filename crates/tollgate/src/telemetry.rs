//! What operators see of calls: one access-log line and the metrics, both made from the record
//! when a call is over. No content, no secret, no name that a caller can choose freely.

mod access_log;
mod metrics;
mod series;

use tollgate_model::Record;

pub use access_log::AccessLog;
pub use metrics::Metrics;

#[derive(Debug)]
pub struct Telemetry {
    pub metrics: Metrics,
    access_log: Option<AccessLog>,
}

impl Telemetry {
    #[must_use]
    pub fn new(access_log: Option<AccessLog>) -> Self {
        Self { metrics: Metrics::default(), access_log }
    }

    /// Waits until what was booked is written.
    pub fn flush(&self) {
        if let Some(log) = &self.access_log {
            log.flush();
        }
    }

    /// Books a call that is over.
    pub fn book(&self, record: &Record) {
        self.metrics.ended(record);
        if let Some(log) = &self.access_log
            && !log.write(record)
        {
            self.metrics.access_log_dropped.inc();
        }
        if let Some(fault) = &record.fault
            && let Some(note) = &fault.note
        {
            tracing::warn!(
                request_id = %record.request_id,
                target = record.target.as_deref(),
                error.type = fault.code(),
                "{note}"
            );
        }
    }
}
