//! SQLite: a file, for one process.
//!
//! Owns how the file is made and opened, and what its SQL has that PostgreSQL's has not. Never holds a query of a
//! table: those are mounted from `queries/`, but for what makes foreign text readable (`foreign_text.rs`). Invariant:
//! what a commit has answered survives a power cut, and a file that is made here can be read by the owner of the
//! process alone.

use std::path::Path;

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::migration::{Migration, MigrationSource as _};
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::result::Error as QueryError;
use diesel::{Connection, SqliteConnection};
use diesel_async::pooled_connection::SetupCallback;
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper, SyncTransactionManagerWrapper};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection, TransactionManager};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use futures_util::TryFutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::Error;
use super::fault::Fault;

#[path = "pool.rs"]
pub(super) mod pool;

macro_rules! transaction {
    ($conn:expr, $body:expr) => {
        $crate::store::sqlite::immediate($conn, $body).await
    };
}

macro_rules! snapshot {
    ($conn:expr, $body:expr) => {
        diesel_async::AsyncConnection::transaction($conn, $body).await
    };
}

#[path = "foreign_text.rs"]
mod foreign_text;
#[path = "queries/mod.rs"]
pub(super) mod queries;

type Conn = SyncConnectionWrapper<SqliteConnection, Statements>;
type Transactions = SyncTransactionManagerWrapper<AnsiTransactionManager>;
type Db = diesel::sqlite::Sqlite;
type InstantSql = diesel::sql_types::BigInt;

/// One writer at a time holds the whole file: rows need no locks.
const SKIP_LOCKED: &str = "";
const NO_KEY_SKIP_LOCKED: &str = "";
const FOR_UPDATE: &str = "";
const LOCKED_BY_KEY: &str = "";
const KEY_SHARE: &str = "";
const KEY_SHARE_SKIP_LOCKED: &str = "";
const LOCKED_WITH_ITS_INTEGRATION: &str = "";
const CHANGED_WITH_ITS_INTEGRATION: &str = "";
const HOLDS_ROWS: bool = false;
/// Every commit waits for the disk.
const UNSYNCED: &str = "";
/// An instant is a number of microseconds.
const DAY_OF_END: &str = "ends_at / 86400000000";
const MICROSECONDS: &str = "";
/// It may as it is.
const MAY_WALK: &str = "SELECT 1";

/// The id of the key in a column of envelopes; NULL where none stands there.
fn key_id_of(column: &str) -> String {
    format!("CAST(substr({column}, 3, unicode(CAST(substr({column}, 2, 1) AS TEXT))) AS TEXT)")
}

/// Counts the tables that list what was migrated: one or none.
const COUNT_MIGRATION_TABLES: &str =
    "SELECT COUNT(*) AS count FROM sqlite_schema WHERE name = '__diesel_schema_migrations'";

/// Counts the tables that a role may not write: whoever opens the file has all rights.
const COUNT_REFUSED_TABLES: &str = "SELECT 0 AS refused";

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Runs statements on the threads that tokio keeps for what blocks. A runtime of a single thread runs them where they
/// stand: what happens on it then has one order, which a simulation can repeat.
#[derive(Debug)]
pub(super) struct Statements;

impl SpawnBlocking for Statements {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn std::error::Error + Send + Sync + 'static>>>
    where
        R: Send + 'static,
    {
        match Handle::current().runtime_flavor() {
            RuntimeFlavor::CurrentThread => Box::pin(std::future::ready(Ok(task()))),
            _ => Box::pin(tokio::task::spawn_blocking(task).map_err(Into::into)),
        }
    }

    fn get_runtime() -> Self {
        Self
    }
}

/// A transaction that takes the write lock at once: taken after a read, it could fail for a stale read.
async fn immediate<T, F>(conn: &mut Conn, work: F) -> Result<T, Fault>
where
    F: for<'r> AsyncFnOnce(&'r mut Conn) -> Result<T, Fault>,
{
    conn.spawn_blocking(|conn| AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")).await?;
    let outcome = work(&mut *conn).await;
    match outcome {
        Ok(_) => Transactions::commit_transaction(conn).await?,
        Err(_) => Transactions::rollback_transaction(conn).await?,
    }
    outcome
}

/// Executes statements in turn of which none needs what another one answers.
async fn execute_in_turn<Q>(conn: &mut Conn, statements: Vec<Q>) -> Result<(), Fault>
where
    Q: QueryFragment<Db> + QueryId + Send + 'static,
{
    for statement in statements {
        statement.execute(conn).await?;
    }
    Ok(())
}

/// A file is reached as it is.
#[derive(Clone)]
pub(super) struct ConnectionMode;

/// Closes a connection: whatever ran on it is undone.
fn abandon(conn: Conn, _: ConnectionMode) {
    drop(conn);
}

/// A query has its connection for itself.
pub(super) async fn begin(_: &mut Conn, _: &ConnectionMode) -> Result<(), Fault> {
    Ok(())
}

/// Ends what [`begin`] began. A text that does not read stops whoever meets it: it is made readable for the next one.
pub(super) async fn end<T>(conn: &mut Conn, _: &ConnectionMode, outcome: Result<T, Fault>) -> Result<T, Fault> {
    if let Err(Fault::Query(QueryError::DeserializationError(_))) = &outcome
        && let Err(error) = conn.spawn_blocking(foreign_text::mend).await
    {
        tracing::error!(error = %error, "a stored text does not read, and cannot be looked for");
    }
    outcome
}

/// How many connections read beside the one that writes: they never wait for it.
const READERS: usize = 4;

/// What each connection is told first. `synchronous` makes a commit wait for the disk, `secure_delete` leaves nothing of
/// what was erased in the file. The log is written back every 16 MiB: pages that change with every commit are written
/// back once for many. What is sorted is sorted in memory: a container may have no folder for it.
const SESSION: &str = "PRAGMA busy_timeout = 3000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                       PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 67108864; \
                       PRAGMA wal_autocheckpoint = 4096; PRAGMA temp_store = MEMORY";

/// How much of the file a connection keeps in memory: the rest is in the system's cache, a copy away.
const WRITER_CACHE: &str = "PRAGMA cache_size = -2048";
const READER_CACHE: &str = "PRAGMA cache_size = -1024";

/// Makes the pools; where there is no file, makes it too, if it may.
pub(super) fn open(path: &str, makes_file: bool) -> Result<pool::Pools, Error> {
    find(Path::new(path), makes_file).map_err(|error| Error::Unavailable(Box::new(error)))?;
    Ok(pool::Pools::new(
        pool::pool(path, 1, setup(WRITER_CACHE)),
        pool::pool(path, READERS, setup(READER_CACHE)),
        ConnectionMode,
    ))
}

/// Writes the log back and cuts it off. Where somebody reads just then, the next time does it.
pub(super) async fn truncate_log(conn: &mut Conn) -> Result<(), Fault> {
    Ok(conn.batch_execute("/* sqlite.truncate_log */ PRAGMA wal_checkpoint(TRUNCATE)").await?)
}

fn setup(cache: &'static str) -> SetupCallback<Conn> {
    Box::new(move |path| {
        let path = path.to_owned();
        Box::pin(async move {
            let mut conn = <Conn as diesel_async::AsyncConnection>::establish(&path).await?;
            let told = [SESSION, cache].join("; ");
            conn.batch_execute(&told).await.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(conn)
        })
    })
}

/// SQLite gives its side files (`-wal`, `-shm`) the mode of the main one.
fn find(path: &Path, makes_file: bool) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(makes_file);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// The versions of the migrations that this binary carries.
pub(super) fn known_versions() -> Result<Vec<String>, Error> {
    let migrations: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> = MIGRATIONS.migrations().map_err(Error::Bug)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// Applies what is pending, in one transaction: a second process that starts meanwhile finds nothing pending.
pub(super) async fn migrate(path: &str) -> Result<Vec<String>, Error> {
    solitary(path, |conn| {
        conn.immediate_transaction(|conn| {
            let pending = names(conn)?;
            conn.run_pending_migrations(MIGRATIONS).map_err(Failure::Migration)?;
            Ok(pending)
        })
    })
    .await
}

/// The names of what is pending.
pub(super) async fn pending_migrations(path: &str) -> Result<Vec<String>, Error> {
    solitary(path, names).await
}

fn names(conn: &mut SqliteConnection) -> Result<Vec<String>, Failure> {
    let pending = conn.pending_migrations(MIGRATIONS).map_err(Failure::Migration)?;
    Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
}

/// What stopped a migration.
enum Failure {
    Connection(diesel::ConnectionError),
    Query(diesel::result::Error),
    Migration(Box<dyn std::error::Error + Send + Sync>),
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Query(error)
    }
}

async fn solitary<T, F>(path: &str, work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
{
    let path = path.to_owned();
    let outcome = tokio::task::spawn_blocking(move || {
        let mut conn = SqliteConnection::establish(&path).map_err(Failure::Connection)?;
        conn.batch_execute(SESSION)?;
        work(&mut conn)
    });
    match super::joined(outcome).await? {
        Ok(answer) => Ok(answer),
        Err(Failure::Connection(error)) => Err(Error::Unavailable(Box::new(error))),
        Err(Failure::Query(error)) => Err(Fault::from(error).into_error(false)),
        Err(Failure::Migration(error)) => Err(Error::Bug(error)),
    }
}
