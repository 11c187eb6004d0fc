//! Logs on standard error: for people, or as JSON.

use std::io::{IsTerminal as _, stderr};

use anyhow::Context;
use cassius_calendar::config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging, for the life of the process. Colours are for a person's terminal alone, and for nobody who sets
/// `NO_COLOR`.
pub(super) fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter).context("LOG holds no directives")?;
    let is_coloured = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(is_coloured);
    match log.format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow::anyhow!("logs cannot be started: {error}"))
}
