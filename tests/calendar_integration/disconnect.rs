//! `Disconnect`: nothing more is written, the grant is revoked, the tokens are erased.

use cassius_calendar::grpc::pb::{
    Appointment, DisconnectRequest, DisconnectResponse, IntegrationState, RemoteEvents, SyncNowRequest, SyncStatus,
};
use serde_json::json;
use tonic::Code;

use super::rows::rows;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::browser::{EVENTS, LIST};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::harness::samples::{appointment, instant};
use crate::wire::refused::refused;

async fn disconnect(app: &mut TestApp, organisation: &str, remote_events: RemoteEvents) -> DisconnectResponse {
    let request = DisconnectRequest { organisation_id: organisation.into(), remote_events: remote_events.into() };
    app.integrations.disconnect(request).await.unwrap().into_inner()
}

async fn calls(app: &TestApp, operation: &str) -> usize {
    app.google.journal().await.iter().filter(|call| call["operation"] == operation).count()
}

/// Two upcoming events and one that is over.
async fn three_events(app: &mut TestApp, organisation: &str) {
    app.sync(organisation, appointment("a", 1)).await;
    app.sync(organisation, appointment("b", 1)).await;
    let past = Appointment {
        start_time: Some(instant("2026-02-02T08:00:00Z")),
        end_time: Some(instant("2026-02-02T08:30:00Z")),
        ..appointment("past", 1)
    };
    app.sync(organisation, past).await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 3);
}

#[apply(both_backends)]
async fn events_are_kept_unless_asked_otherwise_and_the_tokens_are_erased(app: &mut TestApp) {
    for remote_events in [RemoteEvents::Unspecified, RemoteEvents::Keep] {
        app.connect("cabinet").await;
        if remote_events == RemoteEvents::Unspecified {
            three_events(app, "cabinet").await;
        }
        let answer = disconnect(app, "cabinet", remote_events).await;
        assert_eq!((answer.deleted_event_count, answer.remaining_event_count), (0, 0));
        let status = answer.status.unwrap();
        assert_eq!((status.state(), &*status.google_email), (IntegrationState::NotConnected, ""));
        assert_eq!((status.calendar, status.connect_time), (None, None));
        let held = "access_token IS NOT NULL OR refresh_token IS NOT NULL OR google_email IS NOT NULL";
        assert_eq!(rows(&app.database, "calendar_integrations", held).await, 0);
        assert_eq!(app.google.events(ACCOUNT).await.len(), 3);
    }
    assert_eq!(calls(app, "revoke").await, 2);
}

#[apply(both_backends)]
async fn upcoming_events_are_deleted_when_asked_for_and_past_ones_stay(app: &mut TestApp) {
    app.connect("cabinet").await;
    three_events(app, "cabinet").await;
    let answer = disconnect(app, "cabinet", RemoteEvents::DeleteUpcoming).await;
    assert_eq!((answer.deleted_event_count, answer.remaining_event_count), (2, 0));
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["extendedProperties"]["private"]["cassiusAppointmentId"], "past");
    let link = app.link("cabinet", "a").await;
    assert_eq!((link.sync_status(), &*link.external_event_id, link.synced_revision), (SyncStatus::None, "", 0));
}

#[apply(both_backends)]
async fn a_second_time_and_without_a_connection_it_succeeds_and_does_nothing(app: &mut TestApp) {
    let answer = disconnect(app, "jamais-vu", RemoteEvents::DeleteUpcoming).await;
    assert_eq!(answer.status.unwrap().state(), IntegrationState::NotConnected);
    app.connect("cabinet").await;
    disconnect(app, "cabinet", RemoteEvents::Keep).await;
    app.google.forget_journal().await;
    let answer = disconnect(app, "cabinet", RemoteEvents::DeleteUpcoming).await;
    assert_eq!((answer.deleted_event_count, answer.remaining_event_count), (0, 0));
    assert!(app.google.journal().await.is_empty());
}

#[apply(both_backends)]
async fn nothing_is_sent_afterwards_and_what_comes_is_stored(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "error", "code": 503, "reason": "backendError"})).await;
    app.accept("cabinet", appointment("pending", 1)).await;
    app.until("cabinet", |status| status.problem.is_some()).await;
    disconnect(app, "cabinet", RemoteEvents::Keep).await;
    app.google.forget_journal().await;
    assert_eq!(app.sync("cabinet", appointment("later", 1)).await.sync_status(), SyncStatus::None);
    app.advance(86_400);
    assert_eq!(app.link("cabinet", "pending").await.sync_status(), SyncStatus::None);
    assert!(app.google.journal().await.is_empty());
    refused(
        app.integrations
            .sync_now(SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() })
            .await,
        Code::FailedPrecondition,
        "NOT_CONNECTED",
    );
}

#[apply(both_backends)]
async fn it_succeeds_with_a_dead_grant(app: &mut TestApp) {
    app.connect("cabinet").await;
    three_events(app, "cabinet").await;
    app.google.revoke(ACCOUNT).await;
    let answer = disconnect(app, "cabinet", RemoteEvents::DeleteUpcoming).await;
    assert_eq!((answer.deleted_event_count, answer.remaining_event_count), (0, 2));
    assert_eq!(answer.status.unwrap().state(), IntegrationState::NotConnected);
    assert_eq!(rows(&app.database, "calendar_integrations", "refresh_token IS NOT NULL").await, 0);
}

#[apply(both_backends)]
async fn with_google_away_it_answers_after_ten_seconds_with_what_stands(app: &mut TestApp) {
    app.connect("cabinet").await;
    three_events(app, "cabinet").await;
    for operation in ["events.*", "revoke", "token.*"] {
        app.google.fault(operation, 1_000, json!({"kind": "reset"})).await;
    }
    let mut integrations = app.integrations.clone();
    let remote_events = RemoteEvents::DeleteUpcoming.into();
    let request = DisconnectRequest { organisation_id: "cabinet".into(), remote_events };
    let call = tokio::spawn(async move { integrations.disconnect(request).await.unwrap().into_inner() });
    app.until("cabinet", |status| status.state() == IntegrationState::Disconnecting).await;
    app.advance(10);
    let answer = call.await.unwrap();
    assert_eq!((answer.deleted_event_count, answer.remaining_event_count), (0, 2));
    assert_eq!(answer.status.unwrap().state(), IntegrationState::Disconnecting);
    // It is ended without deleting. Reconnecting works at once then, and finds the events that stayed.
    app.google.no_more_faults().await;
    let answer = disconnect(app, "cabinet", RemoteEvents::Keep).await;
    assert_eq!(answer.status.unwrap().state(), IntegrationState::NotConnected);
    assert_eq!(rows(&app.database, "calendar_integrations", "refresh_token IS NOT NULL").await, 0);
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("a", 2)).await;
    app.integrations
        .sync_now(SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() })
        .await
        .unwrap();
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 3, "none is doubled");
}

#[apply(both_backends)]
async fn the_grant_is_revoked_with_the_last_organisation_that_shares_the_account(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.connect("annexe").await;
    disconnect(app, "cabinet", RemoteEvents::Keep).await;
    assert_eq!(calls(app, "revoke").await, 0);
    assert_eq!(app.sync("annexe", appointment("rdv", 1)).await.sync_status(), SyncStatus::Synced);
    disconnect(app, "annexe", RemoteEvents::Keep).await;
    assert_eq!(calls(app, "revoke").await, 1);
}

#[apply(both_backends)]
async fn a_consent_that_was_begun_before_connects_nothing_any_more(app: &mut TestApp) {
    app.connect("cabinet").await;
    let consent = app.browser.go_to_google(&mut app.integrations, "cabinet").await;
    let callback = app.browser.decide(&consent, OTHER_ACCOUNT, &[EVENTS, LIST], "allow").await;
    disconnect(app, "cabinet", RemoteEvents::Keep).await;
    app.google.forget_journal().await;
    assert_eq!(app.browser.get(&callback).await.status, 400);
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::NotConnected);
    assert_eq!(calls(app, "token.code").await, 0);
}
