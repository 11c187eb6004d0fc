//! The refresh token is dead: somebody of the practice has to connect again.

use cassius_calendar::grpc::pb::{
    ErrorReason, IntegrationState, ListCalendarsRequest, ProblemAction, SyncNowRequest, SyncStatus,
};
use serde_json::json;
use tonic::Code;

use super::reason;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::harness::samples::{appointment, cancelled, of_patient};

/// Two appointments stand at Google when the grant dies; then edits come in.
async fn with_a_backlog(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("edited", 1)).await;
    app.sync("cabinet", appointment("called off", 1)).await;
    app.google.revoke(ACCOUNT).await;
    app.google.forget_journal().await;
    for number in 0..8 {
        app.accept("cabinet", appointment(&format!("new {number}"), 1)).await;
    }
    let status = app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
    assert_eq!(status.state(), IntegrationState::Error);
    let problem = status.problem.unwrap();
    assert_eq!((problem.action(), problem.retry_time), (ProblemAction::Reconnect, None));
    app.worker_looks().await;
    let calls = app.google.journal().await;
    let refreshes =
        calls.iter().filter(|call| call["operation"] == "token.refresh" && call["reason"] == "invalid_grant");
    assert_eq!(refreshes.count(), 1, "a dead token is asked for once: {calls:#?}");

    app.google.forget_journal().await;
    for revision in 2..6 {
        app.accept("cabinet", of_patient("edited", revision, &format!("Patient {revision}"))).await;
    }
    app.accept("cabinet", of_patient("new 0", 2, "Patient 2")).await;
    app.accept("cabinet", cancelled("new 1", 2)).await;
    let link = app.accept("cabinet", cancelled("called off", 2)).await;
    assert_eq!(link.sync_status(), SyncStatus::Pending, "the backlog waits");
    app.advance(86_400);
    app.worker_looks().await;
    assert_eq!(app.google.calls_of(ACCOUNT).await, [""; 0]);
    let organisation_id = || "cabinet".to_owned();
    let refused = app
        .integrations
        .sync_now(SyncNowRequest { organisation_id: organisation_id(), ..SyncNowRequest::default() })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let list = ListCalendarsRequest { organisation_id: organisation_id() };
    let refused = app.integrations.list_calendars(list).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let calls = app.google.journal().await;
    assert!(!calls.iter().any(|call| call["reason"] == "invalid_grant"), "{calls:#?}");
    app.google.forget_journal().await;
}

#[apply(both_backends)]
async fn the_same_account_comes_back_and_the_backlog_drains_without_a_double(app: &mut TestApp) {
    with_a_backlog(app).await;
    app.connect("cabinet").await;
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 8, "one edited, seven new");
    assert_eq!(app.google.events_of(ACCOUNT, "edited").await[0]["summary"], "[Cassius] Implant — Patient 5");
    assert_eq!(app.google.events_of(ACCOUNT, "new 0").await[0]["summary"], "[Cassius] Implant — Patient 2");
    assert!(app.google.events_of(ACCOUNT, "called off").await.is_empty());
    let mut calls = app.google.event_calls().await;
    calls.sort();
    let one = |operation: &str| calls.iter().filter(|call| *call == operation).count();
    assert_eq!((one("events.patch"), one("events.insert")), (1, 7), "the backlog is coalesced: {calls:?}");
    // One for what stands; what was called off before Google took it asks for none.
    assert_eq!((one("events.delete"), one("events.list")), (1, 0), "{calls:?}");
    assert_eq!(one("events.get"), calls.len() - 9);
}

#[apply(both_backends)]
async fn another_account_takes_over_and_the_old_events_are_left_alone(app: &mut TestApp) {
    with_a_backlog(app).await;
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    app.at_rest("cabinet").await;
    let mut patients: Vec<_> =
        app.google.events(OTHER_ACCOUNT).await.iter().map(|event| event["summary"].to_string()).collect();
    patients.sort();
    assert_eq!(patients.len(), 8, "{patients:?}");
    assert!(patients.contains(&"\"[Cassius] Implant — Patient 5\"".to_owned()));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 2, "nobody may touch them any more");
    assert!(app.google.calls_of(ACCOUNT).await.iter().all(|call| !call.starts_with("events.")));
    let status = app.status("cabinet").await;
    assert_eq!(status.google_email, OTHER_ACCOUNT);
    assert_eq!(status.calendar.unwrap().id, OTHER_ACCOUNT);
}

#[apply(both_backends)]
async fn an_unreachable_token_endpoint_or_a_wrong_client_kills_no_grant(app: &mut TestApp) {
    app.connect("cabinet").await;
    for (revision, code, word) in [(1, 503, "backend_error"), (2, 401, "invalid_client")] {
        app.google.expire_tokens(ACCOUNT).await;
        let fault = json!({"kind": "error", "code": code, "reason": word});
        app.google.fault("token.refresh", 1, fault).await;
        app.accept("cabinet", of_patient("rdv", revision, word)).await;
        let status = app.until("cabinet", |status| status.problem.is_some()).await;
        assert!(status.problem.unwrap().retry_time.is_some(), "{word}: the service goes on by itself");
        app.advance(3_600);
        app.at_rest("cabinet").await;
        assert_eq!(app.google.events(ACCOUNT).await[0]["summary"], format!("[Cassius] Implant — {word}"));
    }
}
