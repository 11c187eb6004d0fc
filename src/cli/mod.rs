//! The subcommands.
//!
//! Owns what each of them does with the settings and prints. Never does a room's work. Invariant: a command that fails
//! says why in a sentence on standard error and exits with 1.

mod check_config;
#[cfg(feature = "dev")]
mod dev;
mod files;
mod generate_key;
mod healthcheck;
mod integrations;
mod logs;
mod process;
mod reload;
mod reseal;
mod say;
mod signals;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use cassius_calendar::app;
use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::config::{
    Check, Config, Database, Fault, Faults, Mode, is_open_to_all, near_misses, perhaps_meant,
};
use cassius_calendar::crypto::{ExposeSecret as _, Keyring};
use cassius_calendar::roots::{RootsFault, roots};
use cassius_calendar::store::{check_address, files_of_address};
use clap::{Parser, Subcommand};
use files::Files;
use logs::Logs;
use reload::{Reload, keep_withdrawing};
use say::say;
pub(crate) use say::warn;
use signals::{Signal, Signals};

/// How long a start that is told to stop is waited for: a migration cannot be broken off.
const PARTING: Duration = Duration::from_secs(1);

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
    /// Lists how the integrations of all organisations stand, from the database.
    Integrations(integrations::Integrations),
    /// Seals everything that is stored with the first of ENCRYPTION_KEYS. `serve` does so too, at its leisure.
    Reseal,
    /// Asks a running service for its health; exits with 0 if it serves.
    Healthcheck(healthcheck::Healthcheck),
}

impl Cli {
    /// Carries out the subcommand.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        process::keep_no_core_dumps()?;
        match self.command {
            Command::Serve { no_migrate } => serve(no_migrate).await,
            #[cfg(feature = "dev")]
            Command::Dev(dev) => dev.run().await,
            Command::Migrate => migrate().await,
            Command::CheckConfig(check_config) => check_config.run().await,
            Command::GenerateKey(generate_key) => generate_key.run(),
            Command::Integrations(integrations) => integrations.run().await,
            Command::Reseal => reseal::reseal().await,
            Command::Healthcheck(healthcheck) => healthcheck.run().await,
        }
    }
}

async fn serve(no_migrate: bool) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    process::raise_open_files();
    let mut config = tokio::select! {
        config = loaded() => config?,
        stopped = signals.asked_to_stop() => return stopped,
    };
    config.migrate &= !no_migrate;
    let logs = Logs::start(&config.log)?;
    slips().iter().for_each(|sentence| tracing::warn!("{sentence}"));
    tell_open_files(&config.open_files, Some(&config.database));
    let (clock, mut files) = (Clock::system(), Files::new(config.files.clone()));
    let watched_files = Files::new(config.files.clone());
    // A task of its own: a migration keeps its thread to itself, and a signal has to be heard meanwhile.
    let mut starting = tokio::spawn(app::start(config, clock.clone(), Entropy::system()));
    let app = tokio::select! {
        started = &mut starting => started.context("the start panicked")??,
        stopped = signals.asked_to_stop() => {
            // Whatever the start is waiting for is left as it is; what has just come to its end is stopped in good order.
            starting.abort();
            if let Ok(Ok(Ok(app))) = tokio::time::timeout(PARTING, starting).await {
                app.stop().await;
            }
            return stopped;
        }
    };
    // However long the rest takes to be read again: a command may print the keyring at its leisure.
    let withdrawing = tokio::spawn(keep_withdrawing(app.keys.clone(), watched_files, clock.clone()));
    let mut reload = Reload::new(app.keys.clone(), logs, clock.clone());
    loop {
        let is_asked = tokio::select! {
            asked = signals.next() => match asked? {
                Signal::Stop => break,
                Signal::Reload => true,
            },
            () = files.changed(&clock) => true,
            () = reload.due() => false,
        };
        tokio::select! {
            () = reload.run(is_asked) => {}
            stopped = signals.asked_to_stop() => {
                stopped?;
                break;
            }
        }
    }
    withdrawing.abort();
    app.stop().await;
    Ok(())
}

/// Tells of the files that others may read or write.
fn tell_open_files(of_settings: &[String], database: Option<&Database>) {
    for sentence in open_files(of_settings, database) {
        tracing::warn!("{sentence}");
    }
}

/// A sentence for each file that holds a secret, or patients' data, and that others may read or write.
fn open_files(of_settings: &[String], database: Option<&Database>) -> Vec<String> {
    let of_address = database.map(|database| files_of_address(database.url.expose_secret())).unwrap_or_default();
    let of_address = of_address.iter().filter(|file| is_open_to_all(file));
    let of_address =
        of_address.map(|_| "DATABASE_URL names a file that any user may read or write: chmod o-rw".to_owned());
    of_settings.iter().cloned().chain(of_address).collect()
}

/// Reads the settings of `serve`.
async fn loaded() -> anyhow::Result<Config> {
    Ok(apart(|| load(&environment, Mode::Serve)).await??)
}

/// Reads settings on a thread of its own: the command that prints the keyring may take its time, and signals are heard
/// meanwhile.
async fn apart<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
    let (told, heard) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Nobody hears it who was told to stop.
        let _ = told.send(read());
    });
    heard.await.context("the settings could not be read")
}

async fn migrate() -> anyhow::Result<()> {
    let applied = app::migrate(&app::reach_or_make(&load_database(&environment)?).await?).await?;
    for migration in &applied {
        say(format_args!("Applied {migration}."))?;
    }
    if applied.is_empty() {
        say("Nothing to apply.")?;
    }
    Ok(())
}

/// The rules of addresses, of authorities and of the keyring, which are other rooms'.
const CHECKS: [Check<'static>; 5] = [
    ("DATABASE_URL", &check_address),
    ("DATABASE_CA", &authorities),
    ("GOOGLE_CA", &authorities),
    ("TLS_CLIENT_CA", &authorities),
    ("ENCRYPTION_KEYS", &keyring),
];

/// Reads the settings.
fn load(source: &dyn Fn(&str) -> Option<OsString>, mode: Mode) -> Result<Config, Faults> {
    Faults::with(misspelt(), Config::load(source, mode, &CHECKS))
}

/// Reads what leads to the database alone.
fn load_database(source: &dyn Fn(&str) -> Option<OsString>) -> anyhow::Result<Database> {
    Ok(Faults::with(misspelt(), Config::load_database(source, &CHECKS))?)
}

fn misspelt() -> Vec<Fault> {
    near_misses(std::env::vars_os().map(|(name, _)| name))
}

/// A sentence for each variable that may have been meant for a setting.
fn slips() -> Vec<String> {
    perhaps_meant(std::env::vars_os().map(|(name, _)| name))
}

fn authorities(text: &str) -> Result<(), String> {
    roots(Some(Path::new(text))).map(drop).map_err(|fault| match fault {
        RootsFault::Unreadable(fault) => format!("names a file that cannot be read ({})", fault.kind()),
        RootsFault::NoPem(_) | RootsFault::Unusable(_) | RootsFault::Empty => "names no authorities in PEM".to_owned(),
    })
}

fn keyring(text: &str) -> Result<(), String> {
    Keyring::parse(text).map(drop).map_err(|fault| fault.to_string())
}

/// What the environment has for a name. Those of a proxy are usual in small letters, too.
fn environment(name: &str) -> Option<OsString> {
    let small = || matches!(name, "HTTPS_PROXY" | "NO_PROXY").then(|| std::env::var_os(name.to_lowercase())).flatten();
    std::env::var_os(name).or_else(small)
}
