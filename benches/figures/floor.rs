//! The floor: a plain loop that inserts an event at Google and upserts a row, one after the other. It refuses nothing,
//! fears nothing and remembers nothing else; nobody can keep a calendar in step for less.

use cassius_calendar::clock::Clock;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Binary, Text};
use diesel::{RunQueryDsl as _, SqliteConnection};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio_postgres::Statement;

use crate::Stage;
use crate::database::{BackEnd, Database, client};
use crate::process;
use crate::samples::since;

/// What an event takes of the loop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor {
    /// Milliseconds of a processor.
    pub(crate) spent_ms: f64,
    /// Milliseconds.
    pub(crate) took_ms: f64,
}

/// Where the rows go.
enum Rows {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<tokio_postgres::Client>, Statement),
}

/// Runs the loop for so many events, on a thread of its own.
pub(crate) async fn run(stage: &Stage, back_end: BackEnd, events: u32) -> anyhow::Result<Floor> {
    const ACCOUNT: &str = "floor@figures.example";
    stage.google.add_account(ACCOUNT).await?;
    let token = stage.google.token(ACCOUNT).await?;
    let address = stage.google.url("/calendar/v3/calendars/primary/events?sendUpdates=none");
    let (database, clock) = (Database::empty(back_end, "floor").await?, stage.clock.clone());
    let on_its_thread = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(spend(&clock, &database, &address, &token, events))
    };
    tokio::task::spawn_blocking(on_its_thread).await?
}

async fn spend(clock: &Clock, database: &Database, url: &str, token: &str, events: u32) -> anyhow::Result<Floor> {
    let mut rows = Rows::open(database).await?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let google: Client<_, Full<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let (start, spent) = (clock.now(), process::spent_seconds_of_this_thread()?);
    for number in 0..events {
        let request = http::Request::post(url)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body(number)))?;
        let answer = google.request(request).await?;
        anyhow::ensure!(answer.status().is_success(), "Google refused it: {}", answer.status());
        let shown: serde_json::Value = serde_json::from_slice(&answer.into_body().collect().await?.to_bytes())?;
        let etag = shown["etag"].as_str().unwrap_or_default();
        rows.upsert(&format!("rdv-{number}"), &format!("floor{number:08}"), etag).await?;
    }
    let each = 1_000.0 / f64::from(events);
    let spent_ms = (process::spent_seconds_of_this_thread()? - spent) * each;
    Ok(Floor { spent_ms, took_ms: since(start, clock.now()) as f64 / 1e6 * each })
}

fn body(number: u32) -> String {
    let body = json!({
        "id": format!("floor{number:08}"),
        "summary": "[Cassius] Pose d’implant — Camille Exemple",
        "description": "<a href=\"http://127.0.0.1:3000/appointments/rdv\">Ouvrir dans Cassius</a>",
        "location": "Cabinet, salle 2",
        "start": {"dateTime": "2030-03-17T19:00:00+01:00", "timeZone": "Europe/Paris"},
        "end": {"dateTime": "2030-03-17T19:30:00+01:00", "timeZone": "Europe/Paris"},
        "visibility": "private",
        "extendedProperties": {"private": {"cassiusAppointmentId": format!("rdv-{number}")}},
    });
    body.to_string()
}

impl Rows {
    async fn open(database: &Database) -> anyhow::Result<Self> {
        match database.back_end {
            BackEnd::Sqlite => {
                let mut conn = database.file()?;
                // As the service opens its own.
                conn.batch_execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -4096")?;
                conn.batch_execute(&table("BLOB"))?;
                Ok(Self::Sqlite(Box::new(conn)))
            }
            BackEnd::Postgres => {
                let client = client(&database.url).await?;
                client.batch_execute(&table("BYTEA")).await?;
                let upsert = client.prepare(&upsert(["$1", "$2", "$3", "$4"])).await?;
                Ok(Self::Postgres(Box::new(client), upsert))
            }
        }
    }

    async fn upsert(&mut self, appointment: &str, event: &str, etag: &str) -> anyhow::Result<()> {
        // As much as a sealed snapshot has.
        let snapshot: &[u8] = &[1; 300];
        match self {
            Self::Sqlite(conn) => {
                let upsert = diesel::sql_query(upsert(["?"; 4]));
                let upsert = upsert.bind::<Text, _>(appointment).bind::<Text, _>(event);
                upsert.bind::<Text, _>(etag).bind::<Binary, _>(snapshot).execute(&mut **conn)?;
            }
            Self::Postgres(client, upsert) => {
                client.execute(upsert, &[&appointment, &event, &etag, &snapshot]).await?;
            }
        }
        Ok(())
    }
}

fn table(bytes: &str) -> String {
    format!("CREATE TABLE floor (appointment_id TEXT PRIMARY KEY, event_id TEXT, etag TEXT, snapshot {bytes})")
}

fn upsert(binds: [&str; 4]) -> String {
    format!(
        "INSERT INTO floor (appointment_id, event_id, etag, snapshot) VALUES ({}) ON CONFLICT (appointment_id) DO UPDATE
         SET event_id = excluded.event_id, etag = excluded.etag, snapshot = excluded.snapshot",
        binds.join(", ")
    )
}
