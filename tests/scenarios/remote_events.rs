//! Which events a disconnect deletes, which it counts, and what becomes of them when the account is back.

use cassius_calendar::grpc::pb::{
    Appointment, AppointmentState, DisconnectRequest, DisconnectResponse, ErrorReason, RemoteEvents, SyncNowRequest,
    SyncStatus,
};
use serde_json::json;

use super::{enable, reason};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, instant};

/// One that was over when the test begins.
fn past(id: &str, revision: i64) -> Appointment {
    Appointment {
        start_time: Some(instant("2026-02-02T08:00:00Z")),
        end_time: Some(instant("2026-02-02T08:30:00Z")),
        ..appointment(id, revision)
    }
}

async fn disconnect(app: &mut TestApp, remote_events: RemoteEvents) -> DisconnectResponse {
    let request = DisconnectRequest { organisation_id: "cabinet".into(), remote_events: remote_events.into() };
    app.integrations.disconnect(request).await.unwrap().into_inner()
}

#[apply(both_backends)]
async fn upcoming_is_what_google_shows_so_and_not_only_what_cassius_says(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("moved", 1)).await;
    app.sync("cabinet", past("over", 1)).await;
    enable(app, false).await;
    // Twice: what came between was never sent either.
    for revision in [2, 3] {
        app.accept("cabinet", past("moved", revision)).await;
    }
    app.accept("cabinet", Appointment { patient_name: "Alix Essai".into(), ..past("over", 2) }).await;
    let response = disconnect(app, RemoteEvents::DeleteUpcoming).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (1, 0));
    assert!(app.google.events_of(ACCOUNT, "moved").await.is_empty(), "it showed a time to come");
    assert_eq!(app.google.events_of(ACCOUNT, "over").await.len(), 1);
}

#[apply(both_backends)]
async fn what_was_deleted_with_all_and_is_over_is_written_anew_only_once_it_changes(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", past("over", 1)).await;
    app.sync("cabinet", appointment("upcoming", 1)).await;
    let response = disconnect(app, RemoteEvents::DeleteAll).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (2, 0));
    app.connect("cabinet").await;
    let request = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    app.integrations.sync_now(request).await.unwrap();
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events_of(ACCOUNT, "upcoming").await.len(), 1);
    assert!(app.google.events_of(ACCOUNT, "over").await.is_empty());
    assert_eq!(app.link("cabinet", "over").await.sync_status(), SyncStatus::None);
    app.sync("cabinet", past("over", 2)).await;
    assert_eq!(app.google.events_of(ACCOUNT, "over").await.len(), 1);
}

#[apply(both_backends)]
async fn what_was_called_off_while_the_grant_was_dead_goes_once_the_account_is_back(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", past("over", 1)).await;
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", Appointment { state: AppointmentState::Cancelled.into(), ..past("over", 2) }).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
    let response = disconnect(app, RemoteEvents::DeleteAll).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (0, 1));
    app.connect("cabinet").await;
    app.at_rest("cabinet").await;
    assert!(app.google.events_of(ACCOUNT, "over").await.is_empty());
}

#[apply(both_backends)]
async fn what_google_never_took_is_neither_counted_nor_told_as_remaining(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "error", "code": 400, "reason": "timeRangeEmpty"})).await;
    app.sync("cabinet", appointment("refused", 1)).await;
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", appointment("never called for", 1)).await;
    let status = app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
    assert_eq!(status.counts.map(|counts| (counts.pending, counts.error, counts.upcoming_events)), Some((1, 1, 0)));
    let response = disconnect(app, RemoteEvents::DeleteUpcoming).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (0, 0));
}
