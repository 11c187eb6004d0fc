//! The target calendar is deleted, or may no longer be written to.

use cassius_calendar::grpc::pb::{
    ErrorReason, IntegrationState, IntegrationStatus, ProblemAction, SyncNowRequest, SyncStatus,
};
use tonic::Code;

use super::{choose_calendar, reason, with_plenty_of_quota};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, SECOND_CALENDAR};
use crate::harness::samples::{appointment, of_patient};

/// Six appointments stand in the second calendar.
async fn with_events_there(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    for number in 0..6 {
        app.sync("cabinet", appointment(&format!("rdv {number}"), 1)).await;
    }
    app.google.forget_journal().await;
}

/// Edits come in, and the integration stands still with its backlog: nothing is written anywhere.
async fn stands_still(app: &mut TestApp) {
    for number in 0..5 {
        app.accept("cabinet", of_patient(&format!("rdv {number}"), 2, "Dominique Essai")).await;
    }
    app.accept("cabinet", appointment("new", 1)).await;
    let status = app.until("cabinet", |status| reason(status) == Some(ErrorReason::CalendarUnavailable)).await;
    assert_eq!(status.state(), IntegrationState::Error);
    let problem = status.problem.unwrap();
    assert_eq!(problem.action(), ProblemAction::ChooseCalendar);
    let retry_time = problem.retry_time.unwrap().seconds;
    assert!(retry_time >= problem.since_time.unwrap().seconds + 3_600, "it is asked again, and not soon");
    app.worker_looks().await;
    let calls = app.google.calls_of(ACCOUNT).await;
    // Before the calendar is blamed, the event is read where it is said to be missing, and the calendar is asked.
    let writes = calls.iter().filter(|call| matches!(call.as_str(), "events.insert" | "events.patch")).count();
    assert!((1..=6).contains(&writes), "only what was under way already was called: {calls:?}");
    assert!(calls.len() <= 3 * writes, "{calls:?}");

    app.google.forget_journal().await;
    app.advance(3_000);
    let link = app.accept("cabinet", of_patient("rdv 0", 3, "Dominique Essai")).await;
    assert_eq!(link.sync_status(), SyncStatus::Pending);
    app.worker_looks().await;
    assert!(app.google.calls_of(ACCOUNT).await.is_empty(), "within the hour the backlog waits for a person");
    app.advance(7 * 86_400);
    let asked_again = |status: &IntegrationStatus| {
        let its = status.problem.as_ref();
        its.is_some_and(|it| it.retry_time.unwrap().seconds > retry_time + 86_400)
    };
    app.until("cabinet", asked_again).await;
    app.worker_looks().await;
    let status = app.status("cabinet").await;
    assert_eq!(status.counts.unwrap().pending, 6);
    assert_eq!(status.problem.unwrap().since_time, problem.since_time);
    let refused = app
        .integrations
        .sync_now(SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

/// All is well: six appointments and the new one stand in a calendar, once.
async fn all_is_well(app: &mut TestApp, calendar: &str) {
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 7);
    assert!(events.iter().all(|event| event["calendar_id"] == calendar), "{events:#?}");
    let edited = events.iter().filter(|event| event["summary"] == "[Cassius] Implant — Dominique Essai");
    assert_eq!(edited.count(), 5);
}

#[apply(both_backends)]
async fn a_deleted_calendar_stops_the_integration_until_another_is_chosen(app: &mut TestApp) {
    with_events_there(app).await;
    app.google.delete_calendar(SECOND_CALENDAR).await;
    stands_still(app).await;
    assert!(app.google.events(ACCOUNT).await.is_empty(), "no silent fall back to the primary calendar");
    choose_calendar(app, ACCOUNT).await.unwrap();
    all_is_well(app, ACCOUNT).await;
}

#[apply(both_backends)]
async fn a_calendar_made_read_only_stops_it_until_it_may_be_written_to_and_is_chosen_again(app: &mut TestApp) {
    with_events_there(app).await;
    app.google.change_role(ACCOUNT, SECOND_CALENDAR, "reader").await;
    stands_still(app).await;
    let refused = choose_calendar(app, SECOND_CALENDAR).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "it may still not be written to");
    app.google.change_role(ACCOUNT, SECOND_CALENDAR, "writer").await;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    all_is_well(app, SECOND_CALENDAR).await;
}

#[apply(both_backends)]
async fn a_calendar_that_may_be_written_to_again_is_found_so_within_the_hour_or_when_a_person_asks(app: &mut TestApp) {
    with_events_there(app).await;
    for is_asked in [false, true] {
        app.google.change_role(ACCOUNT, SECOND_CALENDAR, "reader").await;
        app.accept("cabinet", of_patient("rdv 0", 2 + i64::from(is_asked), &format!("Dominique {is_asked}"))).await;
        app.until("cabinet", |status| reason(status) == Some(ErrorReason::CalendarUnavailable)).await;
        app.worker_looks().await;
        app.google.change_role(ACCOUNT, SECOND_CALENDAR, "writer").await;
        if is_asked {
            let request = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
            app.integrations.sync_now(request).await.unwrap();
        } else {
            app.advance(3_700);
        }
        let status = app.until("cabinet", |status| reason(status).is_none()).await;
        assert_eq!(status.state(), IntegrationState::Connected);
        app.at_rest("cabinet").await;
        let event = &app.google.events_of(ACCOUNT, "rdv 0").await[0];
        assert_eq!(event["summary"], format!("[Cassius] Implant — Dominique {is_asked}"));
    }
    assert_eq!(app.google.events(ACCOUNT).await.len(), 6);
}

#[apply(both_backends)]
async fn a_calendar_that_may_be_written_to_again_is_found_so_though_nothing_is_to_be_sent(app: &mut TestApp) {
    with_events_there(app).await;
    let sync_now = || SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    for is_asked in [false, true] {
        app.google.change_role(ACCOUNT, SECOND_CALENDAR, "reader").await;
        app.integrations.sync_now(sync_now()).await.unwrap();
        app.until("cabinet", |status| reason(status) == Some(ErrorReason::CalendarUnavailable)).await;
        app.google.change_role(ACCOUNT, SECOND_CALENDAR, "writer").await;
        if is_asked {
            app.integrations.sync_now(sync_now()).await.unwrap();
        } else {
            app.advance(3_700);
        }
        app.until("cabinet", |status| reason(status).is_none()).await;
    }
}

#[apply(both_backends)]
async fn what_an_old_calendar_answers_late_is_not_held_against_the_new_one(app: &mut TestApp) {
    with_events_there(app).await;
    let hanging = app.google.hang("events.patch", false).await;
    app.accept("cabinet", of_patient("rdv 0", 2, "Dominique Essai")).await;
    app.google.until_called("events.patch", 1).await;
    app.google.delete_calendar(SECOND_CALENDAR).await;
    choose_calendar(app, ACCOUNT).await.unwrap();
    app.google.let_go(hanging).await;
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 6);
}

#[apply(both_backends)]
async fn a_missing_event_is_told_apart_from_a_missing_calendar(app: &mut TestApp) {
    with_events_there(app).await;
    let event = app.link("cabinet", "rdv 0").await.external_event_id;
    app.google.delete_event(SECOND_CALENDAR, &event, "not_found").await;
    let link = app.sync("cabinet", of_patient("rdv 0", 2, "Dominique Essai")).await;
    assert_eq!(link.sync_status(), SyncStatus::Synced);
    assert_eq!(reason(&app.status("cabinet").await), None);
    assert_eq!(app.google.events_of(ACCOUNT, "rdv 0").await.len(), 1);
}
