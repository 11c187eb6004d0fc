//! Appointments that are at fault, on the unary call, on the stream and in the preview: refused, and nothing stored.

use cassius_calendar::grpc::pb::sync_appointments_response::Result as Outcome;
use cassius_calendar::grpc::pb::{
    Appointment, AppointmentState, ErrorReason, ListAppointmentLinksRequest, PreviewEventRequest,
    SyncAppointmentRequest, SyncAppointmentsRequest,
};
use prost_types::Timestamp;
use tonic::Code;

use super::refused::refused;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::samples::{appointment, instant};

struct Bad {
    /// The one field at fault.
    field: &'static str,
    appointment: Appointment,
    /// Whether a preview takes it: it needs neither id nor revision.
    is_fit_for_preview: bool,
}

fn bad(field: &'static str, spoil: impl FnOnce(&mut Appointment)) -> Bad {
    let mut appointment = appointment("mauvais", 1);
    spoil(&mut appointment);
    Bad { field, appointment, is_fit_for_preview: false }
}

fn bad_id(id: &str) -> Bad {
    bad("appointment.appointment_id", |it| it.appointment_id = id.into())
}

fn at(seconds: i64, nanos: i32) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos })
}

fn all_bad() -> Vec<Bad> {
    let late = instant("2026-05-03T08:00:01Z");
    vec![
        Bad { is_fit_for_preview: true, ..bad_id("") },
        bad_id("  "),
        bad_id(" rdv"),
        bad_id("r\0dv"),
        bad_id("rdv\n"),
        bad_id("rdv\u{7f}"),
        bad_id("rdv\u{85}1"),
        bad_id("rdv\u{202e}1"),
        bad_id(&"x".repeat(129)),
        bad_id(&"é".repeat(129)),
        bad_id(&"x".repeat(1_000_000)),
        Bad { is_fit_for_preview: true, ..bad("appointment.revision", |it| it.revision = 0) },
        bad("appointment.revision", |it| it.revision = -1),
        bad("appointment.revision", |it| it.revision = i64::MIN),
        bad("appointment.state", |it| it.state = AppointmentState::Unspecified.into()),
        bad("appointment.state", |it| it.state = 99),
        bad("appointment.state", |it| it.state = -1),
        bad("appointment.start_time", |it| it.start_time = None),
        bad("appointment.end_time", |it| it.end_time = None),
        bad("appointment.end_time", |it| it.end_time = it.start_time),
        bad("appointment.end_time", |it| it.end_time = Some(instant("2026-04-02T07:59:59.999999Z"))),
        bad("appointment.end_time", |it| it.end_time = Some(late)),
        bad("appointment.start_time", |it| it.start_time = at(1_775_116_800, -1)),
        bad("appointment.start_time", |it| it.start_time = at(1_775_116_800, 1_000_000_000)),
        bad("appointment.end_time", |it| it.end_time = at(1_775_118_600, i32::MIN)),
        bad("appointment.end_time", |it| it.end_time = at(1_775_118_600, i32::MAX)),
        // The years 0, 1899, 9999 and 10000, and what no calendar has.
        bad("appointment.start_time", |it| it.start_time = at(-62_167_219_200, 0)),
        bad("appointment.start_time", |it| it.start_time = at(-2_208_988_801, 0)),
        bad("appointment.end_time", |it| it.end_time = at(253_370_764_800, 0)),
        bad("appointment.end_time", |it| it.end_time = at(253_402_300_800, 0)),
        bad("appointment.start_time", |it| it.start_time = at(i64::MIN, 0)),
        bad("appointment.end_time", |it| it.end_time = at(i64::MAX, 0)),
        bad("appointment.time_zone", |it| it.time_zone = String::new()),
        bad("appointment.time_zone", |it| it.time_zone = "Paris".into()),
        bad("appointment.time_zone", |it| it.time_zone = "UTC+1".into()),
        bad("appointment.time_zone", |it| it.time_zone = "+01:00".into()),
        bad("appointment.time_zone", |it| it.time_zone = "europe/paris".into()),
        bad("appointment.time_zone", |it| it.time_zone = "Europe/Paris ".into()),
        bad("appointment.time_zone", |it| it.time_zone = "Europe/Pa\0ris".into()),
        bad("appointment.time_zone", |it| it.time_zone = "../../etc/passwd".into()),
        bad("appointment.time_zone", |it| it.time_zone = "x".repeat(1_000_000)),
        bad("appointment.type", |it| it.r#type = "x".repeat(201)),
        bad("appointment.patient_name", |it| it.patient_name = "x".repeat(201)),
        bad("appointment.patient_name", |it| it.patient_name = format!("e{}", "\u{301}".repeat(10_000))),
        bad("appointment.patient_name", |it| it.patient_name = "Camille\0Exemple".into()),
        bad("appointment.practitioner_name", |it| it.practitioner_name = "x".repeat(1_000_000)),
        bad("appointment.practitioner_name", |it| it.practitioner_name = "\0".into()),
        bad("appointment.location", |it| it.location = "x".repeat(501)),
        bad("appointment.location", |it| it.location = "Salle\0".into()),
        bad("appointment.type", |it| it.r#type = "Impl\0ant".into()),
        bad("appointment.url", |it| it.url = "javascript:alert(1)".into()),
        bad("appointment.url", |it| it.url = "/appointments/1".into()),
        bad("appointment.url", |it| it.url = "https://user@cassius.example/1".into()),
        bad("appointment.url", |it| it.url = "https://cassius.example/1\r\nX: y".into()),
        bad("appointment.url", |it| it.url = format!("https://cassius.example/{}", "x".repeat(2_048))),
    ]
}

async fn nothing_is_stored(app: &mut TestApp) {
    let request = ListAppointmentLinksRequest { organisation_id: "cabinet".into(), ..Default::default() };
    let links = app.appointments.list_appointment_links(request).await.unwrap().into_inner().links;
    assert!(links.is_empty(), "{links:?}");
}

#[apply(both_backends)]
async fn a_unary_call_refuses_them_with_their_field(app: &mut TestApp) {
    for Bad { field, appointment, .. } in all_bad() {
        let request =
            SyncAppointmentRequest { organisation_id: "cabinet".into(), appointment: Some(appointment), wait: None };
        let answer = app.appointments.sync_appointment(request).await;
        assert_eq!(refused(answer, Code::InvalidArgument, "INVALID_REQUEST").fields, [field]);
    }
    let request = SyncAppointmentRequest { organisation_id: "cabinet".into(), appointment: None, wait: None };
    let answer = app.appointments.sync_appointment(request).await;
    assert_eq!(refused(answer, Code::InvalidArgument, "INVALID_REQUEST").fields, ["appointment"]);
    nothing_is_stored(app).await;
}

#[apply(both_backends)]
async fn a_stream_rejects_them_one_by_one_and_goes_on(app: &mut TestApp) {
    let cases = all_bad();
    let mut requests: Vec<_> = cases
        .iter()
        .map(|bad| SyncAppointmentsRequest {
            organisation_id: "cabinet".into(),
            appointment: Some(bad.appointment.clone()),
        })
        .collect();
    requests.push(SyncAppointmentsRequest { organisation_id: "cabinet".into(), appointment: None });
    let mut answers = app.appointments.sync_appointments(tokio_stream::iter(requests)).await.unwrap().into_inner();
    for field in cases.iter().map(|bad| bad.field).chain(["appointment"]) {
        let answer = answers.message().await.unwrap().unwrap().result.unwrap();
        let Outcome::Rejection(rejection) = answer else { panic!("{field}: {answer:?}") };
        assert_eq!(rejection.reason(), ErrorReason::InvalidRequest);
        assert!(!rejection.message.is_empty());
        let told: Vec<_> = rejection.violations.iter().map(|violation| &*violation.field).collect();
        assert_eq!(told, [field]);
        assert!(rejection.violations.iter().all(|violation| !violation.description.is_empty()));
    }
    assert!(answers.message().await.unwrap().is_none());
    nothing_is_stored(app).await;
}

#[apply(both_backends)]
async fn a_preview_refuses_them_too_but_needs_neither_id_nor_revision(app: &mut TestApp) {
    for Bad { field, appointment, is_fit_for_preview } in all_bad() {
        let request =
            PreviewEventRequest { organisation_id: "cabinet".into(), appointment: Some(appointment), title_privacy: 0 };
        let answer = app.integrations.preview_event(request).await;
        if is_fit_for_preview {
            assert!(answer.unwrap().into_inner().event.is_some(), "{field}");
        } else {
            assert_eq!(refused(answer, Code::InvalidArgument, "INVALID_REQUEST").fields, [field]);
        }
    }
    nothing_is_stored(app).await;
}

#[apply(both_backends)]
async fn a_called_off_appointment_needs_only_id_and_revision_and_is_checked_in_what_it_brings(app: &mut TestApp) {
    for state in [AppointmentState::Cancelled, AppointmentState::Deleted] {
        let short = Appointment {
            appointment_id: format!("court-{}", i32::from(state)),
            revision: 1,
            state: state.into(),
            ..Default::default()
        };
        assert_eq!(app.accept("cabinet", short.clone()).await.revision, 1);
        let request = SyncAppointmentRequest {
            organisation_id: "cabinet".into(),
            appointment: Some(Appointment {
                revision: 2,
                end_time: at(0, -1),
                time_zone: "Paris".into(),
                patient_name: "\0".into(),
                ..short
            }),
            wait: None,
        };
        let refusal =
            refused(app.appointments.sync_appointment(request).await, Code::InvalidArgument, "INVALID_REQUEST");
        let mut fields = refusal.fields;
        fields.sort();
        assert_eq!(fields, ["appointment.end_time", "appointment.patient_name", "appointment.time_zone"]);
    }
}

#[apply(both_backends)]
async fn the_bounds_themselves_are_taken(app: &mut TestApp) {
    let whole = appointment("x".repeat(128).as_str(), i64::MAX);
    let widest = Appointment {
        start_time: Some(instant("2026-04-02T08:00:00Z")),
        end_time: Some(instant("2026-05-03T08:00:00Z")),
        r#type: "é".repeat(200),
        patient_name: "é".repeat(200),
        practitioner_name: "é".repeat(200),
        location: "é".repeat(500),
        ..whole
    };
    assert_eq!(app.accept("cabinet", widest).await.revision, i64::MAX);
    for (id, start, end) in [
        ("first", "1900-01-01T00:00:00Z", "1900-01-01T00:00:01Z"),
        ("last", "9998-12-31T23:59:58Z", "9998-12-31T23:59:59Z"),
        ("brief", "2026-04-02T08:00:00Z", "2026-04-02T08:00:00.000000001Z"),
    ] {
        let edge = Appointment { start_time: Some(instant(start)), end_time: Some(instant(end)), ..appointment(id, 1) };
        assert_eq!(app.accept("cabinet", edge).await.revision, 1, "{id}");
    }
}
