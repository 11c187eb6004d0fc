//! The calendar in which an appointment's event should stand.
//!
//! Owns that choice: nothing else makes it. Never knows where an event stands already.

use crate::model::{Appointment, CalendarId};

/// The calendar of an appointment, by what its integration chose: the integration's target, whoever the practitioner is.
/// What the engine moves an event to follows from here alone, so that a choice by appointment is made by this function.
pub fn calendar_of(target: &CalendarId, _: &Appointment) -> CalendarId {
    target.clone()
}
