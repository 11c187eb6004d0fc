//! The subcommands.
//!
//! Owns what each of them does with the settings and prints. Never does a room's work. Invariant: a command that fails
//! says why in a sentence on standard error and exits with 1.

mod check_config;
#[cfg(feature = "dev")]
mod dev;
mod generate_key;
mod healthcheck;
mod logs;
mod process;
mod signals;

use std::ffi::OsString;

use anyhow::Context as _;
use cassius_calendar::app;
use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::config::{Config, Faults, Mode, near_misses};
use cassius_calendar::crypto::{ExposeSecret, Keyring};
use cassius_calendar::store::{Options, Store};
use clap::{Parser, Subcommand};
use signals::Signals;

/// Keeps Google Calendar in step with the appointments of Cassius.
#[derive(Debug, Parser)]
#[command(version, about, after_help = "Settings come from the environment: see the README, or `check-config`.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves.
    Serve {
        /// Leaves the tables as they are, as MIGRATE=false does.
        #[arg(long)]
        no_migrate: bool,
    },
    /// Serves on loopback with nothing to configure, and an emulated Google beside it.
    #[cfg(feature = "dev")]
    Dev(dev::Dev),
    /// Applies pending migrations to the database. `serve` does so too.
    Migrate,
    /// Checks the settings and the files that they name, and names every fault.
    CheckConfig(check_config::CheckConfig),
    /// Makes a key for ENCRYPTION_KEYS, or an API key.
    GenerateKey(generate_key::GenerateKey),
    /// Asks a running service for its health; exits with 0 if it serves.
    Healthcheck(healthcheck::Healthcheck),
}

impl Cli {
    /// Carries out the subcommand.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Serve { no_migrate } => serve(no_migrate).await,
            #[cfg(feature = "dev")]
            Command::Dev(dev) => dev.run().await,
            Command::Migrate => migrate().await,
            Command::CheckConfig(check_config) => check_config.run().await,
            Command::GenerateKey(generate_key) => generate_key.run(),
            Command::Healthcheck(healthcheck) => healthcheck.run().await,
        }
    }
}

async fn serve(no_migrate: bool) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    process::keep_no_core_dumps()?;
    process::raise_open_files();
    let mut config = load(&environment, Mode::Serve)?;
    config.migrate &= !no_migrate;
    logs::start(&config.log)?;
    for secret in &config.readable_secrets {
        tracing::warn!("{secret}");
    }
    let started = tokio::select! {
        started = app::start(config, Clock::system(), Entropy::system()) => started,
        // Nothing is served yet: whatever the start is waiting for is left as it is.
        stopped = signals.asked_to_stop() => return stopped,
    };
    let app = started?;
    signals.asked_to_stop().await?;
    app.stop().await;
    Ok(())
}

async fn migrate() -> anyhow::Result<()> {
    let config = load(&environment, Mode::Serve)?;
    let migrate =
        async { Store::open(config.database_url.expose_secret(), &Options::default()).await?.migrate().await };
    let applied = migrate.await.context("the database at DATABASE_URL is not usable")?;
    applied.iter().for_each(|migration| println!("Applied {migration}."));
    if applied.is_empty() {
        println!("Nothing to apply.");
    }
    Ok(())
}

/// Reads the settings; the keyring's rules are `crypto`'s.
fn load(source: &dyn Fn(&str) -> Option<OsString>, mode: Mode) -> anyhow::Result<Config> {
    let keyring = |text: &str| Keyring::parse(text).map(drop).map_err(|fault| fault.to_string());
    let config = Config::load(source, mode, &[("ENCRYPTION_KEYS", &keyring)]);
    Ok(Faults::with(near_misses(std::env::vars_os().map(|(name, _)| name)), config)?)
}

fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
