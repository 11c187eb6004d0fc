//! Appointments of made-up patients, and times.

use cassius_calendar::grpc::pb::{Appointment, AppointmentState, SyncAppointmentRequest};
use hdrhistogram::Histogram;
use jiff::Timestamp;

/// A scheduled appointment of half an hour; another `patient` is another content.
pub(crate) fn appointment(id: &str, revision: i64, patient: &str) -> Appointment {
    let half_hour = 1_800;
    // In 2030, so that it is never over.
    let start = 1_900_000_800;
    Appointment {
        appointment_id: id.into(),
        revision,
        state: AppointmentState::Scheduled.into(),
        r#type: "Pose d’implant".into(),
        patient_name: patient.into(),
        practitioner_name: "Dr Alex Modèle".into(),
        location: "Cabinet, salle 2".into(),
        start_time: Some(prost_types::Timestamp { seconds: start, nanos: 0 }),
        end_time: Some(prost_types::Timestamp { seconds: start + half_hour, nanos: 0 }),
        time_zone: "Europe/Paris".into(),
        url: String::new(),
    }
}

/// The request that syncs it, without a wait.
pub(crate) fn request(organisation: &str, appointment: Appointment) -> SyncAppointmentRequest {
    SyncAppointmentRequest {
        organisation_id: organisation.to_owned(),
        appointment: Some(appointment),
        ..SyncAppointmentRequest::default()
    }
}

/// Microseconds from one instant to another.
pub(crate) fn since(start: Timestamp, end: Timestamp) -> u64 {
    u64::try_from(end.duration_since(start).as_micros()).unwrap_or(0)
}

/// An empty histogram of microseconds up to a minute, to three digits.
pub(crate) fn times() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

/// The median and the 95th percentile in milliseconds, for a person.
pub(crate) fn spread(times: &Histogram<u64>) -> String {
    format!("{:.1} ms (p95 {:.1})", median_ms(times), quantile_ms(times, 0.95))
}

/// The median in milliseconds.
pub(crate) fn median_ms(times: &Histogram<u64>) -> f64 {
    quantile_ms(times, 0.5)
}

/// A quantile in milliseconds; that of 1 is the worst.
pub(crate) fn quantile_ms(times: &Histogram<u64>, quantile: f64) -> f64 {
    times.value_at_quantile(quantile) as f64 / 1_000.0
}
