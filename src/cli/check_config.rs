//! Looks at what the settings name before `serve` does.
//!
//! Owns what is opened and how its faults read. Never changes anything. Invariant: no fault shows what a file or a setting
//! holds, and none keeps from being named what does not follow from it.

use cassius_calendar::app::{self, StartError};
use cassius_calendar::clock::Clock;
use cassius_calendar::config::{Config, Database, Faults, Mode};
use cassius_calendar::crypto::{ExposeSecret, Keyring};
use cassius_calendar::resealing::census;
use cassius_calendar::store::Schema;
use clap::Args;

use super::{CHECKS, environment, load, open_files, reseal, say, slips, warn};

/// What `check-config` is told.
#[derive(Debug, Args)]
pub(crate) struct CheckConfig {
    /// Connects to the database as well.
    #[arg(long)]
    connect: bool,
}

impl CheckConfig {
    /// Says that all is in order, or names every fault.
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let loaded = load(&environment, Mode::Serve);
        let of_files = loaded.as_ref().map(|it| open_files(&it.open_files, Some(&it.database))).unwrap_or_default();
        slips().iter().chain(&of_files).for_each(|sentence| warn(format_args!("Beware: {sentence}.")));
        // Whatever else is wrong, so that every fault is named.
        let of_tls = Config::load_tls(&environment).and_then(|tls| app::tls_fault(&tls, Clock::system().now()));
        let of_database = if self.connect { look(loaded.as_ref().ok()).await } else { Ok(()) };
        match (Faults::with(of_tls.into_iter().collect(), loaded), of_database) {
            (Ok(_), of_database) => of_database?,
            (Err(faults), Ok(())) => return Err(faults.into()),
            (Err(faults), Err(of_database)) => anyhow::bail!("{faults}\n{of_database:#}"),
        }
        say("The settings are in order.")?;
        Ok(())
    }
}

/// Looks at the database where what leads to it is in order, and at the keys that its values need where the keyring is;
/// `None`: something else is not.
async fn look(config: Option<&Config>) -> anyhow::Result<()> {
    if let Some(config) = config {
        let keyring = Keyring::parse(config.encryption_keys.expose_secret())?;
        return of_database(&config.database, Some(&keyring)).await;
    }
    // What is wrong with either is told with all other faults.
    let Ok(database) = Config::load_database(&environment, &CHECKS) else { return Ok(()) };
    let keys = Config::load_encryption_keys(&environment, &CHECKS).ok();
    let keyring = keys.and_then(|keys| Keyring::parse(keys.expose_secret()).ok());
    of_database(&database, keyring.as_ref()).await
}

/// Says what there is to say of the database that answered, and of the keys that its values need.
async fn of_database(database: &Database, keyring: Option<&Keyring>) -> anyhow::Result<()> {
    let Some(store) = app::reach(database).await? else {
        return Ok(say("There is no SQLite file at DATABASE_URL yet: `serve` makes it.")?);
    };
    match store.schema().await.map_err(StartError::Store)? {
        Schema::Current => say("The database answers, and its tables are those of this version.")?,
        Schema::Older => return Ok(say("The database answers; migrations are pending.")?),
        Schema::Newer => return Err(StartError::NewerSchema.into()),
        Schema::None => return Ok(say("The database answers; no migration was ever applied.")?),
    }
    if let Some(language) = store.foreign_language().await.map_err(StartError::Store)? {
        say(format!("Beware ({language}): {}.", app::FOREIGN_LANGUAGE))?;
    }
    let takes_writes = store.takes_writes().await.map_err(StartError::Store)?;
    if !takes_writes {
        say(format!("Beware: {}.", app::NO_WRITES))?;
    }
    let mut has_its_keys = true;
    if let Some(keyring) = keyring {
        let census = census(&store, keyring).await.map_err(StartError::Store)?;
        if let Some(key) = census.mistaken.first() {
            return Err(StartError::MistakenKey(key.clone()).into());
        }
        for sentence in reseal::sentences(&census) {
            say(sentence)?;
        }
        has_its_keys = census.missing.is_empty() && census.unopened.is_empty();
    }
    anyhow::ensure!(takes_writes && has_its_keys, "the settings do not fit the database");
    Ok(())
}
