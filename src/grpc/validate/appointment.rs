//! The appointment of a request.
//!
//! Owns how long its texts and its slot may be, and what a draft may leave out. Never looks an appointment up.
//! Invariant: a scheduled appointment that passes has a whole slot, which ends after it begins.

use jiff::SignedDuration;

use super::Check;
use crate::grpc::pb;
use crate::model::{Appointment, AppointmentState, Details, Slot};

const MAX_NAME_CHARS: usize = 200;
const MAX_LOCATION_CHARS: usize = 500;
const MAX_SPAN: SignedDuration = SignedDuration::from_hours(31 * 24);
const SAMPLE_ID: &str = "sample";

impl Check<'_> {
    /// An appointment to be stored.
    pub(super) fn appointment(&mut self, field: &str, request: Option<&pb::Appointment>) -> Option<Appointment> {
        let Some(request) = request else { return self.fault(field, "is required") };
        let id = self.appointment_id(format!("{field}.appointment_id"), &request.appointment_id);
        let revision = self.revision(&format!("{field}.revision"), request.revision);
        let body = self.body(field, request);
        let ((id, revision), (state, slot, details)) = id.zip(revision).zip(body)?;
        Some(Appointment { id, revision, state, slot, details })
    }

    /// An appointment to be shown, which need not have an id or a revision yet.
    pub(super) fn draft(&mut self, field: &str, request: &pb::Appointment) -> Option<Appointment> {
        let mut named = request.clone();
        if named.appointment_id.is_empty() {
            named.appointment_id = SAMPLE_ID.to_owned();
        }
        if named.revision == 0 {
            named.revision = 1;
        }
        self.appointment(field, Some(&named))
    }

    fn body(&mut self, field: &str, request: &pb::Appointment) -> Option<(AppointmentState, Option<Slot>, Details)> {
        let state = self.choice::<pb::AppointmentState>(&format!("{field}.state"), request.state).map(model_state);
        let slot = self.slot(field, request, state == Some(AppointmentState::Scheduled));
        let mut text = |name: &str, text: &str, limit| self.text(&format!("{field}.{name}"), text, limit);
        let kind = text("type", &request.r#type, MAX_NAME_CHARS);
        let patient_name = text("patient_name", &request.patient_name, MAX_NAME_CHARS);
        let practitioner_name = text("practitioner_name", &request.practitioner_name, MAX_NAME_CHARS);
        let location = text("location", &request.location, MAX_LOCATION_CHARS);
        let url = self.url(&format!("{field}.url"), &request.url);
        let details = Details {
            kind: kind?,
            patient_name: patient_name?,
            practitioner_name: practitioner_name?,
            location: location?,
            url: url?,
        };
        Some((state?, slot?, details))
    }

    /// The slot. Where it is not required, each part is checked if it is set, and only a whole one is kept.
    fn slot(&mut self, field: &str, request: &pb::Appointment, required: bool) -> Option<Option<Slot>> {
        let before = self.faults();
        let [start_field, end_field, zone_field] =
            ["start_time", "end_time", "time_zone"].map(|name| format!("{field}.{name}"));
        let start = request.start_time.as_ref().and_then(|start| self.instant(&start_field, start));
        let end = request.end_time.as_ref().and_then(|end| self.instant(&end_field, end));
        let zone_name = Some(&*request.time_zone).filter(|name| !name.is_empty());
        let zone = zone_name.and_then(|name| self.zone(&zone_field, name));
        if let Some((start, end)) = start.zip(end) {
            if end <= start {
                self.fault::<()>(&end_field, "must be after start_time");
            } else if end.duration_since(start) > MAX_SPAN {
                self.fault::<()>(&end_field, "must be at most 31 days after start_time");
            }
        }
        if required {
            let missing = [
                (&start_field, request.start_time.is_none()),
                (&end_field, request.end_time.is_none()),
                (&zone_field, zone_name.is_none()),
            ];
            for (field, _) in missing.into_iter().filter(|(_, is_missing)| *is_missing) {
                self.fault::<()>(field.as_str(), "is required for a scheduled appointment");
            }
        }
        let whole = start.zip(end).zip(zone);
        let slot = whole.map(|((start_at, end_at), time_zone)| Slot { start_at, end_at, time_zone });
        (self.faults() == before).then_some(slot)
    }
}

fn model_state(state: pb::AppointmentState) -> AppointmentState {
    match state {
        pb::AppointmentState::Cancelled => AppointmentState::Cancelled,
        pb::AppointmentState::Deleted => AppointmentState::Deleted,
        // An unspecified state never gets here: it is a violation.
        pb::AppointmentState::Scheduled | pb::AppointmentState::Unspecified => AppointmentState::Scheduled,
    }
}
