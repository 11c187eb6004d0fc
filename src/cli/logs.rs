//! Logs on standard error: for people, or as JSON.
//!
//! Owns the form of the log, and what filters it. Never takes a directive for the driver of PostgreSQL, which would log
//! the values of each statement. Invariant: the filter can be exchanged while the process runs; the form stays.

use std::io::{IsTerminal as _, stderr};

use anyhow::Context;
use cassius_calendar::config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

/// What is logged, exchangeable while it is.
pub(super) struct Logs {
    exchange: Box<dyn Fn(EnvFilter) -> Result<(), tracing_subscriber::reload::Error> + Send + Sync>,
}

impl Logs {
    /// Starts logging, for the life of the process. Colours are for a person's terminal alone, and for nobody who sets
    /// `NO_COLOR`.
    pub(super) fn start(log: &Log) -> anyhow::Result<Self> {
        let filter = filter(log)?;
        let is_coloured = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(is_coloured);
        let (exchange, started): (Box<dyn Fn(_) -> _ + Send + Sync>, _) = match log.format {
            LogFormat::Text => {
                let subscriber = subscriber.with_filter_reloading();
                let handle = subscriber.reload_handle();
                (Box::new(move |filter| handle.reload(filter)), subscriber.try_init())
            }
            LogFormat::Json => {
                let subscriber = subscriber.json().flatten_event(true).with_filter_reloading();
                let handle = subscriber.reload_handle();
                (Box::new(move |filter| handle.reload(filter)), subscriber.try_init())
            }
        };
        started.map_err(|error| anyhow::anyhow!("logs cannot be started: {error}"))?;
        Ok(Self { exchange })
    }

    /// Logs from now on what `log` says; its form stays.
    pub(super) fn reload(&self, log: &Log) -> anyhow::Result<()> {
        (self.exchange)(filter(log)?).context("LOG cannot be exchanged")
    }
}

/// The driver of PostgreSQL would log the values of each statement at DEBUG, addresses among them.
const SILENCED: &str = "tokio_postgres=info";

fn filter(log: &Log) -> anyhow::Result<EnvFilter> {
    let directives = log.filter.split(',').filter(|directive| !directive.trim_start().starts_with("tokio_postgres"));
    let directives: Vec<_> = directives.chain([SILENCED]).collect();
    EnvFilter::try_new(directives.join(",")).context("LOG holds no directives")
}
