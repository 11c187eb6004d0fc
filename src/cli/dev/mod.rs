//! `dev`: the whole service on loopback with nothing to configure, and an emulated Google beside it.
//!
//! Owns what is made up for it: the keys, the database and Google's accounts. What the environment says wins, but for
//! what concerns Google. Never calls the real Google. Invariant: what is made up stays in a folder of its own, so that
//! a second start finds the state of the first.

mod welcome;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cassius_calendar::app;
use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::config::Mode;
use cassius_calendar::crypto::Keyring;
use cassius_calendar::emulator;
use cassius_calendar::model::OrganisationId;
use clap::Args;

use super::logs::Logs;
use super::signals::Signals;
use super::{environment, load, say};
use welcome::Welcome;

const SAMPLE: &str = "cabinet-exemple";

/// What `dev` is told.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Where the state is kept.
    #[arg(long, value_name = "FOLDER", default_value = ".cassius-calendar-dev")]
    folder: PathBuf,
    /// Where the emulated Google listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    emulator_addr: SocketAddr,
}

impl Dev {
    /// Serves until Ctrl-C.
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut signals = Signals::listen()?;
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("the folder {} cannot be made", self.folder.display()))?;
        let (clock, entropy) = (Clock::system(), Entropy::system());
        let (google, made_up) = self.make_up(&clock, &entropy).await?;
        let config = load(&|name| made_up.value(name), Mode::Dev)?;
        Logs::start(&config.log)?;
        google.register_redirect_uri(config.redirect_url().as_str());
        let (public_url, is_open) = (config.public_url.clone(), config.api_keys.is_empty());
        let app = app::start(config, clock.clone(), entropy).await?;
        let sample = OrganisationId::parse(SAMPLE).expect("the sample's id is well formed");
        let consent = app.consents.begin(&sample, None, None).await.context("the sample consent could not be begun")?;
        let status = app.integrations.status(&sample).await.context("the status of the sample cannot be read")?;
        let welcome = Welcome {
            organisation: &sample,
            status: &status,
            connect_url: &consent.connect_url,
            grpc: app.grpc_address,
            is_open,
            public_url: &public_url,
            google: &google.base_url(),
            folder: &self.folder,
            now: clock.now(),
        };
        say(welcome.to_string().trim_end_matches('\n'))?;
        say("")?;
        signals.asked_to_stop().await?;
        app.stop().await;
        google.shutdown().await;
        Ok(())
    }

    /// Starts the emulated Google, and makes up whatever the service needs beside it.
    async fn make_up(&self, clock: &Clock, entropy: &Entropy) -> anyhow::Result<(emulator::Emulator, MadeUp)> {
        let keys = keys(&self.folder, entropy)?;
        let options = emulator::Options {
            listen: self.emulator_addr,
            state_file: Some(self.folder.join("google.json")),
            ..emulator::Options::loopback(clock.clone(), entropy.clone())
        };
        let google = emulator::start(options).await.map_err(|error| match error {
            taken @ emulator::Error::Listen { .. } => anyhow::Error::from(taken)
                .context("choose another address for the emulated Google with --emulator-addr"),
            other => other.into(),
        })?;
        let mut defaults = BTreeMap::from([
            ("DATABASE_URL", format!("sqlite:{}", self.folder.join("cassius-calendar.db").display())),
            ("ENCRYPTION_KEYS", keys),
            ("CASSIUS_APP_URL", "http://127.0.0.1:3000".to_owned()),
        ]);
        // A browser reaches the sidecar where it listens, unless somebody says otherwise.
        if let Some(address) = environment("HTTP_ADDR").as_deref().and_then(OsStr::to_str) {
            defaults.insert("PUBLIC_URL", format!("http://{address}"));
        }
        let made_up = MadeUp { google: google.settings().into(), defaults };
        Ok((google, made_up))
    }
}

/// The settings that nobody has to write.
struct MadeUp {
    /// The emulated Google's, whatever the environment says of Google.
    google: BTreeMap<&'static str, String>,
    /// What holds where the environment says nothing.
    defaults: BTreeMap<&'static str, String>,
}

impl MadeUp {
    fn value(&self, name: &str) -> Option<OsString> {
        if let Some(value) = self.google.get(name) {
            return Some(value.into());
        }
        let is_given_as_file = environment(&format!("{name}_FILE")).is_some();
        let default = self.defaults.get(name).filter(|_| !is_given_as_file);
        environment(name).or_else(|| default.map(OsString::from))
    }
}

/// The keys of this folder; made at the first start.
fn keys(folder: &Path, entropy: &Entropy) -> anyhow::Result<String> {
    let file = folder.join("encryption-keys");
    if let Ok(keys) = std::fs::read_to_string(&file) {
        return Ok(keys.trim().to_owned());
    }
    let keys = Keyring::generate(entropy);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(&file).with_context(|| format!("{} cannot be written", file.display()))?;
    std::io::Write::write_all(&mut open, keys.as_bytes())?;
    Ok(keys)
}
