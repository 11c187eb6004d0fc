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
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;

use super::Error;
use super::fault::Fault;

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
/// Makes a span of a number of microseconds.
const MICROSECONDS: &str = " * INTERVAL '1 microsecond'";

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The key of the advisory lock that one migration at a time holds.
const MIGRATION_LOCK: i64 = 0x0063_6173_7369_7573;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(2);

/// How long sent bytes may stay unacknowledged.
const UNANSWERED: Duration = Duration::from_secs(5);

/// What each connection is told first. The service's own deadlines are shorter; the time-outs end what was left behind.
/// A statement that is kept prepared is planned for the tables as they are now, not as they were when they were empty. None
/// is worth the time that it takes to compile.
const SESSION: &str = "SET statement_timeout = '35s'; SET idle_in_transaction_session_timeout = '35s'; \
                       SET lock_timeout = '3s'; SET plan_cache_mode = force_custom_plan; SET jit = off";

/// Makes the pool; connects to nothing yet.
pub(super) fn open(url: &str, size: usize) -> Result<pool::Pools, Error> {
    let config = config(url)?;
    let setup: SetupCallback<Conn> = Box::new(move |_| {
        let config = config.clone();
        Box::pin(async move { connect(&config).await })
    });
    let pool = pool::pool(url, size, setup);
    Ok(pool::Pools::new(pool.clone(), pool))
}

fn config(url: &str) -> Result<tokio_postgres::Config, Error> {
    let mut config: tokio_postgres::Config = url.parse().map_err(|error| Error::Bug(Box::new(error)))?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("cassius-calendar");
    }
    config.tcp_user_timeout(UNANSWERED).keepalives_idle(Duration::from_secs(30));
    Ok(config)
}

async fn connect(config: &tokio_postgres::Config) -> Result<Conn, ConnectionError> {
    // `prefer`, the default, stays plain: a certificate that cannot be verified proves nothing, and many a server of a
    // private network has no other. Whoever asks for TLS gets it verified.
    let mut conn = match config.get_ssl_mode() {
        SslMode::Disable | SslMode::Prefer => {
            let (client, connection) = config.connect(NoTls).await.map_err(refused)?;
            Conn::try_from_client_and_connection(client, connection).await?
        }
        _ => {
            let (client, connection) = config.connect(tls()?).await.map_err(refused)?;
            Conn::try_from_client_and_connection(client, connection).await?
        }
    };
    conn.batch_execute(SESSION).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

fn tls() -> Result<tokio_postgres_rustls::MakeRustlsConnect, ConnectionError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(tokio_postgres_rustls::MakeRustlsConnect::new(config))
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
pub(super) async fn migrate(url: &str) -> Result<Vec<String>, Error> {
    let mut conn = solitary(url).await?;
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
pub(super) async fn pending_migrations(url: &str) -> Result<Vec<String>, Error> {
    names(&mut AsyncMigrationHarness::new(solitary(url).await?)).map_err(Error::Bug)
}

fn names(harness: &mut AsyncMigrationHarness<Conn>) -> diesel::migration::Result<Vec<String>> {
    let pending = harness.pending_migrations(MIGRATIONS)?;
    Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
}

async fn solitary(url: &str) -> Result<Conn, Error> {
    connect(&config(url)?).await.map_err(|error| Error::Unavailable(Box::new(error)))
}
