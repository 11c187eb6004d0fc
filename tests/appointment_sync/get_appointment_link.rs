//! `GetAppointmentLink`: how one appointment stands at Google.

use cassius_calendar::grpc::pb::{AppointmentLink, ErrorReason, GetAppointmentLinkRequest, SyncStatus};
use serde_json::json;
use tonic::Code;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::samples::{appointment, instant, of_patient};
use crate::wire::callers::with;
use crate::wire::refused::refused;

fn request(organisation: &str, id: &str) -> GetAppointmentLinkRequest {
    GetAppointmentLinkRequest { organisation_id: organisation.into(), appointment_id: id.into() }
}

#[apply(both_backends)]
async fn one_that_was_never_accepted_is_not_found_and_is_named(app: &mut TestApp) {
    app.accept("cabinet", appointment("rdv", 1)).await;
    for (organisation, id) in [("cabinet", "inconnu"), ("voisin", "rdv"), ("cabinet", "RDV")] {
        let answer = app.appointments.get_appointment_link(request(organisation, id)).await;
        let refusal = refused(answer, Code::NotFound, "APPOINTMENT_NOT_FOUND");
        assert_eq!(refusal.resources, [id]);
    }
}

#[apply(both_backends)]
async fn it_shows_each_state_of_the_way(app: &mut TestApp) {
    let stored = app.accept("cabinet", appointment("rdv", 1)).await;
    let expected = AppointmentLink {
        appointment_id: "rdv".into(),
        provider: "google".into(),
        sync_status: SyncStatus::None.into(),
        revision: 1,
        start_time: Some(instant("2026-04-02T08:00:00Z")),
        end_time: Some(instant("2026-04-02T08:30:00Z")),
        ..Default::default()
    };
    assert_eq!(stored, expected);
    assert_eq!(app.link("cabinet", "rdv").await, expected);

    app.connect("cabinet").await;
    let away = json!({"kind": "error", "code": 503, "reason": "backendError", "retry_after_seconds": 60});
    app.google.fault("events.insert", 1, away).await;
    app.accept("cabinet", appointment("rdv", 2)).await;
    app.until("cabinet", |status| status.problem.is_some()).await;
    let link = app.link("cabinet", "rdv").await;
    assert_eq!((link.sync_status(), link.revision, link.synced_revision), (SyncStatus::Pending, 2, 0));
    assert!(link.next_attempt_time.unwrap().seconds >= instant("2026-03-02T08:01:00Z").seconds);
    let error = link.last_error.unwrap();
    assert_eq!((error.reason(), error.retryable), (ErrorReason::GoogleUnavailable, true));
    let event_id = link.external_event_id;
    assert!(!event_id.is_empty() && link.html_link.is_empty());

    app.advance(70);
    app.at_rest("cabinet").await;
    let link = app.link("cabinet", "rdv").await;
    assert_eq!((link.sync_status(), link.revision, link.synced_revision), (SyncStatus::Synced, 2, 2));
    assert_eq!((link.last_error, link.next_attempt_time), (None, None));
    assert_eq!(link.external_event_id, event_id, "the id was chosen before the first call");
    assert_eq!(link.last_sync_time, Some(instant("2026-03-02T08:01:10Z")));
    assert!(link.html_link.starts_with("http"));

    app.google.fault("events.patch", 1, json!({"kind": "error", "code": 400, "reason": "badRequest"})).await;
    app.sync("cabinet", of_patient("rdv", 3, "Dominique Essai")).await;
    let english = with(request("cabinet", "rdv"), "accept-language", "en");
    let link = app.appointments.get_appointment_link(english).await.unwrap().into_inner().link.unwrap();
    assert_eq!((link.sync_status(), link.revision, link.synced_revision), (SyncStatus::Error, 3, 2));
    let error = link.last_error.unwrap();
    assert_eq!((error.reason(), error.retryable), (ErrorReason::EventRefused, false));
    assert_eq!(error.message, "Google refuses this event. Check the appointment in Cassius and try again.");
    assert_eq!(link.external_event_id, event_id, "the event that was written before stands still");
}
