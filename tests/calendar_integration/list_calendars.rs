//! `ListCalendars`: where the account may write.

use std::time::Duration;

use cassius_calendar::grpc::pb::{
    Calendar, CalendarAccessRole, ErrorReason, IntegrationState, ListCalendarsRequest, ListCalendarsResponse,
};
use serde_json::json;
use tonic::{Code, Response, Status};

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::browser::{EVENTS, outcome};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT, SECOND_CALENDAR};
use crate::wire::refused::refused;

async fn list(app: &mut TestApp) -> Result<Vec<Calendar>, Status> {
    answer(app).await.map(|answer| answer.calendars)
}

async fn answer(app: &mut TestApp) -> Result<ListCalendarsResponse, Status> {
    let request = ListCalendarsRequest { organisation_id: "cabinet".into() };
    app.integrations.list_calendars(request).await.map(Response::into_inner)
}

async fn refresh_calls(app: &TestApp) -> usize {
    app.google.journal().await.iter().filter(|call| call["operation"] == "token.refresh").count()
}

async fn list_calls(app: &TestApp) -> usize {
    app.google.journal().await.iter().filter(|call| call["operation"] == "calendarList.list").count()
}

#[apply(both_backends)]
async fn the_primary_comes_first_then_by_name_and_only_what_may_be_written_to(app: &mut TestApp) {
    app.google
        .control(&format!("accounts/{ACCOUNT}/calendars"), json!({"id": "z", "summary": "agenda du matin"}))
        .await;
    app.google
        .control(
            &format!("accounts/{ACCOUNT}/calendars"),
            json!({"id": "r", "summary": "À lire", "access_role": "reader"}),
        )
        .await;
    app.google
        .control(
            &format!("accounts/{ACCOUNT}/calendars"),
            json!({"id": "b", "summary": "Libre", "access_role": "freeBusyReader"}),
        )
        .await;
    app.connect("cabinet").await;
    let calendars = list(app).await.unwrap();
    let ids: Vec<_> = calendars.iter().map(|calendar| &*calendar.id).collect();
    let shared = "c_81d0c7a2f0ce4b5b9d1f6a3e2b4c5d22@group.calendar.google.com";
    assert_eq!(ids, [ACCOUNT, "z", SECOND_CALENDAR, shared]);
    assert_eq!(calendars.iter().filter(|calendar| calendar.is_primary).count(), 1);
    assert!(calendars[0].is_primary);
    // The last one is somebody else's, who reads it.
    let roles: Vec<_> = calendars.iter().map(Calendar::access_role).collect();
    let (owner, writer) = (CalendarAccessRole::Owner, CalendarAccessRole::Writer);
    assert_eq!(roles, [owner, owner, owner, writer]);
    // The name as the account itself shows it.
    assert_eq!(calendars[3].name, "Implantologie (partagé)");
    assert_eq!((&*calendars[2].color, &*calendars[2].time_zone), ("#f83a22", "Europe/Paris"));
}

#[apply(both_backends)]
async fn a_long_list_is_read_to_its_end(app: &mut TestApp) {
    for number in 0..260 {
        let calendar = json!({"id": format!("c{number}"), "summary": format!("Agenda {number:03}")});
        app.google.control(&format!("accounts/{OTHER_ACCOUNT}/calendars"), calendar).await;
    }
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    let calendars = list(app).await.unwrap();
    assert_eq!(calendars.len(), 262, "the primary, a shared one, and these");
    assert_eq!((&*calendars[0].id, &*calendars[261].name), (OTHER_ACCOUNT, "Implantologie"));
}

#[apply(both_backends)]
async fn a_list_that_was_read_just_now_is_not_read_again_but_for_another_account(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = list_calls(app).await;
    let first = list(app).await.unwrap();
    app.google.control(&format!("accounts/{ACCOUNT}/calendars"), json!({"id": "z", "summary": "Nouveau"})).await;
    let (mut one, mut another) = (app.integrations.clone(), app.integrations.clone());
    let request = || ListCalendarsRequest { organisation_id: "cabinet".into() };
    let (one, another) = tokio::join!(one.list_calendars(request()), another.list_calendars(request()));
    assert_eq!(one.unwrap().into_inner().calendars, first);
    assert_eq!(another.unwrap().into_inner().calendars, first);
    assert_eq!(list_calls(app).await, before + 1, "the first alone asked");
    app.advance(10);
    assert_eq!(list(app).await.unwrap().len(), first.len() + 1);
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    assert_eq!(list(app).await.unwrap()[0].id, OTHER_ACCOUNT, "the account is another one");
}

#[apply(both_backends)]
async fn an_account_that_does_not_let_its_list_be_read_has_its_primary_alone(app: &mut TestApp) {
    let consent = app.browser.go_to_google(&mut app.integrations, "cabinet").await;
    let callback = app.browser.decide(&consent, ACCOUNT, &[EVENTS], "allow").await;
    assert_eq!(outcome(&app.browser.get(&callback).await), "connected");
    let ListCalendarsResponse { calendars, is_list_permitted } = answer(app).await.unwrap();
    assert_eq!(calendars.len(), 1);
    assert_eq!((&*calendars[0].id, calendars[0].is_primary), (ACCOUNT, true), "never by the alias");
    assert!(!is_list_permitted, "told, so that the permission can be asked for");
    app.connect("cabinet").await;
    assert!(answer(app).await.unwrap().is_list_permitted);
}

#[apply(both_backends)]
async fn nothing_is_listed_where_nothing_is_connected(app: &mut TestApp) {
    refused(list(app).await, Code::FailedPrecondition, "NOT_CONNECTED");
    assert!(app.google.journal().await.is_empty());
}

#[apply(both_backends)]
async fn a_dead_grant_has_to_be_given_again_and_google_is_not_asked_twice(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.revoke(ACCOUNT).await;
    refused(list(app).await, Code::FailedPrecondition, "RECONNECT_REQUIRED");
    let status = app.status("cabinet").await;
    assert_eq!(status.state(), IntegrationState::Error);
    assert_eq!(status.problem.unwrap().reason(), ErrorReason::ReconnectRequired);
    assert_eq!(refresh_calls(app).await, 1);
    refused(list(app).await, Code::FailedPrecondition, "RECONNECT_REQUIRED");
    assert_eq!(refresh_calls(app).await, 1, "what is final is not asked again");
    app.connect("cabinet").await;
    assert!(!list(app).await.unwrap().is_empty());
}

#[apply(both_backends)]
async fn an_expired_token_is_refreshed_once_and_nobody_notices(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.advance(3_600);
    assert!(!list(app).await.unwrap().is_empty());
    assert!(!list(app).await.unwrap().is_empty());
    assert_eq!(refresh_calls(app).await, 1);
    // One that Google no longer takes before its time is refreshed as well, unless that has just been done.
    app.advance(60);
    app.google.expire_tokens(ACCOUNT).await;
    assert!(!list(app).await.unwrap().is_empty());
    assert_eq!(refresh_calls(app).await, 2);
}

#[apply(both_backends)]
async fn google_being_away_or_busy_is_told_with_the_time_to_come_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    for fault in [
        json!({"kind": "error", "code": 503, "reason": "backendError", "retry_after_seconds": 17}),
        json!({"kind": "error", "code": 429, "reason": "rateLimitExceeded", "retry_after_seconds": 17}),
        json!({"kind": "error", "code": 403, "reason": "quotaExceeded", "retry_after_seconds": 17}),
    ] {
        app.google.fault("calendarList.list", 1, fault).await;
        let refusal = refused(list(app).await, Code::Unavailable, "GOOGLE_UNAVAILABLE");
        assert_eq!(refusal.retry_delay, Some(Duration::from_secs(17)));
    }
    for fault in
        [json!({"kind": "reset"}), json!({"kind": "lose_answer"}), json!({"kind": "error", "code": 500, "reason": "x"})]
    {
        app.google.fault("calendarList.list", 1, fault).await;
        refused(list(app).await, Code::Unavailable, "GOOGLE_UNAVAILABLE");
    }
    assert!(!list(app).await.unwrap().is_empty());
    assert_eq!(app.status("cabinet").await.problem, None, "a reading that failed leaves no trace");
}

#[apply(both_backends)]
async fn a_token_endpoint_that_is_away_never_touches_the_grant(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.advance(3_600);
    for fault in [json!({"kind": "error", "code": 503, "reason": "x"}), json!({"kind": "reset"})] {
        app.google.fault("token.refresh", 1, fault).await;
        refused(list(app).await, Code::Unavailable, "GOOGLE_UNAVAILABLE");
    }
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::Connected);
    assert!(!list(app).await.unwrap().is_empty());
}

#[apply(both_backends)]
async fn what_only_the_operator_can_mend_is_told_as_such(app: &mut TestApp) {
    app.connect("cabinet").await;
    let fault = json!({"kind": "error", "code": 403, "reason": "accessNotConfigured"});
    app.google.fault("calendarList.list", 1, fault).await;
    refused(list(app).await, Code::FailedPrecondition, "GOOGLE_MISCONFIGURED");
}
