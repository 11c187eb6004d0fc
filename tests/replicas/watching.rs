//! Many who watch, and many who wait: there is an end to how many.

use cassius_calendar::grpc::pb::{SyncAppointmentRequest, SyncStatus, WatchStatusRequest};
use serde_json::json;
use tonic::Code;

use crate::harness::app::{BOUND, TestApp, clients_within};
use crate::harness::database::Database;
use crate::harness::samples::appointment;
use crate::wire::refused::read;

/// How many may watch.
const WATCHERS: usize = 4_096;
/// How many may wait.
const WAITERS: i32 = 2_048;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_watcher_too_many_is_told_to_come_again() {
    let app = TestApp::start(Database::on_sqlite().await).await;
    let (mut integrations, _) = clients_within(&app);
    let request = || WatchStatusRequest { organisation_id: "cabinet".into() };
    let mut streams = Vec::new();
    for _ in 0..WATCHERS {
        streams.push(integrations.watch_status(request()).await.unwrap().into_inner());
    }
    read(&integrations.watch_status(request()).await.unwrap_err(), Code::ResourceExhausted, "OVERLOADED");
    let mut one = streams.pop().unwrap();
    assert!(one.message().await.unwrap().is_some(), "those who watch are told");
    drop(one);
    integrations.watch_status(request()).await.expect("there is a place again");
    drop(streams);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_waiter_too_many_is_answered_at_once() {
    let mut app = TestApp::start(Database::on_sqlite().await).await;
    app.connect("cabinet").await;
    app.google.fault("events.insert", 3, json!({"kind": "hang"})).await;
    let (_, appointments) = clients_within(&app);
    let request = |number: i32| SyncAppointmentRequest {
        organisation_id: "cabinet".into(),
        appointment: Some(appointment(&format!("rdv-{number}"), 1)),
        wait: Some(prost_types::Duration { seconds: 30, nanos: 0 }),
    };
    let mut waits = tokio::task::JoinSet::new();
    for number in 0..WAITERS {
        let (mut appointments, request) = (appointments.clone(), request(number));
        waits.spawn(async move { appointments.sync_appointment(request).await });
    }
    app.until("cabinet", |status| status.counts.is_some_and(|counts| counts.pending == WAITERS)).await;
    let mut appointments = appointments;
    let answer = tokio::time::timeout(BOUND, appointments.sync_appointment(request(WAITERS))).await;
    let link = answer.expect("it does not wait: the clock stands still").unwrap().into_inner().link.unwrap();
    assert_eq!(link.sync_status(), SyncStatus::Pending);
    waits.shutdown().await;
    app.google.no_more_faults().await;
    app.end().await;
}
