//! What every error carries.

use cassius_calendar::grpc::pb::{
    Appointment, GetStatusRequest, ListCalendarsRequest, SyncAppointmentRequest, SyncNowRequest,
};
use prost_types::{Duration, Timestamp};
use tonic::Code;

use super::callers::with;
use super::refused::refused;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::logs;

/// Every field at fault, each with a value that must not come back.
fn all_wrong() -> SyncAppointmentRequest {
    let canary = |length: usize| format!("canary-in-a-field-Jk73{}", "x".repeat(length));
    SyncAppointmentRequest {
        organisation_id: canary(128),
        appointment: Some(Appointment {
            appointment_id: canary(128),
            revision: 0,
            state: 99,
            r#type: canary(200),
            patient_name: canary(200),
            practitioner_name: canary(200),
            location: canary(500),
            start_time: Some(Timestamp { seconds: 0, nanos: -1 }),
            end_time: Some(Timestamp { seconds: i64::MAX, nanos: 0 }),
            time_zone: canary(0),
            url: format!("ftp://{}", canary(0)),
        }),
        wait: Some(Duration { seconds: 31, nanos: 0 }),
    }
}

#[apply(both_backends)]
async fn all_violations_are_told_at_once_and_none_repeats_a_value(app: &mut TestApp) {
    let refusal =
        refused(app.appointments.sync_appointment(all_wrong()).await, Code::InvalidArgument, "INVALID_REQUEST");
    let mut fields = refusal.fields.clone();
    fields.sort();
    assert_eq!(
        fields,
        [
            "appointment.appointment_id",
            "appointment.end_time",
            "appointment.location",
            "appointment.patient_name",
            "appointment.practitioner_name",
            "appointment.revision",
            "appointment.start_time",
            "appointment.state",
            "appointment.time_zone",
            "appointment.type",
            "appointment.url",
            "organisation_id",
            "wait",
        ]
    );
    assert!(!refusal.whole.contains("canary-in-a-field-Jk73"), "{}", refusal.whole);
    assert!(!logs::contain("canary-in-a-field-Jk73"));
}

#[apply(both_backends)]
async fn people_are_spoken_to_in_french_unless_they_prefer_english(app: &mut TestApp) {
    let sync_now = || SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    for (header, locale, sentence) in [
        (None, "fr", "Aucun compte Google n’est connecté. Connectez Google Calendar dans les réglages."),
        (
            Some("en-GB,en;q=0.9,fr;q=0.5"),
            "en",
            "No Google account is connected. Connect Google Calendar in the settings.",
        ),
        (
            Some("fr-CH, en;q=0.1"),
            "fr",
            "Aucun compte Google n’est connecté. Connectez Google Calendar dans les réglages.",
        ),
        (
            Some("\u{fffd};q=x"),
            "fr",
            "Aucun compte Google n’est connecté. Connectez Google Calendar dans les réglages.",
        ),
    ] {
        let request = match header.filter(|header| header.is_ascii()) {
            Some(header) => with(sync_now(), "accept-language", header),
            None => tonic::Request::new(sync_now()),
        };
        let answer = app.integrations.sync_now(request).await;
        let refusal = refused(answer, Code::FailedPrecondition, "NOT_CONNECTED");
        assert_eq!((&*refusal.locale, &*refusal.sentence), (locale, sentence));
    }
    let request = with(GetStatusRequest::default(), "accept-language", "en");
    let refusal = refused(app.integrations.get_status(request).await, Code::InvalidArgument, "INVALID_REQUEST");
    assert_eq!(refusal.locale, "en");
}

#[apply(both_backends)]
async fn a_defect_is_answered_with_a_word_to_find_it_by_in_the_log(app: &mut TestApp) {
    app.connect("cabinet").await;
    // Whatever this is, it was not sealed by us.
    let forged = if app.database.is_postgres() { "'\\x00ff00ff'" } else { "x'00ff00ff'" };
    app.database
        .run(&format!("UPDATE calendar_integrations SET access_token = {forged}, refresh_token = {forged}"))
        .await;
    app.restart().await;
    let request = || ListCalendarsRequest { organisation_id: "cabinet".into() };
    let refusal = refused(app.integrations.list_calendars(request()).await, Code::Internal, "INTERNAL");
    let incident = refusal.metadata["incident"].clone();
    assert!(incident.len() >= 16 && logs::contain(&incident), "{incident}");
    assert!(!refusal.whole.contains("seal"), "the cause is for the log alone: {}", refusal.whole);
    let again = refused(app.integrations.list_calendars(request()).await, Code::Internal, "INTERNAL");
    assert_ne!(again.metadata["incident"], incident, "each incident has its own");
    app.status("cabinet").await;
}
