//! Replicas whose clocks differ.

use cassius_calendar::clock::Clock;
use cassius_calendar::grpc::pb::{Appointment, SyncAppointmentRequest, SyncStatus};
use jiff::SignedDuration;
use serde_json::json;

use super::Replica;
use crate::harness::app::{BOUND, TestApp};
use crate::harness::database::Database;
use crate::harness::samples::{appointment, instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_ahead_takes_over_no_lease_that_is_alive() {
    let clock = Clock::system();
    let mut app = TestApp::start_by(clock.clone(), Database::on_postgres().await, &[]).await;
    app.connect("cabinet").await;
    // Longer than a link is under a lease before the other one looks.
    app.google.settings(json!({"latency_ms": 150})).await;
    let ahead = Clock::system_set_wrong_by(SignedDuration::from_secs(45));
    let other = Replica::start(&app, &ahead).await;
    assert!(ahead.now().duration_since(clock.now()).abs() < SignedDuration::from_secs(1), "both follow the database");
    let tomorrow = |hours: i32| instant(&(clock.now() + SignedDuration::from_hours(24 + i64::from(hours))).to_string());
    let mut waits = tokio::task::JoinSet::new();
    for number in 0..40 {
        let mut appointments = if number % 2 == 0 { app.appointments.clone() } else { other.appointments.clone() };
        let times = Appointment {
            start_time: Some(tomorrow(number)),
            end_time: Some(tomorrow(number + 1)),
            ..appointment(&format!("rdv-{number}"), 1)
        };
        let request = SyncAppointmentRequest {
            organisation_id: "cabinet".into(),
            appointment: Some(times),
            wait: Some(prost_types::Duration { seconds: 30, nanos: 0 }),
        };
        waits.spawn(async move { appointments.sync_appointment(request).await.unwrap().into_inner().link.unwrap() });
    }
    let answers = tokio::time::timeout(BOUND, waits.join_all()).await.expect("every wait ends");
    assert!(answers.iter().all(|link| link.sync_status() == SyncStatus::Synced), "{answers:?}");
    assert_eq!(app.google.event_calls().await.len(), 40, "each was written once");
    other.app.stop().await;
    app.end().await;
}
