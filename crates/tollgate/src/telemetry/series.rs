//! The metrics that are told apart by labels, and a memory of the ones used last: looking a series
//! up by its labels costs more than counting, so each thread remembers what it looked up.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tollgate_model::{Cost, MicroUsd, Record};

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
struct CostLabels {
    gen_ai_provider_name: String,
    tollgate_team: String,
}

type Durations = Family<TargetLabels, Histogram, fn() -> Histogram>;

#[derive(Debug)]
pub(super) struct Series {
    /// Tells the memories of several instances apart.
    id: u64,
    calls: Family<CallLabels, Counter>,
    durations: Durations,
    first_chunks: Durations,
    overheads: Durations,
    tokens: Family<TokenLabels, Counter>,
    finishes: Family<FinishLabels, Counter>,
    costs: Family<CostLabels, Counter>,
}

/// Series that one thread remembers; the rest is looked up.
const MOST_REMEMBERED: usize = 64;

thread_local! {
    static REMEMBERED: RefCell<Vec<(u64, CallSeries)>> = const { RefCell::new(Vec::new()) };
}

impl Default for Series {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            calls: Family::default(),
            durations: Family::new_with_constructor(duration_buckets),
            first_chunks: Family::new_with_constructor(duration_buckets),
            overheads: Family::new_with_constructor(overhead_buckets),
            tokens: Family::default(),
            finishes: Family::default(),
            costs: Family::default(),
        }
    }
}

impl Series {
    pub(super) fn register(&self, r: &mut Registry) {
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
        let help = "What calls cost, in microdollars, where it is known";
        r.register("tollgate_cost_micro_usd", help, self.costs.clone());
    }

    /// Gives the series of a call to `count`.
    pub(super) fn with(&self, record: &Record, count: impl FnOnce(&CallSeries)) {
        REMEMBERED.with_borrow_mut(|remembered| {
            let known = remembered.iter().find(|(id, known)| *id == self.id && known.is_of(record));
            if let Some((_, series)) = known {
                return count(series);
            }
            let series = self.look_up(record);
            count(&series);
            if remembered.len() >= MOST_REMEMBERED {
                remembered.remove(0);
            }
            remembered.push((self.id, series));
        });
    }

    fn look_up(&self, record: &Record) -> CallSeries {
        let provider = record.provider.clone().unwrap_or_default();
        let team = record.team.clone().unwrap_or_default();
        let labels = CallLabels {
            gen_ai_operation_name: operation(record),
            gen_ai_provider_name: provider.clone(),
            tollgate_dialect: dialect(record),
            http_response_status_code: record.status,
            error_type: error_type(record),
        };
        let target = TargetLabels {
            gen_ai_operation_name: operation(record),
            gen_ai_provider_name: provider.clone(),
            tollgate_team: team.clone(),
        };
        let token = |class| TokenLabels {
            gen_ai_provider_name: provider.clone(),
            tollgate_team: team.clone(),
            gen_ai_token_type: class,
        };
        let finish = record.finish.map(|finish| FinishLabels {
            gen_ai_provider_name: provider.clone(),
            gen_ai_response_finish_reason: finish.as_str(),
        });
        // A call that never left for a provider has none of the rest.
        let upstream = (record.attempts > 0).then(|| UpstreamSeries {
            duration: self.durations.get_or_create_owned(&target),
            first_chunk: self.first_chunks.get_or_create_owned(&target),
            overhead: self.overheads.get_or_create_owned(&target),
            finish: finish.map(|labels| self.finishes.get_or_create_owned(&labels)),
            tokens: record.usage.classes().map(|(class, count)| {
                count.map(|_| self.tokens.get_or_create_owned(&token(class)))
            }),
            cost: stated(record).map(|_| {
                self.costs.get_or_create_owned(&CostLabels {
                    gen_ai_provider_name: provider.clone(),
                    tollgate_team: team.clone(),
                })
            }),
        });
        CallSeries {
            calls: self.calls.get_or_create_owned(&labels),
            labels,
            team,
            finish: record.finish.map(|finish| finish.as_str()),
            upstream,
        }
    }
}

/// Where one kind of call is counted.
#[derive(Debug)]
pub(super) struct CallSeries {
    pub(super) calls: Counter,
    labels: CallLabels,
    team: String,
    finish: Option<&'static str>,
    upstream: Option<UpstreamSeries>,
}

#[derive(Debug)]
struct UpstreamSeries {
    duration: Histogram,
    first_chunk: Histogram,
    overhead: Histogram,
    finish: Option<Counter>,
    tokens: [Option<Counter>; 10],
    cost: Option<Counter>,
}

impl CallSeries {
    fn is_of(&self, record: &Record) -> bool {
        let same = |one: &str, other: &Option<String>| one == other.as_deref().unwrap_or_default();
        let labels = &self.labels;
        labels.http_response_status_code == record.status
            && labels.gen_ai_operation_name == operation(record)
            && labels.tollgate_dialect == dialect(record)
            && labels.error_type == error_type(record)
            && same(&labels.gen_ai_provider_name, &record.provider)
            && same(&self.team, &record.team)
            && self.finish == record.finish.map(|finish| finish.as_str())
            && self.upstream.is_some() == (record.attempts > 0)
            && self.upstream.as_ref().is_none_or(|upstream| upstream.counts(record))
    }

    pub(super) fn observe(&self, record: &Record) {
        let Some(upstream) = &self.upstream else { return };
        upstream.duration.observe(seconds(record.duration_us));
        if let Some(us) = record.first_chunk_us {
            upstream.first_chunk.observe(seconds(us));
        }
        if let Some(us) = record.overhead_us {
            upstream.overhead.observe(seconds(us));
        }
        if let Some(finish) = &upstream.finish {
            finish.inc();
        }
        if let (Some(counter), Some(cost)) = (&upstream.cost, stated(record)) {
            counter.inc_by(cost.0);
        }
        for (counter, (_, tokens)) in upstream.tokens.iter().zip(record.usage.classes()) {
            if let (Some(counter), Some(tokens)) = (counter, tokens) {
                counter.inc_by(tokens);
            }
        }
    }
}

impl UpstreamSeries {
    /// Has a counter for each class of tokens that is stated, and for no other.
    fn counts(&self, record: &Record) -> bool {
        let classes = record.usage.classes();
        let mut tokens = self.tokens.iter().zip(classes);
        self.cost.is_some() == stated(record).is_some()
            && tokens.all(|(counter, (_, count))| counter.is_some() == count.is_some())
    }
}

fn stated(record: &Record) -> Option<MicroUsd> {
    record.cost.and_then(Cost::stated)
}

fn operation(record: &Record) -> &'static str {
    if record.operation.is_empty() { "none" } else { record.operation }
}

fn dialect(record: &Record) -> &'static str {
    record.dialect.map_or("", |dialect| dialect.as_str())
}

fn error_type(record: &Record) -> &'static str {
    if record.left {
        return "caller_left";
    }
    record.fault.as_ref().map_or("", |fault| fault.code())
}

fn seconds(us: u64) -> f64 {
    std::time::Duration::from_micros(us).as_secs_f64()
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
