//! The database.
//!
//! Owns every table and every query, on SQLite and on PostgreSQL alike. Never opens a sealed value, never decides by
//! the time of this process or of the server (`now` is a parameter; what the server's clock says is read for `app`
//! alone), never calls anybody.
//!
//! Invariant: what a method has answered is durable. A method that writes is one transaction (some ask
//! first whether there is anything to do), and one that answers an error has changed nothing, or leaves it unknown whether it did where the
//! connection broke; on SQLite, a text that did not read is made readable by it (`foreign_text.rs`). Those that may
//! touch more rows than one transaction should hold are several, each of which stands by itself: going on with an
//! erasure, forgetting, erasing what has ended, sweeping the audit, giving back many leases, trying again what did not
//! open, and looking for what is due. Noting that an event has vanished is two, the first of which brings a comparison
//! forward. What an error leaves of them the next call does. Where a wish goes on in parts, what it has not reached yet
//! is counted after it, and a count that fails is noted in the log alone.
//!
//! One set of queries is mounted once for each back end (`postgres.rs`, `sqlite.rs`); [`Store`] picks at run time.
//! Queries answer in the types of the file of their own name, or of a file whose queries do not lead back to them. A
//! type by which two would import each other stands in a file that runs none.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::{Notify, oneshot};

mod fault;
mod guarded;
mod instant;
mod words;

/// Runs a query of either mount on a connection of a pool: `read`, `write`, or `long` for a write that may touch every
/// row of an organisation.
///
/// It runs in a task of its own: a caller that goes away does not leave a transaction half done.
macro_rules! query {
    ($store:expr, $access:ident, $room:ident :: $query:ident ( $($arg:expr),* $(,)? )) => {
        match &$store.backend {
            $crate::store::Backend::Postgres { pools, .. } => {
                run!(pools, $access, $crate::store::postgres::queries::$room::$query, $($arg),*)
            }
            $crate::store::Backend::Sqlite { pools, .. } => {
                run!(pools, $access, $crate::store::sqlite::queries::$room::$query, $($arg),*)
            }
        }
    };
}

macro_rules! run {
    ($pools:expr, $access:ident, $query:path, $($arg:expr),*) => {{
        let pools = $pools.clone();
        let query = async move {
            let mut checkout = pools.$access().await?;
            let limit = checkout.limit();
            let outcome = tokio::time::timeout(limit, async {
                let outcome = $query(checkout.begin().await?, $($arg),*).await;
                checkout.end(outcome).await
            });
            let outcome = outcome.await;
            checkout.conclude(outcome)
        };
        $crate::store::in_task(query).await
    }};
}

mod accepts;
mod address;
mod audit_events;
mod changes;
mod claims;
mod compared;
mod comparisons;
mod consents;
mod disconnects;
mod due;
mod erasures;
mod forgetting;
mod grant;
mod grants;
mod history;
mod integration;
mod integrations;
mod leases;
mod link;
mod links;
mod organisation_erasures;
mod overview;
mod owed;
mod owed_cause;
mod owed_claims;
mod owed_counts;
mod passfile;
mod pending_grants;
#[expect(clippy::duplicate_mod, reason = "the queries are written once and mounted for each back end")]
mod postgres;
mod probes;
mod queue_kind;
mod quota_budgets;
mod recounts;
mod refreshes;
mod requests;
mod revocation_lease;
mod revocations;
mod sealed_calendars;
mod sealed_values;
mod searches;
mod server;
mod servers;
mod settlements;
#[expect(clippy::duplicate_mod, reason = "the queries are written once and mounted for each back end")]
mod sqlite;
mod statuses;
mod unkept_grants;
mod unreadable;
mod wish;
mod wishes;

pub use accepts::{Acceptance, Accepted};
pub use address::{Credentials, files_of_address};
pub use audit_events::{AuditEvent, AuditPlace};
pub use changes::{Changes, Heard};
pub use claims::{Claimed, Lease};
pub use compared::ComparedLink;
pub use comparisons::{ChangeWindow, ComparisonClaim, Mend};
pub use consents::{Consent, NewConsent, UnconfirmedConsent};
pub use disconnects::DisconnectStep;
pub use due::{DueLook, DueOrganisation};
pub use erasures::ErasureLeft;
pub use grant::Grant;
pub use grants::{AsOf, Connect};
pub use guarded::Guarded;
pub use history::CallMade;
pub use integration::{Disconnecting, Integration};
pub use leases::LeasedAppointment;
pub use link::{Link, LinkError};
pub use links::{Counts, ErasedSnapshots};
pub use overview::{IntegrationCount, ListedIntegration, PoolUse, QueueCounts};
pub use owed_cause::OwedCause;
pub use owed_claims::{OwedClaim, OwedSettlement};
pub use owed_counts::OwedLeft;
pub use pending_grants::PendingAccount;
pub use probes::Silence;
pub use recounts::Recount;
pub use refreshes::RefreshedTokens;
pub use requests::{Retry, SettingsChange};
pub use revocation_lease::RevocationLease;
pub use revocations::{GrantHolder, Revocation};
pub use sealed_calendars::{OpenedCalendar, SealedCalendar};
pub use sealed_values::{SealedColumn, SealedRow, SealedValue};
pub use searches::{SearchClaim, SearchEnd, Searched};
pub use settlements::{LinkSettlement, SettledFree, SettledLink, SettledRows, Settlement, Settlements};
pub use statuses::StatusParts;
pub use unkept_grants::UnkeptGrant;
pub use unreadable::{Found, Unreadable};
pub use wishes::Reach;

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

impl Error {
    /// The same for one more caller: what it does next stays the same.
    pub fn of_the_same_kind(&self) -> Self {
        match self {
            Self::Unavailable(source) => Self::Unavailable(source.to_string().into()),
            Self::Corrupt(column) => Self::Corrupt(column),
            Self::Bug(source) => Self::Bug(source.to_string().into()),
        }
    }
}

/// How the tables of a database stand to what this binary was built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// There are none.
    None,
    /// Migrations are pending.
    Older,
    /// They are what they should be.
    Current,
    /// Migrations are applied that this binary does not know.
    Newer,
}

/// Says how a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many connections to PostgreSQL are held at most. SQLite has one writer and a few readers in any case.
    pub pool_size: usize,
    /// What the address of a PostgreSQL leaves open.
    pub credentials: Credentials,
    /// How many links one transaction changes at most, where a change concerns all links of an organisation: the others have
    /// their turn between two of them.
    pub links_at_once: usize,
    /// What tells this process from the others on PostgreSQL: its connections are called after it there.
    pub replica: String,
    /// Whether an SQLite file is made where there is none; else that is [`Error::Unavailable`].
    pub makes_file: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pool_size: 16,
            links_at_once: 1_000,
            replica: String::new(),
            credentials: Credentials::default(),
            makes_file: true,
        }
    }
}

/// The database, open. A clone is another handle on the same one.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    /// How many links one transaction changes at most: [`Options::links_at_once`].
    links_at_once: i64,
    /// A change has left links to be reached.
    wish_left: Arc<Notify>,
}

#[derive(Clone)]
enum Backend {
    Postgres { pools: postgres::pool::Pools, config: Box<postgres::Config> },
    Sqlite { pools: sqlite::pool::Pools, path: String },
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may hold a password.
        f.write_str(match &self.backend {
            Backend::Postgres { .. } => "Store(postgres)",
            Backend::Sqlite { .. } => "Store(sqlite)",
        })
    }
}

impl Store {
    /// Opens the database at `url`: `sqlite:<path>`, `postgres://…` or `postgresql://…`.
    ///
    /// An SQLite file is created where there is none, if that is wanted. A PostgreSQL that is away does not fail this call,
    /// but the first that needs it. Nothing is migrated.
    pub async fn open(url: &str, options: &Options) -> Result<Self, Error> {
        let backend = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let config = Box::new(postgres::config(url, options)?);
            Backend::Postgres { pools: postgres::open(&config, options.pool_size), config }
        } else if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.contains(":memory:") || path.contains('?') {
                return Err(Error::Bug("an SQLite address names a file: sqlite:<path>".into()));
            }
            Backend::Sqlite { pools: sqlite::open(path, options.makes_file)?, path: path.to_owned() }
        } else {
            return Err(Error::Bug("a database address begins with sqlite:, postgres:// or postgresql://".into()));
        };
        let links_at_once = i64::try_from(options.links_at_once.max(1)).unwrap_or(i64::MAX);
        Ok(Self { backend, links_at_once, wish_left: Arc::default() })
    }

    /// Applies the migrations that are still pending, and answers their names. Safe when two start at once.
    pub async fn migrate(&self) -> Result<Vec<String>, Error> {
        match &self.backend {
            Backend::Postgres { config, .. } => postgres::migrate(config).await,
            Backend::Sqlite { path, .. } => sqlite::migrate(path).await,
        }
    }

    /// The names of the migrations that are not applied yet.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, Error> {
        match &self.backend {
            Backend::Postgres { config, .. } => postgres::pending_migrations(config).await,
            Backend::Sqlite { path, .. } => sqlite::pending_migrations(path).await,
        }
    }

    /// Holds the migrations that are applied against those that this binary carries.
    pub async fn schema(&self) -> Result<Schema, Error> {
        let known = match &self.backend {
            Backend::Postgres { .. } => postgres::known_versions()?,
            Backend::Sqlite { .. } => sqlite::known_versions()?,
        };
        if !query!(self, read, migrations::has_any())? {
            return Ok(Schema::None);
        }
        let applied = query!(self, read, migrations::applied())?;
        Ok(match (applied.iter().all(|it| known.contains(it)), known.iter().all(|it| applied.contains(it))) {
            (false, _) => Schema::Newer,
            (true, false) => Schema::Older,
            (true, true) => Schema::Current,
        })
    }

    /// Whether the address leads to a pooler that gives each transaction whichever session is free, and does not say so.
    pub async fn is_pooled_unsaid(&self) -> Result<bool, Error> {
        match &self.backend {
            Backend::Postgres { config, .. } => server::is_pooled_unsaid(config).await,
            Backend::Sqlite { .. } => Ok(false),
        }
    }

    /// In which language PostgreSQL answers, if it is not English and this role may not choose, or a pooler is between.
    /// Then a fault that passes by itself, a lock that was not let go or a full disk, cannot be told from one that lasts.
    pub async fn foreign_language(&self) -> Result<Option<String>, Error> {
        match &self.backend {
            Backend::Postgres { config, .. } => server::foreign_language(config).await,
            Backend::Sqlite { .. } => Ok(None),
        }
    }

    /// What PostgreSQL's clock says. `None` on SQLite, which has none of its own.
    pub async fn clock(&self) -> Result<Option<Timestamp>, Error> {
        match &self.backend {
            Backend::Postgres { .. } => Ok(Some(query!(self, read, changes::clock())?)),
            Backend::Sqlite { .. } => Ok(None),
        }
    }

    /// Leaves nothing in the log of SQLite of what was erased: it is written back and cut off. PostgreSQL's own vacuum and
    /// the recycling of its log do the same in their time.
    pub async fn truncate_log(&self) -> Result<(), Error> {
        match &self.backend {
            Backend::Postgres { .. } => Ok(()),
            Backend::Sqlite { pools, .. } => run!(pools, write, sqlite::truncate_log,),
        }
    }

    /// Makes a first connection, as patiently as the address says, and asks for an answer on it.
    pub async fn connect_patiently(&self) -> Result<(), Error> {
        match &self.backend {
            Backend::Postgres { pools, .. } => pools.connect_patiently().await?,
            Backend::Sqlite { pools, .. } => pools.connect_patiently().await?,
        }
        self.ping().await
    }

    /// Asks the database for an answer.
    pub async fn ping(&self) -> Result<(), Error> {
        query!(self, read, integrations::ping())
    }
}

/// Says what is wrong with an address, as the end of a sentence that its name begins; nothing of it is repeated, and nobody
/// is connected to.
pub fn check_address(url: &str) -> Result<(), String> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return postgres::config(url, &Options::default()).map(drop).map_err(|error| match error {
            Error::Bug(fault) | Error::Unavailable(fault) => fault.to_string(),
            Error::Corrupt(column) => column.to_owned(),
        });
    }
    match url.strip_prefix("sqlite:").is_some_and(|path| path.contains(":memory:") || path.contains('?')) {
        true => Err("names no file".to_owned()),
        // Of what is neither, the settings have a word themselves.
        false => Ok(()),
    }
}

/// Runs a query to its end in a task of its own, and answers what it came to.
///
/// To the runtime all queries are one kind of task: as kinds of their own, they would make the program larger by megabytes.
async fn in_task<T: Send + 'static>(
    query: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let (tell, told) = oneshot::channel();
    let task: BoxFuture<'static, ()> = Box::pin(async move {
        // Whoever asked may be gone.
        let _ = tell.send(query.await);
    });
    let task = tokio::spawn(task);
    match told.await {
        Ok(outcome) => outcome,
        Err(untold) => joined(task).await.and(Err(Error::Unavailable(Box::new(untold)))),
    }
}

/// What a task came to. A panic goes on in the caller.
async fn joined<T>(task: tokio::task::JoinHandle<T>) -> Result<T, Error> {
    task.await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => Error::Unavailable(Box::new(error)),
    })
}
