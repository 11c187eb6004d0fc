//! `GetStatus`: how the integration stands.

use cassius_calendar::grpc::pb::{
    ErrorReason, GetStatusRequest, IntegrationState, IntegrationStatus, LinkCounts, ProblemAction, TitlePrivacy,
};
use serde_json::json;

use crate::harness::app::{START, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, instant};
use crate::wire::callers::with;

#[apply(both_backends)]
async fn an_organisation_never_seen_is_not_connected(app: &mut TestApp) {
    let status = app.status("jamais-vu").await;
    let expected = IntegrationStatus {
        state: IntegrationState::NotConnected.into(),
        title_privacy: TitlePrivacy::Full.into(),
        counts: Some(LinkCounts::default()),
        ..Default::default()
    };
    assert_eq!(status, expected);
}

#[apply(both_backends)]
async fn a_connected_one_says_what_it_is_connected_to(app: &mut TestApp) {
    app.connect("cabinet").await;
    let status = app.status("cabinet").await;
    assert_eq!(status.state(), IntegrationState::Connected);
    assert_eq!(status.google_email, ACCOUNT);
    assert_eq!(status.connect_time, Some(instant(START)));
    assert_eq!((status.last_sync_time, status.catch_up, status.problem.clone()), (None, None, None));
    assert!(status.is_enabled);
    assert_eq!(status.title_privacy(), TitlePrivacy::Full);
    let calendar = status.calendar.unwrap();
    assert_eq!((&*calendar.id, calendar.is_primary, &*calendar.time_zone), (ACCOUNT, true, "Europe/Paris"));
    assert!(!calendar.name.is_empty() && calendar.color.starts_with('#') && calendar.color.len() == 7, "{calendar:?}");
    assert_eq!(app.status("voisin").await.state(), IntegrationState::NotConnected, "nobody else is");
}

#[apply(both_backends)]
async fn it_counts_how_appointments_stand_and_tells_when_google_last_confirmed_one(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.advance(60);
    app.sync("cabinet", appointment("a", 1)).await;
    app.sync("cabinet", appointment("b", 1)).await;
    let refusal = json!({"kind": "error", "code": 400, "reason": "badRequest"});
    app.google.fault("events.insert", 1, refusal).await;
    app.sync("cabinet", appointment("c", 1)).await;
    app.google.fault("events.insert", 1, json!({"kind": "error", "code": 503, "reason": "backendError"})).await;
    app.accept("cabinet", appointment("d", 1)).await;
    let status = app.until("cabinet", |status| status.problem.is_some()).await;
    assert_eq!(
        status.counts.unwrap(),
        LinkCounts {
            pending: 1,
            synced: 2,
            error: 1,
            upcoming_events: status.counts.unwrap().upcoming_events,
            unsent: 0
        }
    );
    assert_eq!(status.last_sync_time, Some(instant("2026-03-02T08:01:00Z")));
    // An appointment that is over no longer counts among the upcoming.
    app.advance(40 * 86_400);
    let counts = app.until("cabinet", |status| status.counts.unwrap().pending == 0).await.counts.unwrap();
    assert_eq!((counts.synced, counts.upcoming_events), (3, 0));
}

#[apply(both_backends)]
async fn google_being_away_is_a_delay_with_the_time_of_the_next_try(app: &mut TestApp) {
    app.connect("cabinet").await;
    let fault = json!({"kind": "error", "code": 503, "reason": "backendError", "retry_after_seconds": 120});
    app.google.fault("events.insert", 1, fault).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let status = app.until("cabinet", |status| status.problem.is_some()).await;
    assert_eq!(status.state(), IntegrationState::Connected, "a delay is no error");
    let problem = status.problem.unwrap();
    assert_eq!((problem.reason(), problem.action()), (ErrorReason::GoogleUnavailable, ProblemAction::Wait));
    assert!(problem.retry_time.unwrap().seconds >= instant("2026-03-02T08:02:00Z").seconds);
    app.advance(130);
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.problem, status.counts.unwrap().synced), (None, 1));
}

#[apply(both_backends)]
async fn being_throttled_is_a_delay_too(app: &mut TestApp) {
    app.connect("cabinet").await;
    let fault = json!({"kind": "error", "code": 403, "reason": "userRateLimitExceeded", "retry_after_seconds": 60});
    app.google.fault("events.insert", 1, fault).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let status = app.until("cabinet", |status| status.problem.is_some()).await;
    assert_eq!(status.state(), IntegrationState::Connected);
    let problem = status.problem.unwrap();
    assert_eq!((problem.reason(), problem.action()), (ErrorReason::GoogleThrottled, ProblemAction::Wait));
    assert!(problem.retry_time.unwrap().seconds >= instant("2026-03-02T08:01:00Z").seconds);
    app.advance(70);
    assert_eq!(app.at_rest("cabinet").await.problem, None);
}

#[apply(both_backends)]
async fn a_dead_grant_is_an_error_that_says_what_to_do_in_the_callers_language(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let status = app.until("cabinet", |status| status.state() == IntegrationState::Error).await;
    let problem = status.problem.unwrap();
    assert_eq!((problem.reason(), problem.action()), (ErrorReason::ReconnectRequired, ProblemAction::Reconnect));
    assert_eq!((problem.since_time, problem.retry_time), (Some(instant(START)), None));
    assert_eq!(
        problem.message,
        "Google n’autorise plus l’accès au calendrier. Reconnectez le compte Google dans les réglages."
    );
    assert_eq!(status.google_email, ACCOUNT, "it still says whose account has to be connected again");
    let request = with(GetStatusRequest { organisation_id: "cabinet".into() }, "accept-language", "en");
    let status = app.integrations.get_status(request).await.unwrap().into_inner().status.unwrap();
    assert!(status.problem.unwrap().message.starts_with("Google no longer grants access"));
}
