//! What is counted and measured while the service runs, for Prometheus.
//!
//! Owns the names, what they mean, and where they are gathered. Never has a label by which an organisation, a person or an
//! appointment could be known: each has a handful of values. Invariant: what is served stands in [`METRICS`], and the
//! other way round.
//!
//! Until [`gather`] is called nothing is gathered, and a measurement costs next to nothing.

use std::time::Duration;

use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use parking_lot::Mutex;

/// One of the metrics.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name at Prometheus, without labels.
    pub name: &'static str,
    /// What kind it is of.
    pub kind: Kind,
    /// The names of its labels; none: it is one number.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

/// The kinds of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// Only grows, from 0 at each start.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Durations in seconds, in buckets.
    Histogram,
}

impl Kind {
    /// Prometheus's word for it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

const BUILD: &str = "cassius_calendar_build_info";
const SERVING: &str = "cassius_calendar_serving";
const CALLS: &str = "cassius_calendar_calls_total";
const CALL_SECONDS: &str = "cassius_calendar_call_seconds";
const WRONG_KEYS: &str = "cassius_calendar_wrong_keys_total";
const ACCEPTS: &str = "cassius_calendar_accepts_total";
const ATTEMPTS: &str = "cassius_calendar_attempts_total";
const GOOGLE_CALLS: &str = "cassius_calendar_google_calls_total";
const GOOGLE_CALL_SECONDS: &str = "cassius_calendar_google_call_seconds";
const REFRESHES: &str = "cassius_calendar_refreshes_total";
const UNITS: &str = "cassius_calendar_quota_units_total";
const QUOTA: &str = "cassius_calendar_quota_units_per_minute";
const INTEGRATIONS: &str = "cassius_calendar_integrations";
const LINKS: &str = "cassius_calendar_links";
const DUE: &str = "cassius_calendar_due_organisations";
const OLDEST_DUE: &str = "cassius_calendar_oldest_due_seconds";
const CONNECTIONS: &str = "cassius_calendar_pool_connections";
const WAITING: &str = "cassius_calendar_pool_waiting";

const fn metric(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind, labels, help }
}

/// Every metric that is served.
pub const METRICS: &[Metric] = &[
    metric(BUILD, Kind::Gauge, &["version"], "Always 1; the label says which version runs."),
    metric(SERVING, Kind::Gauge, &[], "1 while the database takes writes, else 0: what probes are told."),
    metric(CALLS, Kind::Counter, &["method", "code"], "Calls answered, by method and gRPC code; a stream is one call."),
    metric(CALL_SECONDS, Kind::Histogram, &["method"], "How long a call took until its answer began."),
    metric(WRONG_KEYS, Kind::Counter, &[], "Calls without a known key."),
    metric(ACCEPTS, Kind::Counter, &["outcome"], "Appointments handed in, by what became of them."),
    metric(ATTEMPTS, Kind::Counter, &["outcome"], "Attempts to bring an event in step, by how they ended."),
    metric(GOOGLE_CALLS, Kind::Counter, &["call", "answer"], "Calls of Google Calendar, by what Google answered."),
    metric(GOOGLE_CALL_SECONDS, Kind::Histogram, &["call"], "How long Google took to answer."),
    metric(REFRESHES, Kind::Counter, &["outcome"], "Access tokens asked for anew, by what Google answered."),
    metric(UNITS, Kind::Counter, &[], "Units of Google's quota that were given out for calls."),
    metric(QUOTA, Kind::Gauge, &[], "Units that the project may spend a minute (QUOTA_PROJECT_PER_MINUTE)."),
    metric(INTEGRATIONS, Kind::Gauge, &["state", "reason"], "Integrations, by state and by what is wrong with them."),
    metric(LINKS, Kind::Gauge, &["status"], "Appointments that wait, are in step, or were refused."),
    metric(DUE, Kind::Gauge, &[], "Organisations that have something due now."),
    metric(OLDEST_DUE, Kind::Gauge, &[], "For how long the first of them has been due; 0 if none is."),
    metric(CONNECTIONS, Kind::Gauge, &["pool", "state"], "Connections to the database, by what they are for."),
    metric(WAITING, Kind::Gauge, &["pool"], "Queries that wait for a connection."),
];

const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Says why nothing is gathered.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be gathered")]
pub struct GatherError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// What was gathered.
#[derive(Clone)]
pub struct Gathered(PrometheusHandle);

impl std::fmt::Debug for Gathered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gathered")
    }
}

impl Gathered {
    /// All of it, in Prometheus's text format.
    pub fn text(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

/// Gathers from now on, for the whole process: whoever asks again is handed the same.
pub fn gather() -> Result<Gathered, GatherError> {
    static GATHERED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let mut gathered = GATHERED.lock();
    if let Some(handle) = &*gathered {
        return Ok(Gathered(handle.clone()));
    }
    let handle = builder().and_then(PrometheusBuilder::install_recorder);
    let handle = handle.map_err(|error| GatherError(Box::new(error)))?;
    describe();
    Ok(Gathered(gathered.insert(handle).clone()))
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for metric in METRICS.iter().filter(|metric| metric.kind == Kind::Histogram) {
        builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), &BUCKETS)?;
    }
    Ok(builder)
}

fn describe() {
    for Metric { name, kind, help, .. } in METRICS {
        match kind {
            Kind::Counter => describe_counter!(*name, *help),
            Kind::Gauge => describe_gauge!(*name, *help),
            Kind::Histogram => describe_histogram!(*name, *help),
        }
    }
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1);
}

/// Notes what probes are told.
pub fn is_serving(is_serving: bool) {
    gauge!(SERVING).set(f64::from(u8::from(is_serving)));
}

/// Counts a call that was answered; `method` is one of the wire's, `code` gRPC's word.
pub fn call(method: String, code: &'static str, took: Duration) {
    counter!(CALLS, "method" => method.clone(), "code" => code).increment(1);
    histogram!(CALL_SECONDS, "method" => method).record(took);
}

/// Counts a call without a known key.
pub fn wrong_key() {
    counter!(WRONG_KEYS).increment(1);
}

/// Counts an appointment that was handed in.
pub fn accept(outcome: &'static str) {
    counter!(ACCEPTS, "outcome" => outcome).increment(1);
}

/// Counts an attempt that ended.
pub fn attempt(outcome: &'static str) {
    counter!(ATTEMPTS, "outcome" => outcome).increment(1);
}

/// Counts units of Google's quota that were given out.
pub fn units(units: u32) {
    counter!(UNITS).increment(u64::from(units));
}

/// Counts a call of Google Calendar: `call` is Google's name of the method.
pub fn google_call(call: &'static str, answer: &'static str, took: Duration) {
    counter!(GOOGLE_CALLS, "call" => call, "answer" => answer).increment(1);
    histogram!(GOOGLE_CALL_SECONDS, "call" => call).record(took);
}

/// Counts an access token that was asked for anew.
pub fn refresh(outcome: &'static str) {
    counter!(REFRESHES, "outcome" => outcome).increment(1);
}

/// Notes what may be spent a minute.
pub fn quota(units_per_minute: u32) {
    gauge!(QUOTA).set(f64::from(units_per_minute));
}

/// Notes how many integrations stand so; `reason` is empty where nothing is wrong.
pub fn integrations(state: String, reason: String, count: i64) {
    gauge!(INTEGRATIONS, "state" => state, "reason" => reason).set(count as f64);
}

/// Notes how many links stand so.
pub fn links(status: &'static str, count: i64) {
    gauge!(LINKS, "status" => status).set(count as f64);
}

/// Notes how many organisations have something due, and for how long the first of them has.
pub fn due(organisations: i64, oldest: Duration) {
    gauge!(DUE).set(organisations as f64);
    gauge!(OLDEST_DUE).set(oldest.as_secs_f64());
}

/// Notes what the connections of a pool do.
pub fn pool(pool: &'static str, busy: usize, idle: usize, waiting: usize) {
    gauge!(CONNECTIONS, "pool" => pool, "state" => "busy").set(busy as f64);
    gauge!(CONNECTIONS, "pool" => pool, "state" => "idle").set(idle as f64);
    gauge!(WAITING, "pool" => pool).set(waiting as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_is_served_under_its_name_with_its_labels_and_no_other_is() {
        let recorder = builder().expect("the buckets are in order").build_recorder();
        ::metrics::with_local_recorder(&recorder, || {
            describe();
            is_serving(true);
            call("a.B/C".to_owned(), "OK", Duration::from_millis(3));
            wrong_key();
            accept("accepted");
            attempt("synced");
            units(3);
            google_call("events.get", "found", Duration::from_millis(80));
            refresh("refreshed");
            quota(10_000);
            integrations("error".to_owned(), "reconnect_required".to_owned(), 1);
            links("pending", 2);
            due(1, Duration::from_secs(7));
            pool("read", 1, 2, 0);
        });
        let text = recorder.handle().render();
        let mut served: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let mut described: Vec<_> =
            METRICS.iter().map(|metric| format!("{} {}", metric.name, metric.kind.as_str())).collect();
        served.sort_unstable();
        described.sort_unstable();
        assert_eq!(served, described);
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (name, labels) = line.split_once('{').unwrap_or((line.split(' ').next().unwrap(), "}"));
            let of = |metric: &&Metric| {
                let ending = name.strip_prefix(metric.name);
                ending.is_some_and(|ending| ["", "_bucket", "_sum", "_count"].contains(&ending))
            };
            let metric = METRICS.iter().find(of).expect("a metric of the table");
            let labels = labels.split('}').next().unwrap().split(',').filter_map(|label| label.split_once('='));
            let labels: Vec<_> = labels.map(|(label, _)| label).filter(|label| *label != "le").collect();
            assert_eq!(labels, metric.labels, "{line}");
        }
    }
}
