//! Connections, and how a query ends on one.
//!
//! Owns the pools and the deadlines. Never retries. Invariant: a query ends within its deadline, and a connection whose
//! state is unknown is closed, never handed on.
//!
//! Mounted once for each back end, like the queries.

use std::time::Duration;

use deadpool::managed::QueueMode;
use diesel_async::SimpleAsyncConnection as _;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, SetupCallback};
use tokio::time::{error::Elapsed, timeout};

use super::{Conn, ConnectionMode};
use crate::store::fault::Fault;
use crate::store::{Error, PoolUse};

/// How long a caller waits for a connection.
const CHECKOUT: Duration = Duration::from_millis(2_500);

/// How long a query may take that touches a few rows.
const BRIEF: Duration = Duration::from_secs(4);

/// How long a query may take that touches every row of an organisation.
const LONG: Duration = Duration::from_secs(30);

/// The connections of one database.
#[derive(Clone)]
pub(in crate::store) struct Pools {
    write: Pool<Conn>,
    read: Pool<Conn>,
    mode: ConnectionMode,
}

/// A connection with the time that the query on it may take.
pub(in crate::store) struct Checkout {
    conn: Object<Conn>,
    limit: Duration,
    mode: ConnectionMode,
}

impl Pools {
    pub(super) fn new(write: Pool<Conn>, read: Pool<Conn>, mode: ConnectionMode) -> Self {
        Self { write, read, mode }
    }

    /// Makes a connection, or takes one that is made: as patiently as its address says, not as a query waits.
    pub(in crate::store) async fn connect_patiently(&self) -> Result<(), Error> {
        self.read.get().await.map(drop).map_err(|error| Error::Unavailable(Box::new(error)))
    }

    /// For a query that changes nothing.
    pub(in crate::store) async fn read(&self) -> Result<Checkout, Error> {
        self.checkout(&self.read, BRIEF).await
    }

    /// For a query that changes nothing, and may read every row there is.
    pub(in crate::store) async fn read_all(&self) -> Result<Checkout, Error> {
        self.checkout(&self.read, LONG).await
    }

    /// For a query that changes a few rows.
    pub(in crate::store) async fn write(&self) -> Result<Checkout, Error> {
        self.checkout(&self.write, BRIEF).await
    }

    /// For a query that may change every row of an organisation.
    pub(in crate::store) async fn long(&self) -> Result<Checkout, Error> {
        let mut checkout = self.checkout(&self.write, LONG).await?;
        // A database that is away is told from one that has much to do before the long time is granted.
        match timeout(BRIEF, checkout.conn.batch_execute("/* pool.answers */ SELECT 1")).await {
            Ok(Ok(())) => Ok(checkout),
            Ok(Err(error)) => checkout.conclude(Ok(Err(error.into()))),
            Err(elapsed) => checkout.conclude(Err(elapsed)),
        }
    }

    /// What the connections do now.
    pub(in crate::store) fn in_use(&self) -> Vec<PoolUse> {
        let of = |name, pool: &Pool<Conn>| {
            let status = pool.status();
            let (idle, waiting) = (status.available, status.waiting);
            PoolUse { pool: name, busy: status.size.saturating_sub(idle), idle, waiting }
        };
        // What reads and writes are for alike is one.
        match std::ptr::eq(self.read.manager(), self.write.manager()) {
            true => vec![of("all", &self.write)],
            false => vec![of("write", &self.write), of("read", &self.read)],
        }
    }

    async fn checkout(&self, pool: &Pool<Conn>, limit: Duration) -> Result<Checkout, Error> {
        match timeout(CHECKOUT, pool.get()).await {
            Ok(Ok(conn)) => Ok(Checkout { conn, limit, mode: self.mode.clone() }),
            Ok(Err(error)) => Err(Error::Unavailable(Box::new(error))),
            Err(elapsed) => Err(Error::Unavailable(Box::new(elapsed))),
        }
    }
}

/// A pool of at most `size` connections, each made by `setup`.
pub(super) fn pool(url: &str, size: usize, setup: SetupCallback<Conn>) -> Pool<Conn> {
    let mut config = ManagerConfig::<Conn>::default();
    // A test query at each checkout would double the round-trips; a closed connection is recognised without one.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = setup;
    Pool::builder(AsyncDieselConnectionManager::new_with_config(url, config))
        .max_size(size.max(1))
        // The one that was used last: it has its statements prepared.
        .queue_mode(QueueMode::Lifo)
        .build()
        .expect("a pool without time-outs of its own needs no runtime")
}

impl Checkout {
    /// How long the query may take.
    pub(in crate::store) fn limit(&self) -> Duration {
        self.limit
    }

    /// The connection, ready for the query.
    pub(in crate::store) async fn begin(&mut self) -> Result<&mut Conn, Fault> {
        let conn: &mut Conn = &mut self.conn;
        super::begin(conn, &self.mode).await?;
        Ok(conn)
    }

    /// Ends what was begun, as the query came out.
    pub(in crate::store) async fn end<T>(&mut self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        super::end(&mut self.conn, &self.mode, outcome).await
    }

    /// Hands the connection back, or closes it where its state is unknown, and says what the query came to.
    pub(in crate::store) fn conclude<T>(mut self, outcome: Result<Result<T, Fault>, Elapsed>) -> Result<T, Error> {
        use diesel_async::pooled_connection::PoolableConnection;
        match outcome {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(fault)) => {
                let is_closed = self.conn.is_broken();
                Err(fault.into_error(is_closed))
            }
            Err(elapsed) => {
                // The statement may be running still.
                super::abandon(Object::take(self.conn), self.mode);
                Err(Error::Unavailable(Box::new(elapsed)))
            }
        }
    }
}
