//! One Google account takes over from another, and the first comes back.

use cassius_calendar::grpc::pb::{
    DisconnectRequest, ErrorReason, IntegrationState, RemoteEvents, SyncNowRequest, SyncStatus,
};
use serde_json::json;

use super::{choose_calendar, reason, until_number};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT, SECOND_CALENDAR};
use crate::harness::samples::{appointment, cancelled, of_patient};

/// What the account before is left with when another one comes.
#[derive(Clone, Copy)]
enum Between {
    Nothing,
    Disconnect,
    DeadGrant,
}

async fn exchange(app: &mut TestApp, between: Between, from: &str, to: &str) {
    match between {
        Between::Nothing => {}
        Between::Disconnect => {
            let remote_events = RemoteEvents::Keep.into();
            let request = DisconnectRequest { organisation_id: "cabinet".into(), remote_events };
            app.integrations.disconnect(request).await.unwrap();
        }
        Between::DeadGrant => {
            app.google.revoke(from).await;
            let id = if from == ACCOUNT { "finds the first one dead" } else { "finds the other one dead" };
            app.accept("cabinet", appointment(id, 1)).await;
            app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
        }
    }
    app.connect_as("cabinet", to).await;
    settled(app).await;
}

/// Catches up, and waits until nothing is due any more, of links or of what is owed.
async fn settled(app: &mut TestApp) {
    app.integrations
        .sync_now(SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() })
        .await
        .unwrap();
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    until_number(app, "SELECT COUNT(*) FROM owed_deletions WHERE next_attempt_at IS NOT NULL", 0).await;
}

async fn there_and_back(app: &mut TestApp, between: Between) {
    app.connect("cabinet").await;
    for id in ["stays", "edited", "called off"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    let event = app.link("cabinet", "stays").await.external_event_id;
    exchange(app, between, ACCOUNT, OTHER_ACCOUNT).await;
    for id in ["stays", "edited", "called off"] {
        assert_eq!(app.google.events_of(OTHER_ACCOUNT, id).await.len(), 1, "{id}");
        assert_eq!(app.google.events_of(ACCOUNT, id).await.len(), 1, "{id} is out of reach, and is not forgotten");
    }
    app.sync("cabinet", of_patient("edited", 2, "Dominique Essai")).await;
    app.sync("cabinet", cancelled("called off", 2)).await;
    assert!(app.google.events_of(OTHER_ACCOUNT, "called off").await.is_empty());

    exchange(app, between, OTHER_ACCOUNT, ACCOUNT).await;
    let stays = app.google.events_of(ACCOUNT, "stays").await;
    assert_eq!((stays.len(), &stays[0]["id"]), (1, &json!(event)), "the event that stood is taken up again");
    let edited = app.google.events_of(ACCOUNT, "edited").await;
    assert_eq!((edited.len(), &edited[0]["summary"]), (1, &json!("[Cassius] Implant — Dominique Essai")));
    assert!(app.google.events_of(ACCOUNT, "called off").await.is_empty(), "gone once the first is back");
    assert_eq!(app.link("cabinet", "stays").await.sync_status(), SyncStatus::Synced);
    assert_eq!(app.link("cabinet", "called off").await.sync_status(), SyncStatus::Synced);
}

#[apply(both_backends)]
async fn there_and_back_leaves_one_event_an_appointment(app: &mut TestApp) {
    there_and_back(app, Between::Nothing).await;
}

#[apply(both_backends)]
async fn with_a_disconnect_between(app: &mut TestApp) {
    there_and_back(app, Between::Disconnect).await;
}

#[apply(both_backends)]
async fn with_a_dead_grant_between(app: &mut TestApp) {
    there_and_back(app, Between::DeadGrant).await;
}

#[apply(both_backends)]
async fn what_could_not_be_deleted_is_taken_up_when_its_account_is_back(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    app.google.revoke(ACCOUNT).await;
    let remote_events = RemoteEvents::DeleteUpcoming.into();
    let request = DisconnectRequest { organisation_id: "cabinet".into(), remote_events };
    let response = app.integrations.disconnect(request).await.unwrap().into_inner();
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (0, 1));
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    settled(app).await;
    assert_eq!(app.google.events_of(OTHER_ACCOUNT, "rdv").await.len(), 1);
    app.connect("cabinet").await;
    settled(app).await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 1);
}

#[apply(both_backends)]
async fn the_event_that_a_person_added_to_comes_along_though_it_stood_in_another_calendar(app: &mut TestApp) {
    app.connect("cabinet").await;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    let event = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.google.alter_event(SECOND_CALENDAR, &event, json!({"colorId": "7"})).await;
    exchange(app, Between::Nothing, ACCOUNT, OTHER_ACCOUNT).await;
    // Back again, the target is the account's main calendar.
    exchange(app, Between::Nothing, OTHER_ACCOUNT, ACCOUNT).await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!((events.len(), &events[0]["id"], &events[0]["colorId"]), (1, &json!(event), &json!("7")));
    assert_eq!(events[0]["calendar_id"], ACCOUNT);
}

#[apply(both_backends)]
async fn both_accounts_write_to_one_shared_calendar(app: &mut TestApp) {
    // The first account lets the second one write to its own calendar.
    let calendar = json!({"id": ACCOUNT, "access_role": "writer"});
    app.google.control(&format!("accounts/{OTHER_ACCOUNT}/calendars"), calendar).await;
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    let event = app.link("cabinet", "rdv").await.external_event_id;
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    choose_calendar(app, ACCOUNT).await.unwrap();
    settled(app).await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 1);
    app.connect("cabinet").await;
    settled(app).await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!(events.len(), 1);
    let link = app.link("cabinet", "rdv").await;
    assert_eq!((link.sync_status(), &json!(link.external_event_id)), (SyncStatus::Synced, &events[0]["id"]));
    assert!(!event.is_empty());
}

#[apply(both_backends)]
async fn what_a_person_deletes_is_found_at_once_though_events_of_the_account_before_are_owed(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    exchange(app, Between::Nothing, ACCOUNT, OTHER_ACCOUNT).await;
    let parked = "SELECT COUNT(*) FROM owed_deletions WHERE next_attempt_at IS NULL";
    assert_eq!(app.database.number(parked).await, 1, "the calendar before is out of reach");
    let event = app.link("cabinet", "rdv").await.external_event_id;
    app.google.delete_event(OTHER_ACCOUNT, &event, "cancelled").await;
    app.advance(1);
    app.google.forget_journal().await;
    let request = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    app.integrations.sync_now(request).await.unwrap();
    app.google.until_called("events.insert", 1).await;
    settled(app).await;
    assert_eq!(app.google.events_of(OTHER_ACCOUNT, "rdv").await.len(), 1);
}

#[apply(both_backends)]
async fn an_account_that_was_refused_for_what_another_one_left_is_well_again_though_nothing_is_due(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    // Whether the calendar of the account before may be written to is asked by a list.
    let fault = json!({"kind": "error", "code": 403, "reason": "accountDisabled"});
    app.google.control("faults", json!({"operation": "events.list", "account": OTHER_ACCOUNT, "fault": fault})).await;
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::AccountUnavailable)).await;
    app.google.no_more_faults().await;
    app.advance(3_600 + 60);
    let status = app.until("cabinet", |status| status.state() == IntegrationState::Connected).await;
    assert_eq!(reason(&status), None);
    assert_eq!(app.google.events(OTHER_ACCOUNT).await.len(), 1);
}
