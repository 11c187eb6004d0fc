//! Another target calendar is chosen while edits go on.

use cassius_calendar::grpc::pb::{Appointment, ErrorReason, IntegrationState, SyncNowRequest, SyncStatus};
use serde_json::json;

use super::{choose_calendar, reason, until_number, with_plenty_of_quota};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, SECOND_CALENDAR};
use crate::harness::samples::{appointment, cancelled, instant, of_patient};

/// One that was over when the test begins.
fn past(id: &str) -> Appointment {
    Appointment {
        start_time: Some(instant("2026-02-02T08:00:00Z")),
        end_time: Some(instant("2026-02-02T08:30:00Z")),
        ..appointment(id, 1)
    }
}

/// Twelve upcoming appointments and a past one move, are edited, called off and joined by a new one, and the service is
/// started anew in the middle.
async fn moves(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    app.sync("cabinet", past("past")).await;
    for number in 0..12 {
        app.sync("cabinet", appointment(&format!("rdv {number}"), 1)).await;
    }
    // Google goes away in the middle of the move.
    let away = json!({"kind": "error", "code": 503, "reason": "backendError"});
    app.google.control("faults", json!({"operation": "events.*", "skip": 5, "fault": away})).await;
    let status = choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    assert_eq!(status.calendar.unwrap().id, SECOND_CALENDAR);
    let catch_up = status.catch_up.expect("the progress is shown");
    assert_eq!((catch_up.total, catch_up.failed), (12, 0));
    for number in 0..4 {
        app.accept("cabinet", of_patient(&format!("rdv {number}"), 2, "Dominique Essai")).await;
    }
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
    app.stop().await;
    let waiting = "SELECT COUNT(*) FROM appointment_external_links WHERE next_attempt_at IS NOT NULL";
    assert!(app.database.number(waiting).await > 0, "the restart comes in the middle of the move");
    app.google.no_more_faults().await;
    // Longer than any delay so far.
    app.restart_after(900).await;
    for number in 4..8 {
        app.accept("cabinet", of_patient(&format!("rdv {number}"), 2, "Dominique Essai")).await;
    }
    app.accept("cabinet", cancelled("rdv 8", 2)).await;
    app.accept("cabinet", appointment("new", 1)).await;
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status), status.catch_up), (IntegrationState::Connected, None, None));

    for number in 0..12 {
        let id = format!("rdv {number}");
        let events = app.google.events_of(ACCOUNT, &id).await;
        assert_eq!(events.len(), usize::from(number != 8), "{id}: {events:#?}");
        let Some(event) = events.first() else { continue };
        assert_eq!(event["calendar_id"], SECOND_CALENDAR, "{id}");
        let patient = if number < 8 { "Dominique Essai" } else { "Camille Exemple" };
        assert_eq!(event["summary"], format!("[Cassius] Implant — {patient}"), "{id}");
        let link = app.link("cabinet", &id).await;
        assert_eq!(link.sync_status(), SyncStatus::Synced);
        assert_eq!(
            (link.external_calendar_id.as_str(), &event["id"]),
            (SECOND_CALENDAR, &json!(link.external_event_id))
        );
    }
    assert_eq!(app.google.events_of(ACCOUNT, "new").await[0]["calendar_id"], SECOND_CALENDAR);
    assert_eq!(
        app.google.events_of(ACCOUNT, "past").await[0]["calendar_id"],
        ACCOUNT,
        "what is over stays where it is"
    );
}

#[apply(both_backends)]
async fn every_upcoming_event_moves_and_none_is_lost_or_doubled(app: &mut TestApp) {
    moves(app).await;
    // A moved event keeps its id: nothing that hangs on it is lost.
    assert!(app.google.event_calls().await.iter().any(|call| call == "events.move"));
}

#[apply(both_backends)]
async fn where_events_cannot_be_moved_they_are_made_anew(app: &mut TestApp) {
    app.google.settings(json!({"move_supported": false})).await;
    moves(app).await;
}

#[apply(both_backends)]
async fn a_move_whose_answer_was_lost_leaves_one_event(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    app.google.fault("events.move", 1, json!({"kind": "lose_answer"})).await;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    app.until("cabinet", |status| reason(status).is_some()).await;
    // And back again before it is known how the first move ended.
    choose_calendar(app, ACCOUNT).await.unwrap();
    app.at_rest("cabinet").await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["calendar_id"], ACCOUNT);
}

#[apply(both_backends)]
async fn what_cannot_be_moved_stays_until_the_target_has_it(app: &mut TestApp) {
    app.google.settings(json!({"move_supported": false})).await;
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    for number in 0..8 {
        app.sync("cabinet", appointment(&format!("rdv {number}"), 1)).await;
    }
    let refuse_inserts = async |app: &TestApp, code: u16, reason: &str| {
        let error = json!({"kind": "error", "code": code, "reason": reason});
        let fault = app.google.control("faults", json!({"operation": "events.insert", "fault": error})).await;
        fault["id"].as_u64().unwrap()
    };
    let away = refuse_inserts(app, 503, "backendError").await;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
    // No attempt falls between the two.
    let forbidden = refuse_inserts(app, 403, "forbidden").await;
    app.google.let_go(away).await;
    app.advance(3_600);
    app.until("cabinet", |status| status.counts.is_some_and(|counts| counts.error == 8)).await;
    let events = app.google.events(ACCOUNT).await;
    assert!(events.len() == 8 && events.iter().all(|event| event["calendar_id"] == ACCOUNT), "{events:#?}");
    app.google.let_go(forbidden).await;
    let request = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    app.integrations.sync_now(request).await.unwrap();
    app.at_rest("cabinet").await;
    let events = app.google.events(ACCOUNT).await;
    assert!(events.len() == 8 && events.iter().all(|event| event["calendar_id"] == SECOND_CALENDAR), "{events:#?}");
    // And back, where their ids are used up.
    choose_calendar(app, ACCOUNT).await.unwrap();
    app.at_rest("cabinet").await;
    let events = app.google.events(ACCOUNT).await;
    assert!(events.len() == 8 && events.iter().all(|event| event["calendar_id"] == ACCOUNT), "{events:#?}");
}

/// An event that cannot be moved goes there and back: its id is used up in the calendar that it returns to.
#[apply(both_backends)]
async fn what_comes_back_stays_until_the_calendar_has_it_under_another_id(app: &mut TestApp) {
    app.google.settings(json!({"move_supported": false})).await;
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    let first = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    app.at_rest("cabinet").await;
    let away = json!({"kind": "error", "code": 503, "reason": "backendError"});
    // The one under the id that is used up passes.
    let fault = json!({"operation": "events.insert", "skip": 1, "times": 1, "fault": away});
    app.google.control("faults", fault).await;
    choose_calendar(app, ACCOUNT).await.unwrap();
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
    let standing = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!(standing.iter().map(|event| &event["calendar_id"]).collect::<Vec<_>>(), [SECOND_CALENDAR]);
    app.at_rest("cabinet").await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!(events.iter().map(|event| &event["calendar_id"]).collect::<Vec<_>>(), [ACCOUNT]);
    assert_ne!(events[0]["id"], json!(first));
}

const THIRD_CALENDAR: &str = "third@group.calendar.google.com";

/// An event that cannot be moved is copied, and another target is chosen before it is deleted where it stood.
async fn the_target_is_exchanged_before_the_source_is_deleted(app: &mut TestApp, target: &str) {
    let third = json!({"id": THIRD_CALENDAR, "summary": "Third"});
    app.google.control(&format!("accounts/{ACCOUNT}/calendars"), third).await;
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    app.google.fault("events.move", 100, json!({"kind": "error", "code": 400, "reason": "cannotMove"})).await;
    app.google.fault("events.delete", 1, json!({"kind": "error", "code": 503, "reason": "backendError"})).await;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    app.google.until_called("events.delete", 1).await;
    choose_calendar(app, target).await.unwrap();
    app.at_rest("cabinet").await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!(events.iter().map(|event| &event["calendar_id"]).collect::<Vec<_>>(), [target]);
    assert_eq!(app.database.number("SELECT COUNT(*) FROM owed_deletions").await, 0);
}

#[apply(both_backends)]
async fn a_copy_stands_in_no_calendar_but_a_third_one_that_is_chosen_meanwhile(app: &mut TestApp) {
    the_target_is_exchanged_before_the_source_is_deleted(app, THIRD_CALENDAR).await;
}

#[apply(both_backends)]
async fn a_copy_goes_again_where_the_calendar_before_is_chosen_meanwhile(app: &mut TestApp) {
    the_target_is_exchanged_before_the_source_is_deleted(app, ACCOUNT).await;
}

#[apply(both_backends)]
async fn nothing_is_deleted_before_the_target_takes_writes(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    for number in 0..8 {
        app.sync("cabinet", appointment(&format!("rdv {number}"), 1)).await;
    }
    let hang = json!({"operation": "events.move", "fault": {"kind": "hang", "carry_out": false}});
    let hanging = app.google.control("faults", hang).await["id"].as_u64().unwrap();
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    app.google.until_called("events.move", 1).await;
    app.google.change_role(ACCOUNT, SECOND_CALENDAR, "reader").await;
    app.google.let_go(hanging).await;
    let status = app.until("cabinet", |status| reason(status) == Some(ErrorReason::CalendarUnavailable)).await;
    assert_eq!(status.state(), IntegrationState::Error);
    app.worker_looks().await;
    let events = app.google.events(ACCOUNT).await;
    assert!(events.len() == 8 && events.iter().all(|event| event["calendar_id"] == ACCOUNT), "{events:#?}");
    app.google.change_role(ACCOUNT, SECOND_CALENDAR, "writer").await;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    app.at_rest("cabinet").await;
    let events = app.google.events(ACCOUNT).await;
    assert!(events.len() == 8 && events.iter().all(|event| event["calendar_id"] == SECOND_CALENDAR), "{events:#?}");
}

/// Two events stand in a calendar that became read-only and was given up then: one of an appointment that goes on
/// elsewhere, and one that was called off. The calendar takes writes again.
async fn with_events_left_behind(app: &mut TestApp) {
    app.connect("cabinet").await;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    for id in ["called off", "rdv"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    app.google.change_role(ACCOUNT, SECOND_CALENDAR, "reader").await;
    app.accept("cabinet", cancelled("called off", 2)).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::CalendarUnavailable)).await;
    choose_calendar(app, ACCOUNT).await.unwrap();
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 2, "one is out of reach");
    app.google.change_role(ACCOUNT, SECOND_CALENDAR, "writer").await;
}

async fn nothing_is_left_behind(app: &mut TestApp) {
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
    app.at_rest("cabinet").await;
    let events = app.google.events(ACCOUNT).await;
    let standing: Vec<_> = events.iter().map(|event| (&event["calendar_id"], &event["id"])).collect();
    let link = app.link("cabinet", "rdv").await;
    assert_eq!(standing, [(&json!(ACCOUNT), &json!(link.external_event_id))]);
}

#[apply(both_backends)]
async fn what_is_left_in_a_calendar_out_of_reach_is_deleted_when_a_person_asks(app: &mut TestApp) {
    with_events_left_behind(app).await;
    let request = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    app.integrations.sync_now(request).await.unwrap();
    nothing_is_left_behind(app).await;
}

#[apply(both_backends)]
async fn what_is_left_in_a_calendar_out_of_reach_is_deleted_within_a_day(app: &mut TestApp) {
    with_events_left_behind(app).await;
    app.advance(2 * 86_400);
    nothing_is_left_behind(app).await;
}

#[apply(both_backends)]
async fn what_a_person_changed_before_the_move_is_set_right(app: &mut TestApp) {
    app.connect("cabinet").await;
    let event = app.sync("cabinet", appointment("altered", 1)).await.external_event_id;
    app.sync("cabinet", appointment("coloured", 1)).await;
    let coloured = app.link("cabinet", "coloured").await.external_event_id;
    app.google.alter_event(ACCOUNT, &event, json!({"location": "Ailleurs", "description": null})).await;
    app.google.alter_event(ACCOUNT, &coloured, json!({"colorId": "7"})).await;
    app.google.forget_journal().await;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    app.at_rest("cabinet").await;
    let altered = app.google.events_of(ACCOUNT, "altered").await;
    assert_eq!((altered.len(), &altered[0]["location"]), (1, &json!("Cabinet, salle 2")));
    assert_eq!(app.google.events_of(ACCOUNT, "coloured").await[0]["colorId"], "7");
    let mut calls = app.google.event_calls().await;
    calls.sort();
    assert_eq!(calls, ["events.move", "events.move", "events.patch"], "what shows the appointment is only moved");
}
