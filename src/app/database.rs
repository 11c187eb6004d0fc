//! The database, opened.
//!
//! Owns who makes its tables, and which tables are served. Never serves anything. Invariant: what is opened to be served
//! has the tables of this version, and an SQLite file one process that serves it.

use secrecy::ExposeSecret;

use super::{StartError, lock};
use crate::clock::Entropy;
use crate::config::{Config, Database};
use crate::store::{self, Schema, Store};

/// What is told where PostgreSQL answers in another language.
pub const FOREIGN_LANGUAGE: &str = "PostgreSQL answers in another language than English, and this role may not choose, or a \
    pooler is between: a fault that passes by itself may be told as INTERNAL; let a superuser set lc_messages = 'C' for the \
    role or the database";

/// What is told where the database does not take what this role writes.
pub const NO_WRITES: &str = "the database takes no writes, or not in every table: is it a standby, or are rights missing? Let the \
    owner of the tables grant this role SELECT, INSERT, UPDATE and DELETE on all of them";

/// Opens the database, whose tables are this version's. An SQLite file stays locked for as long as the second part
/// lives.
pub(super) async fn open(config: &Config, entropy: &Entropy) -> Result<(Store, Option<lock::Locks>), StartError> {
    let lock = lock::take(config.database.url.expose_secret())?;
    let replica = data_encoding::HEXLOWER.encode(&entropy.bytes::<4>());
    let options = store::Options { replica, links_at_once: config.links_at_once, ..store::Options::default() };
    let store = connect(&config.database, options).await?;
    if let Some(language) = store.foreign_language().await? {
        tracing::warn!(%language, "{}", FOREIGN_LANGUAGE);
    }
    if config.migrate {
        for migration in migrate(&store).await? {
            tracing::info!(%migration, "applied a migration");
        }
    }
    tables_are_current(&store).await?;
    // A standby may take over, and rights be granted: it is told, and nobody is kept from what can be served.
    if let Ok(false) = store.takes_writes().await {
        tracing::error!("{}", NO_WRITES);
    }
    if lock.is_some() {
        // Nobody else serves this file: whoever held a lease is gone.
        store.release_all().await?;
    }
    Ok((store, lock))
}

/// Opens the database, whose tables are this version's, for a command that works beside those who serve it.
pub async fn open_beside(database: &Database) -> Result<Store, StartError> {
    let store = reach(database).await?.ok_or(StartError::NoFile)?;
    tables_are_current(&store).await?;
    Ok(store)
}

/// Opens the database beside those who serve it, and waits for an answer as long as its address says. `None`: there is no
/// SQLite file yet, and none is made.
pub async fn reach(database: &Database) -> Result<Option<Store>, StartError> {
    if !lock::is_there_alone(database.url.expose_secret())? {
        return Ok(None);
    }
    connect(database, store::Options { makes_file: false, ..store::Options::default() }).await.map(Some)
}

/// Opens the database to make its tables; where there is no SQLite file, makes it.
pub async fn reach_or_make(database: &Database) -> Result<Store, StartError> {
    lock::is_there_alone(database.url.expose_secret())?;
    connect(database, store::Options::default()).await
}

async fn connect(database: &Database, options: store::Options) -> Result<Store, StartError> {
    let credentials = store::Credentials {
        ca: database.ca.clone(),
        password: database.password.clone(),
        passfile: database.passfile.clone(),
    };
    let store = Store::open(database.url.expose_secret(), &store::Options { credentials, ..options }).await?;
    // Before anything is prepared.
    if store.is_pooled_unsaid().await? {
        return Err(StartError::Pooled);
    }
    store.connect_patiently().await?;
    Ok(store)
}

/// Applies what is pending, and answers its names. Tables of a later version are left as they are.
pub async fn migrate(store: &Store) -> Result<Vec<String>, StartError> {
    match store.schema().await? {
        Schema::Newer => Err(StartError::NewerSchema),
        // A role that may not make tables, or a database that only reads, has nothing to be refused.
        Schema::Current => Ok(Vec::new()),
        Schema::None | Schema::Older => Ok(store.migrate().await?),
    }
}

async fn tables_are_current(store: &Store) -> Result<(), StartError> {
    match store.schema().await? {
        Schema::Current => Ok(()),
        Schema::None => Err(StartError::NoSchema),
        Schema::Older => Err(StartError::OlderSchema),
        Schema::Newer => Err(StartError::NewerSchema),
    }
}
