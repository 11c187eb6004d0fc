//! An event that cannot be moved stands in two calendars between its copy and the deletion where it stood: whatever comes
//! between leaves one, or none.

use cassius_calendar::grpc::pb::{ErrorReason, RemoteEvents, SyncNowRequest, SyncStatus};
use serde_json::{Value, json};

use super::moved_events::{away, disconnect, erase};
use super::{choose_calendar, reason, until_number};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT, SECOND_CALENDAR};
use crate::harness::samples::{appointment, cancelled};

/// An appointment in step, in an account in which no event can be moved.
async fn without_moves(app: &mut TestApp) {
    app.google.settings(json!({"move_supported": false})).await;
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
}

/// The event went to the second calendar and is copied back, under the next id since its own is used up; where it stood it
/// is not deleted yet, since Google is away for that.
async fn copied_under_another_id(app: &mut TestApp) {
    without_moves(app).await;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    app.at_rest("cabinet").await;
    app.google.control("faults", json!({"operation": "events.delete", "fault": away()})).await;
    choose_calendar(app, ACCOUNT).await.unwrap();
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert!(events.len() == 2 && events[0]["id"] != events[1]["id"], "{events:#?}");
}

async fn nothing_stands(app: &mut TestApp) {
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await, Vec::<Value>::new());
}

#[apply(both_backends)]
async fn called_off_neither_of_the_two_stands(app: &mut TestApp) {
    copied_under_another_id(app).await;
    app.google.no_more_faults().await;
    app.sync("cabinet", cancelled("rdv", 2)).await;
    nothing_stands(app).await;
}

#[apply(both_backends)]
async fn erased_neither_of_the_two_stands(app: &mut TestApp) {
    copied_under_another_id(app).await;
    let erased = erase(app, "rdv").await;
    assert_eq!((erased.is_done, erased.remaining_event_count), (false, 2));
    app.google.no_more_faults().await;
    app.advance(3_600);
    nothing_stands(app).await;
    assert!(erase(app, "rdv").await.is_done);
}

#[apply(both_backends)]
async fn a_disconnect_that_deletes_leaves_neither_of_the_two(app: &mut TestApp) {
    copied_under_another_id(app).await;
    app.google.no_more_faults().await;
    let response = disconnect(app, RemoteEvents::DeleteUpcoming).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (2, 0));
    nothing_stands(app).await;
}

#[apply(both_backends)]
async fn of_an_account_that_was_exchanged_meanwhile_one_stands_once_it_is_back(app: &mut TestApp) {
    copied_under_another_id(app).await;
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    app.at_rest("cabinet").await;
    app.google.no_more_faults().await;
    app.connect("cabinet").await;
    let request = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    app.integrations.sync_now(request).await.unwrap();
    app.at_rest("cabinet").await;
    until_number(app, "SELECT COUNT(*) FROM owed_deletions WHERE next_attempt_at IS NOT NULL", 0).await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!((events.len(), &events[0]["calendar_id"]), (1, &json!(ACCOUNT)));
}

/// The copy is under way while somebody disconnects and keeps all.
#[apply(both_backends)]
async fn a_disconnect_that_keeps_all_leaves_one_of_the_two(app: &mut TestApp) {
    without_moves(app).await;
    let hanging = app.google.hang("events.insert", true).await;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    app.google.until_called("events.insert", 2).await;
    let disconnecting = super::disconnecting::begin(app, RemoteEvents::Keep).await;
    app.google.let_go(hanging).await;
    let response = disconnecting.await.unwrap();
    assert_eq!(response.remaining_event_count, 0);
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!(events.iter().map(|event| &event["calendar_id"]).collect::<Vec<_>>(), [SECOND_CALENDAR]);
    app.connect("cabinet").await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 1);
}

/// Google is away for the deletion until nothing is connected any more.
#[apply(both_backends)]
async fn of_two_that_a_disconnect_had_to_leave_one_stands_once_the_account_is_back(app: &mut TestApp) {
    copied_under_another_id(app).await;
    disconnect(app, RemoteEvents::Keep).await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 2);
    app.google.no_more_faults().await;
    app.connect("cabinet").await;
    app.at_rest("cabinet").await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!(events.iter().map(|event| &event["calendar_id"]).collect::<Vec<_>>(), [ACCOUNT]);
}

/// The answer to the copy is lost, and from then on Google takes the event no more.
async fn refused_after_a_lost_copy(app: &mut TestApp, target: &str, skip: u32) {
    let lost = json!({"operation": "events.insert", "skip": skip, "times": 1, "fault": {"kind": "lose_answer"}});
    app.google.control("faults", lost).await;
    choose_calendar(app, target).await.unwrap();
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 2);
    for operation in ["events.insert", "events.patch"] {
        let refused = json!({"kind": "error", "code": 400, "reason": "required"});
        app.google.control("faults", json!({"operation": operation, "fault": refused})).await;
    }
    let status = app.at_rest("cabinet").await;
    assert_eq!(status.counts.unwrap().error, 1);
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!(events.iter().map(|event| &event["calendar_id"]).collect::<Vec<_>>(), [target]);
    app.google.no_more_faults().await;
    let request = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    app.integrations.sync_now(request).await.unwrap();
    app.at_rest("cabinet").await;
    assert_eq!(app.link("cabinet", "rdv").await.sync_status(), SyncStatus::Synced);
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 1);
}

#[apply(both_backends)]
async fn a_copy_that_is_refused_once_its_answer_was_lost_leaves_one_of_the_two(app: &mut TestApp) {
    without_moves(app).await;
    refused_after_a_lost_copy(app, SECOND_CALENDAR, 0).await;
    // And back, where the id is used up.
    refused_after_a_lost_copy(app, ACCOUNT, 1).await;
}
