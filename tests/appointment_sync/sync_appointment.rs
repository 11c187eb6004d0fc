//! `SyncAppointment`: accepted durably, whatever Google does.

use cassius_calendar::grpc::pb::{
    Appointment, AppointmentLink, AppointmentState, ErrorReason, SyncAppointmentRequest, SyncStatus,
};
use serde_json::json;

use crate::harness::app::{START, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, cancelled, instant, of_patient};

#[apply(both_backends)]
async fn it_neither_waits_for_google_nor_fails_because_of_it(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "hang"})).await;
    let link = app.accept("cabinet", appointment("rdv", 1)).await;
    assert_eq!((link.sync_status(), link.revision, link.synced_revision), (SyncStatus::Pending, 1, 0));
    assert_eq!(link.next_attempt_time, Some(instant(START)), "it is due now");
    assert_eq!(
        (link.start_time, link.end_time),
        (Some(instant("2026-04-02T08:00:00Z")), Some(instant("2026-04-02T08:30:00Z")))
    );
    app.google.no_more_faults().await;
    app.at_rest("cabinet").await;
    assert_eq!(app.link("cabinet", "rdv").await.sync_status(), SyncStatus::Synced);
}

#[apply(both_backends)]
async fn it_is_durable_when_it_answers(app: &mut TestApp) {
    for id in ["a", "b"] {
        app.accept("cabinet", appointment(id, 7)).await;
    }
    app.restart().await;
    for id in ["a", "b"] {
        assert_eq!(app.link("cabinet", id).await.revision, 7);
    }
}

#[apply(both_backends)]
async fn an_older_or_equal_revision_answers_the_link_as_it_stands(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", of_patient("rdv", 10, "Camille Exemple")).await;
    let standing = app.link("cabinet", "rdv").await;
    app.google.forget_journal().await;
    for stale in
        [of_patient("rdv", 10, "Dominique Essai"), of_patient("rdv", 9, "Dominique Essai"), cancelled("rdv", 1)]
    {
        let answer = AppointmentLink { is_held_higher: stale.revision < 10, ..standing.clone() };
        assert_eq!(app.accept("cabinet", stale.clone()).await, answer);
        assert_eq!(app.sync("cabinet", stale).await, answer);
    }
    app.at_rest("cabinet").await;
    assert!(app.google.event_calls().await.is_empty());
    assert_eq!(app.google.events(ACCOUNT).await[0]["summary"], "[Cassius] Implant — Camille Exemple");
}

#[apply(both_backends)]
async fn without_a_connection_it_is_stored_and_not_sent(app: &mut TestApp) {
    let link = app.sync("cabinet", appointment("rdv", 1)).await;
    assert_eq!((link.sync_status(), link.revision, link.next_attempt_time), (SyncStatus::None, 1, None));
    assert!(app.google.journal().await.is_empty());
}

#[apply(both_backends)]
async fn with_a_wait_it_answers_when_google_has_it(app: &mut TestApp) {
    app.connect("cabinet").await;
    let link = app.sync("cabinet", appointment("rdv", 1)).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 1));
    assert_eq!((&*link.provider, &*link.external_calendar_id), ("google", ACCOUNT));
    assert_eq!(link.last_sync_time, Some(instant(START)));
    assert_eq!((link.last_error, link.next_attempt_time), (None, None));
    let event = &app.google.events(ACCOUNT).await[0];
    assert_eq!(event["id"], *link.external_event_id);
    assert_eq!(event["htmlLink"], *link.html_link);
    let private = &event["extendedProperties"]["private"];
    assert_eq!((&private["cassiusOrganisationId"], &private["cassiusRevision"]), (&json!("cabinet"), &json!("1")));
}

#[apply(both_backends)]
async fn a_wait_that_is_over_answers_what_stands_then(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "hang"})).await;
    let mut appointments = app.appointments.clone();
    let wait = Some(prost_types::Duration { seconds: 5, nanos: 500_000_000 });
    let request =
        SyncAppointmentRequest { organisation_id: "cabinet".into(), appointment: Some(appointment("rdv", 1)), wait };
    let call = tokio::spawn(async move { appointments.sync_appointment(request).await });
    app.google.until_called("events.insert", 1).await;
    app.advance(5);
    assert!(!call.is_finished());
    app.advance(1);
    let link = call.await.unwrap().unwrap().into_inner().link.unwrap();
    assert_eq!((link.sync_status(), link.revision, link.synced_revision), (SyncStatus::Pending, 1, 0));
    assert!(!link.external_event_id.is_empty(), "the id is chosen before the first call");
    app.google.no_more_faults().await;
    app.at_rest("cabinet").await;
}

#[apply(both_backends)]
async fn a_wait_ends_with_the_word_of_google_when_it_refuses(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "error", "code": 400, "reason": "badRequest"})).await;
    let link = app.sync("cabinet", appointment("rdv", 1)).await;
    assert_eq!(link.sync_status(), SyncStatus::Error);
    let error = link.last_error.unwrap();
    assert_eq!((error.reason(), error.retryable), (ErrorReason::EventRefused, false));
    assert_eq!(error.message, "Google refuse cet événement. Vérifiez le rendez-vous dans Cassius puis réessayez.");
    assert_eq!(link.next_attempt_time, None);
    // It is tried again when it changes.
    assert_eq!(app.sync("cabinet", appointment("rdv", 2)).await.sync_status(), SyncStatus::Synced);
}

#[apply(both_backends)]
async fn a_wait_ends_early_when_the_service_drains(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google
        .fault(
            "events.insert",
            1,
            json!({"kind": "error", "code": 503, "reason": "backendError", "retry_after_seconds": 3600}),
        )
        .await;
    let mut appointments = app.appointments.clone();
    let wait = Some(prost_types::Duration { seconds: 30, nanos: 0 });
    let request =
        SyncAppointmentRequest { organisation_id: "cabinet".into(), appointment: Some(appointment("rdv", 1)), wait };
    let call = tokio::spawn(async move { appointments.sync_appointment(request).await });
    app.until("cabinet", |status| status.problem.is_some()).await;
    app.stop().await;
    let link = call.await.unwrap().unwrap().into_inner().link.unwrap();
    assert_eq!((link.sync_status(), link.revision), (SyncStatus::Pending, 1));
}

#[apply(both_backends)]
async fn an_unchanged_appointment_and_one_called_off_before_it_was_sent_need_no_call(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("same", 1)).await;
    app.google.forget_journal().await;
    let link = app.sync("cabinet", appointment("same", 2)).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
    let link = app.sync("cabinet", cancelled("never", 1)).await;
    assert_eq!((link.sync_status(), &*link.external_event_id), (SyncStatus::Synced, ""));
    assert!(app.google.event_calls().await.is_empty());
}

#[apply(both_backends)]
async fn one_called_off_or_deleted_has_no_event_and_may_take_place_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    let first = app.sync("cabinet", appointment("rdv", 1)).await;
    for (revision, state) in [(2, AppointmentState::Cancelled), (4, AppointmentState::Deleted)] {
        let off = Appointment { appointment_id: "rdv".into(), revision, state: state.into(), ..Default::default() };
        let link = app.sync("cabinet", off).await;
        assert_eq!((link.sync_status(), &*link.external_event_id), (SyncStatus::Synced, ""));
        assert_eq!(link.start_time, Some(instant("2026-04-02T08:00:00Z")), "what was known of it stays");
        assert!(app.google.events(ACCOUNT).await.is_empty());
        let again = app.sync("cabinet", appointment("rdv", revision + 1)).await;
        assert_eq!(again.sync_status(), SyncStatus::Synced);
        assert_ne!(again.external_event_id, first.external_event_id, "an id at Google is never free again");
        assert_eq!(app.google.events(ACCOUNT).await.len(), 1);
    }
}

#[apply(both_backends)]
async fn one_id_in_two_organisations_is_two_appointments(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.connect("annexe").await;
    let one = app.sync("cabinet", appointment("rdv", 1)).await;
    let two = app.sync("annexe", appointment("rdv", 1)).await;
    assert_ne!(one.external_event_id, two.external_event_id);
    app.sync("annexe", cancelled("rdv", 2)).await;
    assert_eq!(app.link("cabinet", "rdv").await, one);
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1);
}
