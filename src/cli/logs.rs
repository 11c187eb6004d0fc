//! Logs on standard error: for people, or as JSON.

use anyhow::Context;
use cassius_calendar::config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging, for the life of the process.
pub(super) fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter).context("LOG holds no directives")?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow::anyhow!("logs cannot be started: {error}"))
}
