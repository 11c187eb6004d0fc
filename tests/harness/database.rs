//! A database for each test, on each back end.
//!
//! PostgreSQL is found by `TEST_POSTGRES_URL`, which names a server where databases may be made.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU32, Ordering};

use cassius_calendar::store::{Options, Store};
use diesel::Connection;
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use jiff::Timestamp;
use tokio::sync::OnceCell;

pub(crate) struct Database {
    pub(crate) store: Store,
    pub(crate) url: String,
    folder: Option<tempfile::TempDir>,
}

static MADE: AtomicU32 = AtomicU32::new(0);
/// The bytes of a migrated file of SQLite.
static MIGRATED_FILE: OnceCell<Vec<u8>> = OnceCell::const_new();
/// The name of a migrated database of PostgreSQL, which nobody is connected to.
static MIGRATED_DATABASE: OnceCell<String> = OnceCell::const_new();

pub(crate) fn server() -> String {
    std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL names a PostgreSQL where databases may be made")
}

fn on_server(database: &str) -> String {
    let mut url = url::Url::parse(&server()).unwrap();
    url.set_path(database);
    url.to_string()
}

pub(crate) async fn run_on_postgres(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

/// The number that a statement of one row and one column answers.
pub(crate) async fn number_on_postgres(url: &str, sql: &str) -> i64 {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let number = client.query_one(sql, &[]).await.unwrap().get(0);
    drop(client);
    connection.await.unwrap().unwrap();
    number
}

impl Database {
    /// With the tables in it: a copy of one that was migrated once.
    pub(crate) async fn on_sqlite() -> Self {
        let migrated = MIGRATED_FILE.get_or_init(|| async {
            let database = Self::empty_on_sqlite().await;
            database.store.migrate().await.unwrap();
            database.store.truncate_log().await.unwrap();
            std::fs::read(database.path()).unwrap()
        });
        let migrated = migrated.await;
        let fill = |file: &std::path::Path| {
            std::fs::write(file, migrated).unwrap();
            // As the service makes its own.
            std::fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
        };
        Self::in_new_file(fill).await
    }

    /// With the tables in it: a copy of one that was migrated once.
    pub(crate) async fn on_postgres() -> Self {
        let template = MIGRATED_DATABASE.get_or_init(|| async {
            let database = Self::empty_on_postgres().await;
            database.store.migrate().await.unwrap();
            // By the server's clock, which is ahead of that of most tests.
            database.run("UPDATE write_probes SET written_at = 'epoch'").await;
            database.name()
        });
        Self::created_by(&format!("TEMPLATE {}", template.await)).await
    }

    /// Without tables: for tests of what migrates it.
    pub(crate) async fn empty_on_sqlite() -> Self {
        Self::in_new_file(|_| ()).await
    }

    /// Without tables: for tests of what migrates it.
    pub(crate) async fn empty_on_postgres() -> Self {
        Self::created_by("").await
    }

    async fn in_new_file(fill: impl FnOnce(&std::path::Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        fill(&file);
        let url = format!("sqlite:{}", file.display());
        let store = Store::open(&url, &Options::default()).await.unwrap();
        Self { store, url, folder: Some(folder) }
    }

    async fn created_by(options: &str) -> Self {
        let name = format!("test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        run_on_postgres(&server(), &format!("CREATE DATABASE {name} {options}")).await;
        let url = on_server(&name);
        let store = Store::open(&url, &Options { pool_size: 4, ..Options::default() }).await.unwrap();
        Self { store, url, folder: None }
    }

    /// Drops a database of PostgreSQL; one whose test failed is left to be looked at.
    pub(crate) async fn drop(self) {
        let name = self.name();
        run_on_postgres(&server(), &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }

    pub(crate) fn name(&self) -> String {
        url::Url::parse(&self.url).unwrap().path().trim_start_matches('/').to_owned()
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.folder.is_none()
    }

    /// Runs a statement beside the store.
    pub(crate) async fn run(&self, sql: &str) {
        if self.is_postgres() {
            run_on_postgres(&self.url, sql).await;
        } else {
            self.connection().batch_execute(sql).unwrap();
        }
    }

    /// Whether the database refuses a statement.
    pub(crate) async fn fails(&self, sql: &str) -> bool {
        if !self.is_postgres() {
            return self.connection().batch_execute(sql).is_err();
        }
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let outcome = client.batch_execute(sql).await;
        drop(client);
        connection.await.unwrap().unwrap();
        outcome.is_err()
    }

    /// The number that a query of one row and one column answers.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        if self.is_postgres() {
            number_on_postgres(&self.url, sql).await
        } else {
            // SQLite is asked without waiting: nobody who bounds a loop of these would be heard.
            tokio::task::yield_now().await;
            diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(&format!("({sql})")))
                .get_result(&mut self.connection())
                .unwrap()
        }
    }

    /// The texts that a query of one column answers.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        if self.is_postgres() {
            let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
            let connection = tokio::spawn(connection);
            let texts = client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
            drop(client);
            connection.await.unwrap().unwrap();
            texts
        } else {
            diesel::dsl::sql::<diesel::sql_types::Text>(sql).load(&mut self.connection()).unwrap()
        }
    }

    /// Everything that is stored: the bytes of SQLite's files, or every row of every table of PostgreSQL as text, once
    /// as it is and once with what is binary decoded.
    pub(crate) async fn bytes(&self) -> Vec<u8> {
        if !self.is_postgres() {
            let files = std::fs::read_dir(self.folder()).unwrap();
            return files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        }
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let columns = "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
                       WHERE table_schema = 'public'";
        let mut bytes = Vec::new();
        for column in client.query(columns, &[]).await.unwrap() {
            let (table, column, kind): (String, String, String) = (column.get(0), column.get(1), column.get(2));
            let value = if kind == "bytea" { column } else { format!("convert_to({column}::text, 'UTF8')") };
            let select = format!("SELECT {value} FROM {table}");
            for row in client.query(&select, &[]).await.unwrap() {
                bytes.extend(row.get::<_, Option<Vec<u8>>>(0).unwrap_or_default());
                bytes.push(b'\n');
            }
        }
        drop(client);
        connection.await.unwrap().unwrap();
        bytes
    }

    /// Makes links of an organisation that are in step, each with an upcoming event: `rdv-1` and so on.
    pub(crate) async fn make_links(&self, organisation: &str, count: usize, now: Timestamp) {
        let (now, hour) = match self.is_postgres() {
            true => (format!("TIMESTAMPTZ '{now}'"), "INTERVAL '1 hour'"),
            false => (now.as_microsecond().to_string(), "3600000000"),
        };
        self.run(&format!(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count})
             INSERT INTO appointment_external_links (organisation_id, appointment_id, provider, revision, synced_revision,
                snapshot, starts_at, ends_at, sync_status, external_calendar_id, external_event_id, etag, created_at, updated_at)
             SELECT '{organisation}', 'rdv-' || n, 'google', 1, 1, 'sealed', {now} + {hour}, {now} + {hour} * (2 + n % 900),
                'synced', 'agenda', 'event-' || n, 'etag', {now}, {now} FROM n"
        ))
        .await;
    }

    /// A connection to SQLite beside the service; it waits its turn, as the service's own do.
    fn connection(&self) -> diesel::SqliteConnection {
        let mut conn = diesel::SqliteConnection::establish(&self.path()).unwrap();
        conn.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
        conn
    }

    pub(crate) fn path(&self) -> String {
        self.url.trim_start_matches("sqlite:").to_owned()
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().unwrap().path()
    }
}
