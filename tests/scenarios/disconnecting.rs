//! Disconnecting: during work, with a dead grant, with Google away.

use cassius_calendar::google::CALL_DEADLINE;
use cassius_calendar::grpc::pb::{
    Appointment, DisconnectRequest, DisconnectResponse, ErrorReason, IntegrationState, RemoteEvents, SyncNowRequest,
    SyncStatus,
};
use serde_json::json;
use tokio::task::JoinHandle;

use super::reason;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::harness::samples::{appointment, instant, of_patient};

/// Begins a disconnect, and waits until it is seen.
async fn begin(app: &mut TestApp, remote_events: RemoteEvents) -> JoinHandle<DisconnectResponse> {
    let mut integrations = app.integrations.clone();
    let request = DisconnectRequest { organisation_id: "cabinet".into(), remote_events: remote_events.into() };
    let disconnect = tokio::spawn(async move { integrations.disconnect(request).await.unwrap().into_inner() });
    app.until("cabinet", |status| status.state() == IntegrationState::NotConnected).await;
    disconnect
}

async fn disconnect(app: &mut TestApp, organisation: &str, remote_events: RemoteEvents) -> DisconnectResponse {
    let request = DisconnectRequest { organisation_id: organisation.into(), remote_events: remote_events.into() };
    let response = app.integrations.disconnect(request).await.unwrap().into_inner();
    let status = response.status.as_ref().unwrap();
    assert_eq!((status.state(), status.google_email.as_str()), (IntegrationState::NotConnected, ""));
    response
}

/// No token of anybody is left in the database.
async fn tokens_are_gone(app: &TestApp) {
    let kept = "SELECT COUNT(*) FROM calendar_integrations
                WHERE access_token IS NOT NULL OR refresh_token IS NOT NULL OR google_email IS NOT NULL";
    assert_eq!(app.database.number(kept).await, 0);
}

async fn count(app: &TestApp, operation: &str) -> usize {
    app.google.journal().await.iter().filter(|call| call["operation"] == operation).count()
}

#[apply(both_backends)]
async fn it_waits_for_the_call_under_way_and_none_follows(app: &mut TestApp) {
    app.connect("cabinet").await;
    let hanging = app.google.hang("events.insert", true).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.google.until_called("events.insert", 1).await;
    // An edit that is due as soon as the call has ended.
    app.accept("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    let disconnect = begin(app, RemoteEvents::Keep).await;
    assert!(!disconnect.is_finished(), "a write is under way");
    app.google.let_go(hanging).await;
    disconnect.await.unwrap();
    let calls = app.google.journal().await;
    assert!(calls.iter().all(|call| !call["ended_at"].is_null()), "{calls:#?}");
    tokens_are_gone(app).await;

    let link = app.accept("cabinet", of_patient("rdv", 3, "Alix Essai")).await;
    assert_eq!(link.sync_status(), SyncStatus::None);
    app.advance(86_400);
    app.worker_looks().await;
    let writes = app.google.calls_of(ACCOUNT).await;
    assert_eq!(writes.iter().filter(|call| call.starts_with("events.")).count(), 1, "{writes:?}");
}

#[apply(both_backends)]
async fn a_worker_that_is_late_makes_no_further_call(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "lose_answer"})).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
    // The next attempt is insert (refused: it stands), get, patch; the get takes its time.
    let hanging = app.google.hang("events.get", true).await;
    app.advance(2);
    app.google.until_called("events.get", 1).await;
    let disconnect = begin(app, RemoteEvents::Keep).await;
    app.google.let_go(hanging).await;
    disconnect.await.unwrap();
    app.worker_looks().await;
    let calls = app.google.calls_of(ACCOUNT).await;
    let calls: Vec<_> = calls.iter().filter(|call| call.starts_with("events.")).collect();
    assert_eq!(calls, ["events.insert", "events.insert", "events.get"]);
}

#[apply(both_backends)]
async fn a_refresh_that_ends_late_brings_no_token_back(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.advance(3_600);
    let hanging = app.google.hang("token.refresh", true).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.google.until_called("token.refresh", 1).await;
    let disconnect = begin(app, RemoteEvents::Keep).await;
    app.google.let_go(hanging).await;
    disconnect.await.unwrap();
    tokens_are_gone(app).await;
    app.worker_looks().await;
    assert!(app.google.calls_of(ACCOUNT).await.iter().all(|call| !call.starts_with("events.")));
}

#[apply(both_backends)]
async fn it_succeeds_with_a_dead_grant_and_reconnecting_works_at_once(app: &mut TestApp) {
    app.connect("cabinet").await;
    let event = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
    let response = disconnect(app, "cabinet", RemoteEvents::DeleteUpcoming).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (0, 1));
    tokens_are_gone(app).await;
    app.connect("cabinet").await;
    app.integrations.sync_now(SyncNowRequest { organisation_id: "cabinet".into() }).await.unwrap();
    app.at_rest("cabinet").await;
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&events[0]["id"], &events[0]["summary"]),
        (&json!(event), &json!("[Cassius] Implant — Dominique Essai"))
    );
}

#[apply(both_backends)]
async fn it_succeeds_with_google_away(app: &mut TestApp) {
    for fault in [json!({"kind": "error", "code": 503, "reason": "backendError"}), json!({"kind": "reset"})] {
        app.connect("cabinet").await;
        for number in 0..9 {
            app.sync("cabinet", appointment(&format!("{} {number}", fault["kind"]), 1)).await;
        }
        app.google.forget_journal().await;
        let standing = app.google.events(ACCOUNT).await.len();
        app.google.control("faults", json!({"operation": "*", "fault": fault})).await;
        let response = disconnect(app, "cabinet", RemoteEvents::DeleteUpcoming).await;
        assert_eq!(
            (response.deleted_event_count, response.remaining_event_count),
            (0, i32::try_from(standing).unwrap())
        );
        tokens_are_gone(app).await;
        assert!(count(app, "events.delete").await <= 6, "a Google that is away is not asked for each event");
        app.google.no_more_faults().await;
    }
}

#[apply(both_backends)]
async fn it_succeeds_with_a_google_that_never_answers(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.hang("revoke", false).await;
    let disconnect = begin(app, RemoteEvents::Keep).await;
    app.google.until_called("revoke", 1).await;
    app.advance(i64::try_from(CALL_DEADLINE.as_secs()).unwrap());
    disconnect.await.unwrap();
    tokens_are_gone(app).await;
    app.connect("cabinet").await;
    assert_eq!(app.sync("cabinet", appointment("rdv", 1)).await.sync_status(), SyncStatus::Synced);
}

#[apply(both_backends)]
async fn the_same_account_finds_its_events_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    let event = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    disconnect(app, "cabinet", RemoteEvents::Keep).await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1);
    app.connect("cabinet").await;
    let link = app.sync("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    assert_eq!((link.sync_status(), link.external_event_id), (SyncStatus::Synced, event));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1);
}

#[apply(both_backends)]
async fn upcoming_events_are_deleted_when_that_is_asked_for(app: &mut TestApp) {
    app.connect("cabinet").await;
    let past = Appointment {
        start_time: Some(instant("2026-02-02T08:00:00Z")),
        end_time: Some(instant("2026-02-02T08:30:00Z")),
        ..appointment("past", 1)
    };
    app.sync("cabinet", past).await;
    app.sync("cabinet", appointment("one", 1)).await;
    app.sync("cabinet", appointment("two", 1)).await;
    assert_eq!(app.status("cabinet").await.counts.unwrap().upcoming_events, 2);
    let response = disconnect(app, "cabinet", RemoteEvents::DeleteUpcoming).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (2, 0));
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["extendedProperties"]["private"]["cassiusAppointmentId"], "past");
    // Idempotent.
    let response = disconnect(app, "cabinet", RemoteEvents::DeleteUpcoming).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (0, 0));
    app.connect("cabinet").await;
    app.integrations.sync_now(SyncNowRequest { organisation_id: "cabinet".into() }).await.unwrap();
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 3);
}

#[apply(both_backends)]
async fn a_grant_that_two_organisations_share_is_revoked_with_the_last(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.connect("annexe").await;
    disconnect(app, "cabinet", RemoteEvents::Keep).await;
    assert_eq!(count(app, "revoke").await, 0);
    let link = app.sync("annexe", appointment("rdv", 1)).await;
    assert_eq!(link.sync_status(), SyncStatus::Synced);
    // Another account counts for itself.
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    disconnect(app, "cabinet", RemoteEvents::Keep).await;
    assert_eq!(count(app, "revoke").await, 1);
    assert_eq!(app.sync("annexe", appointment("rdv 2", 1)).await.sync_status(), SyncStatus::Synced);
    disconnect(app, "annexe", RemoteEvents::Keep).await;
    assert_eq!(count(app, "revoke").await, 2);
    tokens_are_gone(app).await;
}
