//! Google refuses one appointment for good; nothing else suffers.

use cassius_calendar::grpc::pb::{ErrorReason, IntegrationState, RetryAppointmentsRequest, SyncStatus};
use serde_json::json;

use super::reason;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, of_patient};

/// Google's answer to what it will never take.
async fn refuse_next(app: &TestApp, operation: &str) {
    app.google.fault(operation, 1, json!({"kind": "error", "code": 400, "reason": "badRequest"})).await;
}

async fn retry(app: &mut TestApp, appointments: &[&str]) -> i32 {
    let request = RetryAppointmentsRequest {
        organisation_id: "cabinet".into(),
        appointment_ids: appointments.iter().map(|id| (*id).to_owned()).collect(),
    };
    app.appointments.retry_appointments(request).await.unwrap().into_inner().queued_count
}

#[apply(both_backends)]
async fn it_alone_stands_in_error_and_the_others_flow(app: &mut TestApp) {
    app.connect("cabinet").await;
    refuse_next(app, "events.insert").await;
    let link = app.sync("cabinet", appointment("refused", 1)).await;
    assert_eq!(link.sync_status(), SyncStatus::Error);
    let error = link.last_error.unwrap();
    assert_eq!((error.reason(), error.retryable), (ErrorReason::EventRefused, false));
    assert!(error.message.contains(' ') && error.message.ends_with('.'), "a sentence: {}", error.message);
    for number in 0..5 {
        let link = app.sync("cabinet", appointment(&format!("good {number}"), 1)).await;
        assert_eq!(link.sync_status(), SyncStatus::Synced);
    }
    let status = app.status("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    let counts = status.counts.unwrap();
    assert_eq!((counts.synced, counts.error, counts.pending), (5, 1, 0));
    app.advance(7 * 86_400);
    app.worker_looks().await;
    assert_eq!(app.google.calls_of(ACCOUNT).await.iter().filter(|call| *call == "events.insert").count(), 6);
}

#[apply(both_backends)]
async fn it_is_sent_again_when_it_changes(app: &mut TestApp) {
    app.connect("cabinet").await;
    refuse_next(app, "events.insert").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    let link = app.sync("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
    assert!(link.last_error.is_none());
    refuse_next(app, "events.patch").await;
    let link = app.sync("cabinet", of_patient("rdv", 3, "Alix Essai")).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Error, 2));
    let link = app.sync("cabinet", of_patient("rdv", 4, "Dominique Essai")).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 4));
    assert_eq!(app.google.events(ACCOUNT).await[0]["summary"], "[Cassius] Implant — Dominique Essai");
}

#[apply(both_backends)]
async fn it_is_sent_again_when_somebody_asks(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["one", "two", "three"] {
        refuse_next(app, "events.insert").await;
        assert_eq!(app.sync("cabinet", appointment(id, 1)).await.sync_status(), SyncStatus::Error);
    }
    assert_eq!(retry(app, &["one"]).await, 1);
    app.at_rest("cabinet").await;
    assert_eq!(app.link("cabinet", "one").await.sync_status(), SyncStatus::Synced);
    assert_eq!(app.link("cabinet", "two").await.sync_status(), SyncStatus::Error);
    assert_eq!(retry(app, &[]).await, 2);
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 3);
    assert_eq!(retry(app, &["one", "two"]).await, 0, "what is well is left alone");
}
