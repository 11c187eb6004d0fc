//! How `serve` ends when an orchestrator asks it to.

use std::time::Duration;

use cassius_calendar::clock::Clock;
use cassius_calendar::grpc::pb::appointment_sync_client::AppointmentSyncClient;
use cassius_calendar::grpc::pb::calendar_integration_client::CalendarIntegrationClient;
use cassius_calendar::grpc::pb::{Appointment, SyncAppointmentRequest, SyncStatus};
use serde_json::json;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::process::{Process, Settings, settings, with};
use crate::harness::browser::Browser;
use crate::harness::database::Database;
use crate::harness::google::{ACCOUNT, Google};
use crate::harness::samples::{appointment, instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_tells_probes_ends_waits_and_gives_leases_back_on_sqlite() {
    let database = Database::empty_on_sqlite().await;
    drains(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_tells_probes_ends_waits_and_gives_leases_back_on_postgres() {
    let database = Database::empty_on_postgres().await;
    drains(&database).await;
    database.drop().await;
}

async fn drains(database: &Database) {
    let google = Google::start(&Clock::system()).await;
    let folder = tempfile::tempdir().unwrap();
    let settings = at(&google, database);
    let mut process = Process::start(&["serve"], &settings, folder.path());
    let (grpc, http) = process.addresses();
    let channel = Channel::from_shared(format!("http://{grpc}")).unwrap().connect().await.unwrap();
    let mut integrations = CalendarIntegrationClient::with_interceptor(channel.clone(), Ok as _);
    assert_eq!(Browser::new(http).consent(&mut integrations, "cabinet", ACCOUNT).await, "connected");
    let mut health = HealthClient::new(channel.clone());
    let mut health = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(health.message().await.unwrap().unwrap().status(), ServingStatus::Serving);

    // Google takes the insert and does not answer; a caller waits for it.
    google.fault("events.insert", 1, json!({"kind": "hang"})).await;
    let request = SyncAppointmentRequest {
        organisation_id: "cabinet".into(),
        appointment: Some(upcoming("rdv", 1)),
        wait: Some(prost_types::Duration { seconds: 30, nanos: 0 }),
    };
    let mut appointments = AppointmentSyncClient::new(channel);
    let waiting = tokio::spawn({
        let request = request.clone();
        async move { appointments.sync_appointment(request).await }
    });
    an_insert_is_under_way(&google).await;
    assert_eq!(leases(database).await, 1);

    process.signal("TERM");
    assert_eq!(health.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    let link = waiting.await.unwrap().unwrap().into_inner().link.unwrap();
    assert_eq!((link.sync_status(), link.revision, link.synced_revision), (SyncStatus::Pending, 1, 0));
    let (status, took) = tokio::task::spawn_blocking(move || process.ended()).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(15), "it took {took:?}");
    assert_eq!(leases(database).await, 0);

    // Whoever comes next goes on where it ended, without waiting for a lease to lapse.
    google.no_more_faults().await;
    let mut process = Process::start(&["serve"], &settings, folder.path());
    let (grpc, _) = process.addresses();
    let mut appointments = AppointmentSyncClient::connect(format!("http://{grpc}")).await.unwrap();
    let link = appointments.sync_appointment(request).await.unwrap().into_inner().link.unwrap();
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 1));
    assert_eq!(google.events(ACCOUNT).await.len(), 1);
    drop(appointments);
    process.stop();
}

/// The settings of a service before this Google and on this database.
fn at(google: &Google, database: &Database) -> Settings {
    let mut settings =
        with(&settings(), &[("DATABASE_URL", &database.url), ("CASSIUS_APP_URL", "http://127.0.0.1:3000")]);
    settings.extend(google.service_settings().map(|(name, value)| (name.to_owned(), value)));
    settings
}

/// An appointment that is still to come by the system's clock, which the process goes by.
fn upcoming(id: &str, revision: i64) -> Appointment {
    let (start_time, end_time) = (instant("2090-04-02T08:00:00Z"), instant("2090-04-02T08:30:00Z"));
    Appointment { start_time: Some(start_time), end_time: Some(end_time), ..appointment(id, revision) }
}

async fn an_insert_is_under_way(google: &Google) {
    let seen = async { while !google.event_calls().await.contains(&"events.insert".to_owned()) {} };
    tokio::time::timeout(Duration::from_secs(60), seen).await.expect("the worker calls Google");
}

/// How many leases stand in the database.
async fn leases(database: &Database) -> i64 {
    const COUNT: &str = "SELECT count(*) AS count FROM appointment_external_links WHERE lease_token IS NOT NULL";
    if database.is_postgres() {
        let (client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        return client.query_one(COUNT, &[]).await.unwrap().get(0);
    }
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let mut conn = <diesel::SqliteConnection as diesel::Connection>::establish(&database.path()).unwrap();
    let row: Row = diesel::RunQueryDsl::get_result(diesel::sql_query(COUNT), &mut conn).unwrap();
    row.count
}
