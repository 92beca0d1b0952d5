//! Prometheus metrics, named after OpenTelemetry's GenAI conventions. Every label comes from a
//! set that the operator bounds: configured providers and models, kinds, classes; never a text
//! that a caller chose.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tollgate_model::{Cost, Record};

use super::series::Series;
use crate::ledger::Ledger;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UnitLabels {
    gen_ai_provider_name: String,
    tollgate_team: String,
    tollgate_unit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    tollgate_team: String,
    tollgate_limit: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UnpricedLabels {
    gen_ai_provider_name: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LedgerLabels {
    event: &'static str,
}

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    series: Series,
    attempts: Counter,
    lost_fields: Counter,
    callers_left: Counter,
    unknown_usage: Counter,
    units: Family<UnitLabels, Counter>,
    limited: Family<LimitLabels, Counter>,
    unpriced: Family<UnpricedLabels, Counter>,
    ledger: Family<LedgerLabels, Gauge>,
    leases: Gauge,
    in_flight: Gauge,
    reloads: Family<ReloadLabels, Counter>,
    pub access_log_dropped: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            series: Series::default(),
            attempts: Counter::default(),
            lost_fields: Counter::default(),
            callers_left: Counter::default(),
            unknown_usage: Counter::default(),
            units: Family::default(),
            limited: Family::default(),
            unpriced: Family::default(),
            ledger: Family::default(),
            leases: Gauge::default(),
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
        self.series.register(r);
        r.register("tollgate_attempts", "Calls that left for a provider", self.attempts.clone());
        r.register("tollgate_lost_fields", "Fields lost in translation", self.lost_fields.clone());
        r.register("tollgate_callers_left", "Callers that left early", self.callers_left.clone());
        let help = "Answers whose provider did not state its usage";
        r.register("tollgate_unknown_usage", help, self.unknown_usage.clone());
        let help = "What is counted in something else than tokens";
        r.register("tollgate_units", help, self.units.clone());
        r.register("tollgate_limited", "Calls that a limit refused", self.limited.clone());
        let help = "Calls that cost money, and nobody can say how much";
        r.register("tollgate_unpriced", help, self.unpriced.clone());
        let help = "Entries of the ledger that reached the database, and its troubles";
        r.register("tollgate_ledger", help, self.ledger.clone());
        r.register("tollgate_leases", "Leases that are not settled", self.leases.clone());
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
        self.attempts.inc_by(u64::from(record.attempts));
        self.lost_fields.inc_by(record.losses.len() as u64);
        if record.left {
            self.callers_left.inc();
        }
        let upstream = record.attempts > 0;
        let chat = record.operation == "chat";
        let heard = record.fault.is_none() && !record.left;
        if upstream && chat && heard && record.estimated {
            self.unknown_usage.inc();
        }
        if let Some(Cost::Unknown(reason)) = record.cost {
            let gen_ai_provider_name = record.provider.clone().unwrap_or_default();
            let labels = UnpricedLabels { gen_ai_provider_name, reason };
            self.unpriced.get_or_create(&labels).inc();
        }
        if let Some(limit) = &record.limit {
            let tollgate_team = record.team.clone().unwrap_or_default();
            let labels = LimitLabels { tollgate_team, tollgate_limit: limit.clone() };
            self.limited.get_or_create(&labels).inc();
        }
        for (tollgate_unit, count) in record.usage.units() {
            let Some(count) = count else { continue };
            let gen_ai_provider_name = record.provider.clone().unwrap_or_default();
            let tollgate_team = record.team.clone().unwrap_or_default();
            let labels = UnitLabels { gen_ai_provider_name, tollgate_team, tollgate_unit };
            self.units.get_or_create(&labels).inc_by(count);
        }
        self.series.with(record, |series| {
            series.calls.inc();
            if upstream {
                series.observe(record);
            }
        });
    }

    /// The whole, as Prometheus reads it; `leases` of limits are open.
    #[must_use]
    pub fn text(&self, leases: u64, ledger: &Ledger) -> String {
        let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.leases.set(gauge(leases));
        let (lost, waiting) = ledger.trouble();
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        for (event, count) in [
            ("shipped", of(&ledger.shipped)),
            ("refused", of(&ledger.refused)),
            ("damaged", of(&ledger.damaged)),
            ("set_aside", of(&ledger.set_aside)),
            ("lost", lost),
            ("waiting", waiting),
        ] {
            self.ledger.get_or_create(&LedgerLabels { event }).set(gauge(count));
        }
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
