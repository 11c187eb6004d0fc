//! `RetryAppointments`: what stands in error or waits is tried again.

use cassius_calendar::grpc::pb::{RetryAppointmentsRequest, SyncStatus};
use serde_json::json;
use tonic::{Code, Status};

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::appointment;
use crate::wire::refused::refused;

async fn retry(app: &mut TestApp, ids: &[&str]) -> Result<i32, Status> {
    let appointment_ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let request = RetryAppointmentsRequest { organisation_id: "cabinet".into(), appointment_ids };
    app.appointments.retry_appointments(request).await.map(|answer| answer.into_inner().queued_count)
}

/// Two that Google refused, one that waits an hour for it, one that is synced.
async fn stage(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("synced", 1)).await;
    app.google.fault("events.insert", 2, json!({"kind": "error", "code": 400, "reason": "badRequest"})).await;
    for id in ["refused-1", "refused-2"] {
        assert_eq!(app.sync("cabinet", appointment(id, 1)).await.sync_status(), SyncStatus::Error);
    }
    let away = json!({"kind": "error", "code": 503, "reason": "backendError", "retry_after_seconds": 3600});
    app.google.fault("events.insert", 1, away).await;
    app.accept("cabinet", appointment("waiting", 1)).await;
    app.until("cabinet", |status| status.problem.is_some()).await;
    app.google.forget_journal().await;
}

async fn stands(app: &mut TestApp, id: &str) -> SyncStatus {
    app.link("cabinet", id).await.sync_status()
}

#[apply(both_backends)]
async fn without_ids_all_that_stand_in_error_are_tried_again(app: &mut TestApp) {
    stage(app).await;
    assert_eq!(retry(app, &[]).await.unwrap(), 2);
    let status = app.until("cabinet", |status| status.counts.unwrap().synced == 3).await;
    assert_eq!(status.counts.unwrap().pending, 1);
    assert_eq!(stands(app, "waiting").await, SyncStatus::Pending);
    assert_eq!(app.google.event_calls().await, ["events.insert"; 2]);
    assert_eq!(retry(app, &[]).await.unwrap(), 0);
}

#[apply(both_backends)]
async fn named_ones_are_tried_again_and_no_others(app: &mut TestApp) {
    stage(app).await;
    // What is synced is left as it is, and what is named twice is one.
    assert_eq!(retry(app, &["refused-1", "waiting", "synced", "refused-1"]).await.unwrap(), 2);
    app.at_rest("cabinet").await;
    assert_eq!(stands(app, "refused-1").await, SyncStatus::Synced);
    assert_eq!(stands(app, "waiting").await, SyncStatus::Synced);
    assert_eq!(stands(app, "refused-2").await, SyncStatus::Error);
    assert_eq!(app.google.event_calls().await, ["events.insert"; 2]);
    assert_eq!(app.google.events(ACCOUNT).await.len(), 3);
}

#[apply(both_backends)]
async fn an_unknown_id_queues_nothing_and_is_named(app: &mut TestApp) {
    stage(app).await;
    let refusal = refused(
        retry(app, &["refused-1", "inconnu", "refused-2", "perdu"]).await,
        Code::NotFound,
        "APPOINTMENT_NOT_FOUND",
    );
    assert_eq!(refusal.resources, ["inconnu", "perdu"]);
    assert_eq!(refusal.metadata["unknown_appointments"], "2");
    for id in ["refused-1", "refused-2"] {
        assert_eq!(stands(app, id).await, SyncStatus::Error);
    }
    assert!(app.google.event_calls().await.is_empty());
    // A thousand unknown ones still make an answer that a client can read.
    let many: Vec<_> = (0..1_000).map(|number| format!("inconnu-{number}-{}", "x".repeat(100))).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let refusal = refused(retry(app, &many).await, Code::NotFound, "APPOINTMENT_NOT_FOUND");
    assert_eq!(refusal.metadata["unknown_appointments"], "1000");
    assert!(!refusal.resources.is_empty());
}

#[apply(both_backends)]
async fn nothing_is_queued_that_no_connected_integration_could_send(app: &mut TestApp) {
    app.accept("cabinet", appointment("rdv", 1)).await;
    assert_eq!(retry(app, &["rdv"]).await.unwrap(), 0);
    assert_eq!(retry(app, &[]).await.unwrap(), 0);
    assert_eq!(stands(app, "rdv").await, SyncStatus::None);
    refused(retry(app, &["inconnu"]).await, Code::NotFound, "APPOINTMENT_NOT_FOUND");
}

#[apply(both_backends)]
async fn one_that_google_refuses_again_stands_in_error_again(app: &mut TestApp) {
    stage(app).await;
    app.google.fault("events.insert", 1, json!({"kind": "error", "code": 400, "reason": "badRequest"})).await;
    assert_eq!(retry(app, &["refused-1"]).await.unwrap(), 1);
    app.until("cabinet", |status| status.counts.unwrap().pending == 1).await;
    assert_eq!(stands(app, "refused-1").await, SyncStatus::Error);
    assert_eq!(app.google.event_calls().await, ["events.insert"]);
}
