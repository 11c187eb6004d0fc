//! The database.
//!
//! Owns every table and every query, on SQLite and on PostgreSQL alike. Never opens a sealed value, never asks what time
//! it is (`now` is a parameter), never calls anybody. Invariant: what a method has answered is durable, and a method that
//! answers an error has changed nothing, or leaves it unknown whether it did where the connection broke.
//!
//! One set of queries is mounted once for each back end (`postgres.rs`, `sqlite.rs`); [`Store`] picks at run time.

mod claims;
mod consents;
mod integrations;
mod links;

pub use claims::{Claimed, DueOrganisation, Lease, Settlement, Wanted};
pub use consents::{Consent, NewConsent};
pub use integrations::{Grant, Integration, SettingsChange};
pub use links::{Acceptance, CatchUp, Counts, Link, LinkError, Retry};

/// Says why the store could not do what was asked, by what the caller does next. Holds no value of any row.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away, busy or full: the same call may succeed later.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored value cannot be read; it is named by its column.
    #[error("the database holds a value that cannot be read: {0}")]
    Corrupt(&'static str),
    /// A defect of this service, or of its settings: the same call fails again.
    #[error("the database refused a statement")]
    Bug(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Says how a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many connections to PostgreSQL are held at most. SQLite has one writer and a few readers in any case.
    pub pool_size: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { pool_size: 16 }
    }
}

/// The database, open. A clone is another handle on the same one.
#[derive(Debug, Clone)]
pub enum Store {
    /// PostgreSQL, for any number of replicas.
    Postgres(()),
    /// SQLite in a file, for one process.
    Sqlite(()),
}

impl Store {
    /// Opens the database at `url`: `sqlite:<path>`, `postgres://…` or `postgresql://…`.
    ///
    /// An SQLite file is created where there is none. A PostgreSQL that is away does not fail this call, but the first
    /// that needs it. Nothing is migrated.
    pub async fn open(_url: &str, _options: &Options) -> Result<Self, Error> {
        unimplemented!()
    }

    /// Applies the migrations that are still pending, and answers their names. Safe when two start at once.
    pub async fn migrate(&self) -> Result<Vec<String>, Error> {
        unimplemented!()
    }

    /// The names of the migrations that are not applied yet.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, Error> {
        unimplemented!()
    }

    /// Asks the database for an answer.
    pub async fn ping(&self) -> Result<(), Error> {
        unimplemented!()
    }
}
