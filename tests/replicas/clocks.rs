//! Replicas whose clocks differ.

use cassius_calendar::clock::Clock;
use cassius_calendar::grpc::pb::{Appointment, SyncAppointmentRequest, SyncStatus};
use jiff::SignedDuration;
use serde_json::json;

use super::Replica;
use crate::harness::app::{BOUND, TestApp};
use crate::harness::database::Database;
use crate::harness::google::ACCOUNT;
use crate::harness::logs;
use crate::harness::samples::{appointment, instant};
use crate::scenarios::until_number;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_replica_that_hears_of_a_clock_set_forward_takes_over_no_call_under_way() {
    let mut app = TestApp::start(Database::on_postgres().await).await;
    app.connect("cabinet").await;
    let hanging = app.google.hang("events.insert", true).await;
    app.accept("cabinet", appointment("slow", 1)).await;
    app.google.until_called("events.insert", 1).await;
    let clock = Clock::manual(app.clock.now());
    let mut other = Replica::start(&app, &clock).await;
    let looks = || logs::lines_with("the system clock was set forward").len();
    let before = looks();
    clock.correct(SignedDuration::from_hours(1));
    let request = |id: &str| SyncAppointmentRequest {
        organisation_id: "cabinet".into(),
        appointment: Some(appointment(id, 1)),
        wait: None,
    };
    other.appointments.sync_appointment(request("wakes the other")).await.unwrap();
    let heard = async {
        while looks() == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, heard).await.expect("the other one hears of it");
    app.google.no_two_calls_for_one_event_at_a_time().await;

    // This one hears of it next, and says what it holds.
    app.clock.correct(SignedDuration::from_hours(1));
    app.accept("cabinet", appointment("wakes this one", 1)).await;
    let held = format!(
        "SELECT COUNT(*) FROM appointment_external_links WHERE appointment_id = 'slow' AND lease_until > '{}'",
        app.clock.now()
    );
    until_number(&app, &held, 1).await;
    clock.advance(SignedDuration::from_secs(15));
    for id in ["wakes the other", "wakes this one"] {
        app.until_link("cabinet", id, |link| link.sync_status() == SyncStatus::Synced).await;
    }
    app.google.no_two_calls_for_one_event_at_a_time().await;
    app.google.let_go(hanging).await;
    app.until_link("cabinet", "slow", |link| link.sync_status() == SyncStatus::Synced).await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 3);
    other.app.stop().await;
    app.end().await;
}
