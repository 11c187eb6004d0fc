//! Disconnecting: during work, with a dead grant, with Google away.

use cassius_calendar::google::CALL_DEADLINE;
use cassius_calendar::grpc::pb::{
    Appointment, BeginConnectRequest, DisconnectRequest, DisconnectResponse, ErrorReason, IntegrationState,
    RemoteEvents, SyncNowRequest, SyncStatus,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tonic::Code;

use super::{reason, until_number, with_plenty_of_quota};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::harness::samples::{appointment, instant, of_patient};
use crate::wire::refused::refused;

/// Begins a disconnect, and waits until it is seen.
pub(super) async fn begin(app: &mut TestApp, remote_events: RemoteEvents) -> JoinHandle<DisconnectResponse> {
    let mut integrations = app.integrations.clone();
    let request = DisconnectRequest { organisation_id: "cabinet".into(), remote_events: remote_events.into() };
    let disconnect = tokio::spawn(async move { integrations.disconnect(request).await.unwrap().into_inner() });
    app.until("cabinet", |status| status.state() == IntegrationState::Disconnecting).await;
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
    app.integrations
        .sync_now(SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() })
        .await
        .unwrap();
    app.at_rest("cabinet").await;
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&events[0]["id"], &events[0]["summary"]),
        (&json!(event), &json!("[Cassius] Implant — Dominique Essai"))
    );
}

/// Nine events at a Google that is away from now on; answers what a caller is told after ten seconds.
async fn with_google_away(app: &mut TestApp, fault: Value) -> DisconnectResponse {
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    for number in 0..9 {
        app.sync("cabinet", appointment(&format!("rdv {number}"), 1)).await;
    }
    app.google.forget_journal().await;
    app.google.control("faults", json!({"operation": "*", "fault": fault})).await;
    let disconnect = begin(app, RemoteEvents::DeleteUpcoming).await;
    until_number(app, "SELECT COUNT(*) FROM owed_deletions WHERE last_error IS NOT NULL AND lease_until IS NULL", 9)
        .await;
    assert!(!disconnect.is_finished(), "a caller waits for ten seconds");
    app.advance(10);
    let response = disconnect.await.unwrap();
    let status = response.status.clone().unwrap();
    assert_eq!(status.state(), IntegrationState::Disconnecting);
    let progress = status.disconnect.unwrap();
    assert_eq!((progress.total, progress.done, progress.failed), (9, 0, 0));
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (0, 9));
    response
}

#[apply(both_backends)]
async fn with_google_away_it_goes_on_by_itself_until_all_are_gone(app: &mut TestApp) {
    with_google_away(app, json!({"kind": "error", "code": 503, "reason": "backendError"})).await;
    app.google.no_more_faults().await;
    // Longer than any delay so far, and a restart in between.
    app.restart_after(900).await;
    app.until("cabinet", |status| status.state() == IntegrationState::NotConnected).await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 0);
    tokens_are_gone(app).await;
    assert_eq!(count(app, "revoke").await, 1);
    let response = disconnect(app, "cabinet", RemoteEvents::DeleteUpcoming).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (0, 0));
}

#[apply(both_backends)]
async fn with_google_away_for_a_day_it_ends_and_what_remains_is_told_and_found_again(app: &mut TestApp) {
    with_google_away(app, json!({"kind": "reset"})).await;
    app.restart_after(86_400).await;
    app.until("cabinet", |status| status.state() == IntegrationState::NotConnected).await;
    tokens_are_gone(app).await;
    app.google.no_more_faults().await;
    for _ in 0..2 {
        let response = disconnect(app, "cabinet", RemoteEvents::DeleteUpcoming).await;
        assert_eq!((response.deleted_event_count, response.remaining_event_count), (0, 9), "it is told again");
    }
    app.connect("cabinet").await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 9, "none is doubled");
    let response = disconnect(app, "cabinet", RemoteEvents::DeleteUpcoming).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (9, 0));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 0);
}

#[apply(both_backends)]
async fn keeping_meanwhile_ends_it_at_once_and_leaves_the_rest(app: &mut TestApp) {
    with_google_away(app, json!({"kind": "error", "code": 503, "reason": "backendError"})).await;
    let response = disconnect(app, "cabinet", RemoteEvents::Keep).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (0, 0));
    tokens_are_gone(app).await;
    app.google.no_more_faults().await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 9);
    app.connect("cabinet").await;
    app.integrations
        .sync_now(SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() })
        .await
        .unwrap();
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 9, "none is doubled");
}

#[apply(both_backends)]
async fn nobody_connects_before_it_has_ended(app: &mut TestApp) {
    with_google_away(app, json!({"kind": "error", "code": 503, "reason": "backendError"})).await;
    let request =
        BeginConnectRequest { organisation_id: "cabinet".into(), return_url: String::new(), ..Default::default() };
    refused(app.integrations.begin_connect(request).await, Code::FailedPrecondition, "DISCONNECTING");
    disconnect(app, "cabinet", RemoteEvents::Keep).await;
    app.google.no_more_faults().await;
    app.connect("cabinet").await;
}

#[apply(both_backends)]
async fn one_stale_token_or_three_refusals_leave_nothing_behind(app: &mut TestApp) {
    app.connect("cabinet").await;
    for number in 0..6 {
        app.sync("cabinet", appointment(&format!("rdv {number}"), 1)).await;
    }
    app.google.expire_tokens(ACCOUNT).await;
    let refused = json!({"kind": "error", "code": 403, "reason": "forbiddenForNonOrganizer"});
    app.google.fault("events.delete", 3, refused.clone()).await;
    let response = disconnect(app, "cabinet", RemoteEvents::DeleteUpcoming).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (6, 0));
    assert!(app.google.events(ACCOUNT).await.is_empty(), "what still stands is tried once more");

    app.connect("cabinet").await;
    let id = "rdv 7";
    let event = app.sync("cabinet", appointment(id, 1)).await.external_event_id;
    app.at_rest("cabinet").await;
    app.google.control("faults", json!({"operation": "events.delete", "event_id": event, "fault": refused})).await;
    let response = disconnect(app, "cabinet", RemoteEvents::DeleteUpcoming).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (6, 1));
    assert_eq!(
        app.google.events(ACCOUNT).await.len(),
        1,
        "what Google refuses for one event is told of that one alone"
    );
}

#[apply(both_backends)]
async fn a_shared_account_is_not_revoked_before_the_last_has_deleted_its_events(app: &mut TestApp) {
    app.connect("annexe").await;
    app.sync("annexe", appointment("hers", 1)).await;
    with_google_away(app, json!({"kind": "error", "code": 503, "reason": "backendError"})).await;
    app.google.no_more_faults().await;
    disconnect(app, "annexe", RemoteEvents::Keep).await;
    assert_eq!(count(app, "revoke").await, 0, "the deletions need the grant");
    app.advance(900);
    app.until("cabinet", |status| status.state() == IntegrationState::NotConnected).await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1);
    assert_eq!(count(app, "revoke").await, 1);
}

#[apply(both_backends)]
async fn it_succeeds_with_a_google_that_never_answers(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.hang("revoke", false).await;
    let disconnect = begin(app, RemoteEvents::Keep).await;
    app.google.until_called("revoke", 1).await;
    app.advance(i64::try_from(CALL_DEADLINE.as_secs()).unwrap());
    disconnect.await.unwrap();
    app.until("cabinet", |status| status.state() == IntegrationState::NotConnected).await;
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
    app.integrations
        .sync_now(SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() })
        .await
        .unwrap();
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
