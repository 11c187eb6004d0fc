//! PostgreSQL: any number of replicas on one database.
//!
//! Owns how a connection to it is made, and what its SQL has that SQLite's has not. Never holds a query: those are
//! mounted from `queries/`. Invariant: no connection waits longer than its deadlines for a server that is away.

use std::sync::Arc;
use std::time::Duration;

use diesel::ConnectionError;
use diesel::migration::{Migration, MigrationSource as _};
use diesel_async::pooled_connection::SetupCallback;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use rustls::ClientConfig;
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::fault::Fault;
use super::{Error, Options};

#[path = "pool.rs"]
pub(super) mod pool;

macro_rules! transaction {
    ($conn:expr, $body:expr) => {
        diesel_async::AsyncConnection::transaction($conn, $body).await
    };
}

#[path = "queries/mod.rs"]
pub(super) mod queries;

type Conn = AsyncPgConnection;
type Db = diesel::pg::Pg;
type InstantSql = diesel::sql_types::Timestamptz;

/// Leaves out rows that another transaction holds.
const SKIP_LOCKED: &str = "FOR UPDATE SKIP LOCKED";
/// Holds rows against every other change.
const FOR_UPDATE: &str = "FOR UPDATE";
/// Holds rows against every other change, one after the other in the order of their keys.
const HELD_BY_KEY: &str = "ORDER BY organisation_id, appointment_id FOR UPDATE";
/// Reads integrations as they are now: whoever changes one meanwhile in a way that its links follow holds their queue.
const KEY_SHARE: &str = "FOR KEY SHARE";
/// The same; what another transaction holds is left out.
const KEY_SHARE_SKIP_LOCKED: &str = "FOR KEY SHARE SKIP LOCKED";
/// Holds the queues `q`, and reads their integrations `i` so; what another transaction holds is left out.
const HELD_WITH_ITS_INTEGRATION: &str = "FOR UPDATE OF q SKIP LOCKED FOR KEY SHARE OF i SKIP LOCKED";
/// Whether rows are held one by one, not the whole database.
const HOLDS_ROWS: bool = true;
/// The day on which an appointment ends, as the counts of upcoming links number it.
const DAY_OF_END: &str = "day_of(ends_at)";
/// One more column of a SELECT, by which the commit of its transaction does not wait for the disk.
const UNSYNCED: &str = ", set_config('synchronous_commit', 'off', true)";
/// Makes a span of a number of microseconds.
const MICROSECONDS: &str = " * INTERVAL '1 microsecond'";

/// The id of the key in a column of envelopes; NULL where none stands there.
fn key_id_of(column: &str) -> String {
    format!("CASE WHEN length({column}) > 2 THEN encode(substr({column}, 3, get_byte({column}, 1)), 'escape') END")
}

/// Counts the tables that list what was migrated: one or none, where the role that asks looks for tables.
const COUNT_MIGRATION_TABLES: &str =
    "SELECT COUNT(*) AS count FROM pg_class WHERE oid = to_regclass('__diesel_schema_migrations')";

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The key of the advisory lock that one migration at a time holds.
const MIGRATION_LOCK: i64 = 0x0063_6173_7369_7573;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(2);

/// How long sent bytes may stay unacknowledged.
const UNANSWERED: Duration = Duration::from_secs(5);

/// How much of a name that the address gives is kept: the server cuts what is longer than 63 characters.
const LONGEST_NAME: usize = 48;

/// What each connection is told first. The service's own deadlines are shorter; the time-outs end what was left behind.
/// A statement that is kept prepared is planned for the tables as they are now, not as they were when they were empty. None
/// is worth the time that it takes to compile.
const SESSION: &str = "SET statement_timeout = '35s'; SET idle_in_transaction_session_timeout = '35s'; \
                       SET lock_timeout = '3s'; SET plan_cache_mode = force_custom_plan; SET jit = off";

/// Which server, as whom and how.
pub(super) type Config = Address;
/// How the road to it is made safe; `None`: plain text.
type Tls = Option<Arc<ClientConfig>>;
/// A connection that hears notifications.
pub(super) type Listening = Conn;

/// Makes the pool; connects to nothing yet.
pub(super) fn open(config: &Config, size: usize) -> pool::Pools {
    let (config, tls) = (config.clone(), config.tls.clone());
    let setup: SetupCallback<Conn> = Box::new(move |_| {
        let config = config.clone();
        Box::pin(async move { connect(&config).await })
    });
    // The address is in the settings already.
    let pool = pool::pool("", size, setup);
    pool::Pools::new(pool.clone(), pool, tls)
}

/// Reads an address, and sets what it leaves open. The connections are called after `replica`, which tells this process
/// from the others: by that name the server's notifications say who wrote.
pub(super) fn config(url: &str, Options { credentials, replica, .. }: &Options) -> Result<Config, Error> {
    let mut address = Address::parse(url, credentials).map_err(|fault| Error::Bug(Box::new(fault)))?;
    let config = &mut address.config;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    let name: String = config.get_application_name().unwrap_or("cassius-calendar").chars().take(LONGEST_NAME).collect();
    config.application_name(if replica.is_empty() { name } else { format!("{name} {replica}") });
    config.tcp_user_timeout(UNANSWERED).keepalives_idle(Duration::from_secs(30));
    Ok(address)
}

async fn connect(Config { config, tls }: &Config) -> Result<Conn, ConnectionError> {
    let mut conn = match tls {
        None => {
            let (client, connection) = config.connect(NoTls).await.map_err(refused)?;
            Conn::try_from_client_and_connection(client, connection).await?
        }
        Some(tls) => {
            let tls = MakeRustlsConnect::new(tls.as_ref().clone());
            let (client, connection) = config.connect(tls).await.map_err(refused)?;
            Conn::try_from_client_and_connection(client, connection).await?
        }
    };
    conn.batch_execute(SESSION).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Closes a connection, and ends what still runs on it: of the closing alone, a server that works or waits for a lock hears
/// nothing. `tls` is how it was connected.
fn abandon(conn: Conn, tls: Tls) {
    let token = conn.cancel_token();
    tokio::spawn(async move {
        // A server that cannot be told ends it at the time-out of the session.
        let _ = match tls {
            None => token.cancel_query(NoTls).await,
            Some(tls) => token.cancel_query(MakeRustlsConnect::new(tls.as_ref().clone())).await,
        };
        drop(conn);
    });
}

fn refused(error: impl std::error::Error) -> ConnectionError {
    use std::fmt::Write;
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    ConnectionError::BadConnection(text)
}

/// The versions of the migrations that this binary carries.
pub(super) fn known_versions() -> Result<Vec<String>, Error> {
    let migrations: Vec<Box<dyn Migration<diesel::pg::Pg>>> = MIGRATIONS.migrations().map_err(Error::Bug)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// Applies what is pending, on a connection of its own, one process at a time.
pub(super) async fn migrate(config: &Config) -> Result<Vec<String>, Error> {
    let mut conn = solitary(config).await?;
    // The lock goes with the connection, whatever happens.
    conn.batch_execute(&format!(
        "SET statement_timeout = 0; SET lock_timeout = 0; SELECT pg_advisory_lock({MIGRATION_LOCK})"
    ))
    .await
    .map_err(|error| Fault::from(error).into_error(false))?;
    let mut harness = AsyncMigrationHarness::new(conn);
    let pending = names(&mut harness).map_err(Error::Bug)?;
    harness.run_pending_migrations(MIGRATIONS).map_err(Error::Bug)?;
    Ok(pending)
}

/// The names of what is pending.
pub(super) async fn pending_migrations(config: &Config) -> Result<Vec<String>, Error> {
    names(&mut AsyncMigrationHarness::new(solitary(config).await?)).map_err(Error::Bug)
}

fn names(harness: &mut AsyncMigrationHarness<Conn>) -> diesel::migration::Result<Vec<String>> {
    let pending = harness.pending_migrations(MIGRATIONS)?;
    Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
}

/// A connection that hears what is committed from now on.
pub(super) async fn listen(config: &Config) -> Result<Listening, Error> {
    let mut conn = solitary(config).await?;
    conn.batch_execute("LISTEN cassius_calendar").await.map_err(|error| Error::Unavailable(Box::new(error)))?;
    Ok(conn)
}

async fn solitary(config: &Config) -> Result<Conn, Error> {
    connect(config).await.map_err(|error| Error::Unavailable(Box::new(error)))
}
