//! A disconnect that deletes two thousand events, killed three times on the way.

use std::time::Duration;

use cassius_calendar::clock::Clock;
use cassius_calendar::grpc::pb::{
    Appointment, DisconnectRequest, IntegrationState, RemoteEvents, SyncAppointmentRequest, WatchStatusRequest,
};
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::callers::pause;
use super::service::Service;
use super::{REST, connect, rest, settings};
use crate::harness::app::clients_at;
use crate::harness::database::Database;
use crate::harness::google::{ACCOUNT, Google};
use crate::harness::samples::{appointment, instant};

const EVENTS: usize = 2_000;
const KILLS: u32 = 3;
/// What Google allows a minute, and what the service is told: a process that is killed forgets what it spent, so that each
/// one may begin with a burst.
const GOOGLE_ALLOWS: u32 = 12_000;
const SERVICE_SPENDS: &str = "9000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnect_deletes_two_thousand_events_though_the_process_is_killed_on_sqlite() {
    deletes_all(&Database::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnect_deletes_two_thousand_events_though_the_process_is_killed_on_postgres() {
    let database = Database::on_postgres().await;
    deletes_all(&database).await;
    database.drop().await;
}

async fn deletes_all(database: &Database) {
    let google = Google::start(&Clock::system()).await;
    google.settings(json!({"user_units_per_minute": GOOGLE_ALLOWS, "project_units_per_minute": GOOGLE_ALLOWS})).await;
    let mut settings = settings(&database.url, &google);
    for (name, value) in &mut settings {
        if name.starts_with("QUOTA_") {
            *value = SERVICE_SPENDS.to_owned();
        }
    }
    let mut service = Service::new(settings);
    service.start();
    connect(&service).await;
    fill(&service).await;
    assert_eq!(google.events(ACCOUNT).await.len(), EVENTS);
    google.forget_journal().await;

    let request =
        || DisconnectRequest { organisation_id: "cabinet".into(), remote_events: RemoteEvents::DeleteUpcoming.into() };
    for _ in 0..KILLS {
        let (mut integrations, _) = clients_at(service.serving().await.grpc).await;
        // Whoever asked goes down with the process, or goes away.
        let call = tokio::spawn(async move { drop(integrations.disconnect(request()).await) });
        let before = google.events(ACCOUNT).await.len();
        while google.events(ACCOUNT).await.len() == before {
            pause(Duration::from_millis(100)).await;
        }
        service.kill();
        call.abort();
        service.start();
    }
    let left = google.events(ACCOUNT).await.len();
    assert!(left > 0 && left < EVENTS, "it was killed on the way: {left} are left");

    // Nobody asks again: it goes on by itself.
    let (mut integrations, _) = clients_at(service.serving().await.grpc).await;
    let watch = WatchStatusRequest { organisation_id: "cabinet".into() };
    let mut statuses = integrations.watch_status(watch).await.unwrap().into_inner();
    loop {
        // Nothing is asked of how long it takes in all, but that it goes on.
        let Ok(message) = tokio::time::timeout(REST, statuses.message()).await else {
            panic!("it stands still:\n{}", service.last_words());
        };
        let status = message.unwrap().unwrap().status.unwrap();
        if status.state() == IntegrationState::NotConnected {
            break;
        }
        assert_eq!((status.state(), status.problem), (IntegrationState::Disconnecting, None));
    }
    assert_eq!(google.events(ACCOUNT).await.len(), 0);
    let response = integrations.disconnect(request()).await.unwrap().into_inner();
    assert_eq!(response.remaining_event_count, 0);
    let calls = google.journal().await;
    let throttled = calls.iter().filter(|call| call["reason"] == "userRateLimitExceeded").count();
    assert_eq!(throttled, 0, "the quota is kept");
    assert_eq!(calls.iter().filter(|call| call["operation"] == "revoke").count(), 1);
    assert_eq!(service.defects(), [""; 0]);
}

/// Writes the events to Google.
async fn fill(service: &Service) {
    let (mut integrations, appointments) = clients_at(service.serving().await.grpc).await;
    let accept = |number: usize| {
        let mut appointments = appointments.clone();
        // Far ahead of the system's clock: what is over is not deleted.
        let appointment = Appointment {
            start_time: Some(instant("2090-05-04T08:00:00Z")),
            end_time: Some(instant("2090-05-04T08:30:00Z")),
            ..appointment(&format!("rdv {number}"), 1)
        };
        let request =
            SyncAppointmentRequest { organisation_id: "cabinet".into(), appointment: Some(appointment), wait: None };
        async move { drop(appointments.sync_appointment(request).await.unwrap()) }
    };
    stream::iter(0..EVENTS).map(accept).buffer_unordered(64).collect::<Vec<_>>().await;
    rest(&mut integrations, "cabinet").await;
}
