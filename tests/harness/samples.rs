//! Appointments of made-up patients.

use cassius_calendar::grpc::pb::{Appointment, AppointmentState};
use jiff::Timestamp;

/// A scheduled appointment of half an hour, on 2 April 2026 at ten in Paris.
pub(crate) fn appointment(id: &str, revision: i64) -> Appointment {
    Appointment {
        appointment_id: id.into(),
        revision,
        state: AppointmentState::Scheduled.into(),
        r#type: "Implant".into(),
        patient_name: "Camille Exemple".into(),
        practitioner_name: "Dr Alex Modèle".into(),
        location: "Cabinet, salle 2".into(),
        start_time: Some(instant("2026-04-02T08:00:00Z")),
        end_time: Some(instant("2026-04-02T08:30:00Z")),
        time_zone: "Europe/Paris".into(),
        url: String::new(),
    }
}

/// The same with another patient: another content.
pub(crate) fn of_patient(id: &str, revision: i64, patient: &str) -> Appointment {
    Appointment { patient_name: patient.into(), ..appointment(id, revision) }
}

/// The same, called off.
pub(crate) fn cancelled(id: &str, revision: i64) -> Appointment {
    Appointment { state: AppointmentState::Cancelled.into(), ..appointment(id, revision) }
}

pub(crate) fn instant(text: &str) -> prost_types::Timestamp {
    let instant: Timestamp = text.parse().unwrap();
    prost_types::Timestamp { seconds: instant.as_second(), nanos: instant.subsec_nanosecond() }
}
