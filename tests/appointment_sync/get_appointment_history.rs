//! `GetAppointmentHistory`: the latest calls that were made for an appointment.

use cassius_calendar::grpc::pb::{DisconnectRequest, GetAppointmentHistoryRequest, GoogleCall, RemoteEvents};
use serde_json::json;
use tonic::Code;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::samples::{appointment, cancelled, instant, of_patient};
use crate::wire::refused::refused;

fn request(appointment: &str) -> GetAppointmentHistoryRequest {
    GetAppointmentHistoryRequest { organisation_id: "cabinet".into(), appointment_id: appointment.into() }
}

async fn history(app: &mut TestApp, appointment: &str) -> Vec<GoogleCall> {
    app.appointments.get_appointment_history(request(appointment)).await.unwrap().into_inner().calls
}

fn told(calls: &[GoogleCall]) -> Vec<(&str, &str, i64)> {
    calls.iter().map(|call| (&*call.method, &*call.answer, call.revision)).collect()
}

#[apply(both_backends)]
async fn calls_are_told_by_meaning_the_newest_first_and_not_without_end(app: &mut TestApp) {
    let unknown = app.appointments.get_appointment_history(request("rdv")).await;
    refused(unknown, Code::NotFound, "APPOINTMENT_NOT_FOUND");
    app.accept("cabinet", appointment("rdv", 1)).await;
    assert_eq!(history(app, "rdv").await, []);
    app.connect("cabinet").await;
    app.sync("cabinet", of_patient("rdv", 2, "Patient 2")).await;
    app.google.fault("events.patch", 1, json!({"kind": "error", "code": 400, "reason": "invalid"})).await;
    app.advance(60);
    app.sync("cabinet", of_patient("rdv", 3, "Patient 3")).await;
    let calls = history(app, "rdv").await;
    // What Google refuses with a zone is tried without one.
    let expected = [("events.patch", "stored", 3), ("events.patch", "refused", 3), ("events.insert", "stored", 2)];
    assert_eq!(told(&calls), expected);
    assert_eq!(calls[1].call_time, Some(instant("2026-03-02T08:01:00Z")));
    assert!(calls.iter().all(|call| call.duration.is_some()));
    for revision in 4..40 {
        app.sync("cabinet", of_patient("rdv", revision, &format!("Patient {revision}"))).await;
    }
    let calls = history(app, "rdv").await;
    assert!((15..30).contains(&calls.len()), "{}", calls.len());
    assert_eq!(told(&calls)[0], ("events.patch", "stored", 39));
}

#[apply(both_backends)]
async fn they_are_kept_as_long_as_the_snapshot(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["past", "off"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    // A cancelled one keeps them, without its patient.
    app.sync("cabinet", cancelled("off", 2)).await;
    assert_eq!(told(&history(app, "off").await), [("events.delete", "deleted", 2), ("events.insert", "stored", 1)]);
    app.restart_after(32 * 86_400).await;
    let remote_events = RemoteEvents::DeleteAll.into();
    let disconnect = DisconnectRequest { organisation_id: "cabinet".into(), remote_events };
    let mut integrations = app.integrations.clone();
    app.while_time_goes_on(integrations.disconnect(disconnect)).await.expect("it ends").unwrap();
    assert_eq!(history(app, "past").await, []);
    assert_eq!(app.database.number("SELECT COUNT(*) FROM appointment_external_links WHERE snapshot IS NULL").await, 1);
    assert_eq!(told(&history(app, "off").await).len(), 2);
}
