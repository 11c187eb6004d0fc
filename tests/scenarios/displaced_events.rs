//! What a person did to an event so that Google no longer shows it as ours where it is looked for first: it stands in
//! another calendar, on a day that is over too, or has lost the properties that say whose it is.

use cassius_calendar::grpc::pb::{
    AccountSearch, Appointment, AppointmentLink, EraseAppointmentsRequest, IntegrationSettings, RemoteEvents,
    SyncStatus, TitlePrivacy, UpdateSettingsRequest,
};
use prost_types::FieldMask;
use serde_json::{Value, json};

use super::moved_events::{away, disconnect, erase, refuse_second_list, sync_now, with_many_calendars};
use super::{until_number, with_plenty_of_quota};
use crate::harness::app::{BOUND, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT, SECOND_CALENDAR};
use crate::harness::samples::{appointment, cancelled, instant, of_patient};

/// An upcoming appointment whose event a person moves into another calendar and to a day that is over; the event.
async fn displaced(app: &mut TestApp, id: &str, calendar: &str) -> String {
    let event = app.sync("cabinet", appointment(id, 1)).await.external_event_id;
    app.google.move_event(ACCOUNT, &event, calendar).await;
    let past = json!({
        "start": {"dateTime": "2026-01-05T09:00:00Z", "date": null},
        "end": {"dateTime": "2026-01-05T09:30:00Z", "date": null}
    });
    app.google.alter_event(calendar, &event, past).await;
    event
}

fn over_of(id: &str) -> Appointment {
    Appointment {
        start_time: Some(instant("2026-02-28T08:00:00Z")),
        end_time: Some(instant("2026-02-28T08:30:00Z")),
        ..appointment(id, 1)
    }
}

async fn mask(app: &mut TestApp) {
    let settings = IntegrationSettings { title_privacy: TitlePrivacy::Masked.into(), ..IntegrationSettings::default() };
    let masked = UpdateSettingsRequest {
        organisation_id: "cabinet".into(),
        settings: Some(settings),
        update_mask: Some(FieldMask { paths: vec!["title_privacy".into()] }),
    };
    app.integrations.update_settings(masked).await.unwrap();
}

#[apply(both_backends)]
async fn what_was_moved_to_a_day_that_is_over_goes_with_a_disconnect(app: &mut TestApp) {
    app.connect("cabinet").await;
    displaced(app, "rdv", SECOND_CALENDAR).await;
    let response = disconnect(app, RemoteEvents::DeleteUpcoming).await;
    assert_eq!((response.deleted_event_count, response.remaining_event_count), (1, 0));
    assert_eq!(response.search(), AccountSearch::Whole);
    assert_eq!(app.google.events(ACCOUNT).await, Vec::<Value>::new());
}

#[apply(both_backends)]
async fn what_was_moved_to_a_day_that_is_over_is_put_right_by_a_comparison(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = displaced(app, "rdv", SECOND_CALENDAR).await;
    let counts = sync_now(app, true).await;
    assert_eq!((counts.missing_count, counts.surplus_count), (1, 1));
    sync_now(app, false).await;
    app.google.until_deleted(&[before]).await;
    let is_back = |link: &AppointmentLink| link.sync_status() == SyncStatus::Synced;
    app.until_link("cabinet", "rdv", is_back).await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!((events.len(), &events[0]["calendar_id"]), (1, &json!(ACCOUNT)));
}

#[apply(both_backends)]
async fn what_was_displaced_among_many_calendars_is_put_right_by_itself_once_it_is_edited(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    let last = with_many_calendars(app, 12).await;
    let mut before = Vec::new();
    for id in ["edited", "cancelled"] {
        before.push(displaced(app, id, &last).await);
    }
    app.sync("cabinet", of_patient("edited", 2, "Dominique Essai")).await;
    app.sync("cabinet", cancelled("cancelled", 2)).await;
    app.google.forget_journal().await;
    app.advance(5 * 60 + 15);
    app.google.until_deleted(&before).await;
    until_number(app, "SELECT COUNT(*) FROM calendar_integrations WHERE vanished_count = 0", 1).await;
    let events = app.google.events_of(ACCOUNT, "edited").await;
    assert_eq!((events.len(), &events[0]["calendar_id"]), (1, &json!(ACCOUNT)));
    assert_eq!(app.google.events_of(ACCOUNT, "cancelled").await.len(), 0);
}

#[apply(both_backends)]
async fn what_was_displaced_into_a_calendar_that_becomes_the_target_is_put_right_by_itself(app: &mut TestApp) {
    app.connect("cabinet").await;
    let third = with_many_calendars(app, 1).await;
    let before = displaced(app, "rdv", SECOND_CALENDAR).await;
    for calendar in [third.as_str(), SECOND_CALENDAR] {
        let settings = IntegrationSettings { calendar_id: calendar.into(), ..IntegrationSettings::default() };
        let chosen = UpdateSettingsRequest {
            organisation_id: "cabinet".into(),
            settings: Some(settings),
            update_mask: Some(FieldMask { paths: vec!["calendar_id".into()] }),
        };
        app.integrations.update_settings(chosen).await.unwrap();
        app.at_rest("cabinet").await;
    }
    app.google.forget_journal().await;
    app.advance(5 * 60 + 15);
    app.google.until_deleted(&[before]).await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!((events.len(), &events[0]["calendar_id"]), (1, &json!(SECOND_CALENDAR)));
}

#[apply(both_backends)]
async fn what_is_over_and_was_moved_shows_no_name_beside_the_masked_one(app: &mut TestApp) {
    app.connect("cabinet").await;
    let mut before = Vec::new();
    for id in ["one", "two"] {
        let event = app.sync("cabinet", over_of(id)).await.external_event_id;
        app.google.move_event(ACCOUNT, &event, SECOND_CALENDAR).await;
        before.push(event);
    }
    app.google.forget_journal().await;
    mask(app).await;
    app.at_rest("cabinet").await;
    app.advance(5 * 60 + 15);
    app.google.until_deleted(&before).await;
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event["summary"] == "[Cassius] Rendez-vous"), "{events:#?}");
}

#[apply(both_backends)]
async fn what_is_over_stays_where_a_person_moved_it_though_others_are_looked_for(app: &mut TestApp) {
    app.connect("cabinet").await;
    let over = app.sync("cabinet", over_of("over")).await.external_event_id;
    app.google.move_event(ACCOUNT, &over, SECOND_CALENDAR).await;
    let before = displaced(app, "rdv", SECOND_CALENDAR).await;
    sync_now(app, false).await;
    app.google.until_deleted(&[before]).await;
    app.at_rest("cabinet").await;
    let events = app.google.events_of(ACCOUNT, "over").await;
    assert_eq!((events.len(), &events[0]["calendar_id"]), (1, &json!(SECOND_CALENDAR)));
}

#[apply(both_backends)]
async fn a_revision_that_a_program_took_away_is_set_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    let event = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    let taken = json!({"extendedProperties": {"private": {"cassiusRevision": null}}});
    app.google.alter_event(ACCOUNT, &event, taken).await;
    assert_eq!(sync_now(app, true).await.altered_count, 1);
    sync_now(app, false).await;
    let look = async {
        while !app.google.events(ACCOUNT).await[0]["extendedProperties"]["private"]["cassiusRevision"].is_string() {}
    };
    app.while_time_goes_on(look).await.expect("the revision is set again");
}

#[apply(both_backends)]
async fn what_vanished_is_looked_for_until_all_calendars_have_answered(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = displaced(app, "rdv", SECOND_CALENDAR).await;
    app.sync("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    refuse_second_list(app, away()).await;
    app.google.forget_journal().await;
    app.advance(5 * 60 + 15);
    app.google
        .until(|calls| calls.iter().any(|call| call["operation"] == "events.list" && call["status"] == 503))
        .await;
    app.google.no_more_faults().await;
    app.while_time_goes_on(app.google.until_deleted(&[before])).await.expect("it is found");
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 1);
}

#[apply(both_backends)]
async fn an_event_without_our_properties_is_still_ours_where_it_was_written(app: &mut TestApp) {
    app.connect("cabinet").await;
    let all = json!({"extendedProperties": {"private": null}});
    let one = |name: &str| json!({"extendedProperties": {"private": {name: null}}});
    let ways = [all, one("cassiusOrganisationId"), one("cassiusAppointmentId")];
    for (way, taken) in ways.iter().enumerate() {
        let id = |what: &str| format!("{what} {way}");
        let mut events = Vec::new();
        for what in ["edited", "cancelled", "erased", "compared"] {
            let event = app.sync("cabinet", appointment(&id(what), 1)).await.external_event_id;
            app.google.alter_event(ACCOUNT, &event, taken.clone()).await;
            events.push(event);
        }
        let edited = app.sync("cabinet", of_patient(&id("edited"), 2, "Dominique Essai")).await;
        assert_eq!(edited.external_event_id, events[0], "it is the same event");
        app.sync("cabinet", cancelled(&id("cancelled"), 2)).await;
        assert!(erase(app, &id("erased")).await.is_done);
        app.google.until_deleted(&events[1..3]).await;
        sync_now(app, false).await;
        until_properties(app, &events[3]).await;
    }
    // Each is there once, and says again whose it is.
    assert_eq!(app.google.events(ACCOUNT).await.len(), 2 * ways.len());
    for event in app.google.events(ACCOUNT).await {
        app.google.alter_event(ACCOUNT, event["id"].as_str().unwrap(), ways[0].clone()).await;
    }
    mask(app).await;
    app.at_rest("cabinet").await;
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 2 * ways.len());
    assert!(events.iter().all(|event| event["summary"] == "[Cassius] Rendez-vous"), "{events:#?}");
}

/// Waits until an event names its appointment again.
async fn until_properties(app: &TestApp, event: &str) {
    let look = async {
        loop {
            let events = app.google.events(ACCOUNT).await;
            let its = events.iter().find(|its| its["id"] == json!(event)).expect("it stands");
            if its["extendedProperties"]["private"]["cassiusAppointmentId"].is_string() {
                return;
            }
        }
    };
    app.while_time_goes_on(look).await.expect("the properties are set again");
}

#[apply(both_backends)]
async fn what_was_erased_and_sent_again_before_the_search_leaves_no_second_event(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.google.move_event(ACCOUNT, &before, SECOND_CALENDAR).await;
    refuse_second_list(app, away()).await;
    let mut appointments = app.appointments.clone();
    let request = EraseAppointmentsRequest { organisation_id: "cabinet".into(), appointment_ids: vec!["rdv".into()] };
    let erasing = tokio::spawn(async move { appointments.erase_appointments(request).await });
    app.google
        .until(|calls| calls.iter().any(|call| call["operation"] == "events.list" && call["status"] == 503))
        .await;
    let after = app.sync("cabinet", appointment("rdv", 1)).await;
    assert_ne!(after.external_event_id, before);
    app.google.no_more_faults().await;
    app.while_time_goes_on(app.google.until_deleted(std::slice::from_ref(&before))).await.expect("it is found");
    erasing.await.unwrap().unwrap();
    app.at_rest("cabinet").await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!((events.len(), &events[0]["id"]), (1, &json!(after.external_event_id)));
    until_number(app, "SELECT COUNT(*) FROM appointment_external_links WHERE is_unsearched", 0).await;
}

#[apply(both_backends)]
async fn what_is_owed_in_an_account_before_keeps_no_erasure_from_searching_the_present_one(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    app.at_rest("cabinet").await;
    // What is still tried there would keep the erasure waiting for its lease.
    until_number(app, "SELECT COUNT(*) FROM owed_deletions WHERE next_attempt_at IS NULL", 1).await;
    let made = app.google.control(&format!("accounts/{OTHER_ACCOUNT}/calendars"), json!({"summary": "Salle 2"})).await;
    let events = app.google.events_of(OTHER_ACCOUNT, "rdv").await;
    let event = events[0]["id"].as_str().unwrap().to_owned();
    app.google.move_event(OTHER_ACCOUNT, &event, made["id"].as_str().unwrap()).await;
    // Its ten seconds are over by the service's clock while the call may still be under way.
    assert!(!erase(app, "rdv").await.is_done);
    app.google.until_deleted(&[event]).await;
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 1).await;
    let erased = erase(app, "rdv").await;
    assert_eq!((erased.is_done, erased.remaining_event_count), (false, 1), "the first account is out of reach");
    assert_eq!(app.google.events_of(OTHER_ACCOUNT, "rdv").await, Vec::<Value>::new());

    app.connect_as("cabinet", ACCOUNT).await;
    let look = async { while !erase(app, "rdv").await.is_done {} };
    tokio::time::timeout(BOUND, look).await.expect("it ends once the first account is back");
    assert_eq!(app.google.events(ACCOUNT).await, Vec::<Value>::new());
}
