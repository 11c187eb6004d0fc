//! The database of the service, as whoever stands beside it sees it.
//!
//! Owns where it is, statements that are run past the service, and what it costs. Never measures by itself.

use std::sync::Arc;

use anyhow::Context as _;
use cassius_calendar::clock::Clock;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::process;

/// For so long a session of PostgreSQL keeps what it has counted to itself at most.
const UNTOLD: SignedDuration = SignedDuration::from_secs(11);

/// Where the data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BackEnd {
    Sqlite,
    Postgres,
}

impl BackEnd {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// An instant, as a statement spells it.
    pub(crate) fn instant(self, at: Timestamp) -> String {
        match self {
            Self::Sqlite => at.as_microsecond().to_string(),
            Self::Postgres => format!("TIMESTAMPTZ '{at}'"),
        }
    }

    /// So many seconds, the number being an expression.
    pub(crate) fn seconds(self, number: &str) -> String {
        match self {
            Self::Sqlite => format!("({number}) * 1000000"),
            Self::Postgres => format!("({number}) * INTERVAL '1 second'"),
        }
    }
}

/// A database. A clone is another handle; a file goes with the last one.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) back_end: BackEnd,
    pub(crate) url: String,
    /// The first process of PostgreSQL.
    server: Option<u32>,
    /// Holds the file of SQLite.
    _folder: Option<Arc<TempDir>>,
}

impl Database {
    /// An empty one: a file of its own, or `name` on the server that is named by the environment.
    pub(crate) async fn empty(back_end: BackEnd, name: &str) -> anyhow::Result<Self> {
        match back_end {
            BackEnd::Sqlite => {
                let folder = tempfile::tempdir()?;
                let url = format!("sqlite:{}", folder.path().join(format!("{name}.db")).display());
                Ok(Self { back_end, url, server: None, _folder: Some(Arc::new(folder)) })
            }
            BackEnd::Postgres => {
                let on_server = std::env::var("TEST_POSTGRES_URL")
                    .context("TEST_POSTGRES_URL names no PostgreSQL: use benches/run")?;
                let client = client(&on_server).await?;
                client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
                client.batch_execute(&format!("CREATE DATABASE {name}")).await?;
                let first_line = "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)::bigint";
                let server = u32::try_from(client.query_one(first_line, &[]).await?.get::<_, i64>(0))?;
                let mut url = url::Url::parse(&on_server)?;
                url.set_path(name);
                Ok(Self { back_end, url: url.into(), server: Some(server), _folder: None })
            }
        }
    }

    /// Runs a statement beside the service.
    pub(crate) async fn run(&self, sql: &str) -> anyhow::Result<()> {
        match self.back_end {
            BackEnd::Sqlite => tokio::task::block_in_place(|| Ok(self.file()?.batch_execute(sql)?)),
            BackEnd::Postgres => Ok(client(&self.url).await?.batch_execute(sql).await?),
        }
    }

    /// The number that a query of one row and one column answers.
    pub(crate) async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        match self.back_end {
            BackEnd::Sqlite => {
                let number = diesel::dsl::sql::<diesel::sql_types::BigInt>(&format!("({sql})"));
                Ok(diesel::select(number).get_result(&mut self.file()?)?)
            }
            BackEnd::Postgres => Ok(client(&self.url).await?.query_one(sql, &[]).await?.get(0)),
        }
    }

    /// The same of what PostgreSQL counts, once its sessions have told what they kept to themselves.
    pub(crate) async fn counted(&self, clock: &Clock, sql: &str) -> anyhow::Result<i64> {
        clock.sleep(UNTOLD).await;
        self.number(sql).await
    }

    /// Sees to what a database of such an age has behind it: statistics, and a log that is not full.
    pub(crate) async fn tidy(&self) -> anyhow::Result<()> {
        let statements: &[&str] = match self.back_end {
            BackEnd::Sqlite => &["PRAGMA wal_checkpoint(TRUNCATE)"],
            BackEnd::Postgres => &["VACUUM ANALYZE", "CHECKPOINT"],
        };
        for statement in statements {
            self.run(statement).await?;
        }
        Ok(())
    }

    /// The time of a processor that its server has spent so far, in seconds. SQLite has none: what it costs, the service
    /// spends.
    pub(crate) fn spent_seconds(&self) -> anyhow::Result<f64> {
        self.server.map_or(Ok(0.0), process::spent_seconds_with_children)
    }

    /// A connection to the file, which trusts that the power stays on.
    pub(crate) fn file(&self) -> anyhow::Result<SqliteConnection> {
        let mut conn = SqliteConnection::establish(self.url.trim_start_matches("sqlite:"))?;
        conn.batch_execute("PRAGMA busy_timeout = 10000; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000")?;
        Ok(conn)
    }
}

/// A connection to PostgreSQL, kept up by a task of this runtime until the client is dropped.
pub(crate) async fn client(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
