//! PostgreSQL: any number of replicas on one database.
//!
//! Owns how a connection to it is made, and what its SQL has that SQLite's has not. Never holds a query about a table: those
//! are mounted from `queries/`. Invariant: no connection waits longer than its deadlines for a server that is away.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use diesel::ConnectionError;
use diesel::connection::CacheSize;
use diesel::migration::{Migration, MigrationSource as _};
use diesel::query_builder::{QueryFragment, QueryId};
use diesel_async::pooled_connection::SetupCallback;
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl,
    SimpleAsyncConnection, TransactionManager,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use futures_util::future::try_join_all;
use rustls::ClientConfig;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{Client, Connection, NoTls, Socket};
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

macro_rules! snapshot {
    ($conn:expr, $body:expr) => {
        $crate::store::postgres::snapshot($conn, $body).await
    };
}

#[path = "queries/mod.rs"]
pub(super) mod queries;

pub(super) type Conn = AsyncPgConnection;
type Db = diesel::pg::Pg;
type InstantSql = diesel::sql_types::Timestamptz;

/// Leaves out rows that another transaction holds.
const SKIP_LOCKED: &str = "FOR UPDATE SKIP LOCKED";
/// The same for a change of columns that no key is made of: those who read their keys hold nobody up.
const NO_KEY_SKIP_LOCKED: &str = "FOR NO KEY UPDATE SKIP LOCKED";
/// Holds rows against every other change.
const FOR_UPDATE: &str = "FOR UPDATE";
/// Holds rows against every other change, one after the other in the order of their keys.
const LOCKED_BY_KEY: &str = "ORDER BY organisation_id, appointment_id FOR UPDATE";
/// Reads integrations as they are now: whoever changes one meanwhile in a way that its links follow holds their queue.
const KEY_SHARE: &str = "FOR KEY SHARE";
/// The same; what another transaction holds is left out.
const KEY_SHARE_SKIP_LOCKED: &str = "FOR KEY SHARE SKIP LOCKED";
/// Holds the queues `q`, and reads their integrations `i` so; what another transaction holds is left out.
const LOCKED_WITH_ITS_INTEGRATION: &str = "FOR UPDATE OF q SKIP LOCKED FOR KEY SHARE OF i SKIP LOCKED";
/// Holds the queues `q`, and their integrations `i` for a change of columns that no key is made of; what another transaction
/// holds is left out.
const CHANGED_WITH_ITS_INTEGRATION: &str = "FOR UPDATE OF q SKIP LOCKED FOR NO KEY UPDATE OF i SKIP LOCKED";
/// Whether rows are held one by one, not the whole database.
const HOLDS_ROWS: bool = true;
/// The day on which an appointment ends, as the counts of upcoming links number it.
const DAY_OF_END: &str = "day_of(ends_at)";
/// One more column of a SELECT, by which the commit of its transaction does not wait for the disk.
const UNSYNCED: &str = ", set_config('synchronous_commit', 'off', true)";
/// Lets the rest of a transaction walk tables: what reads each row takes far longer in the order of an index.
const MAY_WALK: &str = "SELECT set_config('enable_seqscan', 'on', true)";
/// Makes a span of a number of microseconds.
const MICROSECONDS: &str = " * INTERVAL '1 microsecond'";

/// The id of the key in a column of envelopes; NULL where none stands there.
fn key_id_of(column: &str) -> String {
    format!("CASE WHEN length({column}) > 2 THEN encode(substr({column}, 3, get_byte({column}, 1)), 'escape') END")
}

/// Counts the tables that list what was migrated: one or none, where the role that asks looks for tables.
const COUNT_MIGRATION_TABLES: &str =
    "SELECT COUNT(*) AS count FROM pg_class WHERE oid = to_regclass('__diesel_schema_migrations')";

/// Counts the tables of ours that the role may not write.
const COUNT_REFUSED_TABLES: &str = "SELECT COUNT(*) AS refused FROM pg_class \
     WHERE relkind = 'r' AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('link_queues')) \
     AND relname IN ('calendar_integrations', 'appointment_external_links', 'owed_deletions', 'oauth_consents', \
         'google_accounts', 'revocation_counter', 'pending_grants', 'quota_budgets', 'link_queues', 'sealed_calendars', \
         'link_wishes', 'upcoming_link_counts', 'unkept_grants', 'write_probes', 'silences', \
         'audit_events') \
     AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT') \
         AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))";

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The key of the advisory lock that one migration at a time holds.
const MIGRATION_LOCK: i64 = 0x0063_6173_7369_7573;

/// How long a connection may take to come about, where the address does not say.
const CONNECT: Duration = Duration::from_secs(10);

/// How long sent bytes may stay unacknowledged.
pub(super) const UNANSWERED: Duration = Duration::from_secs(5);

/// How much of a name that the address gives is kept: the server cuts what is longer than 63 characters.
const LONGEST_NAME: usize = 48;

/// What each connection is told first; behind a pooler, each transaction. The service's own deadlines are shorter; the
/// time-outs end what was left behind: between two statements of a transaction lie milliseconds, and a process that stands
/// still there holds what others need. A statement that is kept prepared is soon planned once for all its values, maybe
/// while its tables are empty: it is told to read by an index then too. None is worth the time that it takes to compile.
const SESSION: [&str; 5] = [
    "statement_timeout = '35s'",
    "idle_in_transaction_session_timeout = '5s'",
    "lock_timeout = '3s'",
    "enable_seqscan = off",
    "jit = off",
];
/// Asks a session for messages in English, which faults are judged by: what each of them is called is not handed through.
/// Only a superuser may, or who was granted it. It would be the first query of a transaction, before which alone its
/// isolation is chosen: behind a pooler it is not asked.
const IN_ENGLISH: &str = "DO $$ BEGIN
        IF current_setting('lc_messages') <> 'C' THEN PERFORM set_config('lc_messages', 'C', false); END IF;
     EXCEPTION WHEN insufficient_privilege THEN NULL; END $$";
/// Begins a transaction that waits for whatever it needs: a migration.
const PATIENT: &str = "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
                       SET LOCAL idle_in_transaction_session_timeout = 0";

/// Which server, as whom and how.
pub(super) type Config = Address;
/// How the road to it is made safe; `None`: plain text.
type Tls = Option<Arc<ClientConfig>>;

/// How its connections are used.
#[derive(Clone)]
pub(super) struct ConnectionMode {
    tls: Tls,
    /// Whether a pooler gives each transaction whichever session is free: nothing is left behind in one.
    is_pooled: bool,
}

/// A connection that hears notifications.
pub(super) type Listening = Conn;

/// Makes the pool; connects to nothing yet.
pub(super) fn open(config: &Config, size: usize) -> pool::Pools {
    let mode = ConnectionMode { tls: config.tls.clone(), is_pooled: config.is_pooled };
    let config = config.clone();
    let setup: SetupCallback<Conn> = Box::new(move |_| {
        let config = config.clone();
        Box::pin(async move { connect(&config).await })
    });
    // The address is in the settings already.
    let pool = pool::pool("", size, setup);
    pool::Pools::new(pool.clone(), pool, mode)
}

/// Reads an address, and sets what it leaves open. The connections are called after `replica`, which tells this process
/// from the others: by that name the server's notifications say who wrote.
pub(super) fn config(url: &str, Options { credentials, replica, .. }: &Options) -> Result<Config, Error> {
    let mut address = Address::parse(url, credentials).map_err(|fault| Error::Bug(Box::new(fault)))?;
    address.servers.change(|server| {
        if server.get_connect_timeout().is_none() {
            server.connect_timeout(CONNECT);
        }
        let name = server.get_application_name().unwrap_or("cassius-calendar");
        let name: String = name.chars().take(LONGEST_NAME).collect();
        server.application_name(if replica.is_empty() { name } else { format!("{name} {replica}") });
        server.tcp_user_timeout(UNANSWERED).keepalives_idle(Duration::from_secs(30));
    });
    Ok(address)
}

/// Connects to the first server that answers, each within the time that the address gives: one that takes the connection and
/// says nothing is away.
async fn connect(config: &Config) -> Result<Conn, ConnectionError> {
    let mut refusals = Vec::new();
    for turn in config.servers.turns() {
        let limit = turn.server.get_connect_timeout().copied().unwrap_or(CONNECT);
        match tokio::time::timeout(limit, connect_patiently(turn.server, config)).await {
            Err(_) => refusals.push(format!("no answer within {} seconds", limit.as_secs())),
            Ok(Err(ConnectionError::BadConnection(refusal))) => refusals.push(refusal),
            Ok(outcome) => {
                turn.answered();
                return outcome;
            }
        }
    }
    Err(ConnectionError::BadConnection(refusals.join("; ")))
}

async fn connect_patiently(
    server: &tokio_postgres::Config,
    Config { tls, is_pooled, .. }: &Config,
) -> Result<Conn, ConnectionError> {
    match tls {
        None => {
            let (client, connection) = server.connect(NoTls).await.map_err(refused)?;
            set_up(client, connection, *is_pooled).await
        }
        Some(tls) => {
            let tls = MakeRustlsConnect::new(tls.as_ref().clone());
            let (client, connection) = server.connect(tls).await.map_err(refused)?;
            set_up(client, connection, *is_pooled).await
        }
    }
}

async fn set_up<S>(
    client: Client,
    mut connection: Connection<Socket, S>,
    is_pooled: bool,
) -> Result<Conn, ConnectionError>
where
    S: TlsStream + Unpin + Send + 'static,
{
    if is_pooled {
        // Diesel prepares what it tells a connection first: that is told to one session, and forgotten there.
        let begun = client.batch_execute("BEGIN");
        tokio::select! {
            begun = pin!(begun) => begun.map_err(refused)?,
            ended = &mut connection => {
                ended.map_err(refused)?;
                return Err(ConnectionError::BadConnection("the connection was closed".to_owned()));
            }
        }
    }
    let mut conn = Conn::try_from_client_and_connection(client, connection).await?;
    let told = match is_pooled {
        true => "COMMIT".to_owned(),
        false => format!("{}; {IN_ENGLISH}", SESSION.map(|told| format!("SET {told}")).join("; ")),
    };
    if is_pooled {
        conn.set_prepared_statement_cache_size(CacheSize::Disabled);
    }
    conn.batch_execute(&told).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Behind a pooler, a query is one transaction: what it prepares and sets is of one session, and ends there.
pub(super) async fn begin(conn: &mut Conn, mode: &ConnectionMode) -> Result<(), Fault> {
    if mode.is_pooled {
        let begin = format!("BEGIN; {}", SESSION.map(|told| format!("SET LOCAL {told}")).join("; "));
        AnsiTransactionManager::begin_transaction_sql(conn, &begin).await?;
    }
    Ok(())
}

/// Ends what [`begin`] began.
pub(super) async fn end<T>(conn: &mut Conn, mode: &ConnectionMode, outcome: Result<T, Fault>) -> Result<T, Fault> {
    if mode.is_pooled {
        match outcome {
            Ok(_) => AnsiTransactionManager::commit_transaction(conn).await?,
            Err(_) => AnsiTransactionManager::rollback_transaction(conn).await?,
        }
    }
    outcome
}

/// Executes statements in turn of which none needs what another one answers: they are sent at once.
async fn execute_in_turn<Q>(conn: &mut Conn, statements: Vec<Q>) -> Result<(), Fault>
where
    Q: QueryFragment<Db> + QueryId + Send,
{
    let conn: &Conn = conn;
    let sent = statements.into_iter().map(|statement| async move { statement.execute(&mut &*conn).await });
    try_join_all(sent).await?;
    Ok(())
}

/// A transaction that only reads, and sees all of it as it stood at one moment.
async fn snapshot<T, F>(conn: &mut Conn, work: F) -> Result<T, Fault>
where
    F: for<'r> AsyncFnOnce(&'r mut Conn) -> Result<T, Fault>,
{
    const OF_ONE_MOMENT: &str = "ISOLATION LEVEL REPEATABLE READ, READ ONLY";
    let status = AnsiTransactionManager::transaction_manager_status_mut(conn);
    if status.transaction_depth()?.is_some() {
        // The transaction of a query behind a pooler, in which nothing was read yet.
        conn.batch_execute(&format!("SET TRANSACTION {OF_ONE_MOMENT}")).await?;
        return work(conn).await;
    }
    AnsiTransactionManager::begin_transaction_sql(conn, &format!("BEGIN {OF_ONE_MOMENT}")).await?;
    let outcome = work(&mut *conn).await;
    match outcome {
        Ok(_) => AnsiTransactionManager::commit_transaction(conn).await?,
        Err(_) => AnsiTransactionManager::rollback_transaction(conn).await?,
    }
    outcome
}

/// Closes a connection, and ends what still runs on it: of the closing alone, a server that works or waits for a lock hears
/// nothing.
fn abandon(conn: Conn, ConnectionMode { tls, .. }: ConnectionMode) {
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

/// Applies what is pending in one transaction, on a connection of its own, one process at a time.
pub(super) async fn migrate(config: &Config) -> Result<Vec<String>, Error> {
    let begin = format!("{PATIENT}; /* migrations.lock */ SELECT pg_advisory_xact_lock({MIGRATION_LOCK})");
    in_transaction(config, &begin, |harness| {
        let pending = names(harness)?;
        harness.run_pending_migrations(MIGRATIONS)?;
        Ok(pending)
    })
    .await
}

/// The names of what is pending.
pub(super) async fn pending_migrations(config: &Config) -> Result<Vec<String>, Error> {
    in_transaction(config, "BEGIN", names).await
}

async fn in_transaction<T>(
    config: &Config,
    begin: &str,
    work: impl FnOnce(&mut AsyncMigrationHarness<Conn>) -> diesel::migration::Result<T>,
) -> Result<T, Error> {
    let told = |error| Fault::Query(error).into_error(false);
    let mut conn = solitary(config).await?;
    AnsiTransactionManager::begin_transaction_sql(&mut conn, begin).await.map_err(told)?;
    let mut harness = AsyncMigrationHarness::new(conn);
    // What fails is undone by the end of the connection.
    let outcome = work(&mut harness).map_err(Error::Bug)?;
    AnsiTransactionManager::commit_transaction(&mut harness.into_inner()).await.map_err(told)?;
    Ok(outcome)
}

fn names(harness: &mut AsyncMigrationHarness<Conn>) -> diesel::migration::Result<Vec<String>> {
    let pending = harness.pending_migrations(MIGRATIONS)?;
    Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
}

/// A connection that hears what is committed from now on. `None`: a pooler hands no notifications on.
pub(super) async fn listen(config: &Config) -> Result<Option<Listening>, Error> {
    if config.is_pooled {
        return Ok(None);
    }
    let mut conn = solitary(config).await?;
    conn.batch_execute("LISTEN cassius_calendar").await.map_err(|error| Error::Unavailable(Box::new(error)))?;
    Ok(Some(conn))
}

pub(super) async fn solitary(config: &Config) -> Result<Conn, Error> {
    connect(config).await.map_err(|error| Error::Unavailable(Box::new(error)))
}
