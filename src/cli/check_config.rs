//! Looks at what the settings name before `serve` does.
//!
//! Owns what is opened and how its faults read. Never changes anything. Invariant: no fault shows what a file or a setting
//! holds.

use cassius_calendar::app::{self, StartError};
use cassius_calendar::clock::Clock;
use cassius_calendar::config::{Config, Faults, Mode};
use cassius_calendar::crypto::{ExposeSecret, Keyring};
use cassius_calendar::resealing::census;
use cassius_calendar::store::Schema;
use clap::Args;

use super::{environment, load, open_files, reseal};

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
        // Whatever else is wrong, so that every fault is named.
        let of_tls = Config::load_tls(&environment).and_then(|tls| app::tls_fault(&tls, Clock::system().now()));
        let config = Faults::with(of_tls.into_iter().collect(), loaded)?;
        open_files(&config).iter().for_each(|sentence| eprintln!("Beware: {sentence}."));
        if self.connect {
            let (sentences, is_in_order) = of_database(&config).await?;
            sentences.iter().for_each(|sentence| println!("{sentence}"));
            if !is_in_order {
                anyhow::bail!("the settings do not fit the database");
            }
        }
        println!("The settings are in order.");
        Ok(())
    }
}

/// What there is to say of the database that answered, and of the keys that its values need.
/// Whether that is in order comes with it.
async fn of_database(config: &Config) -> anyhow::Result<(Vec<String>, bool)> {
    let Some(store) = app::reach(&config.database).await? else {
        return Ok((vec!["There is no SQLite file at DATABASE_URL yet: `serve` makes it.".to_owned()], true));
    };
    let of_tables = match store.schema().await.map_err(StartError::Store)? {
        Schema::Current => "The database answers, and its tables are those of this version.",
        Schema::Older => return Ok((vec!["The database answers; migrations are pending.".to_owned()], true)),
        Schema::Newer => return Err(StartError::NewerSchema.into()),
        Schema::None => return Ok((vec!["The database answers; no migration was ever applied.".to_owned()], true)),
    };
    let keyring = Keyring::parse(config.encryption_keys.expose_secret())?;
    let mut sentences = vec![of_tables.to_owned()];
    let census = census(&store, &keyring).await.map_err(StartError::Store)?;
    if let Some(key) = census.mistaken.first() {
        return Err(StartError::MistakenKey(key.clone()).into());
    }
    sentences.extend(reseal::sentences(&census));
    let takes_writes = store.takes_writes().await.map_err(StartError::Store)?;
    if !takes_writes {
        let refused = "Beware: it takes no writes, or not in every table: is it a standby, or are rights missing?";
        sentences.push(refused.to_owned());
    }
    Ok((sentences, takes_writes && census.missing.is_empty()))
}
