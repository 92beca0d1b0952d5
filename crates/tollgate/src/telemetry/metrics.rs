//! Prometheus metrics, named after OpenTelemetry's GenAI conventions. Every label comes from a
//! set that the operator bounds: configured providers and models, kinds, classes; never a text
//! that a caller chose.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tollgate_model::Record;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    gen_ai_operation_name: &'static str,
    gen_ai_provider_name: String,
    tollgate_dialect: &'static str,
    http_response_status_code: u16,
    error_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TargetLabels {
    gen_ai_operation_name: &'static str,
    gen_ai_provider_name: String,
    tollgate_team: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    gen_ai_provider_name: String,
    tollgate_team: String,
    gen_ai_token_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FinishLabels {
    gen_ai_provider_name: String,
    gen_ai_response_finish_reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    result: &'static str,
}

type Durations = Family<TargetLabels, Histogram, fn() -> Histogram>;

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    durations: Durations,
    first_chunks: Durations,
    overheads: Durations,
    tokens: Family<TokenLabels, Counter>,
    finishes: Family<FinishLabels, Counter>,
    attempts: Counter,
    lost_fields: Counter,
    callers_left: Counter,
    unknown_usage: Counter,
    in_flight: Gauge,
    reloads: Family<ReloadLabels, Counter>,
    pub access_log_dropped: Counter,
}

/// OpenTelemetry's advice for `gen_ai.client.operation.duration`, in seconds.
fn duration_buckets() -> Histogram {
    Histogram::new([
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
    ])
}

fn overhead_buckets() -> Histogram {
    Histogram::new([
        0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01,
        0.05, 0.25,
    ])
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            calls: Family::default(),
            durations: Family::new_with_constructor(duration_buckets),
            first_chunks: Family::new_with_constructor(duration_buckets),
            overheads: Family::new_with_constructor(overhead_buckets),
            tokens: Family::default(),
            finishes: Family::default(),
            attempts: Counter::default(),
            lost_fields: Counter::default(),
            callers_left: Counter::default(),
            unknown_usage: Counter::default(),
            in_flight: Gauge::default(),
            reloads: Family::default(),
            access_log_dropped: Counter::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("tollgate_calls", "Calls that ended", self.calls.clone());
        let (name, help) = ("gen_ai_client_operation_duration", "From first byte in to last out");
        r.register_with_unit(name, help, Unit::Seconds, self.durations.clone());
        let (name, help) =
            ("gen_ai_client_operation_time_to_first_chunk", "From first byte in to first out");
        r.register_with_unit(name, help, Unit::Seconds, self.first_chunks.clone());
        let (name, help) = ("tollgate_overhead", "The gateway's share before a call leaves");
        r.register_with_unit(name, help, Unit::Seconds, self.overheads.clone());
        r.register("gen_ai_client_token_usage", "Tokens by class", self.tokens.clone());
        r.register("tollgate_finishes", "Answers by finish reason", self.finishes.clone());
        r.register("tollgate_attempts", "Calls that left for a provider", self.attempts.clone());
        r.register("tollgate_lost_fields", "Fields lost in translation", self.lost_fields.clone());
        r.register("tollgate_callers_left", "Callers that left early", self.callers_left.clone());
        let help = "Answers whose provider did not state its usage";
        r.register("tollgate_unknown_usage", help, self.unknown_usage.clone());
        r.register("tollgate_in_flight", "Calls being answered", self.in_flight.clone());
        r.register("tollgate_config_reloads", "Configuration reloads", self.reloads.clone());
        let help = "Access-log lines that could not be written in time";
        r.register("tollgate_access_log_dropped", help, self.access_log_dropped.clone());
    }

    /// A call has begun.
    pub fn begun(&self) {
        self.in_flight.inc();
    }

    /// A configuration was offered.
    pub fn reloaded(&self, accepted: bool) {
        let result = if accepted { "accepted" } else { "refused" };
        self.reloads.get_or_create(&ReloadLabels { result }).inc();
    }

    pub(super) fn ended(&self, record: &Record) {
        self.in_flight.dec();
        let provider = record.provider.clone().unwrap_or_default();
        let operation = if record.operation.is_empty() { "none" } else { record.operation };
        let error_type = record.fault.as_ref().map_or("", |fault| fault.code());
        let labels = CallLabels {
            gen_ai_operation_name: operation,
            gen_ai_provider_name: provider.clone(),
            tollgate_dialect: record.dialect.map_or("", |dialect| dialect.as_str()),
            http_response_status_code: record.status,
            error_type: if record.left { "caller_left" } else { error_type },
        };
        self.calls.get_or_create(&labels).inc();
        self.attempts.inc_by(u64::from(record.attempts));
        self.lost_fields.inc_by(record.losses.len() as u64);
        if record.left {
            self.callers_left.inc();
        }
        if record.attempts > 0 {
            self.ended_upstream(record, operation, provider);
        }
    }

    fn ended_upstream(&self, record: &Record, operation: &'static str, provider: String) {
        let team = record.team.clone().unwrap_or_default();
        let labels = TargetLabels {
            gen_ai_operation_name: operation,
            gen_ai_provider_name: provider.clone(),
            tollgate_team: team.clone(),
        };
        self.durations.get_or_create(&labels).observe(seconds(record.duration_us));
        if let Some(us) = record.first_chunk_us {
            self.first_chunks.get_or_create(&labels).observe(seconds(us));
        }
        if let Some(us) = record.overhead_us {
            self.overheads.get_or_create(&labels).observe(seconds(us));
        }
        if let Some(finish) = record.finish {
            let labels = FinishLabels {
                gen_ai_provider_name: provider.clone(),
                gen_ai_response_finish_reason: finish.as_str(),
            };
            self.finishes.get_or_create(&labels).inc();
        }
        if record.fault.is_none() && operation == "chat" && record.usage.is_unknown() {
            self.unknown_usage.inc();
        }
        for (class, tokens) in record.usage.classes() {
            let Some(tokens) = tokens else { continue };
            let labels = TokenLabels {
                gen_ai_provider_name: provider.clone(),
                tollgate_team: team.clone(),
                gen_ai_token_type: class,
            };
            self.tokens.get_or_create(&labels).inc_by(tokens);
        }
    }

    /// The whole, as Prometheus reads it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn seconds(us: u64) -> f64 {
    std::time::Duration::from_micros(us).as_secs_f64()
}
