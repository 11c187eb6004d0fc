//! What is owed when a disconnect begins, or comes to be owed while one is under way: worked off by it, counted, and told.

use cassius_calendar::grpc::pb::replace_appointments_request::Part;
use cassius_calendar::grpc::pb::{
    AccountSearch, Appointment, DisconnectRequest, EraseAppointmentsRequest, EraseAppointmentsResponse, ErrorReason,
    IntegrationState, RemoteEvents, ReplaceAppointmentsRequest, ReplacementEnd,
};
use cassius_calendar::model::{AppointmentId, CalendarId, EventId, Generation, OrganisationId, Place};
use cassius_calendar::store::OwedCause;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::comparison::stray;
use super::disconnecting::begin;
use super::{enable, reason, until_number};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT, SECOND_CALENDAR};
use crate::harness::samples::{appointment, instant, of_patient};

async fn erase(app: &mut TestApp, ids: &[&str]) -> EraseAppointmentsResponse {
    let appointment_ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let request = EraseAppointmentsRequest { organisation_id: "cabinet".into(), appointment_ids };
    let mut appointments = app.appointments.clone();
    // The caller waits for a while where something may still be deleted.
    let erased = app.while_time_goes_on(appointments.erase_appointments(request)).await;
    erased.expect("the erasure ends").unwrap().into_inner()
}

/// How many events a disconnect says were deleted, and how many remain.
async fn disconnect(app: &mut TestApp, remote_events: RemoteEvents) -> (i32, i32) {
    let request = DisconnectRequest { organisation_id: "cabinet".into(), remote_events: remote_events.into() };
    let told = app.integrations.disconnect(request).await.unwrap().into_inner();
    assert_eq!(told.status.unwrap().state(), IntegrationState::NotConnected);
    (told.deleted_event_count, told.remaining_event_count)
}

/// The grant is dead, and that is known.
async fn lose_grant(app: &mut TestApp, appointment: &str) {
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", of_patient(appointment, 2, "Dominique Essai")).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
}

#[apply(both_backends)]
async fn an_erasure_that_waits_is_ended_by_a_disconnect_that_deletes_and_told_by_one_that_keeps(app: &mut TestApp) {
    for remote_events in [RemoteEvents::DeleteUpcoming, RemoteEvents::DeleteAll, RemoteEvents::Keep] {
        app.connect("cabinet").await;
        let (erased, other) = (format!("erased {remote_events:?}"), format!("other {remote_events:?}"));
        for id in [&erased, &other] {
            app.sync("cabinet", appointment(id, 1)).await;
        }
        let away = json!({"kind": "error", "code": 503, "reason": "backendError"});
        app.google.control("faults", json!({"operation": "events.delete", "fault": away})).await;
        let stands = erase(app, &[&erased]).await;
        assert_eq!((stands.is_done, stands.remaining_event_count), (false, 1));
        if remote_events == RemoteEvents::Keep {
            for _ in 0..2 {
                assert_eq!(disconnect(app, remote_events).await, (0, 1), "it is told again");
            }
            assert_eq!(app.google.events_of(ACCOUNT, &erased).await.len(), 1);
            app.google.no_more_faults().await;
            app.connect("cabinet").await;
            until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
            assert_eq!(app.google.events_of(ACCOUNT, &other).await.len(), 1);
        } else {
            let disconnecting = begin(app, remote_events).await;
            app.google.no_more_faults().await;
            app.advance(900);
            disconnecting.await.unwrap();
            app.until("cabinet", |status| status.state() == IntegrationState::NotConnected).await;
            assert_eq!(disconnect(app, remote_events).await, (0, 0));
            assert!(app.google.events_of(ACCOUNT, &other).await.is_empty());
        }
        assert!(app.google.events_of(ACCOUNT, &erased).await.is_empty());
        assert!(erase(app, &[&erased]).await.is_done);
    }
}

#[apply(both_backends)]
async fn what_is_erased_during_a_disconnect_is_counted_and_deleted_by_it(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["erased", "left out", "stays"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    let (start_time, end_time) = (Some(instant("2026-02-02T08:00:00Z")), Some(instant("2026-02-02T08:30:00Z")));
    app.sync("cabinet", Appointment { start_time, end_time, ..appointment("over", 1) }).await;
    let away = json!({"kind": "error", "code": 503, "reason": "backendError"});
    app.google.control("faults", json!({"operation": "*", "fault": away})).await;
    let disconnecting = begin(app, RemoteEvents::DeleteUpcoming).await;
    let failed = "SELECT COUNT(*) FROM owed_deletions WHERE last_error IS NOT NULL AND lease_until IS NULL";
    until_number(app, failed, 3).await;

    assert_eq!(erase(app, &["erased", "over"]).await.remaining_event_count, 2);
    app.advance(1);
    let request = |part| ReplaceAppointmentsRequest { organisation_id: "cabinet".into(), part: Some(part) };
    let all = [Part::Appointment(appointment("stays", 1)), Part::End(ReplacementEnd { appointment_count: 1 })];
    let replaced = app.appointments.replace_appointments(tokio_stream::iter(all.map(request))).await.unwrap();
    assert_eq!(replaced.into_inner().erased_count, 1);
    let progress = app.status("cabinet").await.disconnect.unwrap();
    assert_eq!((progress.total, progress.done, progress.failed), (4, 0, 0), "one that is over, and nothing is deleted");

    app.google.no_more_faults().await;
    app.advance(900);
    disconnecting.await.unwrap();
    app.until("cabinet", |status| status.state() == IntegrationState::NotConnected).await;
    assert!(app.google.events(ACCOUNT).await.is_empty());
    assert_eq!(disconnect(app, RemoteEvents::DeleteUpcoming).await, (0, 0));
    assert!(erase(app, &["erased", "over", "left out"]).await.is_done);
}

/// For each cause, an event of « rdv » is owed for each of these states, which its id begins with.
async fn owe_of_each_cause(app: &TestApp, states: &[&str], due_at: Timestamp) {
    let (store, organisation) = (app.database.store.clone(), OrganisationId::parse("cabinet").unwrap());
    let account = store.integration(&organisation).await.unwrap().unwrap().google_user_id.unwrap();
    let causes = [
        OwedCause::AccountExchanged,
        OwedCause::LeftBehind,
        OwedCause::Disconnect,
        OwedCause::Erasure,
        OwedCause::Comparison,
    ];
    for (n, cause) in causes.into_iter().enumerate() {
        for state in states {
            let event = format!("{state}{n}");
            app.google.add_event(ACCOUNT, stray(&event, "cabinet", "rdv")).await;
            let (calendar, event) = (CalendarId::new(ACCOUNT), EventId::new(&event));
            let place = Place { calendar, event, generation: Generation::FIRST };
            let events = [(AppointmentId::parse("rdv").unwrap(), place)];
            store.owe(&organisation, &account, &events, cause, due_at).await.unwrap();
        }
    }
}

#[apply(both_backends)]
async fn what_is_owed_goes_with_a_disconnect_whatever_the_cause_and_though_it_was_parked(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    // Not due before the disconnect makes it so.
    owe_of_each_cause(app, &["waits", "parked"], app.clock.now() + SignedDuration::from_hours(1)).await;
    app.database.run("UPDATE owed_deletions SET next_attempt_at = NULL WHERE event_id LIKE 'parked%'").await;
    assert_eq!(disconnect(app, RemoteEvents::DeleteUpcoming).await, (11, 0));
    assert!(app.google.events(ACCOUNT).await.is_empty());
}

#[apply(both_backends)]
async fn with_a_dead_grant_an_erasure_is_told_with_the_rest(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["erased", "other"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    lose_grant(app, "other").await;
    assert_eq!(erase(app, &["erased"]).await.remaining_event_count, 1);
    assert_eq!(disconnect(app, RemoteEvents::DeleteAll).await, (0, 2));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 2);
    app.connect("cabinet").await;
    app.at_rest("cabinet").await;
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["extendedProperties"]["private"]["cassiusAppointmentId"], "other");
}

#[apply(both_backends)]
async fn what_stands_in_an_account_before_is_told_by_a_disconnect_of_the_present_one(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["one", "two"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    lose_grant(app, "one").await;
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(OTHER_ACCOUNT).await.len(), 2);
    assert_eq!(disconnect(app, RemoteEvents::DeleteUpcoming).await, (2, 2));
    assert!(app.google.events(OTHER_ACCOUNT).await.is_empty());
    assert_eq!(app.google.events(ACCOUNT).await.len(), 2);
    assert_eq!(disconnect(app, RemoteEvents::DeleteUpcoming).await, (0, 2), "it is told again");
}

#[apply(both_backends)]
async fn while_the_sync_is_off_what_is_erased_is_deleted_and_the_rest_waits(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["rdv", "erased"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    let event = app.sync("cabinet", appointment("moved", 1)).await.external_event_id;
    enable(app, false).await;
    owe_of_each_cause(app, &["due"], app.clock.now()).await;
    app.accept("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    // A person has moved it: the account is searched for it.
    app.google.move_event(ACCOUNT, &event, SECOND_CALENDAR).await;
    app.google.forget_journal().await;
    let erased = erase(app, &["erased", "moved"]).await;
    assert_eq!((erased.is_done, erased.remaining_event_count, erased.search()), (true, 0, AccountSearch::Whole));
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 4).await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1 + 4, "the others wait");
    let calls = app.google.event_calls().await;
    assert!(!calls.iter().any(|call| call.contains("insert") || call.contains("patch")), "{calls:?}");
    enable(app, true).await;
    app.at_rest("cabinet").await;
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1);
}
