//! A database for each test, on each back end.
//!
//! PostgreSQL is found by `TEST_POSTGRES_URL`, which names a server where databases may be made.

use std::sync::atomic::{AtomicU32, Ordering};

use cassius_calendar::crypto::Sealed;
use cassius_calendar::model::{
    AppointmentId, Calendar, CalendarId, Etag, EventId, Fingerprint, Generation, GoogleUserId, OrganisationId, Place,
    Placement, Revision,
};
use cassius_calendar::store::{Acceptance, Claimed, Grant, Integration, Link, Options, Settlement, Store, Wanted};
use diesel::Connection;
use diesel::connection::SimpleConnection;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// Declares a test that runs once on each back end.
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($database:ident: &Database) $body:block)+) => {
        $(mod $name {
            use super::*;

            async fn check($database: &Database) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let database = Database::on_sqlite().await;
                check(&database).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                let database = Database::on_postgres().await;
                check(&database).await;
                database.drop().await;
            }
        })+
    };
}
pub(crate) use on_both;

pub(crate) struct Database {
    pub(crate) store: Store,
    pub(crate) url: String,
    folder: Option<tempfile::TempDir>,
}

static MADE: AtomicU32 = AtomicU32::new(0);

fn server() -> String {
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

impl Database {
    pub(crate) async fn on_sqlite() -> Self {
        let database = Self::empty_on_sqlite().await;
        database.store.migrate().await.unwrap();
        database
    }

    pub(crate) async fn on_postgres() -> Self {
        let database = Self::empty_on_postgres().await;
        database.store.migrate().await.unwrap();
        database
    }

    pub(crate) async fn empty_on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let store = Store::open(&url, &Options::default()).await.unwrap();
        Self { store, url, folder: Some(folder) }
    }

    pub(crate) async fn empty_on_postgres() -> Self {
        let name = format!("test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        run_on_postgres(&server(), &format!("CREATE DATABASE {name}")).await;
        let url = on_server(&name);
        let store = Store::open(&url, &Options { pool_size: 4 }).await.unwrap();
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
            let mut conn = diesel::SqliteConnection::establish(&self.path()).unwrap();
            conn.batch_execute(sql).unwrap();
        }
    }

    pub(crate) fn path(&self) -> String {
        self.url.trim_start_matches("sqlite:").to_owned()
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().unwrap().path()
    }

    pub(crate) async fn is_connected(&self, name: &str) -> Integration {
        self.store.connect(grant(name), at(0)).await.unwrap()
    }

    pub(crate) async fn accept(&self, name: &str, id: &str, revision: i64, now: Timestamp) -> Link {
        self.store.accept(vec![acceptance(name, id, revision)], now).await.unwrap().remove(0)
    }

    pub(crate) async fn the_link(&self, name: &str, id: &str) -> Link {
        self.store.link(&organisation(name), &appointment(id)).await.unwrap().unwrap()
    }

    pub(crate) async fn the_integration(&self, name: &str) -> Integration {
        self.store.integration(&organisation(name)).await.unwrap().unwrap()
    }

    /// Claims up to `count` links for a minute, and leaves their placements.
    pub(crate) async fn claim(&self, name: &str, count: i64, now: Timestamp) -> Vec<Claimed> {
        let wanted = [Wanted { organisation: organisation(name), count }];
        self.store.claim(&wanted, token(), now + MINUTE, now, |_| None).await.unwrap()
    }

    /// Claims one link and settles it as synced.
    pub(crate) async fn bring_in_step(&self, name: &str, placement: &Placement, now: Timestamp) {
        let claimed = self.claim(name, 1, now).await.remove(0);
        let settlement = synced(&claimed, placement);
        assert!(self.store.settle(&claimed, &settlement, now).await.unwrap());
    }
}

pub(crate) const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A token that no other claim of this run has.
pub(crate) fn token() -> Uuid {
    static DRAWN: AtomicU32 = AtomicU32::new(1);
    Uuid::from_u128(u128::from(DRAWN.fetch_add(1, Ordering::Relaxed)) << 64)
}

/// `seconds` after the beginning of every test.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(crate) fn organisation(name: &str) -> OrganisationId {
    OrganisationId::parse(name).unwrap()
}

pub(crate) fn appointment(id: &str) -> AppointmentId {
    AppointmentId::parse(id).unwrap()
}

pub(crate) fn revision(number: i64) -> Revision {
    Revision::new(number).unwrap()
}

pub(crate) fn sealed(text: &str) -> Sealed {
    Sealed::from_bytes(text.as_bytes().to_vec())
}

pub(crate) fn calendar(id: &str) -> Calendar {
    Calendar {
        id: CalendarId::new(id),
        name: format!("Agenda {id}"),
        time_zone: "Europe/Paris".into(),
        color: "#aabbcc".into(),
        is_primary: true,
    }
}

/// A grant of the account that belongs to `name`.
pub(crate) fn grant(name: &str) -> Grant {
    Grant {
        organisation: organisation(name),
        google_user_id: GoogleUserId::new(format!("account of {name}")),
        google_email: format!("{name}@example.com"),
        access_token: sealed("access"),
        refresh_token: sealed("refresh"),
        token_expires_at: at(3_600),
        granted_scopes: vec!["openid".into(), "email".into()],
        calendar: calendar("agenda"),
    }
}

/// An appointment that begins an hour after every test and takes half of one.
pub(crate) fn acceptance(name: &str, id: &str, number: i64) -> Acceptance {
    Acceptance {
        organisation: organisation(name),
        appointment: appointment(id),
        revision: revision(number),
        snapshot: sealed(&format!("snapshot {number}")),
        starts_at: Some(at(3_600)),
        ends_at: Some(at(5_400)),
    }
}

pub(crate) fn place(calendar: &str, event: &str, generation: i32) -> Place {
    Place { calendar: CalendarId::new(calendar), event: EventId::new(event), generation: Generation(generation) }
}

pub(crate) fn written(calendar: &str, event: &str, generation: i32) -> Placement {
    Placement::Written {
        place: place(calendar, event, generation),
        etag: Etag::new("\"1\""),
        fingerprint: Some(Fingerprint(vec![1, 2, 3])),
    }
}

pub(crate) fn absent(generation: i32) -> Placement {
    Placement::Absent { generation: Generation(generation) }
}

pub(crate) fn synced(claimed: &Claimed, placement: &Placement) -> Settlement {
    Settlement::Synced {
        placement: placement.clone(),
        html_link: Some("https://calendar.example/event".into()),
        revision: claimed.revision,
    }
}
